"""The outbox: what is to leave, what left, and what a person must look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, Table, TextClause, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.letters import keep_our_letters
from crm_core.channels.model import FOUND_SENT, Delivery, Direction, MessageKind, Reason, Report, Screened, Verdict
from crm_core.channels.quoting import new_part
from crm_core.channels.same_text import text_token
from crm_core.channels.tables import Message, Outbox
from crm_core.dedup import message_key
from crm_core.errors import CrmError, NotFound, UsageError
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

_MESSAGES, _OUTBOX = cast("Table", Message.__table__), cast("Table", Outbox.__table__)

NOT_YET_LEAVING = (Delivery.QUEUED, Delivery.HELD)
"""What can still be stopped: no sender has it."""

_WAITS = "when: NO, "
"""How the reason begins that names a later time."""

LONGEST_FAILURE = 80
"""Characters kept of why a message did not go."""


class SendObserver(Protocol):
    """One who waits for a delivery."""

    def settled(
        self,
        unit: WriteUnit,
        conversation_id: int | None,
        state: Delivery,
        failure: str | None,
        message_ids: Sequence[int] = (),
    ) -> None:
        """Told in the unit that settles the rows of these messages of one conversation, with what became of them."""


class NotSendable(CrmError):
    """This may not be sent: {why}; mend that, or reach the patient another way."""

    def __init__(self, verdict: Verdict) -> None:
        refusal = verdict.refusal
        assert refusal is not None
        self.verdict = verdict
        super().__init__(why=refusal.saw, check=refusal.check)


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One message to queue. `hold` is how long it may still be taken back; `planned_at` when a person wants it to go.

    `dedup_key` names the occasion: a second posting with the same key is refused by the store.
    """

    conversation_id: int | None
    candidate: Candidate
    author_id: int | None
    hold: timedelta = timedelta(0)
    dedup_key: str | None = None
    planned_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What became of a posting: the message's id where it was queued, and what the gate said."""

    message_id: int | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    """One row of the outbox, without what it says."""

    id: int
    message_id: int
    conversation_id: int | None
    patient_id: int | None
    channel: Channel
    state: Delivery
    due_at: datetime
    tries: int
    failure: str | None
    settled_at: datetime | None
    reported: Report | None
    reported_at: datetime | None
    report_code: str | None
    why: tuple[str, ...]

    @property
    def waits(self) -> str | None:
        """Until when the gate put it off, where it did and it waits still."""
        last = self.why[-1] if self.why and self.state is Delivery.QUEUED else ""
        return last.removeprefix(_WAITS) if last.startswith(_WAITS) else None


@needs(Permission.MESSAGE_SEND)
def post(unit: WriteUnit, gate: Gate, posting: Posting) -> int:
    """Queue a message if the gate lets it, for later where it says so; its id, or NotSendable is raised."""
    (posted,) = post_all(unit, gate, (posting,))
    if posted.message_id is None:
        raise NotSendable(posted.verdict)
    return posted.message_id


@needs(Permission.MESSAGE_SEND)
def post_all(unit: WriteUnit, gate: Gate, postings: Sequence[Posting]) -> list[Posted]:
    """Queue those that the gate lets go, now or later, with one audit row; what became of each, in their order.

    The statements do not grow with the number of postings. AlreadyInUse where an occasion has been
    posted before: then none is queued.
    """
    verdicts = gate.judge_all(unit, [posting.candidate for posting in postings])
    return post_judged(unit, list(zip(postings, verdicts, strict=True)))


@needs(Permission.MESSAGE_SEND)
def post_judged(unit: WriteUnit, judged: Sequence[tuple[Posting, Verdict]]) -> list[Posted]:
    """What `post_all` does, for who has asked the gate about these very candidates in this unit already."""
    numbers = iter(_queue(unit, [pair for pair in judged if pair[1].may_wait]))
    return [Posted(message_id=next(numbers) if verdict.may_wait else None, verdict=verdict) for _, verdict in judged]


def _queue(unit: WriteUnit, going: Sequence[tuple[Posting, Verdict]]) -> Sequence[int]:
    """Write the messages and their rows; returns the messages' ids."""
    if not going:
        return ()
    ids, row_ids = unit.new_ids("message", len(going)), unit.new_ids("outbox", len(going))
    rows = [
        _outbox_row(unit, message_id, posting, verdict)
        for message_id, (posting, verdict) in zip(ids, going, strict=True)
    ]
    unit.execute(
        insert(_MESSAGES),
        [_message_row(unit, message_id, posting) for message_id, (posting, _) in zip(ids, going, strict=True)],
    )
    unit.execute(insert(_OUTBOX), [{"id": row_id, **row} for row_id, row in zip(row_ids, rows, strict=True)])
    letters = {row["message_id"]: row["dedup_key"] for row in rows if row["channel"] is Channel.EMAIL}
    keep_our_letters(unit, letters)
    unit.audit(Tag.MESSAGE_QUEUED, *ids)
    unit.changed(Topic.OUTBOX)
    return ids


def _message_row(unit: WriteUnit, message_id: int, posting: Posting) -> dict[str, Any]:
    candidate = posting.candidate
    return {
        "id": message_id,
        "conversation_id": posting.conversation_id,
        "direction": Direction.OUT,
        "kind": MessageKind.AUTOMATIC if candidate.automatic else MessageKind.TEXT,
        "channel": candidate.channel,
        "at": unit.now,
        "recorded_at": unit.now,
        "contact_point_id": candidate.contact_point_id,
        "author_id": posting.author_id,
        "template_version_id": candidate.template_version_id,
        "screened": Screened.NOT_NEEDED,
        # By it a quotation of ours is known again in an answer (quoted_before.py).
        "text_token": text_token(unit.vault, new_part(candidate.text)) if candidate.channel is Channel.EMAIL else None,
        "body_sealed": unit.seal(Field.MESSAGE_BODY, message_id, candidate.text),
        "subject_sealed": unit.seal(Field.MESSAGE_SUBJECT, message_id, candidate.subject),
    }


def _outbox_row(unit: WriteUnit, message_id: int, posting: Posting, verdict: Verdict) -> dict[str, Any]:
    candidate = posting.candidate
    due_at = posting.planned_at or unit.now + posting.hold
    return {
        "message_id": message_id,
        "dedup_key": posting.dedup_key or message_key(message_id),
        "channel": candidate.channel,
        "purpose": candidate.purpose,
        "contact_point_id": candidate.contact_point_id,
        "patient_id": candidate.patient_id,
        "state": Delivery.QUEUED,
        "due_at": max(due_at, verdict.not_before or due_at),
        "automatic": candidate.automatic,
        "answers": candidate.answers,
        "send_by": candidate.send_by,
        "planned_at": posting.planned_at,
        "decided_at": unit.now if posting.planned_at else None,
        "why": reasons_json(verdict.reasons),
        "created_at": unit.now,
    }


@needs(Permission.MESSAGE_SEND)
def take_back(unit: WriteUnit, message_id: int) -> bool:
    """Stop a queued message that has not been claimed for sending yet; False where it is too late."""
    taken = unit.execute(
        update(Outbox)
        .where(Outbox.message_id == message_id, Outbox.state == Delivery.QUEUED, Outbox.due_at > unit.now)
        .values(state=Delivery.TAKEN_BACK, settled_at=unit.now)
    )
    if taken.rowcount != 1:
        return False
    unit.audit(Tag.MESSAGE_TAKEN_BACK, message_id)
    unit.changed(Topic.OUTBOX)
    return True


@needs(Permission.MESSAGE_RECEIVE)
def suppress_queued(unit: WriteUnit, contact_point_id: int, why: str, observers: Sequence[SendObserver] = ()) -> int:
    """Cancel everything queued to one number, or held there, with the reason, and tell who waits for it; how many."""
    return len(suppress_where(unit, Outbox.contact_point_id == contact_point_id, why, observers))


def suppress_where(
    unit: WriteUnit, which: ColumnElement[bool], why: str, observers: Sequence[SendObserver] = ()
) -> list[int]:
    """Cancel what is queued or held of these rows, and tell who waits for it; returns the messages' ids.

    No permission is asked: a death or an opt-out stops what is on its way, whoever learns of it.
    """
    rows = unit.execute(
        update(Outbox)
        .where(which, Outbox.state.in_(NOT_YET_LEAVING))
        .values(state=Delivery.SUPPRESSED, settled_at=unit.now, failure=why)
        .returning(Outbox.message_id)
    ).scalars()
    suppressed = sorted(rows)
    if suppressed:
        unit.audit(Tag.MESSAGE_SUPPRESSED, *suppressed, why=why, outcome=Outcome.SUPPRESSED)
        unit.changed(Topic.OUTBOX)
    waiting: dict[int | None, list[int]] = {}
    for row in unit.execute(select(Message.id, Message.conversation_id).where(Message.id.in_(suppressed))):
        waiting.setdefault(row.conversation_id, []).append(row.id)
    with unit.as_the_house():
        for conversation_id, message_ids in sorted(waiting.items(), key=lambda each: each[0] or 0):
            for observer in observers:
                observer.settled(unit, conversation_id, Delivery.SUPPRESSED, why, message_ids)
    return suppressed


@needs(Permission.MESSAGE_SEND)
def suppress_in(unit: WriteUnit, conversation_id: int, why: str) -> list[int]:
    """Cancel what is queued or held in one conversation with the reason; the messages' ids. No observer is told."""
    lying_in = select(Message.id).where(Message.conversation_id == conversation_id)
    stopped = list(
        unit.execute(
            update(Outbox)
            .where(Outbox.message_id.in_(lying_in), Outbox.state.in_(NOT_YET_LEAVING))
            .values(state=Delivery.SUPPRESSED, settled_at=unit.now, failure=why)
            .returning(Outbox.message_id)
        ).scalars()
    )
    if stopped:
        unit.audit(Tag.MESSAGE_SUPPRESSED, *sorted(stopped), why=why, outcome=Outcome.SUPPRESSED)
        unit.changed(Topic.OUTBOX)
    return sorted(stopped)


@needs(Permission.MESSAGE_SEND)
def queue_again(unit: WriteUnit, message_ids: Sequence[int], hold: timedelta) -> None:
    """Queue what `suppress_in` stopped once more: at its own time, or after `hold` where that has passed."""
    if not message_ids:
        return
    stopped = (Outbox.message_id.in_(message_ids), Outbox.state == Delivery.SUPPRESSED)
    again = {"state": Delivery.QUEUED, "settled_at": None, "failure": None}
    unit.execute(update(Outbox).where(*stopped, Outbox.due_at < unit.now + hold).values(due_at=unit.now + hold))
    unit.execute(update(Outbox).where(*stopped).values(again))
    unit.audit(Tag.MESSAGE_QUEUED, *message_ids, why="undone")
    unit.changed(Topic.OUTBOX)


@needs(Permission.OUTBOX_READ)
def outbox(unit: ReadUnit, *, state: Delivery | None = None, limit: int = 200) -> list[OutboxRow]:
    """The newest rows first, at most `limit`."""
    return outbox_rows(unit, *([] if state is None else [Outbox.state == state]), limit=limit)


@needs(Permission.OUTBOX_READ)
def outbox_row(unit: ReadUnit, outbox_id: int) -> OutboxRow:
    """One row by its number; NotFound."""
    for row in outbox_rows(unit, Outbox.id == outbox_id, limit=1):
        return row
    raise NotFound(kind="outbox row", id=outbox_id)


@needs(Permission.OUTBOX_READ)
def outbox_rows(unit: ReadUnit, *which: ColumnElement[bool] | TextClause, limit: int) -> list[OutboxRow]:
    """Those rows for which `which` holds, newest first, at most `limit`."""
    statement = (
        select(
            Outbox.id, Outbox.message_id, Message.conversation_id, Outbox.patient_id, Outbox.channel, Outbox.state,
            Outbox.due_at, Outbox.tries, Outbox.failure, Outbox.settled_at, Outbox.reported, Outbox.reported_at,
            Outbox.report_code, Outbox.why,
        )
        .join(Message, Message.id == Outbox.message_id)
        .where(*which)
        .order_by(Outbox.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [
        OutboxRow(**{**row._mapping, "why": why_sentences(row.why, row.failure, row.reported)})  # noqa: SLF001 - public
        for row in unit.execute(statement)
    ]


@needs(Permission.OUTBOX_RESOLVE)
def resolve(unit: WriteUnit, outbox_id: int, *, sent: bool, observers: Sequence[SendObserver] = ()) -> None:
    """Settle an `unknown` row as a person found it to be: sent, or to be sent again now."""
    values = (
        {"state": Delivery.SENT, "settled_at": unit.now, "failure": FOUND_SENT}
        if sent
        else {"state": Delivery.QUEUED, "due_at": unit.now, "settled_at": None, "failure": None, "tries": 0}
    )
    changed = unit.execute(
        update(Outbox).where(Outbox.id == outbox_id, Outbox.state == Delivery.UNKNOWN).values(values)
    )
    if changed.rowcount != 1:
        if unit.scalar(select(Outbox.id).where(Outbox.id == outbox_id)) is None:
            raise NotFound(kind="outbox row", id=outbox_id)
        raise UsageError(problem="Only an unknown row can be resolved", remedy="see `crm outbox --state unknown`")
    unit.audit(Tag.OUTBOX_RESOLVED, outbox_id, why="sent" if sent else "not sent")
    unit.changed(Topic.OUTBOX)
    message = unit.execute(
        select(Message.id, Message.conversation_id)
        .join(Outbox, Outbox.message_id == Message.id)
        .where(Outbox.id == outbox_id)
    ).one()
    state, failure = (Delivery.SENT, FOUND_SENT) if sent else (Delivery.QUEUED, None)
    for observer in observers:
        observer.settled(unit, message.conversation_id, state, failure, (message.id,))


def reasons_json(reasons: Sequence[Reason]) -> str:
    """The reasons as they are stored with the row."""
    return json.dumps([[reason.check, reason.passed, reason.saw] for reason in reasons])


def why_sentences(stored: str, failure: str | None, reported: Report | None = None) -> tuple[str, ...]:
    """The stored reasons as a person reads them, then what became of the row, and what its provider said later."""
    lines = [f"{check}: {'yes' if passed else 'NO'}, {saw}" for check, passed, saw in json.loads(stored)]
    then = [failure, "delivered, says its provider" if reported is Report.DELIVERED else None]
    return (*lines, *(f"then: {one}" for one in then if one))
