"""What a conversation does when its answer has left, or has not."""

from __future__ import annotations

from typing import Any

from crm_core.channels.model import Delivery
from crm_core.errors import NotFound
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import change, current, next_action
from crm_core.inbox.rules import clock_columns, urgency_at
from crm_core.work.units import WriteUnit

_NEXT = {
    Delivery.FAILED: "The answer was not delivered: reach the patient another way",
    Delivery.SUPPRESSED: "The answer may not be sent: press w to see why, reach the patient another way",
    Delivery.UNKNOWN: "Nobody knows whether the answer arrived: ask the provider, or the patient",
}


class InboxSendObserver:
    """An answer that did not leave comes back to its author, with a clock running again."""

    def settled(self, unit: WriteUnit, conversation_id: int | None, state: Delivery, failure: str | None) -> None:
        """Reopen the conversation of a message that did not arrive; nothing to do for one that did."""
        if conversation_id is None or state not in _NEXT:
            return
        try:
            conversation = current(unit, conversation_id)
        except NotFound:
            return
        if conversation.state is State.CLOSED:
            return
        clock = conversation.rules.response_clock(conversation.lane, conversation.priority, unit.now)
        values: dict[str, Any] = {
            **clock_columns(clock),
            **next_action(unit, conversation_id, _NEXT[state]),
            "state": State.OPEN,
            "taken_at": None,
            "snoozed_until": None,
            "follow_up_at": None,
            "waiting_since": unit.now,
            "urgency": urgency_at(conversation.priority, clock.late_at, unit.now, danger=conversation.danger),
        }
        if conversation.danger:
            values = next_action(unit, conversation_id, _NEXT[state])
        change(unit, conversation, Verb.RECEIVED, values, reason=failure)
