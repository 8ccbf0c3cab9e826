"""From the playbook's template files to versions in the store, when a playbook is applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.library.model import RetiredBecause, TemplateState
from crm_core.library.section import TemplatesSection, TemplateText
from crm_core.library.tables import Template, TemplateVersion
from crm_core.playbook.loader import Playbook
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit

_TEMPLATE = Template.__table__
_VERSION = TemplateVersion.__table__
_WAITING = (TemplateState.DRAFT, TemplateState.IN_REVIEW)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What applying the templates did, in versions."""

    drafted: int
    unchanged: int
    dropped: int


@needs(Permission.PLAYBOOK_APPLY)
def import_from_playbook(unit: WriteUnit, playbook: Playbook) -> Imported:
    """Make a draft of every file that is new or says something else than its newest version.

    What was approved stays in force until the draft is; a draft that nobody approved yet gives
    way to the newer one. A template whose file is gone is retired in that language, and comes
    back as a draft with the file. Statements: three, and one more for each kind of change.
    """
    texts = playbook.section(TemplatesSection).templates
    newest = {(row.key, row.language): row for row in _newest_first(unit)}
    fresh = [text for text in texts if _differs(newest.get((text.key, text.language)), text)]
    replaced = {(text.key, text.language) for text in fresh}
    present = {(text.key, text.language) for text in texts}
    _retire_waiting(unit, [row for place, row in newest.items() if place in replaced and row.state in _WAITING])
    dropped = _drop(unit, [row for place, row in newest.items() if place not in present])
    _draft(unit, fresh, newest)
    if fresh or dropped:
        unit.changed(Topic.LIBRARY)
    return Imported(drafted=len(fresh), unchanged=len(texts) - len(fresh), dropped=dropped)


def _newest_first(unit: WriteUnit) -> Iterable[Any]:
    """Every version's state with its template's key, oldest first, so that the newest is kept last."""
    return unit.execute(
        select(
            _TEMPLATE.c.key,
            _VERSION.c.template_id,
            _VERSION.c.id,
            _VERSION.c.number,
            _VERSION.c.language,
            _VERSION.c.state,
            _VERSION.c.digest,
            _VERSION.c.retired_because,
        )
        .join_from(_TEMPLATE, _VERSION, _VERSION.c.template_id == _TEMPLATE.c.id)
        .order_by(_VERSION.c.number)
    )


def _differs(row: Any, text: TemplateText) -> bool:
    return row is None or row.digest != text.digest() or row.retired_because is RetiredBecause.DROPPED


def _retire_waiting(unit: WriteUnit, rows: list[Any]) -> None:
    if not rows:
        return
    ids = sorted(row.id for row in rows)
    unit.execute(
        update(TemplateVersion)
        .where(_VERSION.c.id.in_(ids), _VERSION.c.state.in_(_WAITING))
        .values(state=TemplateState.RETIRED, retired_because=RetiredBecause.SUPERSEDED)
    )
    unit.audit(Tag.TEMPLATE_RETIRED, *ids, why=RetiredBecause.SUPERSEDED.value)


def _drop(unit: WriteUnit, rows: list[Any]) -> int:
    """Retire every version whose file is gone: the newest, and an older approved one behind it."""
    ids: list[int] = []
    for row in rows:
        ids += unit.execute(
            update(TemplateVersion)
            .where(
                _VERSION.c.template_id == row.template_id,
                _VERSION.c.language == row.language,
                _VERSION.c.state != TemplateState.RETIRED,
            )
            .values(state=TemplateState.RETIRED, retired_because=RetiredBecause.DROPPED)
            .returning(_VERSION.c.id)
        ).scalars()
    if ids:
        unit.audit(Tag.TEMPLATE_RETIRED, *sorted(ids), why=RetiredBecause.DROPPED.value)
    return len(ids)


def _draft(unit: WriteUnit, texts: list[TemplateText], newest: dict[tuple[str, str], Any]) -> None:
    if not texts:
        return
    known = {key: row.template_id for (key, _), row in newest.items()}
    keys = sorted({text.key for text in texts} - set(known))
    if keys:
        known |= dict(zip(keys, unit.new_ids("template", len(keys)), strict=True))
        unit.execute(insert(Template), [{"id": known[key], "key": key} for key in keys])
    ids = unit.new_ids("template_version", len(texts))
    rows = [_row(unit, version_id, known[text.key], text, newest) for version_id, text in zip(ids, texts, strict=True)]
    unit.execute(insert(TemplateVersion), rows)
    unit.audit(Tag.TEMPLATE_DRAFTED, *ids)


def _row(
    unit: WriteUnit, version_id: int, template_id: int, text: TemplateText, newest: dict[tuple[str, str], Any]
) -> dict[str, Any]:
    before = newest.get((text.key, text.language))
    return {
        "id": version_id,
        "template_id": template_id,
        "number": before.number + 1 if before is not None else 1,
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
        "author_id": unit.actor.staff_id,
        "created_at": unit.now,
    }
