"""`crm outbox`: what was given up is listed with its reason and tried again by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.clock import ShiftedClock
from crm_core.settings import read_settings
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Timer
from crm_core.timers.retrying import MOST_TRIES
from crm_core.timers.service import NewTimer, set_timers
from crm_core.work.units import WriteUnit
from tests.cli.conftest import Caller

PATIENT = {
    "resourceType": "Patient",
    "id": "ada",
    "name": [{"family": "Featherstone", "given": ["Adaline"]}],
    "birthDate": "1971-04-02",
    "identifier": [{"system": "urn:example:mrn", "value": "MRN-77120", "type": {"coding": [{"code": "MR"}]}}],
    "telecom": [{"system": "phone", "value": "+1 212 555 0147", "use": "mobile"}],
}


@pytest.fixture
def given_up(crm_home: Caller, tmp_path: Path) -> Caller:
    """A home in which one answer was given up: the spool's place was taken by a folder."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    crm_home.done("import", "fhir", str(tmp_path / "bundle.json"))
    (asked,) = crm_home.done(
        "receive", "--channel", "sms", "--from", "212-555-0147", "--text", "How much is my copay for the last visit?"
    )
    crm_home.done("reply", asked["conversation"], "--text", "It is twenty dollars.")
    spool = crm_home.home / "sms.jsonl"
    spool.mkdir()
    clock = ShiftedClock(datetime.now(UTC))
    with open_crm(read_settings(crm_home.home), clock=clock) as crm:
        for _ in range(MOST_TRIES):
            crm.courier.run_once()
            clock.move(timedelta(hours=2))
    spool.rmdir()
    return crm_home


def test_what_was_given_up_is_listed_and_goes_when_it_is_tried_again(given_up: Caller) -> None:
    (dead,) = given_up.done("outbox", "--state", "dead")
    assert (dead["kind"], dead["state"], dead["tries"]) == ("message", "failed", MOST_TRIES)
    assert dead["failure"] == f"given up after {MOST_TRIES} tries: spool file: Is a directory"
    shown = given_up("outbox", "--state", "dead").out
    assert "given up after 8 tries" in shown
    assert "Featherstone" not in shown
    again = given_up.done("outbox", "retry", str(dead["outbox"]))
    assert (again["state"], again["tries"], again["failure"]) == ("queued", 0, None)
    assert given_up.done("outbox", "--state", "dead") == []
    assert given_up.done("poll", "--once")["sent"] == 1
    assert len((given_up.home / "sms.jsonl").read_text().splitlines()) == 1


def test_what_cannot_be_tried_again_says_why(given_up: Caller) -> None:
    number = str(given_up.done("outbox", "--state", "dead")[0]["outbox"])
    given_up.done("outbox", "retry", number)
    once_more = given_up("outbox", "retry", number)
    assert (once_more.code, once_more.err.strip()) == (
        2,
        "crm: Only a failed row can be tried again; see `crm outbox --state failed`.",
    )
    assert given_up("outbox", "retry", "99999").code == 1
    assert given_up("outbox", "resolve", number, "--sent").code == 2
    assert given_up("outbox", "--state", "gone").code == 2
    assert [row["state"] for row in given_up.done("outbox")] == ["queued"]


class Broken:
    """A handler that cannot do its work."""

    kind = "torture"

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:  # noqa: ARG002 - the protocol
        """Fail."""
        raise LookupError("Adaline Featherstone")


def test_a_dead_timer_is_listed_without_a_patient_and_runs_again_when_it_is_told_to(crm_home: Caller) -> None:
    clock = ShiftedClock(datetime.now(UTC))
    with open_crm(read_settings(crm_home.home), clock=clock) as crm:
        new = NewTimer(kind=Broken.kind, subject_id=7, run_at=clock.now(), dedup_key="torture-7")
        with crm.write(SYSTEM) as unit:
            set_timers(unit, [new])
        chore = TimersChore(crm.units, [Broken()])
        for _ in range(MOST_TRIES):
            chore.run(lambda: False)
            clock.move(timedelta(hours=2))
    (dead,) = crm_home.done("outbox", "--state", "dead")
    assert (dead["kind"], dead["subject"], dead["tries"]) == (Broken.kind, 7, MOST_TRIES)
    assert dead["failure"] == "LookupError"
    shown = crm_home("outbox", "--state", "dead").out
    assert "timer: torture" in shown
    assert "Featherstone" not in shown
    number = str(dead["timer"])
    assert crm_home.done("outbox", "retry", "--timer", number) == {"timer": dead["timer"], "state": "waiting"}
    assert crm_home.done("outbox", "--state", "dead") == []
    assert crm_home("outbox", "retry", number, "--timer").code == 1
