"""Saved views: a filter under a name, one's own or shared, and those that everybody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, true, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import STAFF
from crm_core.audit.tags import Tag
from crm_core.cleaning import single_line
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.inbox.lists.filter_conditions import conditions
from crm_core.inbox.lists.filters import BadFilter, folded, parse
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import STILL_OPEN, Conversation, SavedView
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_NAME = 40
MOST_VIEWS = 50
"""Views of one person; more are not found again."""

BUILT_IN = (
    ("Mine", "owner:me"),
    ("Mine, escalated", "escalated:me"),
    ("Unowned", "owner:none"),
    ("Due within 2 h", "due<2h"),
    ("Overdue", "is:overdue"),
    ("Waiting on patients", "state:waiting_patient"),
    ("Snoozed", "is:snoozed"),
)
"""What everybody has without saving it."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A filter under its name. `view_id` is None for one that everybody has; `owner` whose it is."""

    view_id: int | None
    name: str
    filter: str
    shared: bool
    mine: bool
    owner: str | None


@needs(Permission.CONVERSATION_READ)
def views(unit: ReadUnit) -> list[View]:
    """What everybody has, then mine, then what others share, each in its order; one statement."""
    given = [View(view_id=None, name=name, filter=text, shared=True, mine=False, owner=None) for name, text in BUILT_IN]
    return given + _saved(unit)


@needs(Permission.CONVERSATION_READ)
def view_named(unit: ReadUnit, name: str) -> View:
    """The view of that name, mine before one that others share; NotFound."""
    for view in views(unit):
        if folded(view.name) == folded(name):
            return view
    raise NotFound(kind="saved view", id="of that name")


@needs(Permission.CONVERSATION_READ)
def view_counts(unit: ReadUnit, seen: Sequence[View]) -> list[int | None]:
    """How many open conversations each view shows; None where texts would have to be opened. One statement for all.

    A view that names what is there no longer counts None too.
    """
    rules = inbox_rules(unit)
    columns: list[Any] = []
    places: list[int] = []
    for place, view in enumerate(seen):
        try:
            sought = parse(view.filter)
            where = conditions(unit, sought, rules)
        except BadFilter:
            continue
        if not sought.words:
            places.append(place)
            columns.append(func.count(case((and_(true(), *where), 1))).label(f"view_{place}"))
    counts: list[int | None] = [None] * len(seen)
    if columns:
        visible = sorted(rules.visible(unit.actor))
        inside = (STILL_OPEN, Conversation.lane.in_(visible))
        row = unit.execute(select(*columns).select_from(Conversation).where(*inside)).one()
        for place, count in zip(places, row, strict=True):
            counts[place] = int(count)
    return counts


@needs(Permission.CONVERSATION_READ)
def save_view(unit: WriteUnit, name: str, text: str, *, shared: bool = False) -> int:
    """Keep a filter under a name, in place of my view of the same name; sharing it needs the permission to assign."""
    name = _checked_name(name)
    if shared:
        _may_share(unit)
    sought = parse(text)
    if not sought.terms:
        raise UsageError(problem="An empty filter is no view", remedy="filter by something first")
    conditions(unit, sought, inbox_rules(unit))
    mine = [view for view in _saved(unit) if view.mine]
    same = next((view for view in mine if folded(view.name) == folded(name)), None)
    if same is None and len(mine) >= MOST_VIEWS:
        raise UsageError(problem=f"You have {MOST_VIEWS} views already", remedy="drop one first")
    view_id = same.view_id if same is not None and same.view_id is not None else unit.new_id("saved_view")
    values = {
        "shared": shared,
        "saved_at": unit.now,
        "name_sealed": unit.seal(Field.VIEW_NAME, view_id, name),
        "filter_sealed": unit.seal(Field.VIEW_FILTER, view_id, str(sought)),
    }
    if same is not None:
        unit.execute(update(SavedView).where(SavedView.id == view_id).values(values))
    else:
        last = unit.scalar(select(func.max(SavedView.position)).where(SavedView.owner_id == unit.actor.staff_id)) or 0
        row = {"id": view_id, "owner_id": unit.actor.staff_id, "position": last + 1, **values}
        unit.execute(insert(SavedView), [row])
    unit.audit(Tag.VIEW_SAVED, view_id, why="shared" if shared else None)
    return view_id


@needs(Permission.CONVERSATION_READ)
def rename_view(unit: WriteUnit, name: str, to: str) -> None:
    """Give a view of mine another name."""
    view = _changeable(unit, name)
    to = _checked_name(to)
    if any(one.mine and folded(one.name) == folded(to) and one.view_id != view.view_id for one in _saved(unit)):
        raise UsageError(problem="You have a view of that name already", remedy="choose another name")
    assert view.view_id is not None
    renamed = update(SavedView).where(SavedView.id == view.view_id)
    unit.execute(renamed.values(name_sealed=unit.seal(Field.VIEW_NAME, view.view_id, to)))
    unit.audit(Tag.VIEW_RENAMED, view.view_id)


@needs(Permission.CONVERSATION_READ)
def drop_view(unit: WriteUnit, name: str) -> None:
    """Forget a view of mine; a shared one of somebody else's with the permission to assign."""
    view = _changeable(unit, name)
    assert view.view_id is not None
    unit.execute(delete(SavedView).where(SavedView.id == view.view_id))
    unit.audit(Tag.VIEW_DROPPED, view.view_id)


def _saved(unit: ReadUnit) -> list[View]:
    me = unit.actor.staff_id
    own = (SavedView.owner_id == me).label("mine")
    rows = unit.execute(
        select(SavedView.id, SavedView.name, SavedView.filter, SavedView.shared, own, STAFF.c.name.label("owner"))
        .join(STAFF, STAFF.c.id == SavedView.owner_id)
        .where(or_(SavedView.owner_id == me, SavedView.shared))
        .order_by(own.desc(), SavedView.position, SavedView.id)
    )
    with unit.listing("saved views"):
        return [
            View(
                view_id=row.id,
                name=unit.open(row.name) or "",
                filter=unit.open(row.filter) or "",
                shared=row.shared,
                mine=bool(row.mine),
                owner=row.owner,
            )
            for row in rows
        ]


def _changeable(unit: ReadUnit, name: str) -> View:
    view = view_named(unit, name)
    if view.view_id is None:
        raise UsageError(problem="That view belongs to everybody", remedy="save one of your own under another name")
    if not view.mine:
        _may_share(unit)
    return view


def _may_share(unit: ReadUnit) -> None:
    if not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotPermitted(action="share views", permission=Permission.CONVERSATION_ASSIGN.value)


def _checked_name(name: str) -> str:
    name = single_line(name)
    if not folded(name).strip() or len(name) > LONGEST_NAME:
        raise UsageError(problem=f"A view's name has 1 to {LONGEST_NAME} letters", remedy="choose another")
    if any(folded(name) == folded(given) for given, _ in BUILT_IN):
        raise UsageError(problem="Everybody has a view of that name", remedy="choose another")
    return name
