"""The work loop: the most urgent item that I may see and take, under one claim."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, or_, select, update

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, NotFound, UsageError
from crm_core.inbox.model import DANGER_URGENCY, State, Verb
from crm_core.inbox.record import Current, change, current, still_open, unclaimed_danger
from crm_core.inbox.rules import PHYSICIAN_LANE, coded, inbox_rules
from crm_core.inbox.sharing.assignment import share_out_of_the_absent
from crm_core.inbox.sharing.escalation import accepted, for_physicians
from crm_core.inbox.sharing.presence import FADES_AFTER
from crm_core.inbox.tables import GROWING_LATE, SNOOZED, TAKEABLE, WAITING, Conversation, Presence, Step
from crm_core.inbox.timing.counting import recount
from crm_core.store.base import Utc
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

_table = Conversation.__table__
_now = bindparam("now", type_=Utc())
_BACK = (and_(SNOOZED, _table.c.snoozed_until <= _now), and_(WAITING, _table.c.follow_up_at <= _now))
"""What comes back now: snoozes that ended, and follow-ups that are due."""
_GROWN_LATE = and_(GROWING_LATE, _table.c.late_at <= _now)
_TIME_HAS_COME = select(or_(*(exists().where(due) for due in (*_BACK, _GROWN_LATE))))
_TAKEABLE = (
    select(_table, _TIME_HAS_COME.scalar_subquery().label("time_has_come"))
    .where(
        TAKEABLE,
        _table.c.lane.in_(bindparam("lanes", expanding=True)),
        _table.c.urgency >= bindparam("lowest"),
        or_(
            _table.c.owner_id.is_(None),
            _table.c.owner_id == bindparam("me"),
            # Whose account is closed has nothing in hand; nobody else would ever be handed it.
            _table.c.owner_id.in_(select(Staff.id).where(Staff.active.is_(False))),
        ),
    )
    .order_by(_table.c.urgency, _table.c.due_order, _table.c.waiting_since, _table.c.id)
    .limit(1)
)
# Made once: building a statement costs as much as running it.


class InOtherHands(CrmError):
    """C-{conversation_id} is in someone else's hands; take the next one, or ask them to release it."""


class NotYours(CrmError):
    """C-{conversation_id} is not yours to release; its owner or a supervisor does that."""

    exit_code = 3


@needs(Permission.LANE_READ)
def time_has_come(unit: ReadUnit) -> bool:
    """Whether `settle_time` would change something: one statement, three look-ups in small partial indexes."""
    return bool(unit.execute(_TIME_HAS_COME, {"now": unit.now}).scalar())


@needs(Permission.LANE_READ)
def settle_time(unit: WriteUnit) -> int:
    """Do what passing time alone does; returns how many conversations it touched.

    What was snoozed, or waited on someone, until now comes back, and keeps that date where no
    response clock runs; what is overdue by a full target rises one step (domain.md, Take-next order).
    """
    if not time_has_come(unit):
        return 0
    woken = [conversation_id for due in _BACK for conversation_id in _wake(unit, due)]
    rise = update(_table).where(_GROWN_LATE).values(urgency=_table.c.urgency - 1, late_at=None)  # type: ignore[arg-type]
    late = unit.execute(rise, {"now": unit.now}).rowcount
    if woken:
        unit.audit(Tag.CONVERSATION_WOKEN, *sorted(woken))
    if woken or late:
        unit.changed(Topic.INBOX)
    return len(woken) + late


def _wake(unit: WriteUnit, due: ColumnElement[bool]) -> list[int]:
    """Open what is due, and write down the step of each."""
    picked = select(_table.c.id, _table.c.state, _table.c.lane, _table.c.owner_id).where(due).order_by(_table.c.id)
    if unit.dialect == "postgresql":
        picked = picked.with_for_update(skip_locked=True)
    rows = unit.execute(picked, {"now": unit.now}).all()
    if not rows:
        return []
    values = {
        "state": State.OPEN,
        "taken_at": None,
        "follow_up_at": func.coalesce(_table.c.snoozed_until, _table.c.follow_up_at),
        "snoozed_until": None,
        "snooze_holds": False,
        "version": _table.c.version + 1,
    }
    ids = [int(row.id) for row in rows]
    unit.execute(update(_table).where(_table.c.id.in_(ids)).values(values))  # type: ignore[arg-type]
    steps: list[dict[str, Any]] = [
        {
            "id": step_id,
            "conversation_id": row.id,
            "at": unit.now,
            "actor_id": unit.actor.staff_id,
            "verb": Verb.WOKEN,
            "from_state": row.state,
            "to_state": State.OPEN,
            "from_lane": row.lane,
            "to_lane": row.lane,
            "from_owner": row.owner_id,
            "to_owner": row.owner_id,
        }
        for step_id, row in zip(unit.new_ids("step", len(rows)), rows, strict=True)
    ]
    unit.execute(insert(Step), steps)
    recount(unit, ids)
    share_out_of_the_absent(unit, {row.id: row.owner_id for row in rows})
    return ids


@needs(Permission.CONVERSATION_WORK)
def take_next(unit: WriteUnit, lane: str | None = None, *, skipped: Collection[int] = ()) -> int | None:
    """Claim the most urgent conversation that is unowned or mine and not in anyone's hands; None if there is none.

    The row is locked as it is picked, so two takers never get the same item. `skipped` are those
    that this person has released with a reason and is not to be handed again. Who may not act
    on a danger is not handed one: the alarm line says whom to fetch. Questions to physicians are
    handed to physicians only. What belongs to a closed account is as good as unowned.
    """
    rules = inbox_rules(unit)
    lanes = rules.visible(unit.actor)
    if lane is not None:
        if lane not in lanes:
            raise NotFound(kind="lane", id=lane)
        lanes = frozenset({lane})
    if Role.PHYSICIAN not in unit.actor.roles:
        lanes -= {PHYSICIAN_LANE}
        if lane == PHYSICIAN_LANE:
            raise UsageError(problem="Physicians take what is put to them", remedy="take from another lane")
    asked = {
        "now": unit.now,
        "lanes": sorted(lanes),
        "lowest": DANGER_URGENCY if unit.actor.may(Permission.DANGER_ACT) else DANGER_URGENCY + 1,
        "me": unit.actor.staff_id,
    }
    picked = _TAKEABLE.where(_table.c.id.not_in(sorted(skipped))) if skipped else _TAKEABLE
    if unit.dialect == "postgresql":
        picked = picked.with_for_update(skip_locked=True)
    found = unit.execute(picked, asked).mappings().first()
    if (found is None or found["time_has_come"]) and settle_time(unit):
        found = unit.execute(picked, asked).mappings().first()
    if found is None:
        return None
    _take(unit, Current(id=found["id"], row=dict(found), rules=rules))
    return int(found["id"])


@needs(Permission.CONVERSATION_WORK)
def claim(unit: WriteUnit, conversation_id: int) -> None:
    """Make a conversation mine and in my hands.

    InOtherHands where somebody works on it now; what only has another owner may be claimed.
    ForPhysicians where it is put to a physician and I am none.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "claim")
    unclaimed_danger(unit, conversation, "claim")
    for_physicians(unit, conversation)
    in_no_other_hands(unit, conversation)
    _take(unit, conversation)


def in_no_other_hands(unit: ReadUnit, conversation: Current) -> None:
    """Refuse to take what somebody else works on now."""
    in_hands = conversation.state is State.OPEN and conversation.row["taken_at"] is not None
    if in_hands and conversation.owner_id not in (None, unit.actor.staff_id):
        raise InOtherHands(conversation_id=conversation.id)


def _take(unit: WriteUnit, conversation: Current) -> None:
    row = conversation.row
    values = {
        **accepted(unit, row, unit.actor.staff_id),
        "owner_id": unit.actor.staff_id,
        "taken_at": unit.now,
        "state": State.OPEN,
        "follow_up_at": row["snoozed_until"] or row["follow_up_at"],
        "snoozed_until": None,
        "snooze_holds": False,
    }
    change(unit, conversation, Verb.TAKEN, values, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def release(unit: WriteUnit, conversation_id: int, *, reason: str | None = None) -> None:
    """Put a conversation of mine back into its lane, unowned; a supervisor may put back anyone's.

    `reason` is why it is skipped, one of the playbook's.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "release")
    if reason is not None:
        coded(dict(conversation.rules.outcomes.skip), reason, "reason for skipping")
    if conversation.owner_id != unit.actor.staff_id and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotYours(conversation_id=conversation_id)
    change(unit, conversation, Verb.RELEASED, {"owner_id": None, "taken_at": None}, reason=reason, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def put_down(unit: WriteUnit) -> int:
    """Let go of what is in my hands and on no screen of mine, as after a console was killed; it stays mine.

    Returns how many: `take_next` hands each of them out again. Not audited: nobody's work changes.
    """
    mine = and_(
        _table.c.state.in_((State.NEW, State.OPEN)),
        _table.c.owner_id == unit.actor.staff_id,
        _table.c.taken_at.is_not(None),
    )
    on_screen = exists().where(
        Presence.conversation_id == _table.c.id,
        Presence.staff_id == unit.actor.staff_id,
        Presence.seen_at > unit.now - FADES_AFTER,
    )
    left = unit.execute(update(_table).where(mine, ~on_screen).values(taken_at=None)).rowcount  # type: ignore[arg-type]
    if left:
        unit.changed(Topic.INBOX)
    return int(left)


@needs(Permission.STAFF_MANAGE)
def let_go(unit: WriteUnit, staff_id: int) -> int:
    """Put down what a person has in hand whose account is closed, so that others are handed it; returns how many."""
    in_hand = and_(
        _table.c.state.in_((State.NEW, State.OPEN)), _table.c.owner_id == staff_id, _table.c.taken_at.is_not(None)
    )
    left = unit.execute(update(_table).where(in_hand).values(taken_at=None)).rowcount  # type: ignore[arg-type]
    if left:
        unit.changed(Topic.INBOX)
    return int(left)
