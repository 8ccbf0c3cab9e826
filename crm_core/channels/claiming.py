"""Claiming what is due in the outbox: the gate is asked once more, about all of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.attempts import Claimed, Fate, refused
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.gateways.base import Outgoing
from crm_core.channels.letters import answers_letter, letter_name
from crm_core.channels.model import Delivery, Verdict
from crm_core.channels.outbox import SendObserver, reasons_json
from crm_core.channels.tables import LEAVING, Message, Outbox
from crm_core.channels.turns import wait_for_others
from crm_core.patients.tables import PATIENT, ROOT, ContactPoint, Patient
from crm_core.store.feed import Topic
from crm_core.timers.model import Tally
from crm_core.vault.sealing import Tampered
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

BATCH = 50
LEASE = timedelta(seconds=60)

_TABLE = cast("Table", Outbox.__table__)
_ROW = _TABLE.c.id == bindparam("of_row")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    """A row that is due, with what it says."""

    row: Any
    candidate: Candidate
    outgoing: Outgoing

    @property
    def begun(self) -> bool:
        """Whether an earlier sender may have handed it over."""
        return self.row.state is Delivery.SENDING and self.row.gateway is not None


@needs(Permission.OUTBOX_DELIVER)
def claim_due(unit: WriteUnit, gate: Gate, observers: Sequence[SendObserver], tally: Tally) -> list[Claimed]:
    """Take what is due, asking the gate once more; what it refuses by now ends, what it puts off is queued again.

    What may have been handed over is taken whatever the gate says: its gateway is asked first.
    """
    due = select(_TABLE.c.id).where(LEAVING, _TABLE.c.due_at <= unit.now).order_by(_TABLE.c.due_at, _TABLE.c.id)
    due = due.limit(BATCH)
    if unit.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    picked = unit.scalars(due)
    if not picked:
        return []
    tally.claimed += len(picked)
    unit.changed(Topic.OUTBOX)
    with unit.listing("outbox", "due"):
        opened = _opened(unit, picked, observers, tally)
        _one_sender_a_patient(unit, [each.candidate for each in opened])
        verdicts = gate.judge_all(unit, [each.candidate for each in opened])
    judged = list(zip(opened, verdicts, strict=True))
    taken = [(each, verdict) for each, verdict in judged if verdict.allowed or each.begun]
    waiting = [(each, verdict, verdict.again_at(unit.now)) for each, verdict in judged if not each.begun]
    _end(
        unit,
        [(each, verdict) for each, verdict, at in waiting if at is None and not verdict.allowed],
        observers,
        tally,
    )
    _put_off(unit, [(each, verdict, at) for each, verdict, at in waiting if at is not None], tally)
    return _take(unit, gate, taken)


def _opened(unit: WriteUnit, picked: Sequence[int], observers: Sequence[SendObserver], tally: Tally) -> list[_Opened]:
    """The rows with their texts; one that does not open has failed, and does not hold up the others."""
    opened = []
    for row in unit.execute(_details().where(unit.among(Outbox.id, picked)).order_by(Outbox.due_at, Outbox.id)).all():
        try:
            opened.append(_open(unit, row))
        except Tampered:
            fate = Fate(state=Delivery.FAILED, failure="its text was tampered with and does not open")
            ended = {"state": fate.state, "settled_at": unit.now, "failure": fate.failure, "lease_until": None}
            unit.execute(update(_TABLE).where(_TABLE.c.id == row.id).values(ended))
            unit.audit(fate.tag, row.message_id, outcome=fate.outcome)
            _tell(unit, row, fate, observers, tally)
    return opened


def _details() -> Any:
    return (
        select(
            Outbox.id, Outbox.state, Outbox.fence, Outbox.tries, Outbox.gateway, Outbox.message_id, Outbox.dedup_key,
            Outbox.begun_at, Outbox.channel, Outbox.purpose, Outbox.contact_point_id, Outbox.patient_id,
            Outbox.automatic, Outbox.answers, Outbox.send_by, Message.conversation_id, Message.template_version_id,
            Message.body, Message.subject, ContactPoint.value, Patient.given,
        )
        .join(Message, Message.id == Outbox.message_id)
        .outerjoin(ContactPoint, ContactPoint.id == Outbox.contact_point_id)
        .outerjoin(Patient, Patient.id == Outbox.patient_id)
    )  # fmt: skip


def _open(unit: WriteUnit, row: Any) -> _Opened:
    body, to, given = unit.open(row.body) or "", unit.open(row.value), unit.open(row.given) if row.given else None
    subject = unit.open(row.subject)
    candidate = Candidate(
        channel=row.channel,
        contact_point_id=row.contact_point_id,
        patient_id=row.patient_id,
        text=body,
        first_name=given.split()[0] if given and given.split() else None,
        subject=str(subject) if subject else None,
        message_id=row.message_id,
        purpose=row.purpose,
        automatic=row.automatic,
        answers=row.answers,
        send_by=row.send_by,
        template_version_id=row.template_version_id,
    )
    is_letter = row.channel == Channel.EMAIL
    known = answers_letter(unit, row.conversation_id, row.contact_point_id) if is_letter else ()
    outgoing = Outgoing(
        attempt_id=row.dedup_key,
        to=str(to),
        body=str(body),
        subject=str(subject) if subject else None,
        in_reply_to=known[-1] if known else None,
        references=known[:-1],
        letter_name=letter_name(unit, row.dedup_key) if is_letter else None,
        automatic=row.automatic,
        optional=candidate.unasked,
    )
    return _Opened(row=row, candidate=candidate, outgoing=outgoing)


def _one_sender_a_patient(unit: WriteUnit, candidates: Sequence[Candidate]) -> None:
    """Let nobody else decide meanwhile whether these patients' caps have room; two statements, on Postgres alone."""
    ids = {each.patient_id for each in candidates if each.unasked} - {None}
    if ids and unit.dialect == "postgresql":
        roots = unit.scalars(select(ROOT).where(PATIENT.c.id.in_(sorted(ids, key=int))))
        wait_for_others(unit, [unit.vault.token("contact_cap", f"patient {root}") for root in roots])


def _end(
    unit: WriteUnit, judged: Sequence[tuple[_Opened, Verdict]], observers: Sequence[SendObserver], tally: Tally
) -> None:
    """Settle what the gate refuses, or what has gone stale."""
    fates = [(each.row, refused(verdict, unit.now)) for each, verdict in judged]
    if not fates:
        return
    ended = {"settled_at": unit.now, "lease_until": None}
    words = {name: bindparam(f"as_{name}", type_=_TABLE.c[name].type) for name in ("state", "why", "failure")}
    unit.execute(
        update(_TABLE).where(_ROW).values(**ended, **words),
        [
            {"of_row": row.id, "as_state": fate.state, "as_why": fate.why, "as_failure": fate.failure}
            for row, fate in fates
        ],
    )
    for row, fate in fates:
        unit.audit(fate.tag, row.message_id, why=fate.check, outcome=fate.outcome)
        _tell(unit, row, fate, observers, tally)


def _tell(unit: WriteUnit, row: Any, fate: Fate, observers: Sequence[SendObserver], tally: Tally) -> None:
    tally.done += 1
    tally.failed += fate.state is Delivery.FAILED
    for observer in observers:
        observer.settled(unit, row.conversation_id, fate.state, fate.failure, (row.message_id,))


def _put_off(unit: WriteUnit, judged: Sequence[tuple[_Opened, Verdict, datetime]], tally: Tally) -> None:
    """Queue what may not go now for when it may; no try is used."""
    tally.retried += len(judged)
    if judged:
        queued = {"state": Delivery.QUEUED, "lease_until": None, "gateway": None, "begun_at": None, "failure": None}
        words = {name: bindparam(f"as_{name}", type_=_TABLE.c[name].type) for name in ("due_at", "why")}
        unit.execute(
            update(_TABLE).where(_ROW).values(**queued, **words),
            [
                {"of_row": each.row.id, "as_due_at": at, "as_why": reasons_json(verdict.reasons)}
                for each, verdict, at in judged
            ],
        )


def _take(unit: WriteUnit, gate: Gate, judged: Sequence[tuple[_Opened, Verdict]]) -> list[Claimed]:
    """Lease the rows to this sender, by a fence that nobody else holds."""
    if not judged:
        return []
    lease = unit.now + LEASE
    leased = {"state": Delivery.SENDING, "lease_until": lease, "due_at": lease}
    raised = {"fence": _TABLE.c.fence + 1, "tries": _TABLE.c.tries + 1}
    own = ("attempt_id", "gateway", "begun_at", "why")
    words = {name: bindparam(f"as_{name}", type_=_TABLE.c[name].type) for name in own}
    unit.execute(
        update(_TABLE).where(_ROW).values(**leased, **raised, **words),
        [
            {
                "of_row": each.row.id,
                "as_attempt_id": each.outgoing.attempt_id,
                "as_gateway": each.row.gateway if each.begun else None,
                "as_begun_at": each.row.begun_at if each.begun else None,
                "as_why": reasons_json(verdict.reasons),
            }
            for each, verdict in judged
        ],
    )
    return [
        Claimed(
            id=each.row.id,
            fence=each.row.fence + 1,
            tries=each.row.tries + 1,
            lease_until=lease,
            begun=each.begun,
            conversation_id=each.row.conversation_id,
            message_id=each.row.message_id,
            gateway=gate.gateways.get(each.row.channel),
            candidate=each.candidate,
            outgoing=each.outgoing,
        )
        for each, _ in judged
    ]
