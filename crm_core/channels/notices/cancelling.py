"""Taking notices back, whoever's doing it is: what is planned, what is to leave or to be called, what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, or_, select, update

from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.calling.cancelling import ITEM, cancel_calls
from crm_core.channels.model import Delivery
from crm_core.channels.notices.model import KIND, NoticeState
from crm_core.channels.notices.tables import LONGEST_BECAUSE, Notice
from crm_core.channels.prompts.voiding import SUBJECT, void, withdraw_unsent
from crm_core.channels.tables import Outbox
from crm_core.dedup import notice_again_key
from crm_core.store.feed import Topic
from crm_core.timers.service import NewTimer, cancel_timers, set_timers
from crm_core.work.units import WriteUnit

NOTICE = cast("Table", Notice.__table__)
_OUTBOX = cast("Table", Outbox.__table__)
_NOT_GONE = or_(
    _OUTBOX.c.state.in_((Delivery.QUEUED, Delivery.HELD)),
    # Claimed, but surely not handed over: its sender writes the gateway down before the call (delivery.py).
    and_(_OUTBOX.c.state == Delivery.SENDING, _OUTBOX.c.gateway.is_(None)),
)


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What was taken back: the notices that will not go, and how many open questions of sent ones are void."""

    notices: tuple[int, ...]
    questions: int


def cancel(unit: WriteUnit, which: ColumnElement[bool], because: str) -> Cancelled:
    """Take back what answers to `which`, a condition on `NOTICE`, with the reason.

    What still waits in the outbox, or is in a poller's hands and not with a gateway yet, is stopped
    there, and nobody calls about it any more; what was sent stays sent, but its open question is void.
    """
    because = because[:LONGEST_BECAUSE]
    gone = _end(unit, which & (NOTICE.c.state == NoticeState.PLANNED), because)
    if gone:
        cancel_timers(unit, KIND, gone, "cancelled")
    gone += _stop(unit, which, because)
    gone += _uncall(unit, which, because)
    sent = select(NOTICE.c.id).where(which, NOTICE.c.state == NoticeState.HANDED_OVER)
    questions = void(unit, SUBJECT.c.notice_id.in_(sent))
    if gone:
        unit.audit(Tag.NOTICE_CANCELLED, *sorted(gone))
    if gone or questions:
        unit.changed(Topic.PATIENTS)
    return Cancelled(notices=tuple(sorted(gone)), questions=questions)


def _end(unit: WriteUnit, which: ColumnElement[bool], because: str) -> list[int]:
    ended = {"state": NoticeState.CANCELLED, "settled_at": unit.now, "because": because, "next_at": None}
    return list(unit.execute(update(NOTICE).where(which).values(ended).returning(NOTICE.c.id)).scalars())


def _stop(unit: WriteUnit, which: ColumnElement[bool], because: str) -> list[int]:
    """Stop what was handed over and has not left; what shared its text is planned anew, to be told alone."""
    theirs = select(NOTICE.c.message_id).where(which, NOTICE.c.state == NoticeState.HANDED_OVER)
    stopped = list(
        unit.execute(
            update(_OUTBOX)
            .where(_OUTBOX.c.message_id.in_(theirs), _NOT_GONE)
            .values(state=Delivery.SUPPRESSED, settled_at=unit.now, failure=because[:80], lease_until=None)
            .returning(_OUTBOX.c.message_id)
        ).scalars()
    )
    if not stopped:
        return []
    unit.audit(Tag.MESSAGE_SUPPRESSED, *sorted(stopped), why="cancelled", outcome=Outcome.SUPPRESSED)
    unit.changed(Topic.OUTBOX)
    withdraw_unsent(unit, stopped)
    of_these = NOTICE.c.message_id.in_(stopped) & (NOTICE.c.state == NoticeState.HANDED_OVER)
    gone = _end(unit, which & of_these, because)
    _plan_anew(unit, of_these)
    return gone


def _uncall(unit: WriteUnit, which: ColumnElement[bool], because: str) -> list[int]:
    """Take what is waiting to be called about off the call list; what shared the call is planned anew."""
    theirs = select(NOTICE.c.task_id).where(which, NOTICE.c.state == NoticeState.CALLING)
    stopped = cancel_calls(unit, ITEM.c.task_id.in_(theirs), because)
    if not stopped:
        return []
    of_these = NOTICE.c.task_id.in_(stopped) & (NOTICE.c.state == NoticeState.CALLING)
    gone = _end(unit, which & of_these, because)
    _plan_anew(unit, of_these)
    return gone


def _plan_anew(unit: WriteUnit, which: ColumnElement[bool]) -> None:
    columns = (NOTICE.c.id, NOTICE.c.message_id, NOTICE.c.task_id)
    shared = {
        row.id: f"M-{row.message_id}" if row.message_id is not None else f"T-{row.task_id}"
        for row in unit.execute(select(*columns).where(which))
    }
    if not shared:
        return
    ended = {"settled_at": None, "message_id": None, "task_id": None}
    planned = {"state": NoticeState.PLANNED, "next_at": unit.now, **ended}
    unit.execute(update(NOTICE).where(NOTICE.c.id.in_(shared)).values(planned))
    set_timers(
        unit,
        [
            NewTimer(kind=KIND, subject_id=number, run_at=unit.now, dedup_key=notice_again_key(number, what))
            for number, what in shared.items()
        ],
    )
