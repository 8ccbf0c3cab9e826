"""Receiving: one path for every channel, gateway, file and person.

The order is the rule (domain.md): dedupe, clean, match the number to patients, screen for
danger, then the reply handlers in order, then the threads. A handler that takes a text does
not spare it the alarm: "STOP, chest pain" opts out and alarms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import insert, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.attachments import keep
from crm_core.channels.danger import Screening, Verdict
from crm_core.channels.keywords import Keyword, classify
from crm_core.channels.letters import answered_ids, keep_letter
from crm_core.channels.model import Direction, Handled, Inbound, MessageKind, Received, Screened
from crm_core.channels.quoted_before import screen_quoting
from crm_core.channels.quoting import new_part
from crm_core.channels.same_text import text_token
from crm_core.channels.tables import Message
from crm_core.channels.turns import wait_for_others
from crm_core.cleaning import clean, single_line
from crm_core.patients.model import ContactMatch
from crm_core.patients.service import match_sender
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

_SCREENED = {
    Verdict.CLEAR: Screened.CLEAR,
    Verdict.ALARM: Screened.ALARM,
    Verdict.UNSCREENED: Screened.UNSCREENED,
}


_ALONE = frozenset({Handled.OPT_OUT, Handled.OPT_IN, Handled.HELP, Handled.CONFIRMATION, Handled.DECLINE})
"""What is dealt with when its handler has answered: nobody need read it."""

_BY_KEYWORD = {
    Handled.OPT_OUT: ("an opt-out word alone: the number gets no more messages",),
    Handled.OPT_IN: ("an opt-in word alone: the number gets messages again",),
    Handled.HELP: ("HELP alone: answered with who we are",),
    Handled.SUSPECTED_OPT_OUT: ("sounds like an opt-out: what was queued to the number waits for a person",),
    Handled.DUPLICATE: ("this provider id was received before: no second message",),
}


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An inbound message, cleaned, screened and matched: what handlers and threads are told.

    `said` is what of the text the sender wrote this time, without what is quoted. `answers` are
    the Message-IDs that a letter names, the likeliest first. `automatic`: no person sent it.
    `handle_token` stands for a chat's session or a network's name that is neither number nor address.
    """

    message_id: int
    channel: Channel
    at: datetime
    text: str
    subject: str | None
    attachments: int
    said: str
    answers: tuple[str, ...]
    automatic: bool
    keyword: Keyword | None
    screening: Screening
    contact: ContactMatch
    category_hint: str | None = None
    handle_token: int | None = None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a message came to lie, and what was decided of it."""

    conversation_id: int
    patient_id: int | None
    lane: str
    category: str
    priority: str
    handled_by: Handled
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """That a handler took a message, and what it has to say about that; whose it is, where it found that out."""

    by: Handled
    why: tuple[str, ...] = ()
    patient_id: int | None = None


class ReplyHandler(Protocol):
    """One that may know whose reply this is. None passes it on to the next."""

    def handle(self, unit: WriteUnit, arrival: Arrival) -> Reply | None: ...


class Threads(Protocol):
    """Where conversations are kept (the inbox)."""

    def place(self, unit: WriteUnit, arrival: Arrival) -> Placement:
        """Thread it into a conversation, a new one where none fits, and route that."""

    def attach(self, unit: WriteUnit, arrival: Arrival) -> Placement | None:
        """The conversation that a keyword-only text lies in, unmoved by it; None where there is none."""

    def alarm(self, unit: WriteUnit, arrival: Arrival, placement: Placement) -> Placement:
        """Raise the danger that was found, and say where the conversation is then."""

    def describe(self, unit: ReadUnit, conversation_id: int) -> Placement:
        """Where a conversation is now."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The pipeline's parts, wired once in app.py. `screen` takes subject, text and the attachments' count."""

    screen: Callable[[ReadUnit, str | None, str, int], Screening]
    handlers: Sequence[ReplyHandler]
    threads: Threads


@needs(Permission.MESSAGE_RECEIVE)
def receive(unit: WriteUnit, receiver: Receiver, inbound: Inbound) -> Received:
    """Take in one message; the same provider id again makes no second one.

    Receivers of the same message, and of one sender's messages, go one after the other.
    """
    token = None
    if inbound.provider_id:
        token = unit.vault.token("provider_id", f"{inbound.channel}:{inbound.provider_id}")
        wait_for_others(unit, [token])
        seen_before = select(Message.id, Message.conversation_id).where(Message.provider_token == token)
        known = unit.execute(seen_before).one_or_none()
        if known is not None:
            return _again(unit, receiver, known.id, known.conversation_id)
    cleaned = clean(inbound.text)
    text = cleaned.text
    subject = single_line(inbound.subject) if inbound.subject else None
    said = new_part(text)
    contact = match_sender(unit, inbound.channel, inbound.sender)
    screening = screen_quoting(
        unit,
        receiver.screen,
        channel=inbound.channel,
        contact_point_id=contact.contact_point_id,
        subject=subject,
        text=text,
        attachments=len(inbound.attachments),
    )
    handle = _handle_token(unit, inbound, contact)
    wait_for_others(unit, [*_sender_locks(unit, contact), *([handle] if handle is not None else [])])
    arrival = Arrival(
        message_id=unit.new_id("message"),
        channel=inbound.channel,
        at=min(inbound.at, unit.now),
        text=text,
        subject=subject,
        attachments=len(inbound.attachments),
        said=said,
        answers=answered_ids(inbound),
        automatic=inbound.automatic,
        keyword=classify(said, alarmed=screening.verdict is Verdict.ALARM),
        screening=screening,
        contact=contact,
        category_hint=single_line(inbound.category_hint) if inbound.category_hint else None,
        handle_token=handle,
    )
    reply = _handled(unit, receiver.handlers, arrival)
    placement = _placed(unit, receiver.threads, arrival, reply)
    _store(unit, inbound, arrival, placement, token, hidden=cleaned.hidden)
    if screening.verdict is Verdict.ALARM and placement is not None:
        placement = receiver.threads.alarm(unit, arrival, placement)
    unit.audit(Tag.MESSAGE_RECEIVED, arrival.message_id)
    unit.changed(Topic.INBOX)
    return _received(arrival.message_id, placement, reply)


def _sender_locks(unit: ReadUnit, contact: ContactMatch) -> list[int]:
    """Two first texts of one number, or of one patient's two numbers, make one conversation."""
    names = [f"patient {patient_id}" for patient_id in contact.patient_ids]
    if contact.contact_point_id is not None:
        names.append(f"contact point {contact.contact_point_id}")
    return [unit.vault.token("sender_lock", name) for name in names]


def _handle_token(unit: ReadUnit, inbound: Inbound, contact: ContactMatch) -> int | None:
    """The token of a sender that the channel's own system tells apart; what people type into a form does not."""
    if inbound.channel not in (Channel.CHAT, Channel.SOCIAL) or contact.contact_point_id is not None:
        return None
    sender = _storable(inbound.sender.strip())
    return unit.vault.token("handle", f"{inbound.channel}:{sender}") if sender else None


def _handled(unit: WriteUnit, handlers: Sequence[ReplyHandler], arrival: Arrival) -> Reply | None:
    for handler in handlers:
        reply = handler.handle(unit, arrival)
        if reply is not None:
            return reply
    return None


def _placed(unit: WriteUnit, threads: Threads, arrival: Arrival, reply: Reply | None) -> Placement | None:
    """What a handler answered alone only joins a thread that is there; danger always has a conversation."""
    alone = reply is not None and reply.by in _ALONE
    if alone and arrival.screening.verdict is not Verdict.ALARM:
        return threads.attach(unit, arrival)
    return threads.place(unit, arrival)


def _store(
    unit: WriteUnit, inbound: Inbound, arrival: Arrival, placement: Placement | None, token: int | None, *, hidden: int
) -> None:
    message_id = arrival.message_id
    raw = inbound.text if inbound.text != arrival.text else None
    unit.execute(
        insert(Message.__table__),  # type: ignore[arg-type]
        [
            {
                "id": message_id,
                "conversation_id": placement.conversation_id if placement else None,
                "direction": Direction.IN,
                "kind": _kind(inbound),
                "channel": arrival.channel,
                "at": arrival.at,
                "recorded_at": unit.now,
                "contact_point_id": arrival.contact.contact_point_id,
                "screened": _SCREENED[arrival.screening.verdict],
                "hidden": hidden,
                "attachments": len(inbound.attachments),
                "provider_token": token,
                "text_token": text_token(unit.vault, arrival.said),
                "handle_token": arrival.handle_token,
                "body_sealed": unit.seal(Field.MESSAGE_BODY, message_id, arrival.text),
                "raw_sealed": unit.seal(Field.MESSAGE_RAW, message_id, _storable(raw)),
                "subject_sealed": unit.seal(Field.MESSAGE_SUBJECT, message_id, arrival.subject),
                "sender_sealed": unit.seal(Field.MESSAGE_SENDER, message_id, _storable(inbound.sender)),
                "choice_sealed": unit.seal(Field.MESSAGE_CHOICE, message_id, arrival.category_hint),
            }
        ],
    )
    keep(unit, message_id, inbound.attachments)
    keep_letter(unit, message_id, inbound)


def _kind(inbound: Inbound) -> MessageKind:
    if inbound.is_call:
        return MessageKind.CALL
    return MessageKind.AUTOMATIC if inbound.automatic else MessageKind.TEXT


def _storable(raw: str | None) -> str | None:
    """Lone surrogates cannot be encoded; they are kept as their escapes."""
    return None if raw is None else raw.encode("utf-8", "backslashreplace").decode("utf-8")


def _again(unit: ReadUnit, receiver: Receiver, message_id: int, conversation_id: int | None) -> Received:
    placement = receiver.threads.describe(unit, conversation_id) if conversation_id is not None else None
    return _received(message_id, placement, Reply(by=Handled.DUPLICATE))


def _received(message_id: int, placement: Placement | None, reply: Reply | None) -> Received:
    by = reply.by if reply else (placement.handled_by if placement else Handled.ROUTING)
    return Received(
        message_id=message_id,
        conversation_id=placement.conversation_id if placement else None,
        patient_id=placement.patient_id if placement else reply.patient_id if reply else None,
        lane=placement.lane if placement else None,
        category=placement.category if placement else None,
        priority=placement.priority if placement else None,
        handled_by=by,
        duplicate=by is Handled.DUPLICATE,
        why=(*_BY_KEYWORD.get(by, ()), *(reply.why if reply else ()), *(placement.why if placement else ())),
    )
