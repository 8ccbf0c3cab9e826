"""A draft is rehearsed on the texts that came in: by their own facts, changing nothing, telling only who may hear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_core.access.model import SYSTEM, Actor, Permission, Role
from crm_core.errors import NotPermitted
from crm_core.inbox.handling import close, link
from crm_core.inbox.routing import rehearsal
from crm_core.inbox.routing.rehearsal import Rehearsal, begin, rehearse_some, sample_texts
from crm_core.inbox.take import take_next
from crm_core.playbook.loader import Playbook
from crm_core.words import Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import audited, conversations, messages
from tests.inbox.own_rules import own_playbook, put_in_force, rule

REFILL = "I need a refill of my metformin please"
STRANGER, OTHER = "+1 646 555 0177", "+1 646 555 0178"
REFILLS_TO_BILLING = rule("paid", 'field = "text", op = "contains_any", value = ["refill"]', 'category = "billing"')


def rehearsed(
    clinic: Clinic, draft: Playbook, *, actor: Actor | None = None, since: datetime | None = None, samples: int = 3
) -> Rehearsal:
    """One run to its end, since a week ago."""
    with clinic.crm.write(actor or clinic.supervisor) as unit:
        run = begin(unit, draft, since or MONDAY - timedelta(days=7), samples=samples)
    while not run.done:
        with clinic.crm.read(SYSTEM) as unit:
            rehearse_some(unit, run)
    return run


def test_a_draft_that_says_the_same_moves_nothing(clinic: Clinic) -> None:
    clinic.text(REFILL)
    clinic.text("Hello", BO)
    run = rehearsed(clinic, own_playbook())
    assert (run.first.texts, run.total, run.first.moved.total(), run.first.recategorised) == (2, 2, 0, 0)
    assert run.first.now == run.first.then == {"refills": 1, "front_desk": 1}


def test_what_would_lie_elsewhere_is_counted_by_lane_pair_and_priority_and_nothing_changes(clinic: Clinic) -> None:
    number = clinic.text(REFILL).conversation_id
    clinic.text("My copay was charged twice", BO)
    before = (conversations(clinic.crm), messages(clinic.crm))
    urgent = REFILLS_TO_BILLING.replace('"billing"', '"billing"\npriority = "asap"')
    first = rehearsed(clinic, own_playbook(rules=urgent)).first
    assert first.now == {"refills": 1, "billing": 1}
    assert first.then == {"billing": 2}
    assert first.moved == {("refills", "billing"): 1}
    assert first.reprioritised == {(Priority.ROUTINE, Priority.ASAP): 1}
    (sample,) = first.kept["refills", "billing"]
    assert (sample.conversation_id, sample.now.rule, sample.then.rule) == (number, "refill", "paid")
    assert (conversations(clinic.crm), messages(clinic.crm)) == before


def test_each_text_is_routed_by_the_facts_of_its_own_time(clinic: Clinic) -> None:
    """At night in New York, and from a number that was nobody's until a person said whose."""
    clinic.at(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
    night = clinic.text("Hello").conversation_id
    clinic.at(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    stranger = clinic.text("Hello", STRANGER).conversation_id
    clinic.text("Hello", BO)
    clinic.at(datetime(2026, 11, 24, 15, 1, tzinfo=UTC))
    clinic.do(clinic.agent, link, stranger, patient_id=clinic.patients["Ana"])
    at_night = rule(
        "night", 'field = "time_of_day", op = "between", value = ["21:00", "06:00"]', 'category = "billing"'
    )
    unknown = rule("unknown", 'field = "sender_known", op = "is", value = false', 'category = "form"')
    kept = rehearsed(clinic, own_playbook(rules=at_night + unknown)).first.kept
    assert [sample.conversation_id for sample in kept["front_desk", "billing"]] == [night]
    assert [sample.conversation_id for sample in kept["front_desk", "records"]] == [stranger]


def test_a_draft_that_asks_for_the_age_and_the_choice_is_told_them(clinic: Clinic) -> None:
    clinic.text("Hello")
    clinic.text("Hello", STRANGER, category_hint="Billing")
    adults = rule("adults", 'field = "age_group", op = "is_any", value = ["adult"]', 'category = "form"')
    chose = rule("chose", 'field = "category", op = "is_any", value = ["billing"]', 'category = "billing"')
    run = rehearsed(clinic, own_playbook(rules=adults + chose))
    assert run.first.moved == {("front_desk", "records"): 1, ("front_desk", "billing"): 1}
    assert any(row["tag"] == "list:records:shown" and row["subject"] == "patient" for row in audited(clinic.crm))


def test_what_alarmed_or_could_not_be_screened_lies_where_danger_puts_it(clinic: Clinic) -> None:
    clinic.text("I have chest pain and need a refill")
    clinic.text("", BO, attachments=1)
    run = rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING))
    assert (run.held, run.first.moved.total()) == (2, 0)
    assert run.first.then == {"clinical_triage": 1, "front_desk": 1}


def test_texts_that_reopened_a_conversation_are_counted_apart(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    clinic.at(MONDAY + timedelta(hours=1))
    assert clinic.text("Now I also need a refill of metformin").conversation_id == number
    run = rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING))
    assert (run.first.texts, run.first.moved.total()) == (1, 0)
    assert (run.reopening.texts, run.reopening.moved) == (1, {("refills", "billing"): 1})


def test_only_the_first_text_of_a_conversation_counts_and_only_since_the_date(clinic: Clinic) -> None:
    clinic.text(REFILL)
    clinic.text("and one more refill please")
    clinic.at(MONDAY + timedelta(days=1))
    clinic.text(REFILL, BO)
    draft = own_playbook(rules=REFILLS_TO_BILLING)
    assert rehearsed(clinic, draft).first.texts == 2
    assert rehearsed(clinic, draft, since=MONDAY + timedelta(hours=2)).first.texts == 1


def test_the_newest_samples_are_kept(clinic: Clinic) -> None:
    numbers = [clinic.text(REFILL, sender).conversation_id for sender in (ANA, BO, STRANGER, OTHER)]
    run = rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING), samples=2)
    assert [sample.conversation_id for sample in run.first.kept["refills", "billing"]] == numbers[2:]
    assert run.first.moved["refills", "billing"] == 4


def test_a_run_goes_through_in_batches_of_a_listing_each(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    for number in range(5):
        clinic.text(REFILL, f"+1 646 555 02{number:02}")
    run = rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING))
    assert run.first.texts == 5
    listings = [row for row in audited(clinic.crm) if row["why"] == "rehearsal by since"]
    assert len(listings) == 3
    assert {row["actor_id"] for row in listings} == {0}


def test_the_audit_names_who_rehearsed_before_a_text_is_opened(clinic: Clinic) -> None:
    clinic.text(REFILL)
    rehearsed(clinic, own_playbook())
    (row,) = [row for row in audited(clinic.crm) if row["tag"] == "playbook:draft:rehearsed"]
    assert (row["actor_id"], row["why"]) == (clinic.supervisor.staff_id, "1 texts since 2026-11-16")


def test_an_administrator_rehearses_without_reading_and_an_agent_does_not_rehearse(
    clinic: Clinic, staff: StaffFactory
) -> None:
    clinic.text(REFILL)
    admin = staff(Role.ADMIN)
    run = rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING), actor=admin)
    kept = list(run.first.kept["refills", "billing"])
    with pytest.raises(NotPermitted), clinic.crm.read(admin) as unit:
        sample_texts(unit, kept)
    with pytest.raises(NotPermitted), clinic.crm.read(admin) as unit:
        rehearse_some(unit, rehearsed_again(clinic, admin))
    with pytest.raises(NotPermitted), clinic.crm.write(clinic.agent) as unit:
        begin(unit, own_playbook(), MONDAY, samples=1)
    assert not admin.may(Permission.CONVERSATION_READ)


def rehearsed_again(clinic: Clinic, admin: Actor) -> Rehearsal:
    """A run that has not begun to read."""
    with clinic.crm.write(admin) as unit:
        return begin(unit, own_playbook(), MONDAY - timedelta(days=1), samples=1)


def test_the_words_of_samples_are_told_in_the_lanes_one_may_see_and_audited(
    clinic: Clinic, staff: StaffFactory
) -> None:
    clinic.text(REFILL)
    kept = list(rehearsed(clinic, own_playbook(rules=REFILLS_TO_BILLING)).first.kept["refills", "billing"])
    said = clinic.see(clinic.supervisor, sample_texts, kept)
    assert list(said.values()) == [REFILL]
    opened = [row for row in audited(clinic.crm) if row["why"] == "rehearsal samples by since"]
    assert [row["actor_id"] for row in opened] == [clinic.supervisor.staff_id]
    narrow = staff(Role.SUPERVISOR, lanes=frozenset({"billing"}))
    assert clinic.see(narrow, sample_texts, kept) == {}


def test_a_version_put_in_force_is_what_the_next_draft_is_compared_with(clinic: Clinic) -> None:
    clinic.text(REFILL)
    draft = own_playbook(rules=REFILLS_TO_BILLING)
    put_in_force(clinic.crm, draft)
    assert rehearsed(clinic, draft).first.moved.total() == 0
    assert rehearsed(clinic, own_playbook()).first.moved == {("billing", "refills"): 1}
