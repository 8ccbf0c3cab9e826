"""Drafts: what one author has begun in one conversation, kept across crash and restart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.record import current
from crm_core.inbox.tables import Draft
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit, WriteUnit


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """A draft, opened for its author."""

    body: Shown
    internal: bool
    template_key: str | None


@needs(Permission.CONVERSATION_WORK)
def save_draft(
    unit: WriteUnit, conversation_id: int, body: str, *, internal: bool = False, template_key: str | None = None
) -> None:
    """Keep my draft; an empty one is dropped. Drafts are not audited (architecture.md)."""
    mine = (Draft.conversation_id == conversation_id) & (Draft.author_id == unit.actor.staff_id)
    if not body.strip():
        unit.execute(delete(Draft).where(mine))
        return
    draft_id = unit.scalar(select(Draft.id).where(mine))
    if draft_id is None:
        current(unit, conversation_id, lock=False)
        draft_id = unit.new_id("draft")
        row = {"id": draft_id, "conversation_id": conversation_id, "author_id": unit.actor.staff_id}
        statement = insert(Draft).values(row)
    else:
        statement = update(Draft).where(Draft.id == draft_id)  # type: ignore[assignment]
    unit.execute(
        statement.values(
            internal=internal,
            template_key=template_key,
            updated_at=unit.now,
            body_sealed=unit.seal(Field.DRAFT_BODY, draft_id, body),
        )
    )


@needs(Permission.CONVERSATION_WORK)
def my_draft(unit: ReadUnit, conversation_id: int) -> DraftView | None:
    """My draft in that conversation, and nobody else's."""
    row = unit.execute(
        select(Draft.body, Draft.internal, Draft.template_key).where(
            Draft.conversation_id == conversation_id, Draft.author_id == unit.actor.staff_id
        )
    ).one_or_none()
    if row is None:
        return None
    body = unit.open(row.body)
    assert body is not None
    return DraftView(body=body, internal=row.internal, template_key=row.template_key)
