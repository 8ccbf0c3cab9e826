"""What can be done to a conversation, from its own screen or from the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from typing_extensions import override

from crm_tui.commands import Command, bindings
from crm_tui.desk.clocks import ClockLedger
from crm_tui.desk.handoff import ColleagueView
from crm_tui.desk.lanes import ComplaintEnd
from crm_tui.screens.acting import Subject
from crm_tui.screens.clock_panel import ClockPanel
from crm_tui.screens.complaint_end import ask_about_complaint
from crm_tui.screens.deciding import Decides, ask_whose
from crm_tui.screens.moments import on_offer, read_moment
from crm_tui.screens.picking_people import people
from crm_tui.screens.showing import moment
from crm_tui.terminal import plain
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.panels import TextPanel

__all__ = ["Subject", "Verbs"]

PHYSICIAN = "physician"
_RAISED_TO = (
    ("supervisor", "A supervisor", "it stays in its lane, more urgent"),
    ("nurse", "A nurse", "it goes to clinical triage"),
    (PHYSICIAN, "A physician", "one question, by a nurse"),
)
_INBOUND = "in:"
"""Before the outcome of a call that the patient made."""
_BY_LANE = "lane"
_PUT_ASIDE = frozenset({"move_lane", "escalate", "snooze", "close"})


class Verbs(Decides):
    """The verbs."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(
        "claim",
        "assign",
        "move_lane",
        "escalate",
        "snooze",
        "close",
        "log_call",
        "link_patient",
        "acknowledge",
        "why",
        "clock",
    )

    @override
    def task_is_from(self) -> int | None:
        subjects = self.subjects()
        return subjects[-1].conversation_id if subjects else None

    @override
    def why_not(self, command: Command) -> str | None:
        """A danger is put aside by clinicians alone: said at the key, before any dialog."""
        if command.id in _PUT_ASIDE and not self.session.is_clinician and self._dangers_alone:
            return "This holds a danger: only a clinician may put it aside. ! shows whom to fetch."
        return super().why_not(command)

    @property
    def _dangers_alone(self) -> bool:
        subjects = self.subjects()
        return bool(subjects) and all(one.danger for one in subjects)

    # The verbs

    def do_claim(self) -> None:
        """Make it mine, or give it back."""
        me = self.session.staff_id
        mine = {subject.conversation_id: subject.owner_id == me for subject in self.subjects()}
        words = "Given back to its lane" if all(mine.values()) else "Yours now"
        self._perform(
            words,
            lambda number: self.desk.claim_or_release(number, mine=mine[number]),
            bulk=self.acts.claiming(mine),
        )

    def do_assign(self) -> None:
        """Make it another person's; who is away or full is shown as such, and may still be chosen."""
        lanes = frozenset(subject.lane for subject in self.subjects())
        self.read("colleagues", lambda: self.session.handoff.colleagues(lanes), self._ask_assign)

    def _ask_assign(self, found: Sequence[ColleagueView]) -> None:
        taxed = {one.id for one in found if one.is_full or one.absent_until is not None}

        def assign(to: Picked) -> None:
            whose = int(to.id)
            one_by_one = partial(self.desk.assign, staff_id=whose, anyway=whose in taxed)
            self._perform("Assigned", one_by_one, bulk=self.acts.assigning(whose))

        self._choose("Assign {} to", people(found, self.session.choices.zone), assign)

    def do_move_lane(self) -> None:
        """Ask for the lane, then for the reason."""
        here = {subject.lane for subject in self.subjects()}
        picks = [
            Pick(id=lane, name=title, refused="a nurse's x fills it" if lane == "physician_review" else "")
            for lane, title in self.session.choices.lanes
            if {lane} != here
        ]
        self._choose("Move {} to which lane?", picks, self._ask_move_reason)

    def _ask_move_reason(self, lane: Picked) -> None:
        titles = dict(self.session.choices.lanes)

        def move(reason: Picked) -> None:
            words = f"Moved to {titles[lane.id]}"
            bulk = self.acts.moving(lane.id, reason.id)
            self._perform(words, lambda one: self.desk.move(one, lane.id, reason.id, None), bulk=bulk)

        self._choose("Why does {} belong there?", _coded(self.session.choices.move_reasons), move)

    def do_escalate(self) -> None:
        """Ask to whom, then why, with one question."""
        nurse = any(role.value == "nurse" for role in self.session.entered.actor.roles)
        picks = [
            Pick(id=key, name=name, hint=hint, refused="only a nurse asks a physician" if refused else "")
            for key, name, hint in _RAISED_TO
            for refused in [key == PHYSICIAN and not nurse]
        ]
        self._choose("Escalate {} to whom?", picks, self._ask_escalate_reason)

    def _ask_escalate_reason(self, to: Picked) -> None:
        def escalate(reason: Picked) -> None:
            self._perform(
                f"Escalated to a {to.id}",
                lambda one: self.desk.escalate(one, to.id, reason.id, reason.text),
                bulk=self.acts.escalating(to.id, reason.id, reason.text),
            )

        picks = _coded(self.session.choices.escalate_reasons)
        self._choose("Why, and what is your question? {}", picks, escalate, text_label="your question", needed=True)

    def do_close(self) -> None:
        """Ask how it ended; of a complaint also what it was about, and when it was answered."""
        picks = _coded(self.session.choices.outcomes)

        def ended(end: Picked) -> None:
            subjects = self.subjects()
            if len(subjects) == 1 and subjects[0].complaint:
                ask_about_complaint(self, self.said(subjects[0]), partial(self._close, end.id))
            else:
                self._close(end.id, None)

        self._choose("How did {} end?", picks, ended)

    def _close(self, outcome: str, complaint: ComplaintEnd | None) -> None:
        closing = self.acts.closing(outcome)
        self._perform("Closed", lambda one: self.desk.close(one, outcome, None, complaint=complaint), bulk=closing)

    def do_log_call(self) -> None:
        """Ask how the call ended, what it was about, and when to call again where it did not reach."""
        subjects = self.subjects()
        if len(subjects) > 1:
            self.flash("A call is logged for one conversation; unmark the others.", "warning")
            return
        reaching = self.session.choices.calls_that_reach
        picks = _coded(self.session.choices.call_outcomes)
        picks += [
            Pick(id=f"{_INBOUND}{one.id}", name=f"They called: {one.name}") for one in picks if one.id in reaching
        ]
        self._choose("Call about {}: how did it end?", picks, self._ask_call_reason)

    def _ask_call_reason(self, outcome: Picked) -> None:
        picks = [*_coded(self.session.choices.call_reasons), Pick(id="", name="Not stated")]
        reached = outcome.id.removeprefix(_INBOUND) in self.session.choices.calls_that_reach

        def then(reason: Picked) -> None:
            if reached:
                self._call_logged(outcome, reason, None)
            else:
                self._ask_next_call(outcome, reason)

        self._choose("What was the call about {} for?", picks, then, text_label="what was said, or nothing")

    def _ask_next_call(self, outcome: Picked, reason: Picked) -> None:
        now, zone = self.desk.now(), self.session.choices.zone
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=_BY_LANE, name="In two working days, as the lane has it")]
        picks += [Pick(id=one.id, name=one.name, hint=moment(one.at, zone)) for one in offered.values()]

        def then(picked: Picked) -> None:
            at = offered[picked.id].at if picked.id in offered else read_moment(picked.text, now, zone)
            if at is None and picked.id != _BY_LANE:
                self.flash(f"“{picked.text}” is no time; type 2h, fri 10:00 or 12/1 2pm.", "warning")
                return
            self._call_logged(outcome, reason, at)

        self._choose(
            "Call {} again when?", picks, then, free=True, hint="or type: 2h · 15:30 · fri 10:00 · 12/1 2pm · esc back"
        )

    def _call_logged(self, outcome: Picked, reason: Picked, at: datetime | None) -> None:
        inbound, code = outcome.id.startswith(_INBOUND), outcome.id.removeprefix(_INBOUND)
        self._perform(
            f"Call logged, next {moment(at, self.session.choices.zone)}" if at is not None else "Call logged",
            lambda one: self.desk.log_call(
                one, code, reason.text or None, reason=reason.id or None, inbound=inbound, next_call_at=at
            ),
            undoable=False,
        )

    def do_link_patient(self) -> None:
        """Say whose an unknown sender's message is."""
        subjects = self.subjects()
        if len(subjects) != 1 or subjects[0].patient_id is not None:
            self.flash("Only an unknown sender is linked, one at a time.", "warning")
            return

        def link(patient_id: int | None) -> None:
            if patient_id is not None:
                self._perform("Linked", lambda one: self.desk.link(one, patient_id))

        ask_whose(self, subjects[0].conversation_id, link)

    def do_acknowledge(self) -> None:
        """Take the danger; there is no way back, so it is asked."""
        subjects = self.subjects()
        if len(subjects) != 1 or not subjects[0].danger:
            self.flash("There is no open alarm in this one; ! opens the oldest.", "warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._perform("Yours: reach the patient now", self.desk.acknowledge, undoable=False)

        question = "You take it, and everyone's alarm line falls by one. This cannot be undone."
        self.app.push_screen(Confirm(f"Acknowledge the danger in {subjects[0].number}?", question), answered)

    def do_why(self) -> None:
        """Show why it is here, and what has happened to it."""
        subjects = self.subjects()
        if not subjects:
            self.flash("Nothing is under the cursor.", "warning")
            return
        one = subjects[-1]

        def show(lines: Sequence[str]) -> None:
            told = (plain(line, "$quiet" if line.startswith(" ") else "") for line in (*self.more_reasons(), *lines))
            self.app.push_screen(TextPanel(f"Why? {one.number}", Content("\n").join(told)))

        zone = self.session.choices.zone
        self.read("why", lambda: self.desk.why(one.conversation_id, zone), show)

    def do_clock(self) -> None:
        """Show how its clocks were counted."""
        subjects = self.subjects()
        if not subjects:
            self.flash("Nothing is under the cursor.", "warning")
            return
        number = subjects[-1].conversation_id

        def show(ledgers: Sequence[ClockLedger]) -> None:
            self.app.push_screen(ClockPanel(number, ledgers))

        self.read("clock", lambda: self.desk.clocks(number), show)

    def more_reasons(self) -> Sequence[str]:
        """Reasons that this screen knows besides."""
        return ()

    # How a verb is asked about and done

    def _choose(
        self,
        title: str,
        picks: Sequence[Pick],
        then: Callable[[Picked], None],
        *,
        text_label: str = "",
        needed: bool = False,
        free: bool = False,
        hint: str = "type to narrow · enter takes · esc back",
    ) -> None:
        subjects = self.subjects()
        if not subjects:
            self.flash("Nothing is under the cursor.", "warning")
            return
        about = f"{len(subjects)} conversations" if len(subjects) > 1 else self.said(subjects[0])

        def answered(picked: Picked | None) -> None:
            if picked is not None:
                then(picked)

        choice = Choice(title.format(about), picks, text_label=text_label, text_needed=needed, free=free, hint=hint)
        self.app.push_screen(choice, answered)


def _coded(pairs: Sequence[tuple[str, str]]) -> list[Pick]:
    return [Pick(id=code, name=title) for code, title in pairs]
