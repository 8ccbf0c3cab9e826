"""What a conversation's messages say of it by themselves: who is owed an answer, and where it would be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm_core.channels.model import Delivery, Direction, MessageKind, Screened
from crm_core.channels.quoting import new_part
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.arrivals import routed
from crm_core.inbox.model import Turn
from crm_core.inbox.record import Current
from crm_core.inbox.routing.deciding import route
from crm_core.inbox.routing.facts import Asker, facts_of
from crm_core.inbox.tables import Step
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

_NEVER_LEFT = (Delivery.TAKEN_BACK, Delivery.SUPPRESSED, Delivery.FAILED, Delivery.EXPIRED)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message of a thread, its text still sealed."""

    id: int
    at: datetime
    recorded_at: datetime
    direction: Direction
    kind: MessageKind
    channel: Channel
    contact_point_id: int | None
    screened: Screened
    attachments: int
    answers: bool
    body: Sealed
    subject: Sealed

    @property
    def asks(self) -> bool:
        """Whether the patient said it and still waits; a call of theirs that was taken is answered by itself."""
        return self.direction is Direction.IN and not self.answers


def said_in(unit: ReadUnit, conversation_id: int) -> list[Said]:
    """The messages of a conversation by the time they were sent; nothing is opened."""
    columns = (
        Message.id, Message.at, Message.recorded_at, Message.direction, Message.kind, Message.channel,
        Message.contact_point_id, Message.screened, Message.attachments, Message.reached, Message.body,
        Message.subject, Outbox.state,
    )  # fmt: skip
    rows = unit.execute(
        select(*columns)
        .outerjoin(Outbox, Outbox.message_id == Message.id)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.at, Message.id)
    )
    return [_said(row) for row in rows]


def owed_since(thread: Sequence[Said]) -> datetime | None:
    """Since when the patient waits for an answer by these messages alone; None where staff spoke last."""
    owed = None
    for each in thread:
        if each.asks:
            owed = owed or each.at
        elif each.answers:
            owed = None
    return owed


def holds_unread(thread: Sequence[Said]) -> bool:
    """Whether a text lies in it that could not be screened, and that nobody has answered since."""
    unread = False
    for each in thread:
        unread = not each.answers and (unread or each.screened is Screened.UNSCREENED)
    return unread


def answered_at(thread: Sequence[Said]) -> datetime | None:
    """When a person first answered; None where nobody has."""
    return next((each.at for each in thread if each.answers), None)


def routed_anew(unit: WriteUnit, conversation: Current, going: Sequence[Said], new_id: int) -> dict[str, Any]:
    """The columns that the rules give to what the patient said in these messages, lane and priority too.

    Where the patient said nothing in them they stay as they are.
    """
    row = conversation.row
    heard = [each for each in going if each.asks]
    if not heard:
        return {name: row[name] for name in ("category", "reason", "lane", "priority")}
    opened = [(unit.open(each.subject), unit.open(each.body)) for each in heard]
    patient_ids = () if row["patient_id"] is None else (int(row["patient_id"]),)
    asker = Asker(
        text="\n".join(new_part(body) for _, body in opened if body),
        subject=next((str(subject) for subject, _ in opened if subject), None),
        channel=heard[0].channel,
        at=heard[0].at,
        choice=None,
        patient_ids=patient_ids,
    )
    decision = route(conversation.rules.routing, facts_of(unit, conversation.rules, asker))
    return {**routed(unit, new_id, decision), "lane": decision.lane, "priority": decision.priority}


def steps_of(unit: ReadUnit, conversation_id: int, going: Sequence[Said], staying: Sequence[Said]) -> list[int]:
    """The steps that the messages that are going made: whose turn it was by each of them.

    Where a step does not name its message it is known by its time, if none of those `staying` bears the same.
    """
    named = {each.id for each in going if each.direction is Direction.IN or each.answers}
    times, stay = _turns(going), _turns(staying)
    steps = unit.execute(
        select(Step.id, Step.turn, Step.turn_at, Step.message_id).where(
            Step.conversation_id == conversation_id, Step.turn.is_not(None)
        )
    )
    return [
        step.id
        for step in steps
        if (
            step.message_id in named
            if step.message_id is not None
            else (step.turn, step.turn_at) in times and (step.turn, step.turn_at) not in stay
        )
    ]


def _turns(thread: Sequence[Said]) -> set[tuple[Turn, datetime]]:
    """Whose turn each message made it, by the times that its step may bear."""
    heard = [each for each in thread if each.direction is Direction.IN]
    asked = {(Turn.ASKED, at) for each in heard for at in (each.at, each.recorded_at)}
    return asked | {(Turn.ANSWERED, each.recorded_at) for each in thread if each.answers}


def _said(row: Any) -> Said:
    is_call = row.kind is MessageKind.CALL
    person = is_call or (row.kind is not MessageKind.AUTOMATIC and row.direction is Direction.OUT)
    left = row.reached if is_call else row.state not in _NEVER_LEFT
    return Said(
        id=row.id,
        at=row.at,
        recorded_at=row.recorded_at,
        direction=row.direction,
        kind=row.kind,
        channel=row.channel,
        contact_point_id=row.contact_point_id,
        screened=row.screened,
        attachments=row.attachments,
        answers=person and left,
        body=row.body,
        subject=row.subject,
    )
