"""Consent, proxies, preferences and deaths from the shell, from what came in to what does not leave."""

from __future__ import annotations

from tests.cli.conftest import Caller
from tests.cli.test_work import arrive, clinic

__all__ = ["clinic"]


def ada(clinic: Caller) -> str:
    """The one patient."""
    (found,) = clinic.done("patients", "find", "featherstone")
    return str(found["patient"])


def test_what_a_patient_says_is_shown_with_its_evidence_and_the_newest_stands(clinic: Caller) -> None:
    who = ada(clinic)
    about = ("--channel", "sms", "--purpose", "outreach", "--how", "phone")
    clinic.done("consent", "record", who, *about, "--granted", "--evidence", "said so to Ann")
    seen = clinic.done("consent", "record", who, *about, "--withdrawn", stdin="changed her mind\n")
    assert [(line["about"], line["state"]) for line in seen["standing"]] == [("outreach", "withdrawn")]
    assert [(one["decision"], one["evidence"], one["wording"]) for one in seen["entries"]] == [
        ("withdrawn", "changed her mind", "2026-11"),
        ("granted", "said so to Ann", "2026-11"),
    ]
    shown = clinic.done("consent", "wording", "plain_content", "--language", "es")
    assert "no están protegidos" in shown["text"]
    assert "drafts" in clinic("consent", "wording", "outreach").err


def test_a_number_that_may_want_no_more_waits_for_a_decision(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    clinic.done("reply", name, "--text", "Yes, it is on its way.")
    assert arrive(clinic, "please stop texting me")["handled_by"] == "suspected_opt_out"
    (waiting,) = clinic.done("outbox", "--state", "held")
    assert "held until staff decide" in waiting["why"][-1]
    (held,) = clinic.done("consent", "held")
    assert (held["conversation"], held["ends"], held["waiting"]) == (name, "0147", 1)
    done = clinic.done("consent", "decide", name, "--stop", "--evidence", "called back, wants none")
    assert (done["decided"], done["messages"]) == ("stop", 1)
    assert clinic.done("consent", "held") == []
    (stopped,) = clinic.done("outbox", "--state", "suppressed")
    assert stopped["why"][-1] == "then: opted out"
    (number,) = clinic.done("consent", "show", ada(clinic))["numbers"]
    assert number["opted_out_at"] is not None
    again = clinic("consent", "decide", name, "--keep")
    assert again.code == 2
    assert "Nobody has to decide" in again.err


def test_a_patients_own_order_and_request_for_confidence_are_kept(clinic: Caller) -> None:
    who = ada(clinic)
    seen = clinic.done("patients", "prefer", who, "voice", "sms", "(212) 555-0147")
    assert (seen["prefers"], seen["prefers_numbers"]) == (["voice", "sms"], ["0147"])
    assert clinic.done("patients", "prefer", who, "--nothing")["prefers"] == []
    only = ("--only", "sms:212-555-0147", "--words", "not at home")
    seen = clinic.done("consent", "confidential", who, *only, "--until", "30d")
    assert (seen["only"]["channel"], seen["only"]["ends"], seen["only"]["words"]) == ("sms", "0147", "not at home")
    assert clinic.done("consent", "confidential", who, "--end")["only"] is None


def test_a_proxy_speaks_until_it_is_ended(clinic: Caller) -> None:
    who = ada(clinic)
    named = ("--name", "Ida Featherstone", "--relation", "parent", "--contact", "646-555-0188")
    (proxy,) = clinic.done("proxy", "add", who, *named, "--speaks", "--words", "court order")
    assert (proxy["contact"], proxy["speaks"], proxy["receives"]) == ("+16465550188", True, False)
    said = ("--channel", "email", "--purpose", "care", "--granted", "--how", "form", "--evidence", "signed")
    seen = clinic.done("consent", "record", who, *said, "--by", "proxy")
    assert seen["entries"][0]["said_by"] == "proxy"
    (proxy,) = clinic.done("proxy", "end", who, str(proxy["proxy"]))
    assert not proxy["in_force"]
    assert clinic.done("proxy", "list", who) == []
    assert clinic("consent", "record", who, *said, "--by", "proxy").code == 2


def test_a_privacy_officer_who_may_not_read_patients_is_told_that_it_was_kept(clinic: Caller) -> None:
    who, password = ada(clinic), "tea kettle marathon\n"
    clinic.done(
        "staff", "add", "sam", "--name", "Sam", "--role", "privacy", "--ask-password", stdin=password
    )  # fmt: skip
    by_sam = ("--as", "sam")
    added = clinic.done(
        *by_sam, "proxy", "add", who, "--name", "Ida", "--relation", "parent", "--speaks", stdin=password
    )
    (kept,) = clinic.done("proxy", "list", who)
    assert added == [{"proxy": kept["proxy"], "patient": who}]
    assert clinic.done(*by_sam, "proxy", "end", who, str(kept["proxy"]), stdin=password) == added
    assert clinic.done("proxy", "list", who) == []
    died = clinic.done(*by_sam, "patients", "deceased", who, "--on", "2020-01-02", stdin=password)
    assert (died["patient"], died["deceased"]) == (who, True)


def test_a_death_stops_the_answer_on_its_way(clinic: Caller) -> None:
    name, who = arrive(clinic)["conversation"], ada(clinic)
    clinic.done("reply", name, "--text", "Yes, it is on its way.")
    assert clinic.done("patients", "deceased", who, "--on", "2020-01-02")["deceased"]
    (stopped,) = clinic.done("outbox", "--state", "suppressed")
    assert stopped["why"][-1] == "then: the patient has died"
    assert not clinic.done("patients", "deceased", who, "--mistake")["deceased"]


WRONG = [
    (("consent", "record", "P-1", "--channel", "sms", "--purpose", "care", "--how", "phone"), "--granted"),
    (("consent", "confidential", "P-1"), "--only"),
    (("consent", "confidential", "P-1", "--only", "telegram", "--words", "x"), "no channel"),
    (
        ("consent", "confidential", "P-1", "--only", "sms:646-555-0100", "--words", "x"),
        "not on the patient",
    ),
    (("consent", "decide", "C-1"), "--stop or --keep"),
    (("consent", "decide", "C-1", "--keep"), "Nobody has to decide"),
    (("patients", "prefer", "P-1"), "--nothing"),
    (("patients", "prefer", "P-1", "pigeon"), "no channel"),
    (("patients", "prefer", "P-1", "sms", "sms"), "named twice"),
    (("patients", "deceased", "P-1", "--on", "2999-01-01"), "not come yet"),
    (("patients", "deceased", "P-1", "--mistake"), "not known to have died"),
    (("patients", "unmerge", "P-1"), "not merged"),
    (("proxy", "add", "P-1", "--name", "Ida", "--relation", "parent"), "speak, receive"),
    (("proxy", "add", "P-1", "--name", "Ida", "--relation", "parent", "--receives"), "number or address"),
    (("proxy", "add", "P-1", "--name", "Ida", "--relation", "parent", "--contact", "12", "--speaks"), "works"),
]


def test_what_is_wrong_is_said_in_a_sentence_with_what_to_do(clinic: Caller) -> None:
    for arguments, told in WRONG:
        answer = clinic(*arguments)
        assert (answer.code, answer.out) == (2, ""), arguments
        assert told in answer.err
        assert "Featherstone" not in answer.err
