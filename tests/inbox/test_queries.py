"""What the console reads: counts, a queue by pages, one conversation, each by a stated number of statements."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.handling import close, snooze
from crm_core.inbox.model import END_OF_TIME, QueueItem, State
from crm_core.inbox.queries import lanes, of_patient, queue
from crm_core.inbox.tables import Conversation
from crm_core.inbox.take import take_next
from crm_core.inbox.thread import conversation, why_here
from crm_core.vault.fields import Field
from crm_core.words import Channel, Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import audited, statements, tags

BILL = "How much is my bill?"


def fill(crm: Crm, count: int, patient_id: int) -> None:
    """`count` items of the front desk: some due, some not, in three priorities, many alike in all but the id."""
    with crm.write(SYSTEM) as unit:
        rows = []
        for at, number in enumerate(unit.new_ids("conversation", count)):
            due = MONDAY + timedelta(minutes=at % 7) if at % 3 else None
            rows.append(
                {
                    "id": number,
                    "patient_id": patient_id if at % 2 else None,
                    "channel": Channel.SMS,
                    "category": "other",
                    "reason": "test",
                    "priority": list(Priority)[1 + at % 3],
                    "urgency": 2 + at % 3,
                    "lane": "front_desk",
                    "state": State.NEW,
                    "opened_at": MONDAY,
                    "waiting_since": MONDAY - timedelta(minutes=at % 5),
                    "last_message_at": MONDAY,
                    "due_at": due,
                    "due_order": due or END_OF_TIME,
                    "follow_up_at": None if due else MONDAY + timedelta(days=2),
                    "playbook_version": 1,
                    "next_action_sealed": unit.seal(Field.NEXT_ACTION, number, "answer"),
                }
            )
        unit.execute(insert(Conversation.__table__), rows)  # type: ignore[arg-type]


def order(item: QueueItem) -> tuple[object, ...]:
    """The working order of domain.md."""
    return (item.urgency, item.due_at or END_OF_TIME, item.waiting_since, item.conversation_id)


def test_lane_counts_tell_open_unowned_and_overdue_of_the_lanes_i_may_see(clinic: Clinic, staff: StaffFactory) -> None:
    clinic.text(BILL)
    clinic.text("my bill is wrong", BO)
    clinic.do(clinic.agent, take_next, "billing")
    clinic.at(MONDAY + timedelta(days=2))
    found = {each.lane: each for each in clinic.see(clinic.agent, lanes)}
    billing = found["billing"]
    assert (billing.open, billing.unowned, billing.overdue) == (2, 1, 2)
    assert billing.next_due == MONDAY + timedelta(days=1)
    assert (found["records"].open, found["records"].next_due) == (0, None)
    assert "physician_review" not in found
    assert [each.lane for each in clinic.see(staff(Role.COORDINATOR), lanes)] == ["referrals"]


def test_what_is_closed_is_counted_nowhere(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert sum(each.open for each in clinic.see(clinic.agent, lanes)) == 0
    assert clinic.see(clinic.agent, queue, "billing").total == 0


def test_a_person_narrowed_to_lanes_sees_only_those(clinic: Clinic) -> None:
    narrow = Actor.with_roles(
        clinic.agent.staff_id, "Agent", frozenset({Role.AGENT}), frozenset({"records", "physician_review"})
    )
    assert [each.lane for each in clinic.see(narrow, lanes)] == ["records"]


@pytest.mark.parametrize("by", ["after", "offset"])
def test_pages_follow_each_other_in_the_working_order_and_leave_nothing_out(clinic: Clinic, by: str) -> None:
    fill(clinic.crm, 53, clinic.patients["Ana"])
    shown: list[QueueItem] = []
    while True:
        more = {"after": shown[-1] if shown else None} if by == "after" else {"offset": len(shown)}
        page = clinic.see(clinic.agent, queue, "front_desk", limit=10, **more)
        assert page.total == 53
        if not page.items:
            break
        shown += page.items
    assert len({item.conversation_id for item in shown}) == len(shown) == 53
    assert all(order(one) < order(two) for one, two in pairwise(shown))


def test_a_queue_shows_what_is_snoozed_and_waiting_too(clinic: Clinic) -> None:
    first = clinic.text(BILL).conversation_id
    second = clinic.text(BILL, BO).conversation_id
    clinic.do(clinic.agent, snooze, first, until=MONDAY + timedelta(days=1))
    clinic.do(clinic.agent, reply, clinic.crm.gate, second, "20 dollars")
    found = {item.conversation_id: item.state for item in clinic.see(clinic.agent, queue, "billing").items}
    assert found == {first: State.SNOOZED, second: State.WAITING_PATIENT}


def test_names_of_a_page_are_opened_as_one_listing(clinic: Clinic) -> None:
    fill(clinic.crm, 30, clinic.patients["Ana"])
    before = len(audited(clinic.crm))
    page = clinic.see(clinic.agent, queue, "front_desk")
    assert {str(item.patient_name) for item in page.items if item.patient_id} == {"Ana Lopez"}
    assert [item.patient_name for item in page.items if item.patient_id is None] == [None] * 15
    new = audited(clinic.crm)[before:]
    assert [(row["tag"], row["subject"], row["why"]) for row in new] == [
        ("list:records:shown", "patient", "queue by lane")
    ]


def test_of_a_patients_other_conversations_only_lane_and_state_are_told(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    told = clinic.see(clinic.nurse, of_patient, clinic.patients["Ana"])
    assert told == [(number, "billing", State.NEW, MONDAY, False)]
    assert clinic.see(clinic.agent, of_patient, clinic.patients["Ana"])[0][-1]


def test_lane_counts_cost_three_statements(clinic: Clinic) -> None:
    """The guard's, the playbook's number, the count."""
    fill(clinic.crm, 20, clinic.patients["Ana"])
    clinic.see(clinic.agent, lanes)
    with statements(clinic.crm.store.reading) as heard:
        clinic.see(clinic.agent, lanes)
    assert len(heard) == 3, heard


def test_a_page_of_the_queue_costs_four_statements_whatever_its_length(clinic: Clinic) -> None:
    """The guard's, the playbook's number, how many there are, the page; the audit of it is written apart."""
    fill(clinic.crm, 200, clinic.patients["Ana"])
    for limit in (10, 200):
        with statements(clinic.crm.store.reading) as heard:
            clinic.see(clinic.agent, queue, "front_desk", limit=limit)
        assert len(heard) == 4, heard


def test_opening_a_conversation_costs_seven_statements_however_long_it_is(clinic: Clinic) -> None:
    """The guard's, the playbook's number, the row, its sealed columns and owner, messages, what went apart, notes."""
    number = clinic.text(BILL).conversation_id
    for length in (1, 12):
        for at in range(length):
            clinic.text(f"more {at}")
            clinic.do(clinic.agent, note, number, f"note {at}")
        with statements(clinic.crm.store.reading) as heard:
            clinic.see(clinic.agent, conversation, number)
        assert len(heard) == 7, heard


def test_opening_a_conversation_shows_its_thread_in_order_and_audits_each_message(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(minutes=1))
    clinic.do(clinic.agent, note, number, "asking accounting")
    clinic.at(MONDAY + timedelta(minutes=2))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "20 dollars")
    before = len(audited(clinic.crm))
    seen = clinic.now_at(number, clinic.agent)
    assert [str(each.body) for each in seen.messages] == [BILL, "asking accounting", "20 dollars"]
    assert seen.messages[-1].why[0].startswith("gateway: yes")
    opened = [row["tag"] for row in audited(clinic.crm)[before:]]
    assert opened.count("message:body:opened") == 2
    assert opened.count("conversation:note:opened") == 1
    assert opened.count("conversation:record:opened") == 1


def test_why_a_conversation_is_here_names_the_rule_and_every_step(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, take_next)
    lines = clinic.see(clinic.agent, why_here, number)
    assert lines[0].startswith("Routed by")
    assert lines[-1].endswith(f"taken by {clinic.agent.name}")


def test_nobody_without_the_permission_reads_a_lane(clinic: Clinic, staff: StaffFactory) -> None:
    from crm_core.errors import NotFound, NotPermitted

    admin, approver = staff(Role.ADMIN), staff(Role.APPROVER)
    clinic.text(BILL)
    assert clinic.see(admin, lanes) == []
    for function, arguments in ((lanes, ()), (queue, ("billing",)), (conversation, (1,))):
        with pytest.raises((NotPermitted, NotFound)):
            clinic.see(approver, function, *arguments)
    assert tags(clinic.crm).count("access:call:denied") == 3
