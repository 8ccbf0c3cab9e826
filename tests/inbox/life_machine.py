"""A conversation's life as a machine: everything that can happen to it, and what must hold after each thing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.audit.packing import unpack
from crm_core.audit.tables import AuditRow
from crm_core.errors import CrmError
from crm_core.hours.ledger import Kind
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.answering.scheduling import send_later
from crm_core.inbox.classifying import classify
from crm_core.inbox.handling import assign, close, escalate, move, snooze
from crm_core.inbox.model import END_OF_TIME, State
from crm_core.inbox.record import STEP_TAGS
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Conversation, Step
from crm_core.inbox.take import claim, release
from crm_core.inbox.threads.merging import merge
from crm_core.inbox.threads.relinking import relink
from crm_core.inbox.threads.splitting import split
from crm_core.inbox.timing.clock_ledger import clock_ledgers
from crm_core.inbox.timing.counting import counted, life_of
from crm_core.inbox.timing.passing import let_time_pass
from crm_core.inbox.undo import undo_last
from crm_core.words import Priority
from tests.inbox.conftest import Clinic
from tests.inbox.looking import stored

LANES = ("billing", "records", "scheduling", "front_desk")
TEXTS = (
    "How much is my bill?", "thanks", "Can I move my visit to Tuesday?", "I need my metformin refilled", "ok", "???",
    "my knee is swollen, what should I do?",
)  # fmt: skip
DANGER = "I have crushing chest pain and can't breathe"
AUDITED = sorted({tag.value for tag in STEP_TAGS.values()})
CLOCKS = ("due_at", "due_order", "due_clock", "urgency")


class Life(RuleBasedStateMachine):
    """One patient's conversations, worked by an agent, a nurse and a supervisor."""

    clinic: Clinic
    begun = 0

    @initialize()
    def begin(self) -> None:
        """A patient of this example's own writes for the first time."""
        type(self).begun += 1
        self.sender = f"+1 646 {2000000 + type(self).begun:07d}"
        self.clinic.patient(f"Pat{type(self).begun}", "Example", self.sender, f"life-{type(self).begun}")
        self.number = 0
        self.others: list[int] = []
        self.write("How much is my bill?", 0)

    # What patients do

    @rule(text=st.sampled_from(TEXTS), minutes=st.integers(0, 50))
    def write(self, text: str, minutes: int) -> None:
        """A text arrives, perhaps some time after it was sent."""
        sent_at = self.clinic.crm.clock.now() - timedelta(minutes=minutes)
        received = self.clinic.text(text, self.sender, at=sent_at, provider_id=None)
        assert received.conversation_id is not None
        self.number = received.conversation_id

    @rule()
    def alarm(self) -> None:
        """A text that speaks of an emergency arrives."""
        received = self.clinic.text(DANGER, self.sender, provider_id=None)
        assert received.conversation_id is not None
        self.number = received.conversation_id
        row = stored(self.clinic.crm, self.number)
        assert (row["danger"], row["owner_id"], row["lane"]) == (True, None, "clinical_triage")

    # What time does

    @rule(minutes=st.integers(1, 60 * 24 * 4))
    def wait(self, minutes: int) -> None:
        """Time passes, and somebody looks."""
        self.clinic.at(self.clinic.crm.clock.now() + timedelta(minutes=minutes))
        let_time_pass(self.clinic.crm.units)

    # What people do

    @property
    def people(self) -> tuple[Actor, ...]:
        """Those who work here."""
        return (self.clinic.agent, self.clinic.nurse, self.clinic.supervisor)

    def attempt(self, who: int, function: Callable[..., Any], *args: Any, **more: Any) -> bool:
        """Do it, or be refused in our own words and change nothing."""
        before = stored(self.clinic.crm, self.number)
        try:
            self.clinic.do(self.people[who], function, *args, **more)
        except CrmError:
            assert stored(self.clinic.crm, self.number) == before
            return False
        return True

    @rule(who=st.integers(0, 2), held=st.booleans())
    def answer(self, who: int, held: bool) -> None:
        """A person writes to the patient."""
        hold = timedelta(seconds=15 if held else 0)
        self.attempt(who, reply, self.clinic.crm.gate, self.number, "It is 20 dollars.", hold=hold)

    @rule(who=st.integers(0, 2), reached=st.booleans())
    def call(self, who: int, reached: bool) -> None:
        """A person calls, and reaches the patient or not."""
        self.attempt(who, log_call, self.number, outcome="reached" if reached else "no_answer", words=None)

    @rule(who=st.integers(0, 2))
    def remark(self, who: int) -> None:
        """A note; it stops no clock."""
        before = stored(self.clinic.crm, self.number)
        if self.attempt(who, note, self.number, "looked at it"):
            after = stored(self.clinic.crm, self.number)
            assert all(after[name] == before[name] for name in CLOCKS)

    @rule(who=st.integers(0, 2), give_back=st.booleans())
    def hold(self, who: int, give_back: bool) -> None:
        """Claim it, or give it back."""
        self.attempt(who, release if give_back else claim, self.number)

    @rule(who=st.integers(0, 2), to=st.integers(0, 2))
    def give(self, who: int, to: int) -> None:
        """Assign it."""
        self.attempt(who, assign, self.number, self.people[to].staff_id)

    @rule(who=st.integers(0, 2), lane=st.sampled_from(LANES))
    def pass_on(self, who: int, lane: str) -> None:
        """Move it to another lane."""
        self.attempt(who, move, self.number, lane=lane, reason="wrong_lane")

    @rule(who=st.integers(0, 2), to=st.sampled_from([Role.SUPERVISOR, Role.NURSE, Role.PHYSICIAN]))
    def raise_it(self, who: int, to: Role) -> None:
        """Escalate it."""
        self.attempt(who, escalate, self.number, to=to, reason="policy", question="May I?")

    @rule(who=st.integers(0, 2), hours=st.none() | st.integers(1, 90), even_if_reply=st.booleans())
    def put_off(self, who: int, hours: int | None, even_if_reply: bool) -> None:
        """Snooze it: until a date, until they write, or until a date even if they write."""
        until = None if hours is None else self.clinic.crm.clock.now() + timedelta(hours=hours)
        self.attempt(who, snooze, self.number, until=until, even_if_reply=even_if_reply)

    @rule(who=st.integers(0, 2), hours=st.integers(1, 90))
    def answer_later(self, who: int, hours: int) -> None:
        """Let an answer go by itself, later."""
        at = self.clinic.crm.clock.now() + timedelta(hours=hours)
        self.attempt(who, send_later, self.clinic.crm.gate, self.number, "It is 20 dollars.", at=at)

    @rule()
    def post(self) -> None:
        """What is due goes out, or comes back."""
        self.clinic.crm.courier.run_once()

    @rule(who=st.integers(0, 2), priority=st.sampled_from(list(Priority)))
    def weigh(self, who: int, priority: Priority) -> None:
        """Call it more or less urgent."""
        self.attempt(who, classify, self.number, priority=priority)

    @rule(who=st.integers(0, 2))
    def part(self, who: int) -> None:
        """Make the newest message a conversation of its own."""
        thread = self.clinic.now_at(self.number, self.clinic.supervisor).messages
        newest = max((each.id for each in thread if not each.internal), default=None)
        if self.attempt(who, split, self.number, from_message=newest):
            with self.clinic.crm.read(SYSTEM) as unit:
                new = unit.scalar(select(func.max(Conversation.id)).where(Conversation.follows_id == self.number))
            self.others.append(new)

    @precondition(lambda self: self.others)
    @rule(who=st.integers(0, 2))
    def put_together(self, who: int) -> None:
        """Merge what was parted."""
        self.attempt(who, merge, self.number, self.others[-1])

    @rule(who=st.integers(1, 2))
    def give_to_another_patient(self, who: int) -> None:
        """Find out that it was somebody else's."""
        self.attempt(who, relink, self.number, self.clinic.patients["Bo"], reason="wrong_patient")

    @rule(who=st.integers(0, 2))
    def end(self, who: int) -> None:
        """Close it."""
        self.attempt(who, close, self.number, outcome="resolved")

    @rule(who=st.integers(0, 2))
    def take_back(self, who: int) -> None:
        """Undo one's own last verb here."""
        self.attempt(who, undo_last, self.number)

    @precondition(lambda self: self.number and stored(self.clinic.crm, self.number)["danger"])
    @rule()
    def see_to_it(self) -> None:
        """A nurse acknowledges the danger."""
        assert self.attempt(1, acknowledge, self.number)

    # What must hold

    @invariant()
    def it_is_somebodys_and_comes_up_again(self) -> None:
        """Exactly one of owner and lane is next; what is open has an action and a date, what is closed an outcome."""
        if not self.number:
            return
        row = stored(self.clinic.crm, self.number)
        view = self.clinic.now_at(self.number, self.clinic.supervisor)
        assert row["lane"]
        if row["state"] is State.CLOSED:
            assert row["outcome"]
            assert row["closed_at"]
            assert (row["due_at"], row["due_order"], row["mark_at"]) == (None, END_OF_TIME, None)
            return
        assert view.next_owner
        assert view.next_action
        assert row["due_at"] or row["follow_up_at"] or row["snoozed_until"]
        if row["state"] is State.WAITING_PATIENT:
            assert row["due_at"] is None
            assert row["follow_up_at"] is not None

    @invariant()
    def the_stored_clocks_are_what_the_history_says(self) -> None:
        """Counted anew from the steps, they come out the same; what was counted is never negative and adds up."""
        if not self.number:
            return
        row = stored(self.clinic.crm, self.number)
        with self.clinic.crm.read(SYSTEM) as unit:
            life = life_of(unit, self.number, row["opened_at"])
            again = counted(inbox_rules(unit), row, life, unit.now)
            ledgers = clock_ledgers(unit, self.number)
        if not row["danger"]:
            assert {name: row[name] for name in CLOCKS[:3]} == {name: again[name] for name in CLOCKS[:3]}
        for each in ledgers:
            lengths = [one.length for one in each.segments]
            assert sum(lengths, timedelta()) == max(each.until - each.since, timedelta())
            assert each.counted == sum((one.length for one in each.segments if one.kind is Kind.COUNTED), timedelta())
            assert each.counted >= timedelta()

    @invariant()
    def every_change_has_a_step_and_an_audit_row(self) -> None:
        """A version is a step, and a step a row of the audit."""
        if not self.number or self.others:
            # What was parted has taken steps with it.
            return
        with self.clinic.crm.read(SYSTEM) as unit:
            steps = unit.scalar(select(func.count()).select_from(Step).where(Step.conversation_id == self.number))
            version = unit.scalar(select(Conversation.version).where(Conversation.id == self.number))
            audited = unit.scalars(select(AuditRow.ids).where(AuditRow.tag.in_(AUDITED)))
        mine = sum(1 for ids in audited if self.number in unpack(ids))
        # It began without a step, and with a row of its own.
        assert (version, mine) == (steps + 1, steps + 1)
