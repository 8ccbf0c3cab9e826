"""Drafts: what one author has begun in one conversation, kept across crash and restart.

A draft stays where it was begun and appears nowhere else, but in the conversation into which its
own was merged. One that was made from a template for a patient who is no longer the
conversation's is not shown again: it may hold that patient's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.record import current
from crm_core.inbox.tables import Conversation, Draft
from crm_core.inbox.threads.family import merged_family
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit, WriteUnit


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """A draft, opened for its author; `for_another` says that it was written when another patient was meant."""

    body: Shown
    internal: bool
    template_key: str | None
    for_another: bool = False


@needs(Permission.CONVERSATION_WORK)
def save_draft(
    unit: WriteUnit,
    conversation_id: int,
    body: str,
    *,
    internal: bool = False,
    template_key: str | None = None,
) -> None:
    """Keep my draft; an empty one is dropped. Drafts are not audited (architecture.md)."""
    if body.strip() and not _kept(unit, conversation_id, unit.actor.staff_id):
        current(unit, conversation_id, lock=False)
    _save(unit, conversation_id, unit.actor.staff_id, body, internal=internal, template_key=template_key)


def keep_for(
    unit: WriteUnit, conversation_id: int, author_id: int, body: str, *, template_key: str | None = None
) -> None:
    """An answer that did not go is its author's draft again, unless they have begun another here."""
    if not _kept(unit, conversation_id, author_id):
        _save(unit, conversation_id, author_id, body, internal=False, template_key=template_key)


def _save(
    unit: WriteUnit, conversation_id: int, author: int, body: str, *, internal: bool, template_key: str | None
) -> None:
    kept = _kept(unit, conversation_id, author)
    found = next((row for row in kept if row.conversation_id == conversation_id), kept[0] if kept else None)
    if not body.strip():
        if found is not None:
            unit.execute(delete(Draft).where(Draft.id == found.id))
        return
    if found is None:
        draft_id = unit.new_id("draft")
        statement = insert(Draft).values(id=draft_id, author_id=author)
    else:
        draft_id = found.id
        statement = update(Draft).where(Draft.id == draft_id)  # type: ignore[assignment]
    unit.execute(
        statement.values(
            conversation_id=conversation_id,
            internal=internal,
            template_key=template_key,
            patient_id=_begun_for(found, template_key) or _patient_of(unit, conversation_id),
            updated_at=unit.now,
            body_sealed=unit.seal(Field.DRAFT_BODY, draft_id, body),
        )
    )


def _begun_for(found: Any | None, template_key: str | None) -> int | None:
    """For whom this text was begun, while it goes on; another template's text is for the patient of today."""
    if found is None or template_key not in (None, found.template_key):
        return None
    begun_for: int | None = found.patient_id
    return begun_for


@needs(Permission.CONVERSATION_WORK)
def my_draft(unit: ReadUnit, conversation_id: int) -> DraftView | None:
    """My draft in that conversation, and nobody else's."""
    kept = _kept(unit, conversation_id, unit.actor.staff_id)
    patient_id = _patient_of(unit, conversation_id) if kept else None
    for row in kept:
        for_another = row.patient_id is not None and row.patient_id != patient_id
        if for_another and row.template_key is not None:
            continue
        body = unit.open(row.body)
        assert body is not None
        return DraftView(body=body, internal=row.internal, template_key=row.template_key, for_another=for_another)
    return None


@needs(Permission.CONVERSATION_WORK)
def drop_draft(unit: WriteUnit, conversation_id: int, *, internal: bool) -> None:
    """Drop my draft of what was just sent or noted; one of the other kind is kept."""
    kept = _kept(unit, conversation_id, unit.actor.staff_id)
    sent = next((row.id for row in kept if row.internal == internal), None)
    if sent is not None:
        unit.execute(delete(Draft).where(Draft.id == sent))


def _kept(unit: ReadUnit, conversation_id: int, author_id: int) -> Sequence[Any]:
    """One author's drafts that appear here: the one begun here first, then those of what was merged into it."""
    lies_in = Draft.conversation_id.in_(merged_family(unit, conversation_id))
    columns = (Draft.id, Draft.conversation_id, Draft.internal, Draft.template_key, Draft.patient_id, Draft.body)
    found = unit.execute(
        select(*columns).where(lies_in, Draft.author_id == author_id).order_by(Draft.updated_at.desc(), Draft.id)
    ).all()
    return sorted(found, key=lambda row: row.conversation_id != conversation_id)


def _patient_of(unit: ReadUnit, conversation_id: int) -> int | None:
    patient_id: int | None = unit.scalar(select(Conversation.patient_id).where(Conversation.id == conversation_id))
    return patient_id
