"""Adding drafts: the rows of new versions, whoever wrote them and wherever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from crm_core.audit.tags import Tag
from crm_core.library.model import Origin, RetiredBecause, TemplateState
from crm_core.library.section import TemplateText
from crm_core.library.tables import Template, TemplateVersion
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

_TEMPLATE = Template.__table__
_VERSION = TemplateVersion.__table__
_WAITING = (TemplateState.DRAFT, TemplateState.IN_REVIEW)

Place = tuple[str, str]
"""A template's key and a language: where one line of versions stands."""


def newest_by_place(unit: ReadUnit, *keys: str) -> dict[Place, Any]:
    """The newest version's row of each place, of these keys or of all; one statement."""
    statement = (
        select(
            _TEMPLATE.c.key,
            _VERSION.c.template_id,
            _VERSION.c.id,
            _VERSION.c.number,
            _VERSION.c.language,
            _VERSION.c.state,
            _VERSION.c.origin,
            _VERSION.c.digest,
            _VERSION.c.retired_because,
        )
        .join_from(_TEMPLATE, _VERSION, _VERSION.c.template_id == _TEMPLATE.c.id)
        .order_by(_VERSION.c.number)
    )
    if keys:
        statement = statement.where(_TEMPLATE.c.key.in_(keys))
    return {(row.key, row.language): row for row in unit.execute(statement)}


def add_drafts(
    unit: WriteUnit, texts: Sequence[TemplateText], newest: Mapping[Place, Any], *, origin: Origin
) -> list[int]:
    """Make a draft of each text, above the newest version of its place; returns the versions' ids.

    What was approved stays in force until the draft is; a draft that nobody approved yet gives
    way to the newer one.
    """
    if not texts:
        return []
    before = [newest[text.key, text.language] for text in texts if (text.key, text.language) in newest]
    _retire_waiting(unit, [row.id for row in before if row.state in _WAITING])
    known = {key: row.template_id for (key, _), row in newest.items()}
    keys = sorted({text.key for text in texts} - set(known))
    if keys:
        known |= dict(zip(keys, unit.new_ids("template", len(keys)), strict=True))
        unit.execute(insert(Template), [{"id": known[key], "key": key} for key in keys])
    ids = unit.new_ids("template_version", len(texts))
    rows = [
        {"id": version_id, "template_id": known[text.key], "number": _number(newest, text), **_columns(text)}
        for version_id, text in zip(ids, texts, strict=True)
    ]
    signed = {"origin": origin, "author_id": unit.actor.staff_id, "created_at": unit.now}
    unit.execute(insert(TemplateVersion), [{**row, **signed} for row in rows])
    unit.audit(Tag.TEMPLATE_DRAFTED, *ids)
    unit.changed(Topic.LIBRARY)
    return list(ids)


def _retire_waiting(unit: WriteUnit, ids: Sequence[int]) -> None:
    if not ids:
        return
    unit.execute(
        update(TemplateVersion)
        .where(_VERSION.c.id.in_(ids), _VERSION.c.state.in_(_WAITING))
        .values(state=TemplateState.RETIRED, retired_because=RetiredBecause.SUPERSEDED)
    )
    unit.audit(Tag.TEMPLATE_RETIRED, *sorted(ids), why=RetiredBecause.SUPERSEDED.value)


def _number(newest: Mapping[Place, Any], text: TemplateText) -> int:
    before = newest.get((text.key, text.language))
    return before.number + 1 if before is not None else 1


def _columns(text: TemplateText) -> dict[str, Any]:
    then = text.then
    task = then.task if then is not None else None
    return {
        "language": text.language,
        "state": TemplateState.DRAFT,
        "title": text.title,
        "purpose": text.purpose,
        "categories": " ".join(text.categories),
        "channels": " ".join(text.channels),
        "body": text.body,
        "needs_personal": text.needs_personal,
        "review_months": text.review_months,
        "review_due": text.review_due,
        "digest": text.digest(),
        "then_close": then.close if then is not None else None,
        "then_snooze": then.snooze if then is not None else None,
        "then_task": task.title if task is not None else None,
        "then_task_due": task.due if task is not None else None,
    }
