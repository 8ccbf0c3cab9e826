"""`crm notice` and `crm calls`: planned, sent, answered, called, by one person at a shell."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Caller
from tests.cli.test_work import arrive, clinic

__all__ = ["clinic"]


@pytest.fixture
def patient(clinic: Caller) -> str:
    """A patient's id, with the templates for notices approved."""
    for language in ("en", "es"):
        clinic.done("template", "approve", "please_call_us", "--language", language)
        clinic.done("template", "approve", "visit_confirm", "--language", language)
    found: str = arrive(clinic)["patient"]
    return found


def test_a_notice_is_planned_shown_listed_and_cancelled(clinic: Caller, patient: str) -> None:
    made = clinic.done(
        "notice", "add", patient, "--template", "visit_confirm", "--at", "2h", "--about", "2d", "--send-by", "1d",
        "--ask", "confirmation",
    )  # fmt: skip
    assert (made["patient"], made["state"], made["asks"]) == (patient, "planned", "confirmation")
    assert (made["source"], made["planned_by"] is not None) == ("staff", True)
    assert [one["notice"] for one in clinic.done("notice", "list", patient)] == [made["notice"]]
    assert clinic.done("notice", "show", made["notice"]) == made
    ended = clinic.done("notice", "cancel", made["notice"], "--why", "moved by phone")
    assert (ended["state"], ended["because"]) == ("cancelled", "moved by phone")
    assert clinic.done("notice", "list", "--planned") == []
    assert clinic("notice", "cancel", made["notice"], "--why", "again").code == 2


BAD = (
    (("add", "P-1", "--template", "no_such", "--at", "2h"), 1, "No template no_such"),
    (("add", "P-999", "--template", "please_call_us", "--at", "2h"), 1, "No patient P-999"),
    (("add", "C-1", "--template", "please_call_us", "--at", "2h"), 2, "not the id of a patient"),
    (("add", "P-1", "--template", "please_call_us", "--at", "soon"), 2, "That is not a time"),
    (("add", "P-1", "--template", "please_call_us", "--at", "2h", "--send-by", "1h"), 2, "stale before it is due"),
    (("add", "P-1", "--template", "please_call_us", "--at", "2h", "--ask", "x"), 2, "cannot ask 'x'"),
    (("add", "P-1", "--template", "visit_confirm", "--at", "2h"), 1, "needs about.when"),
    (("add", "P-1", "--template", "please_call_us", "--at", "2h", "--field", "x"), 2, "--field takes KEY=TEXT"),
    (("add", "P-1", "--template", "please_call_us", "--at", "2h", "--field", "x=y"), 2, "x is no field"),
    (("add", "P-1", "--template", "please_call_us", "--at", "2020-01-01"), 2, "That time has passed"),
    (("add", "P-1", "--template", "visit_confirm", "--at", "2d", "--about", "1d"), 2, "after what it is about"),
    (("show", "N-99"), 1, "No notice N-99"),
    (("cancel", "N-99", "--why", "x"), 1, "No notice N-99"),
)


def test_what_cannot_be_planned_is_said_in_one_sentence(clinic: Caller, patient: str) -> None:
    assert patient == "P-1"
    for arguments, code, said in BAD:
        answer = clinic("notice", *arguments)
        assert (answer.code, answer.out) == (code, "")
        assert said in answer.err


def test_a_call_is_listed_logged_and_refused_in_one_sentence(clinic: Caller) -> None:
    assert clinic.done("calls", "list") == []
    assert clinic("calls", "log", "T-99", "--outcome", "no_answer").code == 1
    assert "no call outcome" in clinic("calls", "log", "T-99", "--outcome", "shouted").err
