"""From the playbook's template files to versions in the store, when a playbook is applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.library.drafting import Place, add_drafts, newest_by_place
from crm_core.library.model import Origin, RetiredBecause, TemplateState
from crm_core.library.section import TemplatesSection, TemplateText
from crm_core.library.tables import Template, TemplateVersion
from crm_core.playbook.loader import Playbook
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit

_TEMPLATE = Template.__table__
_VERSION = TemplateVersion.__table__


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What applying the templates did, in versions."""

    drafted: int
    unchanged: int
    dropped: int


@needs(Permission.PLAYBOOK_APPLY)
def import_from_playbook(unit: WriteUnit, playbook: Playbook) -> Imported:
    """Make a draft of every file that is new or says something else than it said when last applied.

    What was approved stays in force until the draft is; a draft that nobody approved yet gives
    way to the newer one. A template whose file is gone is retired in that language, and comes
    back as a draft with the file. What somebody wrote in the store is not undone by a file that
    has not changed, nor retired for want of one. Statements: three, and one more for each kind of
    change.
    """
    texts = playbook.section(TemplatesSection).templates
    newest, filed = newest_by_place(unit), _newest_files(unit)
    fresh = [text for text in texts if _differs(newest, filed, text)]
    present = {(text.key, text.language) for text in texts}
    dropped = _drop(unit, [row for place, row in filed.items() if place not in present])
    add_drafts(unit, fresh, newest, origin=Origin.FILE)
    return Imported(drafted=len(fresh), unchanged=len(texts) - len(fresh), dropped=dropped)


def _newest_files(unit: WriteUnit) -> dict[Place, Any]:
    """The newest version that came from a file, in each place."""
    rows = unit.execute(
        select(
            _TEMPLATE.c.key,
            _VERSION.c.template_id,
            _VERSION.c.language,
            _VERSION.c.digest,
            _VERSION.c.retired_because,
        )
        .join_from(_TEMPLATE, _VERSION, _VERSION.c.template_id == _TEMPLATE.c.id)
        .where(_VERSION.c.origin == Origin.FILE)
        .order_by(_VERSION.c.number)
    )
    return {(row.key, row.language): row for row in rows}


def _differs(newest: dict[Place, Any], filed: dict[Place, Any], text: TemplateText) -> bool:
    place, digest = (text.key, text.language), text.digest()
    if place in newest and newest[place].digest == digest:
        return newest[place].retired_because is RetiredBecause.DROPPED
    return place not in filed or filed[place].digest != digest or filed[place].retired_because is RetiredBecause.DROPPED


def _drop(unit: WriteUnit, rows: Sequence[Any]) -> int:
    """Retire every version whose file is gone: the newest, and an older approved one behind it."""
    ids: list[int] = []
    for row in rows:
        ids += unit.execute(
            update(TemplateVersion)
            .where(
                _VERSION.c.template_id == row.template_id,
                _VERSION.c.language == row.language,
                _VERSION.c.origin == Origin.FILE,
                _VERSION.c.state != TemplateState.RETIRED,
            )
            .values(state=TemplateState.RETIRED, retired_because=RetiredBecause.DROPPED)
            .returning(_VERSION.c.id)
        ).scalars()
    if ids:
        unit.audit(Tag.TEMPLATE_RETIRED, *sorted(ids), why=RetiredBecause.DROPPED.value)
        unit.changed(Topic.LIBRARY)
    return len(ids)
