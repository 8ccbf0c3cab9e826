"""Taking notices back, whoever's doing it is: what is planned, what waits in the outbox, what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, Table, select, update

from crm_core.audit.tags import Outcome, Tag
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
_NOT_GONE = (Delivery.QUEUED, Delivery.HELD)


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What was taken back: the notices that will not go, and how many open questions of sent ones are void."""

    notices: tuple[int, ...]
    questions: int


def cancel(unit: WriteUnit, which: ColumnElement[bool], because: str) -> Cancelled:
    """Take back what answers to `which`, a condition on `NOTICE`, with the reason.

    What still waits in the outbox is stopped there; what was sent stays sent, but its open question is
    void. A fixed number of statements.
    """
    because = because[:LONGEST_BECAUSE]
    gone = _end(unit, which & (NOTICE.c.state == NoticeState.PLANNED), because)
    if gone:
        cancel_timers(unit, KIND, gone, "cancelled")
    gone += _stop(unit, which, because)
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
            .where(_OUTBOX.c.message_id.in_(theirs), _OUTBOX.c.state.in_(_NOT_GONE))
            .values(state=Delivery.SUPPRESSED, settled_at=unit.now, failure=because[:80])
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


def _plan_anew(unit: WriteUnit, which: ColumnElement[bool]) -> None:
    rows: Sequence[tuple[int, int]] = [
        (row.id, row.message_id) for row in unit.execute(select(NOTICE.c.id, NOTICE.c.message_id).where(which))
    ]
    if not rows:
        return
    planned = {"state": NoticeState.PLANNED, "settled_at": None, "message_id": None, "next_at": unit.now}
    unit.execute(update(NOTICE).where(NOTICE.c.id.in_([number for number, _ in rows])).values(planned))
    set_timers(
        unit,
        [
            NewTimer(kind=KIND, subject_id=number, run_at=unit.now, dedup_key=notice_again_key(number, message_id))
            for number, message_id in rows
        ],
    )
