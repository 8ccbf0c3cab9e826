"""Danger: raised before anything else, seen by everyone, acknowledged by a clinician."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import UsageError
from crm_core.inbox.model import DANGER_URGENCY, AlarmView, State, Turn, Verb
from crm_core.inbox.record import Current, change, current, next_action
from crm_core.inbox.rules import ACKNOWLEDGE_WITHIN, DANGER_LANE, InboxRules, inbox_rules
from crm_core.inbox.tables import UNACKNOWLEDGED, Alarm
from crm_core.store.feed import Topic
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

ANSWER_DANGER = "Danger: reach the patient now"


def raise_alarm(unit: WriteUnit, conversation: Current, message_id: int, terms: tuple[str, ...]) -> int:
    """Set `stat`, move to clinical triage whatever the state, free the owner, start the 15-minute clock.

    Part of receiving, which has asked the permission. `terms` are the list entries that were
    hit, never the patient's words.
    """
    alarm_id = unit.new_id("alarm")
    unit.execute(
        insert(Alarm),
        [
            {
                "id": alarm_id,
                "conversation_id": conversation.id,
                "message_id": message_id,
                "raised_at": unit.now,
                "ack_due_at": unit.now + ACKNOWLEDGE_WITHIN,
                "terms": ",".join(terms),
            }
        ],
    )
    values: dict[str, Any] = {
        **next_action(unit, conversation.id, ANSWER_DANGER),
        "danger": True,
        "priority": Priority.STAT,
        "urgency": DANGER_URGENCY,
        "lane": DANGER_LANE,
        "owner_id": None,
        "taken_at": None,
        "state": State.OPEN,
        "snoozed_until": None,
        "snooze_holds": False,
        "follow_up_at": None,
        "outcome": None,
        "closed_at": None,
        "unscreened": False,
    }
    if not conversation.danger:
        # A second danger does not put off the first one's clock.
        acknowledge_by = unit.now + ACKNOWLEDGE_WITHIN
        values |= {"due_at": acknowledge_by, "due_order": acknowledge_by, "due_clock": None, "waiting_since": unit.now}
        values |= {"late_at": acknowledge_by + ACKNOWLEDGE_WITHIN, "mark_at": None}
    change(unit, conversation, Verb.ALARMED, values, turn=Turn.ASKED, message_id=message_id)
    unit.changed(Topic.ALARM)
    return alarm_id


@needs(Permission.DANGER_ACT)
def acknowledge(unit: WriteUnit, conversation_id: int) -> None:
    """A clinician has seen it and takes it; everyone's alarm line falls by one."""
    conversation = current(unit, conversation_id)
    done = unit.execute(
        update(Alarm)
        .where(Alarm.conversation_id == conversation_id, UNACKNOWLEDGED)
        .values(acknowledged_at=unit.now, acknowledged_by=unit.actor.staff_id)
    )
    if done.rowcount == 0:
        raise UsageError(
            problem=f"C-{conversation_id} holds no unacknowledged danger", remedy="press ! to see what is left"
        )
    values = {
        "danger": False,
        "owner_id": unit.actor.staff_id,
        "taken_at": unit.now,
        "state": State.OPEN,
    }
    change(unit, conversation, Verb.ACKNOWLEDGED, values)
    unit.changed(Topic.ALARM)


@needs(Permission.LANE_READ)
def alarms(unit: ReadUnit) -> list[AlarmView]:
    """Every unacknowledged danger, oldest first: for everyone, whatever lanes they see, without a patient."""
    rules = inbox_rules(unit)
    rows = unit.execute(
        select(Alarm.id, Alarm.conversation_id, Alarm.raised_at, Alarm.ack_due_at)
        .where(UNACKNOWLEDGED)
        .order_by(Alarm.raised_at, Alarm.id)
    )
    return [
        AlarmView(
            alarm_id=row.id,
            conversation_id=row.conversation_id,
            lane=DANGER_LANE,
            raised_at=row.raised_at,
            ack_due_at=row.ack_due_at,
            holder=holder(rules, unit.now - row.raised_at),
        )
        for row in rows
    ]


def holder(rules: InboxRules, age: timedelta) -> str:
    """Whose the alarm is by its age alone, so that no poller is needed: owner, then backup, then supervisor."""
    lane = rules.lane(DANGER_LANE)
    if age < ACKNOWLEDGE_WITHIN:
        return lane.owner or "nurse"
    return (lane.backup or "supervisor") if age < 2 * ACKNOWLEDGE_WITHIN else "supervisor"
