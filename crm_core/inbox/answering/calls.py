"""Telephone calls: how they ended, what they were about, and when the next one is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.channels.model import Direction, MessageKind, Screened
from crm_core.channels.tables import Message
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.answering.answers import spoke_last
from crm_core.inbox.handling import LONGEST_SNOOZE
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import Current, change, current, may_put_aside, next_action, resolved, still_open
from crm_core.inbox.rules import coded, inbox_rules
from crm_core.inbox.sharing.escalation import to_who_asked
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

CALL_AGAIN = "Call again"


@needs(Permission.CONVERSATION_WORK)
def log_call(
    unit: WriteUnit,
    conversation_id: int,
    *,
    outcome: str,
    words: str | None,
    reason: str | None = None,
    inbound: bool = False,
    next_call_at: datetime | None = None,
    of_message: int | None = None,
) -> int:
    """Log a call with its coded outcome; one that reached stops the response clock.

    `reason` is what it was about, a code of the playbook's. `next_call_at` is when to call again;
    a call that did not reach comes back by the lane's follow-up time where None. `of_message` is
    the call that was taken in (see `Inbound.is_call`), which is then no second message. Returns
    the message's id.
    """
    conversation = current(unit, resolved(unit, conversation_id))
    still_open(conversation, "log a call in")
    reached = check_call(unit, outcome=outcome, reason=reason, inbound=inbound, next_call_at=next_call_at)
    told: dict[str, Any] = {
        "author_id": unit.actor.staff_id,
        "call_outcome": outcome,
        "call_reason": reason,
        "next_call_at": next_call_at,
        "reached": reached,
    }
    if of_message is None:
        message_id = _add(unit, conversation, words, told, inbound=inbound)
    else:
        message_id = _complete(unit, conversation, of_message, told)
    values: dict[str, Any] = spoke_last(unit, conversation) if reached else _call_again(unit, conversation)
    if next_call_at is not None and values.get("follow_up_at") is not None:
        values |= {**next_action(unit, conversation.id, CALL_AGAIN), "follow_up_at": next_call_at}
    turn = Turn.ANSWERED if reached else None
    change(unit, conversation, Verb.CALLED, values, turn=turn, reason=outcome, message_id=message_id)
    return message_id


@needs(Permission.CONVERSATION_WORK)
def check_call(
    unit: ReadUnit,
    *,
    outcome: str,
    reason: str | None = None,
    inbound: bool = False,
    next_call_at: datetime | None = None,
) -> bool:
    """Whether a call with these codes reached; UsageError where it cannot be logged so."""
    outcomes = inbox_rules(unit).outcomes
    coded(dict(outcomes.call), outcome, "call outcome")
    if reason is not None:
        coded(dict(outcomes.call_reason), reason, "reason for a call")
    reached = outcomes.call[outcome].reached
    if inbound and not reached:
        raise UsageError(
            problem="A call that came in and reached nobody is a message",
            remedy="take it in with `crm receive --channel voice`",
        )
    if next_call_at is not None and next_call_at <= unit.now:
        raise UsageError(problem="That time has passed", remedy="call again at a time to come")
    if next_call_at is not None and next_call_at - unit.now > LONGEST_SNOOZE:
        raise UsageError(problem="That is more than a year away", remedy="call again at a nearer time")
    return reached


def _add(unit: WriteUnit, conversation: Current, words: str | None, told: dict[str, Any], *, inbound: bool) -> int:
    message_id = unit.new_id("message")
    row = {
        **told,
        "id": message_id,
        "conversation_id": conversation.id,
        "direction": Direction.IN if inbound else Direction.OUT,
        "kind": MessageKind.CALL,
        "channel": Channel.VOICE,
        "at": unit.now,
        "recorded_at": unit.now,
        "contact_point_id": conversation.row["contact_point_id"],
        "screened": Screened.NOT_NEEDED,
        "body_sealed": unit.seal(Field.MESSAGE_BODY, message_id, words or ""),
    }
    unit.execute(insert(Message), [row])
    return message_id


def _complete(unit: WriteUnit, conversation: Current, message_id: int, told: dict[str, Any]) -> int:
    """Say how a call that came in ended, once."""
    table = Message.__table__
    done = unit.execute(
        update(table)  # type: ignore[arg-type]
        .where(
            table.c.id == message_id,
            table.c.conversation_id == conversation.id,
            table.c.kind == MessageKind.CALL,
            table.c.call_outcome.is_(None),
        )
        .values(told)
    )
    if done.rowcount != 1:
        raise NotFound(kind="call without an outcome", id=f"in C-{conversation.id}")
    return message_id


def _call_again(unit: WriteUnit, conversation: Current) -> dict[str, object]:
    """It waits until the next call; not what only a clinician may put off, nor what nobody could screen.

    Unless a physician called, what lies with physicians is the nurse's again who asked.
    """
    if conversation.danger or conversation.unscreened or not may_put_aside(unit, conversation):
        return {}
    return {
        **next_action(unit, conversation.id, CALL_AGAIN),
        "state": State.WAITING_OTHER,
        "owner_id": conversation.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "follow_up_at": conversation.rules.follow_up(conversation.lane, unit.now),
        "snoozed_until": None,
        "snooze_holds": False,
        **({} if Role.PHYSICIAN in unit.actor.roles else to_who_asked(conversation)),
    }
