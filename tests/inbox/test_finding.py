"""Finding by a filter: in the store's columns, in names and texts, over lanes, and at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Actor, Role
from crm_core.errors import NotFound, NotPermitted
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.handling import assign, close, escalate, snooze
from crm_core.inbox.lists import finding
from crm_core.inbox.lists.filters import BadFilter, parse
from crm_core.inbox.lists.finding import Found, find, still_there
from crm_core.inbox.model import QueueItem
from crm_core.inbox.take import take_next
from crm_core.inbox.timing.passing import let_time_pass
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import audited, statements
from tests.inbox.test_queries import fill, order

BILL = "How much is my bill?"
REFILL = "Can I get a refill of my metformin?"


def found(clinic: Clinic, text: str, actor: Actor | None = None, **more: object) -> list[int]:
    """The numbers of what answers, in order."""
    page: Found = clinic.see(actor or clinic.supervisor, find, parse(text), **more)
    return [item.conversation_id for item in page.items]


def test_terms_are_joined_by_and_values_by_or_and_lanes_are_mine(clinic: Clinic) -> None:
    bill = clinic.text(BILL).conversation_id
    refill = clinic.text(REFILL, BO).conversation_id
    assert set(found(clinic, "")) == {bill, refill}
    assert found(clinic, "lane:billing") == [bill]
    assert set(found(clinic, "lane:billing,refills")) == {bill, refill}
    assert found(clinic, "lane:billing,refills category:refill") == [refill]
    assert found(clinic, "-lane:billing channel:sms") == [refill]
    assert found(clinic, f"patient:P-{clinic.patients['Bo']}") == [refill]
    assert found(clinic, f"C-{bill}") == [bill]
    assert found(clinic, "", lane="billing") == [bill]
    narrow = Actor.with_roles(clinic.agent.staff_id, "Agent", frozenset({Role.AGENT}), frozenset({"billing"}))
    assert found(clinic, "", narrow) == [bill]
    with pytest.raises(BadFilter, match="lane: cannot be refills; it may be billing"):
        found(clinic, "lane:refills", narrow)
    with pytest.raises(NotFound):
        found(clinic, "", narrow, lane="refills")


def test_owner_state_and_time_answer_and_negation_takes_the_rest(clinic: Clinic) -> None:
    mine = clinic.text(BILL).conversation_id
    free = clinic.text(REFILL, BO).conversation_id
    clinic.do(clinic.supervisor, assign, mine, clinic.supervisor.staff_id)
    assert found(clinic, "owner:me") == [mine]
    assert found(clinic, "owner:none") == [free] == found(clinic, "is:unowned")
    assert found(clinic, "-owner:me") == [free]
    assert set(found(clinic, "owner:me,none")) == {mine, free}
    assert found(clinic, "owner:supervisor3") == [mine]
    assert found(clinic, "owner:agent1") == []
    with pytest.raises(BadFilter, match=r"no account nobody\.here"):
        found(clinic, "owner:nobody.here")
    clinic.do(clinic.supervisor, snooze, mine, until=MONDAY + timedelta(days=3))
    assert found(clinic, "is:snoozed") == [mine] == found(clinic, "state:snoozed")
    assert found(clinic, "-is:snoozed state:new,waiting") == [free]
    clinic.do(clinic.supervisor, reply, clinic.crm.gate, free, "On its way.")
    assert found(clinic, "state:waiting") == [free] == found(clinic, "state:waiting_patient")
    assert found(clinic, "due<4w") + found(clinic, "-due<4w") in ([mine, free], [free, mine])


def test_due_overdue_and_age_are_counted_from_now(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    due = clinic.now_at(number).due_at
    assert due is not None
    clinic.at(due - timedelta(hours=2))
    assert (found(clinic, "due<1h"), found(clinic, "due>1h"), found(clinic, "due<3h")) == ([], [number], [number])
    assert found(clinic, "is:overdue") == []
    clinic.at(due + timedelta(minutes=1))
    assert found(clinic, "is:overdue due<1m") == [number]
    age = clinic.crm.clock.now() - MONDAY
    hours = int(age.total_seconds() // 3600)
    assert (found(clinic, f"age>{hours - 1}h"), found(clinic, f"age<{hours - 1}h")) == ([number], [])


def test_danger_escalation_and_language_are_asked_for(clinic: Clinic) -> None:
    danger = clinic.text("I have chest pain", BO).conversation_id
    asked = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, escalate, asked, to=Role.SUPERVISOR, reason="unhappy_patient", question="May I?")
    assert found(clinic, "is:danger priority:stat") == [danger]
    assert found(clinic, "is:escalated") == [asked]
    assert found(clinic, "escalated:me", clinic.agent) == [asked]
    assert found(clinic, "escalated:me") == []
    assert set(found(clinic, "language:en")) == {danger, asked}
    unknown = clinic.text(BILL, "+1 646 555 0188").conversation_id
    assert found(clinic, "language:es,fr") == []
    assert set(found(clinic, "-language:es")) == {danger, asked, unknown}
    assert found(clinic, "-language:en") == [unknown]


def test_words_are_found_in_name_category_owner_texts_and_notes(clinic: Clinic) -> None:
    bill = clinic.text(BILL).conversation_id
    refill = clinic.text(REFILL, BO).conversation_id
    clinic.do(clinic.agent, note, bill, "Señora López called from the café")
    assert found(clinic, "ivers") == [refill]
    assert found(clinic, "lopez") == [bill]
    assert found(clinic, '"METFORMIN"') == [refill]
    assert found(clinic, "refill metf bo") == [refill]
    assert found(clinic, "cafe") == [bill]
    assert found(clinic, "-cafe") == [refill]
    assert found(clinic, "metformin lane:billing") == []
    clinic.do(clinic.agent, take_next, "billing")
    assert found(clinic, "agent1") == [bill]
    clinic.do(clinic.supervisor, close, refill, outcome="resolved")
    assert found(clinic, "metformin") == []


def test_words_are_not_looked_for_in_lanes_that_i_do_not_see(clinic: Clinic, staff: StaffFactory) -> None:
    number = clinic.text(REFILL, BO).conversation_id
    assert found(clinic, "metformin", staff(Role.COORDINATOR)) == []
    assert found(clinic, "metformin", clinic.nurse) == [number]


def test_what_was_opened_is_audited_as_one_listing_by_field_names(clinic: Clinic) -> None:
    bill = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, note, bill, "asked twice")
    clinic.text(REFILL, BO)
    before = len(audited(clinic.crm))
    found(clinic, "owner:none twice")
    new = audited(clinic.crm)[before:]
    assert {row["why"] for row in new} == {"search by owner,words"}
    assert sorted(row["subject"] for row in new) == ["message", "note", "patient"]
    assert {row["tag"] for row in new} == {"list:records:shown"}
    before = len(audited(clinic.crm))
    found(clinic, "iversen -lopez owner:none")
    subjects = [row["subject"] for row in audited(clinic.crm)[before:]]
    assert subjects.count("patient") == 1
    before = len(audited(clinic.crm))
    found(clinic, "lane:billing lopez")
    assert [row["subject"] for row in audited(clinic.crm)[before:]] == ["patient"], "the name settled it"


def test_pages_follow_each_other_over_lanes_in_the_working_order(clinic: Clinic) -> None:
    fill(clinic.crm, 53, clinic.patients["Ana"])
    clinic.text(BILL, BO)
    items: list[QueueItem] = []
    while True:
        page = clinic.see(clinic.agent, find, parse("owner:none"), limit=10, after=items[-1] if items else None)
        assert (page.matching, page.of, page.looked_through) == (54, 54, None)
        if not page.items:
            break
        items += page.items
    shown = [item.conversation_id for item in items]
    assert len(set(shown)) == len(shown) == 54
    assert [order(item) for item in items] == sorted(order(item) for item in items)
    third = clinic.see(clinic.agent, find, parse("owner:none"), limit=10, offset=20)
    assert [item.conversation_id for item in third.items] == shown[20:30]


def test_a_filter_says_how_many_of_how_many(clinic: Clinic) -> None:
    fill(clinic.crm, 12, clinic.patients["Ana"])
    page = clinic.see(clinic.agent, find, parse("priority:asap"), lane="front_desk", limit=2)
    assert (page.matching, page.of, len(page.items)) == (4, 12, 2)
    worded = clinic.see(clinic.agent, find, parse("priority:asap lopez"), lane="front_desk", limit=1)
    assert (worded.matching, worded.of, worded.looked_through, worded.might) == (2, 12, 4, 4)
    assert len(worded.items) == 1 and not worded.is_cut


def test_a_search_is_bounded_and_says_so(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_LOOKED_THROUGH", 10)
    fill(clinic.crm, 25, clinic.patients["Ana"])
    newest = clinic.text("a bill for Ana", BO).conversation_id
    page = clinic.see(clinic.agent, find, parse("ana"))
    assert (page.looked_through, page.might, page.is_cut) == (10, 26, True)
    assert newest in [item.conversation_id for item in page.items]


@pytest.mark.parametrize(("text", "cost"), [("owner:none is:overdue", 4), ("owner:me,agent1 -lane:billing", 5)])
def test_a_filter_costs_the_same_statements_whatever_it_finds(clinic: Clinic, text: str, cost: int) -> None:
    """The guard's, the playbook's number, the counts, the page; one more where logins are named."""
    fill(clinic.crm, 3, clinic.patients["Ana"])
    clinic.at(MONDAY + timedelta(days=2))
    found(clinic, text)
    for more in (0, 150):
        if more:
            fill(clinic.crm, more, clinic.patients["Ana"])
        with statements(clinic.crm.store.reading) as heard:
            found(clinic, text)
        assert len(heard) == cost, heard


def test_words_cost_three_statements_a_hundred_conversations(clinic: Clinic) -> None:
    """The guard's, the playbook's number, the counts, the numbers; then rows, messages and notes of each hundred."""
    fill(clinic.crm, 250, clinic.patients["Ana"])
    found(clinic, "nowhere")
    with statements(clinic.crm.store.reading) as heard:
        assert found(clinic, "nowhere") == []
    assert len(heard) == 4 + 3 * 3, [one[:60] for one in heard]


def test_what_was_found_is_looked_at_again_as_it_is_now(clinic: Clinic) -> None:
    bill = clinic.text(BILL).conversation_id
    refill = clinic.text(REFILL, BO).conversation_id
    clinic.do(clinic.agent, close, bill, outcome="resolved")
    again = clinic.see(clinic.agent, still_there, [bill, refill])
    assert [item.conversation_id for item in again] == [refill]


def test_only_who_reads_conversations_finds_them(clinic: Clinic, staff: StaffFactory) -> None:
    with pytest.raises(NotPermitted):
        clinic.see(staff(Role.ADMIN), find, parse("metformin"))


def test_what_was_warned_of_and_what_could_not_be_screened_is_asked_for(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    unread = clinic.text("", BO, attachments=1).conversation_id
    assert found(clinic, "is:unscreened") == [unread]
    assert found(clinic, "is:warned") == []
    due = clinic.now_at(number).due_at
    assert due is not None
    clinic.at(due - timedelta(minutes=10))
    let_time_pass(clinic.crm.units)
    assert number in found(clinic, "is:warned")
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert number not in found(clinic, "is:warned")
    assert number not in found(clinic, "-is:warned")
