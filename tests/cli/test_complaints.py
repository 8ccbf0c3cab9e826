"""`crm close` on a complaint."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.cli.conftest import Caller
from tests.cli.test_work import arrive, clinic

__all__ = ["clinic"]


def test_a_complaint_is_closed_with_its_category_and_the_date_of_the_answer(clinic: Caller) -> None:
    came = arrive(clinic, "I want to file a complaint about the rude receptionist")
    name, today = came["conversation"], datetime.now(ZoneInfo("America/New_York")).date().isoformat()
    refused = clinic("close", name, "--outcome", "resolved")
    assert (refused.code, refused.out) == (2, "")
    assert f"{name} is a complaint and stays open: say what it was about" in refused.err
    assert refused.err.count("\n") == 1
    half = clinic("close", name, "--outcome", "resolved", "--complaint-category", "care")
    assert (half.code, half.err.count("\n")) == (2, 1)
    wrong = clinic(
        "close", name, "--outcome", "resolved", "--complaint-category", "rude", "--answered", today
    )  # fmt: skip
    assert wrong.code == 2
    assert "staff_behaviour" in wrong.err, "the choices are named"
    closed = clinic.done(
        "close", name, "--outcome", "resolved", "--complaint-category", "staff_behaviour", "--answered", today
    )
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
    shown = clinic.done("show", name)["complaint"]
    assert (shown["category"], shown["answered_on"], shown["grievance"]) == ("staff_behaviour", today, False)


def test_what_is_no_complaint_is_closed_without_either(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    refused = clinic("close", name, "--outcome", "resolved", "--complaint-category", "care", "--answered", "2026-01-05")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "is no complaint" in refused.err
    assert clinic.done("close", name, "--outcome", "resolved")["state"] == "closed"
