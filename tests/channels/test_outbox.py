"""The outbox: what is queued, held, taken back, shown and resolved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.gate import Candidate
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import Posting, outbox, post, post_all, resolve, take_back, why_sentences
from crm_core.errors import AlreadyInUse, NotFound, NotPermitted
from crm_core.inbox.answering.answers import reply
from crm_core.words import Channel
from tests.channels.conftest import Line
from tests.conftest import MONDAY
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import messages, outbox_rows, tags

BILL = "How much is my bill?"


def posting(clinic: Clinic, key: str | None = None) -> Posting:
    """An answer to Ana."""
    point = messages(clinic.crm)[0]["contact_point_id"]
    candidate = Candidate(
        channel=Channel.SMS,
        contact_point_id=point,
        patient_id=clinic.patients["Ana"],
        text="It is 20 dollars.",
        first_name="Ana",
    )
    return Posting(
        conversation_id=None,
        candidate=candidate,
        author_id=None,
        dedup_key=key,
    )


def test_one_occasion_is_queued_once(clinic: Clinic) -> None:
    clinic.text(BILL)
    clinic.do(SYSTEM, post, clinic.crm.gate, posting(clinic, "visit-7-day-before"))
    with pytest.raises(AlreadyInUse):
        clinic.do(SYSTEM, post, clinic.crm.gate, posting(clinic, "visit-7-day-before"))
    clinic.do(SYSTEM, post, clinic.crm.gate, posting(clinic))
    clinic.do(SYSTEM, post, clinic.crm.gate, posting(clinic))
    assert len(outbox_rows(clinic.crm)) == 3


def test_many_are_queued_at_once_and_what_may_not_go_is_told(clinic: Clinic) -> None:
    clinic.text(BILL)
    one, two = posting(clinic, "visit-7"), posting(clinic, "visit-8")
    nobody = replace(one, candidate=replace(one.candidate, patient_id=None), dedup_key="visit-9")
    posted = clinic.do(SYSTEM, post_all, clinic.crm.gate, [one, nobody, two])
    rows = outbox_rows(clinic.crm)
    assert [each.message_id for each in posted] == [rows[0]["message_id"], None, rows[1]["message_id"]]
    assert [row["dedup_key"] for row in rows] == ["visit-7", "visit-8"]
    assert posted[1].verdict.refusal is not None
    assert posted[1].verdict.refusal.check == "patient"
    assert tags(clinic.crm).count("message:outbound:queued") == 1


def test_a_posting_is_kept_with_what_the_gate_asks_of_it_again(clinic: Clinic) -> None:
    clinic.text(BILL)
    asked = posting(clinic)
    asked = replace(asked, candidate=replace(asked.candidate, automatic=True, send_by=MONDAY + timedelta(hours=2)))
    clinic.do(SYSTEM, post, clinic.crm.gate, asked)
    (row,) = outbox_rows(clinic.crm)
    assert (row["automatic"], row["answers"], row["send_by"]) == (True, False, MONDAY + timedelta(hours=2))
    assert messages(clinic.crm)[-1]["kind"] == "automatic"


def test_only_what_is_still_held_is_taken_back_and_only_once(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    hold = timedelta(seconds=15)
    held = clinic.do(clinic.agent, reply, clinic.crm.gate, number, "20 dollars", hold=hold)
    assert clinic.do(clinic.agent, take_back, held)
    assert not clinic.do(clinic.agent, take_back, held)
    gone = clinic.do(clinic.agent, reply, clinic.crm.gate, number, "20 dollars", hold=hold)
    clinic.at(MONDAY + hold)
    assert not clinic.do(clinic.agent, take_back, gone)
    assert tags(clinic.crm).count("message:outbound:taken_back") == 1


def test_the_outbox_tells_state_and_every_reason_but_no_text(clinic: Clinic) -> None:
    for sender in (None, BO):
        number = clinic.text(BILL, *([sender] if sender else [])).conversation_id
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Twenty dollars exactly")
    clinic.text("STOP", BO)
    rows = clinic.see(clinic.agent, outbox)
    assert [row.state for row in rows] == [Delivery.QUEUED, Delivery.SUPPRESSED, Delivery.QUEUED]
    assert rows[1].why[-1] == "then: opted out"
    assert rows[1].why[0] == "gateway: yes, spool"
    assert not any("Twenty" in str(row) for row in rows)
    assert [row.id for row in clinic.see(clinic.agent, outbox, state=Delivery.SUPPRESSED)] == [rows[1].id]
    assert len(clinic.see(clinic.agent, outbox, limit=1)) == 1


def test_reasons_read_as_sentences() -> None:
    stored = '[["gateway", true, "spool"], ["opt-out", false, "opted out"]]'
    assert why_sentences(stored, "opted out") == ("gateway: yes, spool", "opt-out: NO, opted out", "then: opted out")


def test_only_a_supervisor_settles_an_unknown_row_and_only_one_that_is_there(line: Line) -> None:
    with pytest.raises(NotPermitted):
        line.clinic.do(line.clinic.agent, resolve, 1, sent=True)
    with pytest.raises(NotFound):
        line.clinic.do(line.clinic.supervisor, resolve, 999, sent=True)
