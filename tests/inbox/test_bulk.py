"""One verb over several: what is left out and why, one act for all, and one undo; and the journal of both."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.errors import NotPermitted
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.handling import assign, close, escalate, snooze
from crm_core.inbox.journal import NotThatOne, journal, rows_of, rows_of_last, take_back
from crm_core.inbox.lists.bulk import IN_ONE_UNIT, Bulk, do_to_all, moving, weigh
from crm_core.inbox.model import State, Verb
from crm_core.inbox.tables import Conversation, Undo
from crm_core.inbox.take import claim
from crm_core.inbox.undo import NothingToUndo, TooLate
from crm_tui.desk.acts import ActsDesk
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import statements, stored, tags
from tests.inbox.test_queries import fill

BILL = "How much is my bill?"
CLOSING = Bulk(verb=Verb.CLOSED, act=lambda unit, number: close(unit, number, outcome="resolved"))
PUTTING_OFF = Bulk(verb=Verb.SNOOZED, act=lambda unit, number: snooze(unit, number, until=MONDAY + timedelta(days=2)))


def several(clinic: Clinic, count: int, first: int = 1200) -> list[int]:
    """So many conversations in billing, each with another sender."""
    numbers = [clinic.text(BILL, f"+1212555{first + at:04d}").conversation_id for at in range(count)]
    return [number for number in numbers if number is not None]


def undo(clinic: Clinic, rows: list[int]) -> object:
    """Take them back."""
    return clinic.do(clinic.agent, take_back, rows, alone=len(rows) == 1)


def test_what_is_left_out_is_named_by_its_reasons(clinic: Clinic, staff: StaffFactory) -> None:
    fit, closed, theirs, hidden = several(clinic, 4)
    danger = clinic.text("I have chest pain").conversation_id
    clinical = clinic.text("crushing chest pain", BO).conversation_id
    clinic.do(clinic.nurse, acknowledge, clinical)
    clinic.do(clinic.nurse, claim, clinical)
    clinic.do(clinic.supervisor, assign, theirs, clinic.supervisor.staff_id)
    clinic.do(clinic.agent, close, closed, outcome="resolved")
    clinic.do(clinic.supervisor, moving("referrals", "wrong_lane").act, hidden)
    narrow = staff(Role.AGENT, lanes=frozenset({"billing", "clinical_triage"}))
    numbers = [fit, closed, theirs, hidden, danger, clinical, 999]
    weighed = clinic.see(narrow, weigh, numbers, CLOSING)
    assert weighed.fit == (fit,)
    assert dict(weighed.left_out) == {
        "closed meanwhile": 1,
        "somebody else's": 1,
        "no longer in your lanes": 2,
        "with an open alarm": 1,
        "only a clinician's to put aside": 1,
    }
    assert weighed.excluded.startswith("2 no longer in your lanes, 1 ")
    assert clinic.see(clinic.supervisor, weigh, [fit, theirs], CLOSING).fit == (fit, theirs)
    there = clinic.see(narrow, weigh, [fit, theirs], moving("billing", "wrong_lane"))
    assert dict(there.left_out) == {"somebody else's": 1, "there already": 1}


def test_a_danger_is_acted_on_singly_even_by_a_clinician(clinic: Clinic) -> None:
    danger = clinic.text("I have chest pain").conversation_id
    assert clinic.see(clinic.nurse, weigh, [danger], PUTTING_OFF).left_out == (("with an open alarm", 1),)
    done = clinic.do(clinic.nurse, do_to_all, [danger], PUTTING_OFF)
    assert (done.done, done.refused) == ((), ((danger, f"C-{danger} was left: with an open alarm."),))
    assert stored(clinic.crm, danger)["danger"]


def test_weighing_costs_a_statement_however_many(clinic: Clinic) -> None:
    fill(clinic.crm, 200, clinic.patients["Ana"])
    with statements(clinic.crm.store.reading) as heard:
        assert len(clinic.see(clinic.agent, weigh, list(range(1, 201)), CLOSING).fit) == 200
    assert len(heard) == 3, heard


def test_one_act_in_several_units_is_one_batch_and_one_undo_takes_it_back(clinic: Clinic) -> None:
    numbers = several(clinic, 4)
    first = clinic.do(clinic.agent, do_to_all, numbers[:2], CLOSING)
    second = clinic.do(clinic.agent, do_to_all, numbers[2:], CLOSING, batch_id=first.batch_id)
    assert (*first.done, *second.done) == tuple(numbers)
    assert {stored(clinic.crm, number)["state"] for number in numbers} == {State.CLOSED}
    (act,) = clinic.see(clinic.agent, journal)
    assert (act.verb, act.count, act.possible, act.number) == (Verb.CLOSED, 4, 4, first.batch_id)
    rows = clinic.see(clinic.agent, rows_of_last)
    assert len(rows) == 4
    taken = undo(clinic, rows)
    assert taken.done == tuple(numbers)  # type: ignore[attr-defined]
    assert {stored(clinic.crm, number)["state"] for number in numbers} == {State.NEW}
    with pytest.raises(NothingToUndo):
        clinic.see(clinic.agent, rows_of_last)
    assert clinic.see(clinic.agent, journal)[0].why_not == "taken back already"


def test_what_has_changed_since_is_left_and_named(clinic: Clinic) -> None:
    one, other, third = several(clinic, 3)
    clinic.do(clinic.agent, do_to_all, [one, other, third], PUTTING_OFF)
    clinic.do(clinic.supervisor, note, other, "called")
    clinic.do(clinic.supervisor, close, third, outcome="resolved")
    (act,) = clinic.see(clinic.agent, journal)
    assert (act.count, act.possible, act.why_not) == (3, 1, None)
    taken = undo(clinic, clinic.see(clinic.agent, rows_of, act.number))
    assert taken.done == (one,)  # type: ignore[attr-defined]
    assert taken.left == (  # type: ignore[attr-defined]
        (other, "something else happened since"),
        (third, "something else happened since"),
    )
    assert stored(clinic.crm, third)["state"] is State.CLOSED


def test_of_what_was_done_to_several_one_alone_can_be_taken_back(clinic: Clinic) -> None:
    one, other = several(clinic, 2)
    clinic.do(clinic.agent, do_to_all, [one, other], PUTTING_OFF)
    taken = undo(clinic, clinic.see(clinic.agent, rows_of_last, other))
    assert taken.done == (other,)  # type: ignore[attr-defined]
    assert (stored(clinic.crm, one)["state"], stored(clinic.crm, other)["state"]) == (State.SNOOZED, State.NEW)
    (act,) = clinic.see(clinic.agent, journal)
    assert (act.count, act.possible) == (2, 1)


def test_a_unit_holds_at_most_fifty(clinic: Clinic) -> None:
    with pytest.raises(ValueError, match="at most 50"):
        clinic.do(clinic.agent, do_to_all, list(range(IN_ONE_UNIT + 1)), CLOSING)


def test_a_refusal_stops_no_other_and_a_missing_permission_stops_all(clinic: Clinic) -> None:
    numbers = several(clinic, 3)
    clinic.do(clinic.agent, close, numbers[1], outcome="resolved")
    done = clinic.do(clinic.agent, do_to_all, numbers, CLOSING)
    assert done.done == (numbers[0], numbers[2])
    assert done.refused == ((numbers[1], f"C-{numbers[1]} was left: closed meanwhile."),)
    assert tags(clinic.crm).count("conversation:work:closed") == 3
    giving = Bulk(verb=Verb.ASSIGNED, act=lambda unit, number: assign(unit, number, clinic.nurse.staff_id), staff_id=2)
    more = several(clinic, 2, first=1300)
    with pytest.raises(NotPermitted):
        clinic.do(clinic.agent, do_to_all, more, giving)
    assert {stored(clinic.crm, number)["owner_id"] for number in more} == {None}


def test_the_third_move_to_and_fro_goes_to_a_supervisor_and_is_named(clinic: Clinic) -> None:
    (number,) = several(clinic, 1)
    for lane in ("records", "billing"):
        clinic.do(clinic.agent, do_to_all, [number], moving(lane, "wrong_lane"))
    done = clinic.do(clinic.agent, do_to_all, [number], moving("records", "wrong_lane"))
    assert done.done == ()
    assert "a supervisor has it now" in done.refused[0][1]
    assert stored(clinic.crm, number)["owner_id"] == clinic.supervisor.staff_id


def test_the_journal_lists_my_acts_with_what_stands_against_each(clinic: Clinic) -> None:
    one, (other,) = clinic.text(BILL).conversation_id, several(clinic, 1)
    clinic.do(clinic.agent, claim, one)
    clinic.do(clinic.agent, reply, clinic.crm.gate, one, "It is 20 dollars.", hold=timedelta(seconds=15))
    clinic.do(clinic.agent, claim, other)
    clinic.do(clinic.agent, snooze, other, until=MONDAY + timedelta(days=2))
    clinic.do(clinic.supervisor, claim, other)
    acts = clinic.see(clinic.agent, journal)
    assert [(act.verb, act.conversation_id, act.why_not) for act in acts] == [
        (Verb.SNOOZED, other, "something else happened since"),
        (Verb.TAKEN, other, "something else happened since"),
        (Verb.REPLIED, one, None),
        (Verb.TAKEN, one, "something else happened since"),
    ]
    assert acts[2].held_until == MONDAY + timedelta(seconds=15)
    clinic.at(MONDAY + timedelta(seconds=15))
    assert clinic.see(clinic.agent, journal)[2].why_not == "the message has left"
    assert [act.verb for act in clinic.see(clinic.supervisor, journal)] == [Verb.TAKEN]


def test_any_act_that_is_still_possible_is_taken_back_not_only_the_last(clinic: Clinic) -> None:
    one, other = several(clinic, 2)
    clinic.do(clinic.agent, close, one, outcome="resolved")
    clinic.do(clinic.agent, close, other, outcome="resolved")
    acts = clinic.see(clinic.agent, journal)
    assert [act.conversation_id for act in acts] == [other, one]
    undo(clinic, clinic.see(clinic.agent, rows_of, acts[1].number))
    assert (stored(clinic.crm, one)["state"], stored(clinic.crm, other)["state"]) == (State.NEW, State.CLOSED)
    with pytest.raises(NotThatOne):
        clinic.see(clinic.agent, rows_of, acts[1].number)
    with pytest.raises(NotThatOne):
        clinic.see(clinic.supervisor, rows_of, acts[0].number)
    clinic.do(clinic.agent, snooze, one, until=MONDAY + timedelta(days=1))
    (row,) = clinic.see(clinic.agent, rows_of_last, one)
    clinic.do(clinic.supervisor, claim, one)
    with pytest.raises(TooLate, match="something else happened since"):
        undo(clinic, [row])


def test_the_journal_ends_at_fifty_and_costs_three_statements(clinic: Clinic) -> None:
    numbers = several(clinic, 2)
    for turn in range(26):
        for number in numbers:
            clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(days=turn + 1))
    with statements(clinic.crm.store.reading) as heard:
        assert len(clinic.see(clinic.agent, journal)) == 50
    assert len(heard) == 3, heard
    with clinic.crm.read(SYSTEM) as unit:
        assert len(unit.scalars(select(Undo.id))) == 52


def test_stopped_between_two_units_it_leaves_the_rest_and_what_is_done_is_one_act(clinic: Clinic) -> None:
    fill(clinic.crm, 120, clinic.patients["Ana"])
    desk = ActsDesk(clinic.crm, clinic.agent)
    told: list[tuple[int, int]] = []
    tally = desk.do(
        list(range(1, 121)),
        desk.snoozing(MONDAY + timedelta(days=2)),
        lambda done, total: told.append((done, total)),
        lambda: bool(told) and told[-1][0] >= IN_ONE_UNIT,
    )
    assert (len(tally.done), tally.refused, tally.stopped) == (50, (), True)
    assert told == [(0, 120), (50, 120)]
    assert desk.journal()[0].count == 50
    taken = desk.take_back(tally.act, None, lambda *_: None)
    assert len(taken.done) == 50


def test_each_fifty_are_committed_by_themselves(clinic: Clinic) -> None:
    """So that nobody waits behind two thousand, and a crash keeps what was done."""
    fill(clinic.crm, 120, clinic.patients["Ana"])
    desk = ActsDesk(clinic.crm, clinic.agent)
    committed: list[int] = []

    def look(done: int, total: int) -> None:
        with clinic.crm.read(SYSTEM) as unit:
            committed.append(len(unit.scalars(select(Conversation.id).where(Conversation.state == State.SNOOZED))))

    desk.do(list(range(1, 121)), desk.snoozing(MONDAY + timedelta(days=2)), look, lambda: False)
    assert committed == [0, 50, 100, 120]


@pytest.mark.parametrize("verb", ["closed", "moved", "snoozed", "assigned", "escalated"])
def test_what_nobody_could_screen_is_put_aside_by_nobody_unread(clinic: Clinic, verb: str) -> None:
    acts = {
        "closed": CLOSING,
        "moved": moving("billing", "wrong_lane"),
        "snoozed": PUTTING_OFF,
        "assigned": Bulk(
            verb=Verb.ASSIGNED, act=lambda unit, number: assign(unit, number, clinic.nurse.staff_id), staff_id=999
        ),
        "escalated": Bulk(
            verb=Verb.ESCALATED,
            act=lambda unit, number: escalate(unit, number, to=Role.NURSE, reason="safety", question="What is it?"),
        ),
    }
    number = clinic.text("", attachments=1).conversation_id
    assert number is not None
    before = stored(clinic.crm, number)
    weighed = clinic.see(clinic.supervisor, weigh, [number], acts[verb])
    assert weighed.left_out == (("could not be screened: a person reads it first", 1),)
    assert clinic.do(clinic.supervisor, do_to_all, [number], acts[verb]).done == ()
    assert stored(clinic.crm, number) == before
