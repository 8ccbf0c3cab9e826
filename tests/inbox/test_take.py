"""Take next: the order of work, what is not handed out, and the race for one item."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, update

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import disable
from crm_core.app import Crm, open_crm
from crm_core.errors import NotFound
from crm_core.inbox.handling import assign
from crm_core.inbox.model import END_OF_TIME, State
from crm_core.inbox.tables import Conversation
from crm_core.inbox.take import claim, let_go, release, settle_time, take_next
from crm_core.settings import Settings
from crm_core.vault.fields import Field
from crm_core.words import Channel, Priority
from tests.conftest import MASTER, MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic


def fill(crm: Crm, count: int, lane: str = "front_desk") -> None:
    """`count` open items of one lane, straight into the table."""
    with crm.write(SYSTEM) as unit:
        ids = unit.new_ids("conversation", count)
        unit.execute(
            insert(Conversation.__table__),  # type: ignore[arg-type]
            [
                {
                    "id": number,
                    "channel": Channel.SMS,
                    "category": "other",
                    "reason": "test",
                    "priority": Priority.ROUTINE,
                    "urgency": 4,
                    "lane": lane,
                    "state": State.NEW,
                    "opened_at": MONDAY,
                    "waiting_since": MONDAY,
                    "last_message_at": MONDAY,
                    "due_order": END_OF_TIME,
                    "follow_up_at": MONDAY + timedelta(days=2),
                    "playbook_version": 1,
                    "next_action_sealed": unit.seal(Field.NEXT_ACTION, number, "answer"),
                }
                for number in ids
            ],
        )


def test_what_is_more_urgent_comes_first_then_what_is_due_sooner(clinic: Clinic) -> None:
    first = clinic.text("How much is my bill?")
    clinic.crm.clock.move(timedelta(minutes=1))  # type: ignore[attr-defined]
    second = clinic.text("I want to book a visit please", BO)
    clinic.do(clinic.supervisor, _set, second.conversation_id, priority=Priority.ASAP, urgency=2)
    taken = [clinic.do(clinic.supervisor, take_next) for _ in range(3)]
    assert taken == [second.conversation_id, first.conversation_id, None]


def _set(unit, conversation_id, **values) -> None:  # type: ignore[no-untyped-def]
    unit.execute(update(Conversation).where(Conversation.id == conversation_id).values(values))


def test_what_is_overdue_by_a_full_target_rises_one_step_and_only_once(clinic: Clinic) -> None:
    text = clinic.text("How much is my bill?")
    clinic.do(clinic.supervisor, _set, text.conversation_id, late_at=MONDAY + timedelta(hours=1))
    clinic.at(MONDAY + timedelta(hours=2))
    assert clinic.do(SYSTEM, settle_time) == 1
    assert clinic.do(SYSTEM, settle_time) == 0
    row = clinic.see(SYSTEM, _urgency, text.conversation_id)
    assert row == 3


def _urgency(unit, conversation_id):  # type: ignore[no-untyped-def]
    from sqlalchemy import select

    return unit.scalar(select(Conversation.urgency).where(Conversation.id == conversation_id))


def test_what_another_owns_is_not_handed_out_but_what_is_assigned_to_me_is(clinic: Clinic) -> None:
    text = clinic.text("How much is my bill?")
    clinic.do(clinic.supervisor, _set, text.conversation_id, owner_id=clinic.agent.staff_id)
    assert clinic.do(clinic.supervisor, take_next) is None
    assert clinic.do(clinic.agent, take_next) == text.conversation_id
    assert clinic.do(clinic.agent, take_next) is None


def test_what_a_closed_account_owns_is_handed_to_the_next_taker(clinic: Clinic, staff: StaffFactory) -> None:
    gone = staff(Role.AGENT)
    number = clinic.text("How much is my bill?").conversation_id
    in_hand = clinic.text("When are you open?", BO).conversation_id
    clinic.do(clinic.supervisor, assign, number, gone.staff_id)
    clinic.do(gone, claim, in_hand)
    assert clinic.do(clinic.agent, take_next) is None
    admin = staff(Role.ADMIN)
    clinic.do(admin, disable, gone.staff_id)
    assert clinic.do(clinic.agent, take_next) == number
    assert clinic.do(admin, let_go, gone.staff_id) == 1
    assert clinic.do(clinic.agent, take_next) == in_hand
    assert clinic.now_at(number).owner_id == clinic.agent.staff_id


def test_a_released_item_is_there_for_the_next_taker(clinic: Clinic) -> None:
    text = clinic.text("How much is my bill?")
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, release, text.conversation_id)
    assert clinic.do(clinic.supervisor, take_next) == text.conversation_id


def test_a_danger_is_handed_to_a_clinician_and_to_nobody_else(clinic: Clinic) -> None:
    text = clinic.text("I have chest pain and cannot breathe")
    assert clinic.do(clinic.agent, take_next) is None
    assert clinic.do(clinic.nurse, take_next) == text.conversation_id


def test_a_lane_that_is_not_mine_is_not_found(clinic: Clinic) -> None:
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, take_next, "physician_review")
    text = clinic.text("How much is my bill?")
    narrow = Actor.with_roles(clinic.agent.staff_id, "Agent", frozenset({Role.AGENT}), frozenset({"records"}))
    with pytest.raises(NotFound):
        clinic.do(narrow, claim, text.conversation_id)


def test_taking_costs_a_stated_number_of_statements(clinic: Clinic) -> None:
    """Eight: guard, playbook version, pick (which sees whether time is due), claim, step, way back, audit head, audit.

    SQLite writes the topic's version too; Postgres takes its chain's lock. Now and then a
    block of ids is fetched before the unit; that is not counted.
    """
    clinic.text("How much is my bill?")
    clinic.do(clinic.agent, claim, clinic.text("Hello there", BO).conversation_id)
    statements: list[str] = []
    engine = clinic.crm.store.writing
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert clinic.do(clinic.agent, take_next) is not None
    spoken = [each for each in statements if not each.startswith(("BEGIN", "COMMIT", "UPDATE id_block"))]
    assert len(spoken) == 9, spoken


def _takes(settings: Settings, actor: Actor, count: int, gate, results) -> None:  # type: ignore[no-untyped-def]
    gate.wait()
    taken: list[int] = []
    with open_crm(settings, master=MASTER) as crm:
        for _ in range(count):
            with crm.write(actor) as unit:
                found = take_next(unit, "front_desk")
            if found is not None:
                taken.append(found)
    results.put(taken)


def race(settings: Settings, actor: Actor, processes: int, takes: int) -> list[int]:
    """What so many processes took, each trying so often, all at once."""
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(processes), context.Queue()
    workers = [context.Process(target=_takes, args=(settings, actor, takes, gate, results)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    taken = [number for _ in workers for number in results.get(timeout=240)]
    for worker in workers:
        worker.join(timeout=60)
    return taken


def test_sixteen_processes_take_each_of_2000_items_exactly_once(
    crm: Crm, settings: Settings, staff: StaffFactory
) -> None:
    fill(crm, 2000)
    taken = race(settings, staff(Role.AGENT), processes=16, takes=200)
    assert len(taken) == 2000
    assert len(set(taken)) == 2000
