"""What the desk gives, as the values that widgets draw; nothing here asks or knows a widget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from crm_tui.desk.lanes import (
    AttachmentView,
    ConversationView,
    LaneCount,
    MessageView,
    OpenConversation,
    QueueItem,
    State,
)
from crm_tui.desk.threads import AlsoOpen
from crm_tui.ids import Kind, show_id
from crm_tui.terminal import one_line
from crm_tui.widgets.identity import Identity
from crm_tui.widgets.lane_list import LaneCount as LaneRow
from crm_tui.widgets.queue_row import QueueRow
from crm_tui.widgets.status_line import NextStep
from crm_tui.widgets.thread_lines import EntryKind, ThreadEntry

UNKNOWN = "Unknown sender"
MINE_RAISED = "mine, escalated"
"""What I have escalated and nobody has accepted yet."""

_WAITS = (State.WAITING_PATIENT, State.WAITING_OTHER, State.SNOOZED)
_DELIVERY = {
    "queued": "waits to go",
    "sending": "going out",
    "taken_back": "taken back, never sent",
    "held": "held until staff decide",
    "expired": "too late, never sent",
}
_WITHHELD = {
    "too_large": "too large, ask for it another way",
    "too_many": "too many at once, ask for it another way",
    "not_delivered": "not passed on to us",
}
_CHANNELS = {"sms": "text", "email": "e-mail", "voice": "call", "webform": "web form"}

MOST_NAMED = 3
"""Conversations that the line of what else is open names: it is one line."""


def conversation_name(conversation_id: int) -> str:
    """`C-12`, as staff say it."""
    return str(show_id(Kind.CONVERSATION, conversation_id))


def lane_row(lane: LaneCount) -> LaneRow:
    """A lane as the lane list draws it."""
    return LaneRow(id=lane.lane, name=lane.title, open=lane.open, unowned=lane.unowned, overdue=lane.overdue)


def queue_row(item: QueueItem) -> QueueRow:
    """A conversation as the queue draws it; the item itself is the row's key."""
    return QueueRow(
        id=item.conversation_id,
        patient=item.patient_name or UNKNOWN,
        category=item.category,
        state=item.state.value,
        owner=first_name(item.owner),
        priority=item.priority.value,
        danger=item.danger,
        due_at=item.due_at,
        paused=item.state in _WAITS,
        badge="unscreened" if item.unscreened else MINE_RAISED if item.escalated_by_me else "",
        key=(item,),
    )


def item_of(row: QueueRow) -> QueueItem:
    """The desk's item behind a row."""
    item = row.key[0]
    assert isinstance(item, QueueItem)
    return item


def first_name(name: str | None) -> str:
    """A colleague's name for a narrow column: `Kim Reyes` is `Kim R.`."""
    words = (name or "").split()
    return f"{words[0]} {words[-1][0]}." if len(words) > 1 else "".join(words)


def identity_of(opened: OpenConversation) -> Identity:
    """Who is on the screen, with the number an answer would go to."""
    to, who = opened.to, opened.identity
    if who is None:
        return Identity(patient=0, name=UNKNOWN, number=opened.sender or "", shared_by=to.shared_by or 1)
    return Identity(
        patient=who.patient_id,
        name=who.name,
        birth_date=birth_date(who.birth_date, who.age),
        number=to.last_four or "",
        language=who.language or "",
        shared_by=to.shared_by or 1,
        changed_days=to.changed_days,
        deceased=who.deceased,
        proxy=opened.proxy,
        only=opened.only,
    )


def birth_date(iso: str | None, age: int | None) -> str:
    """`3 May 1961 (65)`; a date of which only a part is known stays as it is."""
    if not iso:
        return ""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        said = iso
    else:
        said = f"{day.day} {day:%b %Y}"
    return said if age is None else f"{said} ({age})"


def next_step(conversation: ConversationView, zone: tzinfo) -> NextStep:
    """Who is next, on what, and by when."""
    if conversation.state is State.CLOSED and conversation.closed_at is not None:
        ended = (conversation.outcome or "").replace("_", " ")
        return NextStep(owner="nobody", action=f"closed: {ended}", follow_up=moment(conversation.closed_at, zone))
    waits = conversation.state in _WAITS
    follow_up = ""
    if conversation.clock_at is not None and (waits or conversation.due_at is None):
        follow_up = f"{conversation.clock} {moment(conversation.clock_at, zone)}"
    owner = conversation.next_owner
    return NextStep(
        owner=f"{owner} · {MINE_RAISED}" if conversation.escalated_by_me else owner,
        action=conversation.next_action or "answer the patient",
        due_at=None if waits else conversation.due_at,
        paused=waits and not follow_up,
        follow_up=follow_up,
    )


def also_open(found: Sequence[AlsoOpen]) -> str:
    """`also open: C-12 Billing, C-15 Records · M merges`; nothing where nothing is."""
    names = [
        f"{conversation_name(one.conversation_id)} {one_line(one.lane_title)}"
        + (f" (same text by {_CHANNELS.get(one.channel.value, one.channel.value)})" if one.same_text else "")
        for one in found
    ]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"also open: {', '.join(names[:MOST_NAMED])}{more} · M merges" if names else ""


def moment(at: datetime, zone: tzinfo) -> str:
    """`Mon 23 Nov 14:05` in the clinic's time."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def entries(conversation: ConversationView, patient: str, zone: tzinfo) -> tuple[ThreadEntry, ...]:
    """The thread, oldest first; a note's number is negative, since notes are counted apart."""
    return tuple(_entry(message, patient, zone) for message in conversation.messages)


def _entry(message: MessageView, patient: str, zone: tzinfo) -> ThreadEntry:
    kind = _kind(message)
    subject = f"{message.subject}\n\n" if message.subject and kind is EntryKind.IN else ""
    above = subject.count("\n")
    channel = message.channel.value if message.channel is not None else ""
    return ThreadEntry(
        id=-message.id if message.internal else message.id,
        kind=kind,
        at=message.at,
        text=f"{subject}{message.body}",
        author=patient if kind is EntryKind.IN else message.author or "automatic",
        channel=_CHANNELS.get(channel, channel) if kind in (EntryKind.IN, EntryKind.OUT) else "",
        delivery=_delivery(message),
        badge=_badge(message),
        folds=tuple((first + above, after + above) for first, after in message.folds),
        files=(*_files(message), *_next_call(message, zone)),
    )


def file_line(file: AttachmentView) -> str:
    """`photo.jpg, image/jpeg, 240 KB`, with why it was not kept."""
    size = "" if file.size is None else f", {_size(file.size)}"
    withheld = "" if file.withheld is None else f", {_WITHHELD[file.withheld.value]}"
    return f"{file.name}, {file.media_type}{size}{withheld}"


def _size(count: int) -> str:
    if count < 1_000:  # noqa: PLR2004 - a thousand bytes are a kilobyte
        return f"{count} bytes"
    return f"{count / 1_000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004


def _kind(message: MessageView) -> EntryKind:
    if message.internal:
        return EntryKind.NOTE
    if message.kind is not None and message.kind.value == "call":
        return EntryKind.CALL
    return EntryKind.IN if message.direction is not None and message.direction.value == "in" else EntryKind.OUT


def _call(message: MessageView) -> str:
    """Who called where it was not us, how it ended, what it was about."""
    inbound = message.direction is not None and message.direction.value == "in"
    coded = ("they called" if inbound else "", message.call_outcome, message.call_reason)
    return " · ".join(code.replace("_", " ") for code in coded if code)


def _files(message: MessageView) -> tuple[str, ...]:
    return tuple(f"[attachment {one.position}: {file_line(one)}]" for one in message.files)


def _next_call(message: MessageView, zone: tzinfo) -> tuple[str, ...]:
    return () if message.next_call_at is None else (f"[next call {moment(message.next_call_at, zone)}]",)


def _delivery(message: MessageView) -> str:
    if message.call_outcome:
        return _call(message)
    if message.delivery is None:
        return ""
    word = _DELIVERY.get(message.delivery.value, message.delivery.value)
    if word == "sent" and message.reported is not None:
        word = message.reported.value
    return f"{word}: {message.failure}" if message.failure else word


def _is_automatic(message: MessageView) -> bool:
    """Whether a machine wrote to us; of what we send the author says so."""
    inbound = message.direction is not None and message.direction.value == "in"
    return inbound and message.kind is not None and message.kind.value == "automatic"


def _badge(message: MessageView) -> str:
    found = {
        "DANGER": message.screened.value == "alarm",
        "unscreened": message.screened.value == "unscreened",
        "automatic": _is_automatic(message),
        "hidden characters": message.hidden > 0,
        f"{message.attachments} attached": message.attachments > len(message.files),
    }
    return " · ".join(word for word, holds in found.items() if holds)
