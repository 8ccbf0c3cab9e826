"""A template's way from a file in the playbook to an answer that may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.cleaning import clean
from crm_core.errors import NotFound, Refused, Stale, UsageError
from crm_core.library.checking import findings, mistakes
from crm_core.library.files import TemplateErrors
from crm_core.library.model import RetiredBecause, TemplateState, months_after
from crm_core.library.queries import version
from crm_core.library.tables import Template, TemplateVersion
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit

_VERSION = TemplateVersion.__table__
LONGEST_REMARK = 500
_APPROVABLE = (TemplateState.DRAFT, TemplateState.IN_REVIEW, TemplateState.APPROVED)


class TemplateNotThere(Refused):
    """Version {number} of the template {template} ({language}) is {state}; {remedy}."""


class AuthorApproves(Refused):
    """Version {number} of the template {template} is your own; another approver must approve it."""


@needs(Permission.TEMPLATE_WRITE)
def submit(unit: WriteUnit, key: str, *, language: str = "en") -> int:
    """Put the newest draft of a template up for review; returns the version's id.

    Refused with what the linter finds wrong; its cautions are the approver's to weigh. What an
    approver once said of it goes with the submitting.
    """
    row = _newest(unit, key, language)
    if row.state != TemplateState.DRAFT:
        raise _not_there(key, row, "only a draft is submitted")
    _nothing_wrong(unit, row)
    _change(unit, row.id, [TemplateState.DRAFT], key, state=TemplateState.IN_REVIEW, remark=None, remark_by=None)
    unit.audit(Tag.TEMPLATE_SUBMITTED, row.id)
    return int(row.id)


@needs(Permission.TEMPLATE_APPROVE)
def send_back(unit: WriteUnit, key: str, *, remark: str, language: str = "en", number: int | None = None) -> int:
    """Give a version in review back to its author, with a remark; returns the version's id."""
    row = _read(unit, key, language, number)
    if row.state != TemplateState.IN_REVIEW:
        raise _not_there(key, row, "only what is in review is sent back")
    said = clean(remark).text.strip()
    if not said or len(said) > LONGEST_REMARK:
        raise UsageError(
            problem=f"A remark has 1 to {LONGEST_REMARK} characters", remedy="say what the author should change"
        )
    _change(
        unit,
        row.id,
        [TemplateState.IN_REVIEW],
        key,
        state=TemplateState.DRAFT,
        remark=said,
        remark_by=unit.actor.staff_id,
    )
    unit.audit(Tag.TEMPLATE_SENT_BACK, row.id)
    return int(row.id)


@needs(Permission.TEMPLATE_APPROVE)
def approve(unit: WriteUnit, key: str, *, language: str = "en", number: int | None = None) -> int:
    """Let a version be sent from now on, under the actor's name; returns the version's id.

    `number` says which version was read, by default the newest. A draft is taken as reviewed by
    its approver, and an approved version is approved anew, which moves its review date. The
    version approved before is retired in the same unit. The review date counts from now unless
    the file names a day. Raises AuthorApproves where the actor wrote it, or applied the playbook
    it came with; what the system did has no author.
    """
    row = _read(unit, key, language, number)
    if row.state not in _APPROVABLE:
        raise _not_there(key, row, "write a new version, or change its file and apply the playbook")
    if _wrote(unit, row):
        raise AuthorApproves(template=key, number=row.number)
    _nothing_wrong(unit, row)
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
        remark=None,
        remark_by=None,
    )
    unit.audit(Tag.TEMPLATE_APPROVED, row.id)
    return int(row.id)


def _wrote(unit: WriteUnit, row: Any) -> bool:
    """Whether the actor is the author of these words: of this version, or of an earlier one that says the same."""
    mine = unit.actor.staff_id
    if row.author_id and row.author_id == mine:
        return True
    same = (
        _VERSION.c.template_id == row.template_id,
        _VERSION.c.language == row.language,
        _VERSION.c.number <= row.number,
        _VERSION.c.body == row.body,
        _VERSION.c.author_id == mine,
    )
    return bool(mine) and unit.scalar(select(_VERSION.c.id).where(*same).limit(1)) is not None


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


def _read(unit: WriteUnit, key: str, language: str, number: int | None) -> Any:
    """The newest version, which is the one that was read where its number is given."""
    row = _newest(unit, key, language)
    if number is not None and row.number != number:
        raise TemplateNotThere(
            template=key, number=number, language=language, state="not the newest", remedy=f"read version {row.number}"
        )
    return row


def _nothing_wrong(unit: WriteUnit, row: Any) -> None:
    wrong = mistakes(findings(unit, version(unit, row.id)))
    if wrong:
        raise TemplateErrors(wrong)


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
