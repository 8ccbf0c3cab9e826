"""Putting a playbook in force, and finding the one that is.

app.py says once, under `SECTIONS` and `APPLIERS` in `unit.shared`, which sections there are and
who makes rows of their own from a playbook that is applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from sqlalchemy import insert, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import Unavailable
from crm_core.playbook.loader import Playbook, Section, load_content
from crm_core.playbook.tables import PlaybookVersion
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

SECTIONS = "playbook.sections"
APPLIERS = "playbook.appliers"
_LOADED = "playbook.loaded"
_SEEN = "playbook.seen"
_VERSION = PlaybookVersion.__table__
_NEWEST = select(_VERSION.c.version, _VERSION.c.digest).order_by(_VERSION.c.version.desc()).limit(1)

Applier = Callable[[WriteUnit, Playbook], object]
"""Makes a room's own rows from a playbook in the unit that applies it, such as drafts of templates."""


class NoPlaybook(Unavailable):
    """No playbook is in force; apply one with `crm playbook apply DIR`."""

    def __init__(self) -> None:
        super().__init__()


@needs(Permission.PLAYBOOK_APPLY)
def apply(unit: WriteUnit, playbook: Playbook) -> int:
    """Put `playbook` in force and return its version, one above the last.

    A playbook equal to the one in force keeps its number, and nothing is written. Two at once
    cannot take the same number: the second is refused by the store.
    """
    content = json.dumps(dict(playbook.content), sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(f"{playbook.name}\n{content}".encode()).hexdigest()
    last = _last(unit)
    if last is not None and last[1] == digest:
        return last[0]
    version = last[0] + 1 if last else 1
    unit.execute(
        insert(PlaybookVersion).values(
            version=version,
            name=playbook.name,
            content=content,
            digest=digest,
            applied_at=unit.now,
            applied_by=unit.actor.staff_id,
        )
    )
    applied = replace(playbook, version=version)
    _seen(unit)[unit] = applied
    appliers: Sequence[Applier] = unit.shared.get(APPLIERS, ())
    for applier in appliers:
        applier(unit, applied)
    unit.audit(Tag.PLAYBOOK_APPLIED, version)
    unit.changed(Topic.PLAYBOOK)
    return version


@needs(Permission.PLAYBOOK_READ)
def in_force(unit: ReadUnit) -> Playbook:
    """The playbook applied last; NoPlaybook where there is none.

    One statement the first time in a unit, none after. A version is parsed once in a process.
    """
    seen = _seen(unit)
    found = seen.get(unit)
    if found is None:
        found = seen[unit] = _load(unit)
    return found


def _load(unit: ReadUnit) -> Playbook:
    """The newest version, from memory where its number and digest are known.

    The digest is part of the key because a unit may read a version of its own and roll back.
    """
    last = _last(unit)
    if last is None:
        raise NoPlaybook
    known, playbook = unit.shared.get(_LOADED, (None, None))
    if known != last or not isinstance(playbook, Playbook):
        version, digest = last
        row = unit.execute(select(_VERSION.c.name, _VERSION.c.content).where(_VERSION.c.version == version)).one()
        sections: Sequence[Section] = unit.shared[SECTIONS]
        playbook = load_content(json.loads(row.content), sections, name=row.name, version=version)
        unit.shared[_LOADED] = ((version, digest), playbook)
    return playbook


def _last(unit: ReadUnit) -> tuple[int, str] | None:
    """Number and digest of the newest version."""
    row = unit.execute(_NEWEST).one_or_none()
    return None if row is None else (row.version, row.digest)


def _seen(unit: ReadUnit) -> WeakKeyDictionary[ReadUnit, Playbook]:
    """Which playbook each living unit works under: a unit does not change its rules half-way."""
    seen: WeakKeyDictionary[ReadUnit, Playbook] = unit.shared.setdefault(_SEEN, WeakKeyDictionary())
    return seen
