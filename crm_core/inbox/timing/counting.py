"""Counting clocks anew: of one conversation as it changes, of many when time or the playbook did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.inbox.model import Mark, State, Verb
from crm_core.inbox.rules import InboxRules, inbox_rules
from crm_core.inbox.tables import STILL_OPEN, UNMARKED, ClockMark, Conversation, Step
from crm_core.inbox.timing.clocks import STANDS_STILL, Event, Life, Run, clock_columns, next_mark, runs
from crm_core.playbook.loader import Playbook
from crm_core.store.base import Utc
from crm_core.store.dialect import insert_or_ignore
from crm_core.store.feed import Topic
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

AT_A_TIME = 500
"""Conversations that are counted in one go, so that memory stays flat."""

_table = Conversation.__table__
_now = bindparam("now", type_=Utc())
_TO_MARK = UNMARKED, _table.c.mark_at <= _now
_COUNTED = (
    _table.c.id, _table.c.state, _table.c.lane, _table.c.priority, _table.c.danger, _table.c.unscreened,
    _table.c.opened_at, _table.c.owner_id,
)  # fmt: skip
_STEPS = (
    select(
        Step.id, Step.conversation_id, Step.at, Step.to_state, Step.turn, Step.turn_at, Step.undoes_id, Step.verb,
    )
    .where(Step.conversation_id.in_(bindparam("ids", expanding=True)))
    .order_by(Step.at, Step.id)
)  # fmt: skip
_SET = (
    update(_table)  # type: ignore[arg-type]
    .where(_table.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in ("due_at", "due_order", "due_clock", "late_at", "mark_at", "urgency")})
)


def life_of(unit: ReadUnit, conversation_id: int, opened_at: datetime, *, without: int | None = None) -> Life:
    """What has happened to one conversation; `without` is a step that is being undone."""
    return lives(unit, {conversation_id: opened_at}, without=without)[conversation_id]


def lives(unit: ReadUnit, opened: Mapping[int, datetime], *, without: int | None = None) -> dict[int, Life]:
    """The lives of conversations by id, given when each was opened; one statement, and nothing is opened."""
    steps = unit.execute(_STEPS, {"ids": sorted(opened)}).all()
    undone = {without}
    for step in reversed(steps):
        # One that undoes may have been undone itself.
        if step.id not in undone:
            undone.add(step.undoes_id)
    events: dict[int, list[Event]] = {conversation_id: [] for conversation_id in opened}
    for step in steps:
        if step.id not in undone:
            anew = step.verb is Verb.MERGED
            event = Event(at=step.at, state=step.to_state, turn=step.turn, turn_at=step.turn_at, anew=anew)
            events[step.conversation_id].append(event)
    return {each: Life(opened_at=opened[each], events=tuple(found)) for each, found in events.items()}


def counted(rules: InboxRules, row: Mapping[str, Any], life: Life, now: datetime) -> dict[str, Any]:
    """The clock columns of a conversation with these columns and that life; nothing is due while no clock counts."""
    return clock_columns(
        () if State(row["state"]) in STANDS_STILL else _running(rules, row, life),
        Priority(row["priority"]),
        now,
        danger=bool(row.get("danger")),
        unscreened=bool(row.get("unscreened")),
    )


def record_breaches(unit: WriteUnit, rules: InboxRules, row: Mapping[str, Any], life: Life) -> None:
    """Record which clocks end or stand still now that had run out before, whether or not anybody has looked.

    Part of the change that ends them. What goes on running is recorded by `settle_marks`.
    """
    calendar, targets = rules.calendar(row["lane"]), rules.targets(row["lane"], Priority(row["priority"]))
    stands_still = life.events[-1].state in STANDS_STILL
    over = [
        run
        for run in runs(calendar, targets, life, ended=True)
        if run.due_at is not None
        and run.due_at < unit.now
        and (run.ended_at == unit.now or (run.ended_at is None and stands_still))
    ]
    if over:
        place = (row["lane"], row["owner_id"])
        _record(unit, [_mark(unit, row["id"], run, Mark.BREACHED, place) for run in over])


def _running(rules: InboxRules, row: Mapping[str, Any], life: Life) -> tuple[Run, ...]:
    return runs(rules.calendar(row["lane"]), rules.targets(row["lane"], Priority(row["priority"])), life)


@needs(Permission.CONVERSATION_WORK)
def recount(unit: WriteUnit, ids: Sequence[int], *, marked_at: datetime | None = None) -> dict[int, tuple[Run, ...]]:
    """Count the clocks of these conversations anew and store what they say; returns them by id.

    An unacknowledged danger keeps its own clock. `marked_at` is until when everything has been
    recorded by the caller.
    """
    rules = inbox_rules(unit)
    found_rows = unit.execute(select(*_COUNTED).where(_table.c.id.in_(sorted(ids)), STILL_OPEN)).mappings()
    rows = [dict(row) for row in found_rows]
    told = lives(unit, {row["id"]: row["opened_at"] for row in rows})
    found = {row["id"]: () if row["danger"] else _running(rules, row, told[row["id"]]) for row in rows}
    values = []
    for row in rows:
        if row["danger"]:
            continue
        columns = counted(rules, row, told[row["id"]], unit.now)
        if marked_at is not None:
            columns["mark_at"] = next_mark(found[row["id"]], after=marked_at)
        values.append({**columns, "of_id": row["id"]})
    if values:
        unit.execute(_SET, values)
    return found


@needs(Permission.PLAYBOOK_APPLY)
def recount_open(unit: WriteUnit, playbook: Playbook) -> None:  # noqa: ARG001 - an applier's signature
    """Count every open conversation anew, when a playbook with other targets or hours comes into force.

    Its lanes and hours are read from the playbook in force, which by now is the new one.
    """
    last = 0
    while True:
        ids = unit.scalars(
            select(_table.c.id).where(STILL_OPEN, _table.c.id > last).order_by(_table.c.id).limit(AT_A_TIME)
        )
        if not ids:
            return
        recount(unit, ids)
        last = ids[-1]


@needs(Permission.LANE_READ)
def marks_are_due(unit: ReadUnit) -> bool:
    """Whether `settle_marks` would record something: one look-up in a small partial index."""
    return unit.execute(select(_table.c.id).where(*_TO_MARK).limit(1), {"now": unit.now}).first() is not None


@needs(Permission.CONVERSATION_WORK)
def settle_marks(unit: WriteUnit) -> int:
    """Record what clocks are about to run out and which have, once each; returns how many conversations it looked at.

    At most AT_A_TIME of them: call it again while it returns any.
    """
    picked = select(_table.c.id).where(*_TO_MARK).order_by(_table.c.mark_at).limit(AT_A_TIME)
    if unit.dialect == "postgresql":
        picked = picked.with_for_update(skip_locked=True)
    ids = [int(row.id) for row in unit.execute(picked, {"now": unit.now})]
    if not ids:
        return 0
    found = recount(unit, ids, marked_at=unit.now)
    places = {
        row.id: (row.lane, row.owner_id)
        for row in unit.execute(select(_table.c.id, _table.c.lane, _table.c.owner_id).where(_table.c.id.in_(ids)))
    }
    rows = [
        _mark(unit, conversation_id, run, mark, places[conversation_id])
        for conversation_id, running in found.items()
        for run in running
        for mark, at in run.marks
        if at <= unit.now
    ]
    _record(unit, rows)
    return len(ids)


def _mark(unit: WriteUnit, conversation_id: int, run: Run, mark: Mark, place: tuple[str, int | None]) -> dict[str, Any]:
    lane, owner_id = place
    return {
        "conversation_id": conversation_id,
        "clock": run.kind,
        "since": run.since,
        "mark": mark,
        "due_at": run.due_at,
        "marked_at": unit.now,
        "lane": lane,
        "owner_id": owner_id,
    }


def _record(unit: WriteUnit, rows: list[dict[str, Any]]) -> None:
    """Write the marks that are not there yet; the store's uniqueness keeps each to once."""
    if not rows:
        return
    table = ClockMark.__table__
    for row, mark_id in zip(rows, unit.new_ids("clock_mark", len(rows)), strict=True):
        row["id"] = mark_id
    statement = insert_or_ignore(unit.dialect, table, ("conversation_id", "clock", "since", "mark"))
    fresh = set(unit.execute(statement.values(rows).returning(table.c.id)).scalars())
    for mark, tag in ((Mark.WARNED, Tag.CLOCK_WARNED), (Mark.BREACHED, Tag.CLOCK_BREACHED)):
        about = sorted({row["conversation_id"] for row in rows if row["id"] in fresh and row["mark"] is mark})
        if about:
            unit.audit(tag, *about)
    unit.changed(Topic.INBOX)
