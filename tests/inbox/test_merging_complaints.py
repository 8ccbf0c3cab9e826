"""Merging where one of the two is a complaint: it ends as one, on its own day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.inbox.complaints import ComplaintEnd, ComplaintUnsettled
from crm_core.inbox.handling import close, move
from crm_core.inbox.model import State
from crm_core.inbox.threads.merging import (
    HoldsAComplaint,
    merge,
)
from crm_core.inbox.threads.splitting import split
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.inbox.looking import stored
from tests.inbox.test_merging import BILL, two_of_ana


def test_a_complaint_is_the_one_that_is_kept(clinic: Clinic) -> None:
    kept, complaint = two_of_ana(clinic, "I want to file a complaint about the rude receptionist")
    with pytest.raises(HoldsAComplaint):
        clinic.do(clinic.agent, merge, kept, complaint)
    clinic.do(clinic.agent, merge, complaint, kept)
    assert stored(clinic.crm, kept)["merged_into_id"] == complaint


def test_a_complaint_that_holds_something_unscreened_is_still_one(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic, "Hallo, ich habe seit gestern furchtbare Schmerzen und bekomme keine Luft")
    clinic.do(clinic.agent, move, kept, lane="complaints", reason="wrong_lane")
    clinic.do(clinic.agent, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["lane"], row["category"]) == ("front_desk", "complaint")


def test_a_later_complaint_takes_the_day_of_the_one_before_and_stays_a_grievance(clinic: Clinic) -> None:
    first = clinic.text("I want to complain, your receptionist was rude to me").conversation_id
    clinic.at(MONDAY + timedelta(days=3))
    again = clinic.text("I complain again: your receptionist was rude to me").message_id
    later = clinic.do(clinic.agent, split, first, message_ids=[again])
    clinic.do(clinic.agent, merge, later, first)
    end = ComplaintEnd(category="staff_behaviour", answered_on=(MONDAY + timedelta(days=3)).date())
    with pytest.raises(ComplaintUnsettled, match="it came on 2026-11-23"):
        clinic.do(clinic.agent, close, later, outcome="resolved", complaint=end)


def test_a_complaint_came_on_its_own_day_though_something_older_is_merged_into_it(clinic: Clinic) -> None:
    bill = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(days=3))
    rude = clinic.text("I want to complain, your receptionist was rude to me").message_id
    complaint = clinic.do(clinic.agent, split, bill, message_ids=[rude])
    clinic.do(clinic.agent, merge, complaint, bill)
    end = ComplaintEnd(category="staff_behaviour", answered_on=(MONDAY + timedelta(days=3)).date())
    clinic.do(clinic.agent, close, complaint, outcome="resolved", complaint=end)
    assert stored(clinic.crm, complaint)["state"] is State.CLOSED
