"""The verbs of the console, as commands: one conversation from its arrival to its end."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Caller

PATIENT = {
    "resourceType": "Patient",
    "id": "ada",
    "name": [{"family": "Featherstone", "given": ["Adaline"]}],
    "birthDate": "1971-04-02",
    "identifier": [{"system": "urn:example:mrn", "value": "MRN-77120", "type": {"coding": [{"code": "MR"}]}}],
    "telecom": [{"system": "phone", "value": "+1 212 555 0147", "use": "mobile"}],
}
QUEUE_KEYS = {"conversation", "patient", "category", "priority", "state", "owner", "due_at", "waiting_since"}


@pytest.fixture
def clinic(crm_home: Caller, tmp_path: Path) -> Caller:
    """A home with one patient and an approved template."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    report = crm_home.done("import", "fhir", str(tmp_path / "bundle.json"))
    assert (report["created"], report["rejected"]) == (1, 0)
    assert crm_home.done("template", "approve", "refill_received")["state"] == "approved"
    return crm_home


def arrive(clinic: Caller, text: str = "Can I get a refill of my lisinopril please?", **more: str) -> dict[str, Any]:
    options = [part for name, value in more.items() for part in (f"--{name}", value)]
    sender = [] if "from" in more else ["--from", "212-555-0147"]
    (received,) = clinic.done("receive", "--channel", "sms", *sender, "--text", text, *options)
    assert isinstance(received, dict)
    return received


def test_a_message_arrives_in_the_lane_of_its_need_with_its_reasons(clinic: Caller) -> None:
    received = arrive(clinic)
    assert set(received) == {
        "message", "conversation", "patient", "lane", "category", "priority", "handled_by", "duplicate", "why",
    }  # fmt: skip
    assert (received["lane"], received["category"], received["handled_by"]) == ("refills", "refill", "routing")
    assert received["patient"].startswith("P-")
    assert received["why"]
    counts = {row["lane"]: row for row in clinic.done("lanes")}
    assert set(counts["refills"]) == {"lane", "open", "unowned", "overdue", "next_due"}
    assert (counts["refills"]["open"], counts["refills"]["unowned"]) == (1, 1)
    (waiting,) = clinic.done("queue", "refills")
    assert set(waiting) == QUEUE_KEYS
    assert waiting["conversation"] == received["conversation"]
    assert datetime.fromisoformat(waiting["due_at"]).tzinfo is not None


def test_a_person_sees_the_name_and_a_script_the_id(clinic: Caller) -> None:
    arrive(clinic)
    shown = clinic("queue", "refills").out
    assert "Featherstone" in shown
    assert "Featherstone" not in clinic("queue", "refills", "--json").out


def test_the_same_providers_id_twice_is_one_message(clinic: Caller) -> None:
    first, second = arrive(clinic, id="SM1"), arrive(clinic, id="SM1")
    assert (second["duplicate"], second["handled_by"]) == (True, "duplicate")
    assert second["message"] == first["message"]
    assert clinic.done("lanes")


def test_next_takes_answers_and_closes(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    taken = clinic.done("next")
    assert (taken["conversation"], taken["state"], taken["messages"][0]["direction"]) == (name, "open", "in")
    assert clinic.done("next") is None
    answered = clinic.done("reply", name, "--template", "refill_received")
    assert answered["state"] == "waiting_patient"
    assert answered["messages"][-1]["text"].startswith("Hi Adaline, ")
    assert answered["messages"][-1]["delivery"] == "queued"
    (queued,) = clinic.done("outbox")
    assert (queued["state"], queued["conversation"]) == ("queued", name)
    assert queued["why"]
    tally = clinic.done("poll", "--once")
    assert tally == {"claimed": 1, "done": 1, "retried": 0, "dead": 0, "sent": 1, "failed": 0, "unknown": 0}
    spooled = [json.loads(line) for line in (clinic.home / "sms.jsonl").read_text().splitlines()]
    assert spooled[0]["to"] == "+12125550147"
    assert clinic.done("outbox", "--state", "sent")[0]["state"] == "sent"
    closed = clinic.done("close", name, "--outcome", "resolved")
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
    assert clinic.done("show", name)["why"]
    assert clinic.done("audit", "verify")["ok"] is True


def test_a_text_is_read_from_standard_input_where_none_is_an_argument(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    answered = clinic.done("reply", name, stdin="We have sent it to your pharmacy.\n")
    assert answered["messages"][-1]["text"] == "We have sent it to your pharmacy."
    noted = clinic.done("note", name, "--text", "-", stdin="Called the pharmacy.\n")
    assert [message["kind"] for message in noted["messages"]][-1] == "note"
    assert clinic("note", name, stdin="").code == 2


def test_an_unapproved_template_and_a_wrong_outcome_are_refused_and_change_nothing(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    assert clinic("reply", name, "--template", "refill_done").code == 1
    assert clinic("reply", name, "--template", "nonsense").code == 1
    assert clinic("close", name, "--outcome", "nonsense").code == 2
    assert clinic.done("show", name)["state"] == "new"
    assert clinic.done("outbox") == []


def test_passing_on_and_putting_off(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    assert clinic.done("move", name, "--lane", "billing", "--reason", "wrong_lane")["lane"] == "billing"
    clinic.done("staff", "add", "maria", "--name", "Maria Lopez", "--role", "agent")
    assert clinic.done("assign", name, "--to", "maria")["owner"] == "Maria Lopez"
    snoozed = clinic.done("snooze", name, "--until", "2d", "--action", "Ask again")
    assert (snoozed["state"], snoozed["next_action"]) == ("snoozed", "Ask again")
    assert clinic("snooze", name, "--until", "yesterday").code == 2
    raised = clinic.done("escalate", name, "--reason", "unhappy_patient", "--text", "Please call today.")
    assert (raised["priority"], raised["next_action"]) == ("urgent", "Please call today.")
    assert clinic("show", "C-999999").code == 1
    assert clinic("show", "P-999999").code == 1


def test_a_patient_is_found_by_what_a_caller_can_say_and_shown(clinic: Caller) -> None:
    arrive(clinic)
    for words in (["feather", "ada"], ["0147"], ["MRN-77120"], ["1971-04-02"], ["adaline", "1971-04-02"]):
        (found,) = clinic.done("patients", "find", *words)
        assert found["name"] == "Adaline Featherstone", words
    record = clinic.done("show", found["patient"])
    assert record["birth_date"] == "1971-04-02"
    assert record["contacts"][0]["value"].endswith("0147")
    assert record["conversations"][0]["lane"] == "refills"
    assert clinic.done("patients", "find", "nobodyhere") == []


def test_a_danger_goes_before_everything_and_an_agent_may_not_touch_it(clinic: Caller) -> None:
    arrive(clinic)
    alarmed = arrive(clinic, "I have crushing chest pain and can't breathe")
    assert (alarmed["lane"], alarmed["priority"]) == ("clinical_triage", "stat")
    password = "tea kettle marathon"
    clinic("staff", "add", "joe", "--name", "Joe", "--role", "agent", "--ask-password", stdin=password + "\n")
    refused = clinic("close", alarmed["conversation"], "--outcome", "resolved", "--as", "joe", stdin=password + "\n")
    assert refused.code != 0
    assert clinic.done("next")["conversation"] == alarmed["conversation"]


HOSTILE = "Hi \x1b]52;c;ZXZpbA==\x07\x9b31m [@click=app.quit]x[/] \u202eoops"


def test_hostile_text_is_shown_as_text(clinic: Caller) -> None:
    name = arrive(clinic, HOSTILE)["conversation"]
    for answer in (clinic("show", name), clinic("show", name, "--json")):
        assert answer.code == 0
        assert "[@click=app.quit]x[/]" in answer.out
        assert not set(answer.out) & set("\x1b\x07\x9b\u202e")


def lines(*messages: object) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in messages)


GOOD = {"channel": "sms", "from": "+12125550147", "text": "When do you open?", "id": "a1"}


def test_a_file_of_messages_is_taken_line_by_line_and_a_bad_one_stops_no_other(clinic: Caller, tmp_path: Path) -> None:
    file = tmp_path / "in.ndjson"
    bad = ['{"channel": "sms", "from"', "[]", '{"channel": "pigeon", "from": "x", "text": "Sentinel"}', "\x00\x01"]
    file.write_text(lines(GOOD, *bad, {**GOOD, "id": "a2", "at": "2026-01-05T09:00:00-05:00"}, GOOD))
    answer = clinic("receive", "--file", str(file), "--json")
    assert answer.code == 1
    assert [received["duplicate"] for received in answer.json] == [False, False, True]
    assert answer.err.count("was left out") == 4
    assert "Sentinel" not in answer.err
    assert "Line 2 was left out: it is not JSON." in answer.err


def test_one_endless_line_costs_no_memory_and_hides_no_good_one(clinic: Caller, tmp_path: Path) -> None:
    file = tmp_path / "in.ndjson"
    with file.open("wb") as out:
        out.write(b'{"text": "')
        out.truncate(200_000_000)
        out.seek(200_000_000)
        out.write(b"\n" + lines(GOOD).encode())
    answer = clinic("receive", "--file", str(file), "--json")
    assert answer.code == 1
    assert len(answer.json) == 1
    assert answer.err.count("longer than") == 1


@pytest.mark.parametrize("path", ["/nonexistent/in.ndjson", "/"])
def test_what_is_no_file_is_one_sentence(clinic: Caller, path: str) -> None:
    answer = clinic("receive", "--file", path)
    assert answer.code == 2
    assert answer.err.count("\n") == 1


def test_a_second_import_changes_nothing_and_rejects_go_to_their_file(clinic: Caller, tmp_path: Path) -> None:
    again = clinic.done("import", "fhir", str(tmp_path / "bundle.json"))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)
    assert {"batch", "read", "created", "updated", "unchanged", "rejected", "by_type", "seconds"} <= set(again)
    (tmp_path / "bad.json").write_text('{"resourceType": "Bundle", "entry": [')
    answer = clinic(
        "import", "fhir", str(tmp_path / "bad.json"), "--rejects", str(tmp_path / "rejects.ndjson"), "--json"
    )
    assert answer.code == 1
    assert answer.json["rejected"] == 1
    assert json.loads((tmp_path / "rejects.ndjson").read_text().splitlines()[0])["message"]
    assert clinic("import", "fhir", "/nonexistent").code == 2


def test_a_macro_closes_what_it_answers_and_says_what_it_could_not_do(clinic: Caller) -> None:
    clinic.done("template", "approve", "other_youre_welcome")
    number = arrive(clinic)["conversation"]
    later = clinic("reply", number, "--template", "other_youre_welcome", "--at", "2d")
    assert later.code == 0
    assert "not done for one that goes later: closes as resolved" in later.err
    other = arrive(clinic, "Thanks a lot, I have a question about my bill", **{"from": "212-555-0199"})["conversation"]
    assert clinic("reply", other, "--template", "other_youre_welcome").code == 1, "nobody is known by that number"
    again = arrive(clinic, "Where do I send my insurance card for the bill?")["conversation"]
    answered = clinic.done("reply", again, "--template", "other_youre_welcome")
    assert answered["state"] == "closed"
    assert answered["outcome"] == "resolved"
