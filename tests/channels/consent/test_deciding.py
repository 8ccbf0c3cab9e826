"""A number that may want no more texts: what is queued waits, and a person decides (domain.md, Keywords)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.channels.consent.deciding import decide, held_numbers
from crm_core.channels.consent.model import How, SaidBy
from crm_core.channels.consent.queries import card
from crm_core.channels.model import Delivery
from crm_core.errors import UsageError
from crm_core.inbox.answering.answers import reply
from tests.channels.consent.said import WITHDRAWN, point_of, queue, standing
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.inbox.looking import outbox_rows, tags

ASKS = "please stop texting me"


def states(clinic: Clinic) -> list[Delivery]:
    return [row["state"] for row in outbox_rows(clinic.crm)]


def held(clinic: Clinic) -> int:
    """Ana's number with a reminder that waits and one of Bo's that does not."""
    queue(clinic, "Ana", point_of(clinic, 0), "visit-1")
    queue(clinic, "Bo", point_of(clinic, 1), "visit-2")
    clinic.text(ASKS)
    return point_of(clinic, 0)


def test_what_is_queued_is_held_and_no_sender_takes_it(clinic: Clinic) -> None:
    number = held(clinic)
    assert states(clinic) == [Delivery.HELD, Delivery.QUEUED]
    clinic.crm.courier.run_once()
    assert states(clinic) == [Delivery.HELD, Delivery.SENT]
    (one,) = clinic.see(clinic.agent, held_numbers)
    assert (one.contact_point_id, one.ends, one.waiting) == (number, "0101", 1)
    assert (one.patient_ids, one.held_at) == ((clinic.patients["Ana"],), MONDAY)
    assert one.message_id is not None
    assert tags(clinic.crm).count("contact:number:held") == 1
    clinic.text(ASKS)
    assert tags(clinic.crm).count("contact:number:held") == 1


def test_staff_opt_the_number_out_and_the_ledger_says_by_which_text(clinic: Clinic) -> None:
    number = held(clinic)
    asked = clinic.see(clinic.agent, held_numbers)[0].message_id
    with pytest.raises(UsageError, match="words are missing"):
        clinic.do(clinic.agent, decide, number, stop=True, evidence=" ")
    assert clinic.do(clinic.agent, decide, number, stop=True, evidence="called, wants none") == 1
    assert states(clinic) == [Delivery.SUPPRESSED, Delivery.QUEUED]
    assert standing(clinic, "Ana", number).withdrawn
    (entry,) = clinic.see(clinic.agent, card, clinic.patients["Ana"]).entries
    assert (entry.decision, entry.said_by, entry.message_id) == (WITHDRAWN, SaidBy.STAFF, asked)
    assert (entry.how, entry.evidence) == (How.TEXT, "called, wants none")
    assert clinic.see(clinic.agent, held_numbers) == ()
    with pytest.raises(UsageError, match="Nobody has to decide"):
        clinic.do(clinic.agent, decide, number, stop=True, evidence="again")


def test_what_goes_on_is_queued_again_at_its_time_or_at_once(clinic: Clinic) -> None:
    number = held(clinic)
    clinic.at(MONDAY + timedelta(minutes=5))
    assert clinic.do(clinic.agent, decide, number, stop=False, evidence="") == 1
    row = outbox_rows(clinic.crm)[0]
    assert (row["state"], row["due_at"]) == (Delivery.QUEUED, MONDAY + timedelta(minutes=5))
    assert not standing(clinic, "Ana", number).withdrawn
    assert clinic.see(clinic.agent, held_numbers) == ()


def test_the_number_itself_decides_by_stop_or_start(clinic: Clinic) -> None:
    held(clinic)
    clinic.text("START")
    assert states(clinic)[0] is Delivery.QUEUED
    assert clinic.see(clinic.agent, held_numbers) == ()
    clinic.text(ASKS)
    assert states(clinic)[0] is Delivery.HELD
    clinic.text("STOP")
    assert states(clinic)[0] is Delivery.SUPPRESSED
    assert clinic.see(clinic.agent, held_numbers) == ()


def test_a_person_may_still_answer_a_number_that_is_held(clinic: Clinic) -> None:
    number = clinic.text(ASKS).conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Shall we stop all texts, or only reminders?")
    assert states(clinic) == [Delivery.QUEUED]
