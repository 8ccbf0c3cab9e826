"""Automatic assignment: whose turn it is, who is passed over, what is never assigned, and why it says so."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.roster import end_absence, plan_absence, set_capacity
from crm_core.access.service import disable
from crm_core.app import open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.errors import UsageError
from crm_core.inbox import alarms, handling, take, thread
from crm_core.inbox.answering import answers
from crm_core.inbox.sharing.colleagues import Away, Full
from crm_core.inbox.undo import undo_last
from crm_core.playbook.problems import PlaybookErrors
from crm_core.settings import Settings
from crm_core.words import Channel
from tests.conftest import MASTER, MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import conversations, stored, verbs
from tests.inbox.sharing import share_work_out, sharing_out

REFILL, BILL, VISIT = "Can I get a refill of my lisinopril?", "How much is my bill?", "I want to book a visit please"
HOUR = timedelta(hours=1)


@pytest.fixture
def people(clinic: Clinic, staff: StaffFactory) -> Iterator[list[Actor]]:
    """Two agents, who alone work the lanes that share their work out: all others have other lanes."""
    share_work_out(clinic.crm)
    for one in (clinic.agent, clinic.nurse, clinic.supervisor):
        clinic.do(SYSTEM, _work_only, one, "complaints")
    yield [staff(Role.AGENT, name="ada"), staff(Role.AGENT, name="ben")]


def _work_only(unit: Any, who: Actor, lane: str) -> None:
    from crm_core.access.service import set_lanes

    set_lanes(unit, who.staff_id, [lane])


def come(clinic: Clinic, text: str, count: int) -> list[int]:
    """So many texts from as many numbers."""
    return [clinic.text(text, f"+1 646 555 {clinic._texts + 100:04d}").conversation_id or 0 for _ in range(count)]


def owners(clinic: Clinic, numbers: list[int]) -> list[int | None]:
    return [stored(clinic.crm, number)["owner_id"] for number in numbers]


def why(clinic: Clinic, number: int, who: Actor) -> str:
    return "\n".join(clinic.see(who, thread.why_here, number))


def test_it_goes_round_among_those_who_work_the_lane(clinic: Clinic, people: list[Actor]) -> None:
    ada, ben = (one.staff_id for one in people)
    numbers = come(clinic, REFILL, 4)
    assert owners(clinic, numbers) == [ada, ben, ada, ben]
    assert stored(clinic.crm, numbers[0])["taken_at"] is None
    assert clinic.do(people[0], take.take_next) == numbers[0]


def test_what_each_holds_decides_where_the_least_loaded_is_next(clinic: Clinic, people: list[Actor]) -> None:
    ada, ben = (one.staff_id for one in people)
    for number in come(clinic, "Are you open on Friday", 2):
        clinic.do(people[0], take.claim, number)
    assert owners(clinic, come(clinic, BILL, 4)) == [ben, ben, ada, ben]


def test_at_most_so_many_in_a_time_that_moves_along(clinic: Clinic, people: list[Actor]) -> None:
    ada, ben = (one.staff_id for one in people)
    first = come(clinic, VISIT, 5)
    assert owners(clinic, first) == [ada, ben, ada, ben, None]
    assert "was given 2 of at most 2 in 1h" in why(clinic, first[4], people[0])
    clinic.at(MONDAY + HOUR - timedelta(seconds=1))
    assert owners(clinic, come(clinic, VISIT, 1)) == [None]
    clinic.at(MONDAY + HOUR)
    assert owners(clinic, come(clinic, VISIT, 1)) == [ada]


def test_the_absent_the_full_and_the_inactive_are_passed_over_and_a_substitute_has_no_second_turn(
    clinic: Clinic, people: list[Actor], staff: StaffFactory
) -> None:
    ada, ben = people
    cy, dot = staff(Role.AGENT, name="cy"), staff(Role.AGENT, name="dot")
    clinic.do(SYSTEM, set_capacity, ada.staff_id, 1)
    until = MONDAY + 8 * HOUR
    clinic.do(SYSTEM, plan_absence, ben.staff_id, starts_at=MONDAY, ends_at=until, substitute_id=dot.staff_id)
    clinic.do(SYSTEM, disable, cy.staff_id)
    numbers = come(clinic, REFILL, 3)
    assert owners(clinic, numbers) == [ada.staff_id, dot.staff_id, dot.staff_id]
    told = why(clinic, numbers[2], dot)
    assert "assigned by the system, round_robin: round robin in Refills: Dot" in told
    assert "not Ben: is absent until 2026-11-23 23:00Z, Dot stands in; not Ada: full, holds 1 of 1" in told
    clinic.at(until)
    assert owners(clinic, come(clinic, REFILL, 1)) == [ben.staff_id]


def test_where_all_are_full_or_absent_it_stays_in_the_lane_unowned_and_says_so(
    clinic: Clinic, people: list[Actor]
) -> None:
    ada, ben = people
    clinic.do(SYSTEM, set_capacity, ada.staff_id, 0)
    clinic.do(SYSTEM, plan_absence, ben.staff_id, starts_at=MONDAY, ends_at=MONDAY + HOUR)
    (number,) = come(clinic, REFILL, 1)
    row = stored(clinic.crm, number)
    assert (row["owner_id"], row["lane"]) == (None, "refills")
    assert "nobody_free: round robin in Refills: nobody is free; not Ben: is absent" in why(clinic, number, ada)
    assert clinic.do(ada, take.take_next) == number, "a capacity of 0 keeps nobody from taking"
    clinic.do(SYSTEM, end_absence, ben.staff_id)
    assert owners(clinic, come(clinic, REFILL, 1)) == [ben.staff_id]


def test_a_lane_without_a_policy_gives_nothing_to_anybody(clinic: Clinic, people: list[Actor]) -> None:
    (number,) = come(clinic, "Are you open on Friday", 1)
    assert stored(clinic.crm, number)["owner_id"] is None
    assert verbs(clinic.crm, number) == []


def test_neither_a_danger_nor_what_could_not_be_screened_is_assigned(clinic: Clinic, people: list[Actor]) -> None:
    danger = clinic.text("I have chest pain, and I need a refill", "+1 646 555 0001").conversation_id
    unscreened = clinic.text("", "+1 646 555 0002", attachments=1).conversation_id
    for number in (danger, unscreened):
        assert stored(clinic.crm, number)["owner_id"] is None
        assert "assigned" not in verbs(clinic.crm, number)


def test_what_has_alarmed_is_given_to_clinicians_alone(
    clinic: Clinic, people: list[Actor], staff: StaffFactory
) -> None:
    nurse = staff(Role.NURSE, name="nora", lanes=frozenset({"clinical_triage"}))
    number = clinic.text("I have chest pain").conversation_id
    assert number is not None
    clinic.do(nurse, alarms.acknowledge, number)
    clinic.do(nurse, answers.reply, clinic.crm.gate, number, "Please call 911.")
    clinic.do(SYSTEM, disable, nurse.staff_id)
    other = staff(Role.NURSE, name="olga", lanes=frozenset({"clinical_triage"}))
    clinic.text("I am at the hospital now")
    assert stored(clinic.crm, number)["owner_id"] == other.staff_id


def test_moving_into_a_lane_with_a_policy_assigns_it_and_one_undo_takes_back_both(
    clinic: Clinic, people: list[Actor]
) -> None:
    ada, _ = people
    (number,) = come(clinic, "Are you open on Friday", 1)
    clinic.do(ada, take.claim, number)
    clinic.do(ada, handling.move, number, lane="refills", reason="wrong_lane")
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"]) == ("refills", ada.staff_id)
    clinic.do(ada, undo_last)
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"]) == ("front_desk", ada.staff_id)
    clinic.do(ada, undo_last)
    assert stored(clinic.crm, number)["owner_id"] is None


def test_when_the_owner_is_away_the_patients_text_goes_to_the_substitute_or_back_to_the_lane(
    clinic: Clinic, people: list[Actor]
) -> None:
    ada, ben = people
    first, second = (clinic.text("Are you open on Friday", sender).conversation_id or 0 for sender in (ANA, BO))
    for number in (first, second):
        clinic.do(ada, take.claim, number)
        clinic.do(ada, answers.reply, clinic.crm.gate, number, "Yes.")
    until = MONDAY + 8 * HOUR
    clinic.do(SYSTEM, plan_absence, ada.staff_id, starts_at=MONDAY, ends_at=until, substitute_id=ben.staff_id)
    assert stored(clinic.crm, first)["owner_id"] == ada.staff_id, "only the patient's text sets it off"
    clinic.text("Until when?", ANA)
    assert stored(clinic.crm, first)["owner_id"] == ben.staff_id
    assert "substitute: Ada is absent until 2026-11-23 23:00Z; Ben stands in" in why(clinic, first, ben)
    clinic.do(SYSTEM, set_capacity, ben.staff_id, 1)
    clinic.text("Until when?", BO)
    row = stored(clinic.crm, second)
    assert (row["owner_id"], row["lane"], row["state"]) == (None, "front_desk", "open")
    assert "owner_gone: Ada is absent until 2026-11-23 23:00Z, and nobody stands in" in why(clinic, second, ben)


def test_what_a_person_who_left_had_closed_comes_back_to_the_lane(clinic: Clinic, people: list[Actor]) -> None:
    ada, _ = people
    (number,) = come(clinic, "Are you open on Friday", 1)
    clinic.do(ada, take.claim, number)
    clinic.do(ada, handling.close, number, outcome="resolved")
    clinic.do(SYSTEM, disable, ada.staff_id)
    clinic.text("And on Saturday, are you open then?", "+1 646 555 0100")
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"]) == ("open", None)


def test_assigning_to_the_full_or_the_absent_is_refused_unless_it_is_meant(
    clinic: Clinic, people: list[Actor], staff: StaffFactory
) -> None:
    ada, ben = people
    boss = staff(Role.SUPERVISOR, name="boss")
    clinic.do(SYSTEM, set_capacity, ada.staff_id, 0)
    clinic.do(SYSTEM, plan_absence, ben.staff_id, starts_at=MONDAY, ends_at=MONDAY + HOUR, substitute_id=ada.staff_id)
    (number,) = come(clinic, "Are you open on Friday", 1)
    with pytest.raises(Full, match="Ada holds 0 of 0 open conversations"):
        clinic.do(boss, handling.assign, number, ada.staff_id)
    with pytest.raises(Away, match="Ben is absent until 2026-11-23 16:00Z, Ada stands in"):
        clinic.do(boss, handling.assign, number, ben.staff_id)
    clinic.do(SYSTEM, disable, clinic.agent.staff_id)
    with pytest.raises(UsageError, match="not active"):
        clinic.do(boss, handling.assign, number, clinic.agent.staff_id, anyway=True)
    clinic.do(boss, handling.assign, number, ada.staff_id, anyway=True)
    assert stored(clinic.crm, number)["owner_id"] == ada.staff_id
    clinic.do(ada, handling.assign, number, ada.staff_id)


def _receives(settings: Settings, first: int, count: int, gate: Any, done: Any) -> None:
    with open_crm(settings, master=MASTER) as crm:
        gate.wait()
        for number in range(first, first + count):
            inbound = Inbound(
                channel=Channel.SMS,
                sender=f"+1646555{number:04d}",
                text=REFILL,
                at=crm.clock.now(),
                provider_id=f"race-{number}",
            )
            with crm.write(SYSTEM) as unit:
                receive(unit, crm.receiver, inbound)
    done.put(first)


def test_two_receivers_at_once_overfill_nobody(clinic: Clinic, people: list[Actor], settings: Settings) -> None:
    ada, ben = people
    for one in people:
        clinic.do(SYSTEM, set_capacity, one.staff_id, 3)
    context = multiprocessing.get_context("spawn")
    gate, done = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_receives, args=(settings, first, 6, gate, done)) for first in (2000, 3000)]
    for worker in workers:
        worker.start()
    assert {done.get(timeout=120) for _ in workers} == {2000, 3000}
    for worker in workers:
        worker.join(timeout=30)
    held = [row["owner_id"] for row in conversations(clinic.crm)]
    assert (held.count(ada.staff_id), held.count(ben.staff_id), held.count(None)) == (3, 3, 6)


@pytest.mark.parametrize(
    ("lane", "policy", "said"),
    [
        ("refills", '{ by = "dice" }', "round_robin"),
        ("refills", '{ by = "round_robin", fair_share = { most = 0, within = "1h" } }', "greater than or equal to 1"),
        ("refills", '{ by = "round_robin", fair_share = { most = 5, within = "soon" } }', "write 4h, 30m or 1h30m"),
        ("physician_review", '{ by = "round_robin" }', "physicians are shielded"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_its_place(lane: str, policy: str, said: str) -> None:
    with pytest.raises(PlaybookErrors) as bad:
        sharing_out(((lane, policy),))
    (problem,) = bad.value.problems
    assert (problem.file, problem.key.split(".")[:2]) == ("lanes.toml", ["lane", lane])
    assert said in problem.message


def test_what_comes_back_at_its_time_to_who_is_away_goes_to_the_substitute(clinic: Clinic, people: list[Actor]) -> None:
    ada, ben = people
    first, second = come(clinic, "Are you open on Friday", 2)
    for who, number in ((ada, first), (ben, second)):
        clinic.do(who, take.claim, number)
        clinic.do(who, handling.snooze, number, until=MONDAY + HOUR)
    clinic.do(
        SYSTEM, plan_absence, ada.staff_id, starts_at=MONDAY, ends_at=MONDAY + 8 * HOUR, substitute_id=ben.staff_id
    )
    clinic.at(MONDAY + HOUR)
    clinic.do(SYSTEM, take.settle_time)
    assert owners(clinic, [first, second]) == [ben.staff_id, ben.staff_id]
    assert verbs(clinic.crm, first)[-2:] == ["woken", "assigned"]
    assert verbs(clinic.crm, second)[-1] == "woken"


def test_an_escalation_passes_over_supervisors_who_are_away_or_full(
    clinic: Clinic, people: list[Actor], staff: StaffFactory
) -> None:
    ada, _ = people
    away, full = staff(Role.SUPERVISOR, name="away"), staff(Role.SUPERVISOR, name="full")
    clinic.do(SYSTEM, plan_absence, away.staff_id, starts_at=MONDAY, ends_at=MONDAY + HOUR)
    clinic.do(SYSTEM, set_capacity, full.staff_id, 0)
    ask = {"to": Role.SUPERVISOR, "reason": "policy", "question": "Waive it?"}
    (number,) = come(clinic, "Are you open on Friday", 1)
    clinic.do(ada, take.claim, number)
    clinic.do(ada, handling.escalate, number, **ask)
    assert owners(clinic, [number]) == [None]
    clinic.at(MONDAY + HOUR)
    clinic.do(ada, take.claim, number)
    clinic.do(ada, handling.escalate, number, **ask)
    assert owners(clinic, [number]) == [away.staff_id]
