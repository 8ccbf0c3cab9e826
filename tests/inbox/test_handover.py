"""Shift hand-over: mine until it is accepted, item by item, by someone who works the lane."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.roster import plan_absence, set_capacity
from crm_core.access.service import disable, set_lanes
from crm_core.errors import NotFound, UsageError
from crm_core.inbox import handling, take, thread
from crm_core.inbox.sharing import handover
from crm_core.inbox.sharing.handover_lists import handed_to_me, mine_unfinished, offers_to_me
from crm_core.inbox.tables import Handover
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import audited, stored, tags, verbs

BILL = "How much is my bill?"
VISIT = "I want to book a visit please"
UNTIL = MONDAY + timedelta(days=2)


@pytest.fixture
def other(staff: StaffFactory) -> Actor:
    return staff(Role.AGENT, name="olga")


def owned(clinic: Clinic, text: str = BILL, sender: str = "+1 212 555 0101") -> int:
    """A conversation in the agent's hands."""
    number = clinic.text(text, sender).conversation_id
    assert number is not None
    clinic.do(clinic.agent, take.claim, number)
    return number


def offered(clinic: Clinic, to: Actor, words: str | None = None) -> int:
    number = owned(clinic)
    clinic.do(clinic.agent, handover.offer, number, to.staff_id, words=words)
    return number


def on_offer(clinic: Clinic, to: Actor) -> list[int]:
    return [one.item.conversation_id for one in clinic.see(to, handed_to_me)]


def test_what_i_own_is_listed_with_what_has_no_next_step_first(clinic: Clinic) -> None:
    dated, loose = owned(clinic), owned(clinic, VISIT, BO)
    clinic.do(clinic.agent, handling.snooze, dated, until=UNTIL)
    clinic.text("Are you open on Friday", "+1 646 555 0101")
    listed = clinic.see(clinic.agent, mine_unfinished)
    assert [(one.item.conversation_id, one.unfinished, one.comes_back_at) for one in listed] == [
        (loose, True, None),
        (dated, False, UNTIL),
    ]
    assert [str(one.item.patient_name) for one in listed] == ["Bo Iversen", "Ana Lopez"]
    assert clinic.see(clinic.supervisor, mine_unfinished) == ()
    clinic.at(UNTIL)
    clinic.do(SYSTEM, take.settle_time)
    assert all(one.unfinished for one in clinic.see(clinic.agent, mine_unfinished)), "its date has come"


def test_it_stays_the_givers_until_it_is_accepted_and_is_then_the_receivers(clinic: Clinic, other: Actor) -> None:
    number = offered(clinic, other, "she calls back at 4")
    assert stored(clinic.crm, number)["owner_id"] == clinic.agent.staff_id
    (mine,) = clinic.see(clinic.agent, mine_unfinished)
    assert (mine.offered_to, mine.declined_by) == ("Olga", None)
    (handed,) = clinic.see(other, handed_to_me)
    assert (handed.item.conversation_id, handed.giver, str(handed.words)) == (number, "Agent1", "she calls back at 4")
    assert len(clinic.see(other, offers_to_me)) == 1
    clinic.do(other, handover.accept, number)
    row = stored(clinic.crm, number)
    assert (row["owner_id"], row["taken_at"]) == (other.staff_id, None)
    assert (on_offer(clinic, other), clinic.see(clinic.agent, mine_unfinished)) == ([], ())
    assert verbs(clinic.crm, number) == ["taken", "offered", "accepted"]
    assert any("she calls back at 4" in line for line in clinic.see(other, thread.why_here, number))
    assert {"conversation:handover:offered", "conversation:handover:accepted"} <= set(tags(clinic.crm))
    assert not any("calls" in (row["why"] or "") for row in audited(clinic.crm))


def test_two_are_accepted_one_by_one(clinic: Clinic, other: Actor) -> None:
    first, second = owned(clinic), owned(clinic, VISIT, BO)
    for number in (first, second):
        clinic.do(clinic.agent, handover.offer, number, other.staff_id)
    clinic.do(other, handover.accept, second)
    assert on_offer(clinic, other) == [first]
    assert stored(clinic.crm, first)["owner_id"] == clinic.agent.staff_id


def test_declining_says_why_and_it_may_be_offered_anew(clinic: Clinic, other: Actor) -> None:
    number = offered(clinic, other)
    with pytest.raises(UsageError, match="needs a reason"):
        clinic.do(other, handover.decline, number, " ")
    clinic.do(other, handover.decline, number, "I leave at noon")
    (mine,) = clinic.see(clinic.agent, mine_unfinished)
    assert (mine.offered_to, mine.declined_by, str(mine.words)) == (None, "Olga", "I leave at noon")
    with pytest.raises(NotFound):
        clinic.do(other, handover.accept, number)
    clinic.do(clinic.agent, handover.offer, number, clinic.supervisor.staff_id)
    clinic.do(clinic.agent, handover.withdraw, number)
    with pytest.raises(NotFound):
        clinic.do(clinic.supervisor, handover.accept, number)
    assert stored(clinic.crm, number)["owner_id"] == clinic.agent.staff_id


def test_one_open_offer_a_conversation_by_its_owner_to_someone_else_who_is_here_and_works_the_lane(
    clinic: Clinic, other: Actor, staff: StaffFactory
) -> None:
    number = owned(clinic)
    narrow, gone, away = staff(Role.AGENT, lanes=frozenset({"records"})), staff(Role.AGENT), staff(Role.AGENT)
    clinic.do(SYSTEM, disable, gone.staff_id)
    clinic.do(SYSTEM, plan_absence, away.staff_id, starts_at=MONDAY, ends_at=UNTIL)
    for unfit in (clinic.agent, clinic.nurse, narrow, gone, away):
        with pytest.raises(UsageError):
            clinic.do(clinic.agent, handover.offer, number, unfit.staff_id)
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, handover.offer, number, 999_999)
    with pytest.raises(handover.NotYoursToOffer):
        clinic.do(clinic.supervisor, handover.offer, number, other.staff_id)
    clinic.do(clinic.agent, handover.offer, number, other.staff_id)
    with pytest.raises(handover.OfferedAlready, match="Olga"):
        clinic.do(clinic.agent, handover.offer, number, clinic.supervisor.staff_id)


def test_a_full_colleague_may_accept(clinic: Clinic, other: Actor) -> None:
    number = offered(clinic, other)
    clinic.do(SYSTEM, set_capacity, other.staff_id, 0)
    clinic.do(other, handover.accept, number)
    assert stored(clinic.crm, number)["owner_id"] == other.staff_id


def test_who_no_longer_works_the_lane_declines(clinic: Clinic, other: Actor) -> None:
    number = offered(clinic, other)
    clinic.do(SYSTEM, set_lanes, other.staff_id, ["records"])
    narrow = Actor.with_roles(other.staff_id, other.name, other.roles, frozenset({"records"}))
    with pytest.raises(handover.NoLongerFits):
        clinic.do(narrow, handover.accept, number)
    clinic.do(narrow, handover.decline, number, "not my lane any more")
    assert stored(clinic.crm, number)["owner_id"] == clinic.agent.staff_id


def test_a_stranger_finds_no_hand_over(clinic: Clinic, other: Actor, staff: StaffFactory) -> None:
    number = offered(clinic, other)
    stranger = staff(Role.COORDINATOR)
    calls: list[tuple[Any, ...]] = [
        (handover.accept, number), (handover.decline, number, "x"), (handover.withdraw, number),
        (handover.offer, number, other.staff_id), (handover.accept, 987_654),
    ]  # fmt: skip
    for function, *rest in calls:
        with pytest.raises(NotFound):
            clinic.do(stranger, function, *rest)
    assert on_offer(clinic, other) == [number]


@pytest.mark.parametrize("ending", ["closed", "claimed", "assigned", "released", "escalated", "danger"])
def test_what_ends_or_changes_hands_is_on_offer_no_longer_even_if_it_comes_back(
    clinic: Clinic, other: Actor, ending: str
) -> None:
    number = offered(clinic, other)
    if ending == "closed":
        clinic.do(clinic.agent, handling.close, number, outcome="resolved")
    elif ending == "claimed":
        clinic.do(clinic.agent, handling.snooze, number, until=UNTIL)
        clinic.do(clinic.supervisor, take.claim, number)
    elif ending == "assigned":
        clinic.do(clinic.agent, take.put_down)
        clinic.do(clinic.supervisor, handling.assign, number, clinic.supervisor.staff_id)
    elif ending == "released":
        clinic.do(clinic.agent, take.release, number)
    elif ending == "escalated":
        clinic.do(clinic.agent, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question="?")
    else:
        clinic.text("I have chest pain")
    assert on_offer(clinic, other) == []
    with pytest.raises(NotFound):
        clinic.do(other, handover.accept, number)
    rows = clinic.see(SYSTEM, _offers)
    assert [row.withdrawn_at for row in rows] == [clinic.crm.clock.now()]


def _offers(unit: Any) -> list[Any]:
    from sqlalchemy import select

    return list(unit.execute(select(Handover.__table__)).all())


def test_what_was_offered_stays_on_offer_when_the_patient_writes(clinic: Clinic, other: Actor) -> None:
    number = offered(clinic, other)
    clinic.text("And when is it due?")
    assert on_offer(clinic, other) == [number]
    clinic.do(other, handover.accept, number)
    assert stored(clinic.crm, number)["owner_id"] == other.staff_id
