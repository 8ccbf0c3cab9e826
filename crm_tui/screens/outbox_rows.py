"""What did not go as rows, and all that is known of one; nothing here asks or knows a widget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from crm_tui.desk.outbox import DeadTimer, NotGone, OutboxRow
from crm_tui.screens.showing import conversation_name, moment
from crm_tui.widgets.panels import Reason
from crm_tui.widgets.queue_row import QueueRow

UNKNOWN, GIVEN_UP, REFUSED = "UNKNOWN", "GIVEN UP", "REFUSED"
_CHANNELS = {"sms": "text", "email": "e-mail"}
_NO_REASON = "no reason was kept"


def rows_of(found: NotGone, zone: tzinfo) -> list[QueueRow]:
    """Of what nobody knows first, then what was given up, messages before timers, then what was refused."""
    messages = found.messages
    return [
        *(_message(one, UNKNOWN, zone) for one in messages.unknown),
        *(_message(one, GIVEN_UP, zone) for one in messages.given_up),
        *(_timer(one, zone) for one in found.timers),
        *(_message(one, REFUSED, zone) for one in messages.refused),
    ]


def message_of(row: QueueRow) -> OutboxRow | None:
    """The message behind a row; None where it is a timer."""
    return row.key[0] if isinstance(row.key[0], OutboxRow) else None


def timer_of(row: QueueRow) -> DeadTimer | None:
    """The timer behind a row; None where it is a message."""
    return row.key[0] if isinstance(row.key[0], DeadTimer) else None


def name_of(row: QueueRow) -> str:
    """`Text to C-12`, or `Timer 7 (notice)`."""
    timer, message = timer_of(row), message_of(row)
    if timer is not None:
        return f"Timer {timer.id} ({timer.kind})"
    assert message is not None
    channel = _CHANNELS.get(message.channel.value, message.channel.value).capitalize()
    return f"{channel} to {_about(message)}"


def reasons_of(row: QueueRow, zone: tzinfo) -> list[Reason]:
    """All that is known of it, in the order in which it came about."""
    return [Reason(text=text) for text in _known(row, zone)]


def _known(row: QueueRow, zone: tzinfo) -> Iterator[str]:
    timer, message = timer_of(row), message_of(row)
    if timer is not None:
        yield f"it was to run {moment(timer.due_at, zone)}"
        yield f"it failed {_times(timer.tries)}, the last time by {timer.failure}"
        yield f"it was given up {moment(timer.died_at, zone)}"
        return
    assert message is not None
    yield from message.why
    yield f"it was tried {_times(message.tries)}"
    if message.settled_at is not None:
        yield f"it has been {row.state.lower()} since {moment(message.settled_at, zone)}"


def _message(one: OutboxRow, word: str, zone: tzinfo) -> QueueRow:
    return QueueRow(
        id=one.id,
        patient=one.failure or _NO_REASON,
        category=_about(one),
        state=word,
        owner=_when(one.settled_at, zone),
        badge=_times(one.tries),
        danger=word == UNKNOWN,
        key=(one,),
    )


def _timer(one: DeadTimer, zone: tzinfo) -> QueueRow:
    return QueueRow(
        # Numbers of timers and of messages are two series: below nought they do not meet.
        id=-one.id,
        patient=f"{one.kind}: {one.failure}",
        category=f"timer {one.id}",
        state=GIVEN_UP,
        owner=_when(one.died_at, zone),
        badge=_times(one.tries),
        key=(one,),
    )


def _about(message: OutboxRow) -> str:
    return "no thread" if message.conversation_id is None else conversation_name(message.conversation_id)


def _when(at: datetime | None, zone: tzinfo) -> str:
    return "" if at is None else moment(at, zone)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
