"""Writing down what was decided of a batch of notices: messages, questions, calls, rows, tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from crm_core.access.model import Role
from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.calling.adding import add_call
from crm_core.channels.calling.model import NewCall
from crm_core.channels.model import Verdict
from crm_core.channels.notices.deciding import Decided
from crm_core.channels.notices.model import Asks, Became, NoticeObserver, NoticeState
from crm_core.channels.notices.tables import LONGEST_BECAUSE, Notice
from crm_core.channels.outbox import Posting, post_judged, reasons_json
from crm_core.channels.prompts.model import Asked, NewPrompt
from crm_core.channels.prompts.service import ask
from crm_core.dedup import find_number_key
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.store.feed import Topic
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.tasks.tables import STILL_OPEN, Task
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

FIND_NUMBER = "Find a number or address that works: a notice could not go"
_TABLE = cast("Table", Notice.__table__)

_TAGS = {
    NoticeState.HANDED_OVER: (Tag.NOTICE_SENT, Outcome.DONE),
    NoticeState.CALLING: (Tag.NOTICE_SENT, Outcome.DONE),
    NoticeState.EXPIRED: (Tag.NOTICE_EXPIRED, Outcome.SUPPRESSED),
    NoticeState.REFUSED: (Tag.NOTICE_REFUSED, Outcome.SUPPRESSED),
}


def settle(unit: WriteUnit, settled: Sequence[Decided], observers: Sequence[NoticeObserver]) -> dict[int, datetime]:
    """Do what was decided; returns which notices are looked at once more, and when."""
    messages = _posted(unit, settled)
    _ask(unit, settled, messages)
    calls = {one.notice.id: _call(unit, one) for one in settled if one.state is NoticeState.CALLING}
    _write(unit, [row for one in settled for row in _rows(unit.now, one, messages, calls)])
    find_number(unit, {one.notice.patient_id: one.notice.id for one in settled if one.find_number})
    for state, (tag, outcome) in _TAGS.items():
        ids = [each.id for one in settled if one.state is state for each in one.notice.all]
        if ids:
            unit.audit(tag, *ids, why=state.value, outcome=outcome)
    told = [became for one in settled if one.again is None for became in _became(one)]
    for observer in observers if told else ():
        observer.became(unit, told)
    if settled:
        unit.changed(Topic.PATIENTS)
    return {each.id: one.again for one in settled if one.again is not None for each in one.notice.all}


def _posted(unit: WriteUnit, decided: Sequence[Decided]) -> dict[int, int]:
    """Put what goes into the outbox, as the gate has judged it; the message of each notice."""
    going = [one for one in decided if one.state is NoticeState.HANDED_OVER]
    posted = post_judged(unit, list(_postings(going)))
    return {
        each.id: became.message_id
        for one, became in zip(going, posted, strict=True)
        for each in one.notice.all
        if became.message_id is not None
    }


def _postings(going: Sequence[Decided]) -> Iterator[tuple[Posting, Verdict]]:
    for one in going:
        assert one.goes is not None
        assert one.goes.candidate is not None
        assert one.verdict is not None
        yield (
            Posting(conversation_id=None, candidate=one.goes.candidate, author_id=None, dedup_key=one.key),
            one.verdict,
        )


def _ask(unit: WriteUnit, settled: Sequence[Decided], messages: dict[int, int]) -> None:
    """Keep what the messages ask."""
    ask(
        unit,
        [
            NewPrompt(
                message_id=messages[one.notice.id],
                patient_id=one.notice.patient_id,
                contact_point_id=one.goes.way.contact_point_id,
                about=tuple(
                    Asked(code=each.about, at=each.about_at, notice_id=each.id)
                    for each in one.notice.all
                    if each.about is not None
                ),
            )
            for one in settled
            if one.state is NoticeState.HANDED_OVER and one.goes is not None and one.notice.asks is Asks.CONFIRMATION
        ],
    )


def _call(unit: WriteUnit, one: Decided) -> int:
    """The call list item that a notice becomes."""
    assert one.goes is not None
    assert one.goes.candidate is not None
    new = NewCall(
        patient_id=one.notice.patient_id,
        contact_point_id=one.goes.way.contact_point_id,
        purpose=one.notice.purpose,
        title=f"Call: {one.goes.title}",
        say=one.goes.candidate.text,
        due_at=unit.now,
        dedup_key=one.key,
        notice_id=one.notice.id,
    )
    return add_call(unit, new)


def _rows(now: datetime, one: Decided, messages: dict[int, int], calls: dict[int, int]) -> Iterator[dict[str, Any]]:
    """The changed columns of a notice and of what went along with it."""
    channel: Channel | None = one.goes.way.channel if one.goes is not None else None
    for each in one.notice.all:
        yield {
            "the_id": each.id,
            "state": one.state,
            "channel": channel,
            "message_id": messages.get(each.id),
            "task_id": calls.get(one.notice.id),
            "why": reasons_json(one.reasons),
            "because": one.because[:LONGEST_BECAUSE] if one.because else None,
            "next_at": one.again,
            "settled_at": now if one.again is None else None,
        }


def _write(unit: WriteUnit, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = [name for name in rows[0] if name != "the_id"]
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        unit.execute(update(_TABLE).where(_TABLE.c.id == bindparam("the_id")).values(values), list(rows))


def find_number(unit: WriteUnit, notices: dict[int, int]) -> None:
    """Ask somebody to find a number for these patients, by the notice that could not go; one open task each."""
    if not notices:
        return
    open_ones = (
        select(ROOT)
        .join_from(Task, PATIENT, PATIENT.c.id == Task.patient_id)
        .where(STILL_OPEN, Task.kind == TaskKind.FIND_NUMBER, ROOT.in_(notices))
    )
    asked = set(unit.scalars(open_ones))
    new = NewTask(kind=TaskKind.FIND_NUMBER, title=FIND_NUMBER, role=Role.AGENT)
    for patient_id, notice_id in sorted(notices.items()):
        if patient_id not in asked:
            add_task(unit, replace(new, patient_id=patient_id, dedup_key=find_number_key(notice_id)))


def _became(one: Decided) -> Iterator[Became]:
    for each in one.notice.all:
        yield Became(
            notice_id=each.id,
            patient_id=each.patient_id,
            occasion=each.occasion,
            step=each.step,
            source=each.source,
            state=one.state,
            because=one.because,
        )
