"""A template's way from a file in the playbook to an answer that may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, Refused, Stale
from crm_core.library.model import RetiredBecause, TemplateState, months_after
from crm_core.library.tables import Template, TemplateVersion
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit

_VERSION = TemplateVersion.__table__
_APPROVABLE = (TemplateState.DRAFT, TemplateState.IN_REVIEW, TemplateState.APPROVED)


class TemplateNotThere(Refused):
    """Version {number} of the template {template} ({language}) is {state}; {remedy}."""


@needs(Permission.PLAYBOOK_APPLY)
def submit(unit: WriteUnit, key: str, *, language: str = "en") -> int:
    """Put the newest draft of a template up for review; returns the version's id.

    It is asked of whoever may apply the playbook the draft came from.
    """
    row = _newest(unit, key, language)
    if row.state != TemplateState.DRAFT:
        raise _not_there(key, row, "only a draft is submitted")
    _change(unit, row.id, [TemplateState.DRAFT], key, state=TemplateState.IN_REVIEW)
    unit.audit(Tag.TEMPLATE_SUBMITTED, row.id)
    return int(row.id)


@needs(Permission.TEMPLATE_APPROVE)
def approve(unit: WriteUnit, key: str, *, language: str = "en", number: int | None = None) -> int:
    """Let a version be sent from now on, under the actor's name; returns the version's id.

    `number` says which version was read, by default the newest. A draft is taken as reviewed by
    its approver, and an approved version is approved anew, which moves its review date. The
    version approved before is retired in the same unit. The review date counts from now unless
    the file names a day.
    """
    row = _newest(unit, key, language)
    if number is not None and row.number != number:
        raise TemplateNotThere(
            template=key, number=number, language=language, state="not the newest", remedy=f"read version {row.number}"
        )
    if row.state not in _APPROVABLE:
        raise _not_there(key, row, "change its file and apply the playbook for a new version")
    today = unit.now.date()
    due = months_after(today, row.review_months) if row.review_months is not None else row.review_due
    if due < today:
        raise _not_there(key, row, f"its review date {due} has passed, so give its file a later one")
    _retire(
        unit,
        unit.scalars(
            select(_VERSION.c.id).where(
                _VERSION.c.template_id == row.template_id,
                _VERSION.c.language == language,
                _VERSION.c.state == TemplateState.APPROVED,
                _VERSION.c.id != row.id,
            )
        ),
        RetiredBecause.SUPERSEDED,
    )
    _change(
        unit,
        row.id,
        _APPROVABLE,
        key,
        state=TemplateState.APPROVED,
        approved_by=unit.actor.staff_id,
        approved_at=unit.now,
        review_due=due,
    )
    unit.audit(Tag.TEMPLATE_APPROVED, row.id)
    return int(row.id)


@needs(Permission.TEMPLATE_APPROVE)
def retire(unit: WriteUnit, key: str, *, language: str | None = None) -> list[int]:
    """Take a template out of use, in one language or in all; returns the versions' ids.

    Applying the same file again does not bring it back; a changed file is a new draft.
    """
    statement = (
        select(_VERSION.c.id)
        .join(Template.__table__, Template.__table__.c.id == _VERSION.c.template_id)
        .where(Template.__table__.c.key == key, _VERSION.c.state != TemplateState.RETIRED)
    )
    if language is not None:
        statement = statement.where(_VERSION.c.language == language)
    ids = unit.scalars(statement.order_by(_VERSION.c.id))
    if not ids:
        raise NotFound(kind="template", id=key)
    _retire(unit, ids, RetiredBecause.WITHDRAWN)
    return ids


def _retire(unit: WriteUnit, ids: Sequence[int], because: RetiredBecause) -> None:
    if not ids:
        return
    unit.execute(
        update(TemplateVersion)
        .where(_VERSION.c.id.in_(ids), _VERSION.c.state != TemplateState.RETIRED)
        .values(state=TemplateState.RETIRED, retired_because=because)
    )
    unit.audit(Tag.TEMPLATE_RETIRED, *ids, why=because.value)
    unit.changed(Topic.LIBRARY)


def _newest(unit: WriteUnit, key: str, language: str) -> Any:
    row = unit.execute(
        select(*_VERSION.c)
        .join(Template.__table__, Template.__table__.c.id == _VERSION.c.template_id)
        .where(Template.__table__.c.key == key, _VERSION.c.language == language)
        .order_by(_VERSION.c.number.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound(kind="template", id=f"{key} ({language})")
    return row


def _change(unit: WriteUnit, version_id: int, states: Sequence[TemplateState], key: str, **values: Any) -> None:
    """Change a version that is still in one of `states`; Stale where someone was quicker."""
    done = unit.execute(
        update(TemplateVersion).where(_VERSION.c.id == version_id, _VERSION.c.state.in_(states)).values(values)
    )
    if done.rowcount != 1:
        raise Stale(id=key)
    unit.changed(Topic.LIBRARY)


def _not_there(key: str, row: Any, remedy: str) -> TemplateNotThere:
    state = row.state.value.replace("_", " ")
    return TemplateNotThere(template=key, number=row.number, language=row.language, state=state, remedy=remedy)
