"""What can be done to a whole thread, from its own screen or from the queue: merging, another patient, a category."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from typing_extensions import override

from crm_tui.commands import Command, bindings
from crm_tui.desk.lanes import CrmError, IdentityView
from crm_tui.desk.threads import AlsoOpen, ThreadChoices
from crm_tui.ids import conversation_id
from crm_tui.screens.acting import Act, Subject
from crm_tui.screens.moments import on_offer, read_moment
from crm_tui.screens.patient_search import PatientSearch
from crm_tui.screens.showing import birth_date, conversation_name, moment
from crm_tui.screens.verbs import Verbs
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.confirm import Confirm

_FOR_CLINICIANS = frozenset({"merge", "split", "relink", "send_later"})
_AS_IT_IS = "as it is"
_REPLY, _EVEN_IF = "reply", "even_if_reply"
TYPE_A_TIME = "or type: 2h · 15:30 · fri 10:00 · 12/1 2pm · esc back"


class ThreadVerbs(Verbs):
    """Merge, move to another patient, reclassify, one at a time; put off in three ways, one or several."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("merge", "relink", "classify")

    @override
    def why_not(self, command: Command) -> str | None:
        if command.id in _FOR_CLINICIANS and not self.session.is_clinician and any(s.danger for s in self.subjects()):
            return "This holds a danger: only a clinician may put it aside. ! shows whom to fetch."
        if command.id in ("relink", "split") and self.console.masked:
            return "Identities are masked; f2 shows whose this is."
        return super().why_not(command)

    # Merging

    def do_merge(self) -> None:
        """Offer what else is open of the same person, or take a typed number."""
        kept = self._only("merged")
        if kept is not None:
            number = kept.conversation_id
            self.read("duplicates", lambda: self.session.threads.duplicates(number), lambda one: self._offer(kept, one))

    def _offer(self, kept: Subject, found: Sequence[AlsoOpen]) -> None:
        picks = [
            Pick(
                id=str(one.conversation_id),
                name=conversation_name(one.conversation_id),
                hint=one_line(f"{one.lane_title} · {one.category.replace('_', ' ')} · {one.state.value}"),
                refused="" if one.same_person else "says the same, but is not linked to the same patient: L first",
            )
            for one in found
        ]

        def picked(answer: Picked | None) -> None:
            if answer is None:
                return
            try:
                other = int(answer.id) if answer.id else conversation_id(answer.text)
            except CrmError as error:
                self.flash(error.message, "warning")
                return
            self._confirm_merge(kept, other)

        title = f"Merge which conversation into {kept.number}?"
        self.app.push_screen(Choice(title, picks, free=True, hint="enter takes · or type C-12 · esc back"), picked)

    def _confirm_merge(self, kept: Subject, other: int) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._do_to(
                    kept,
                    f"{conversation_name(other)} merged into it",
                    lambda number: self.session.threads.merge(number, other),
                )

        text = (
            f"All that lies in {conversation_name(other)} goes to {kept.number}; {conversation_name(other)} closes as"
            " its duplicate, and its number leads here."
        )
        self.app.push_screen(Confirm(f"Merge {conversation_name(other)} into {kept.number}?", text), answered)

    # Another patient

    def do_relink(self) -> None:
        """Ask whose it is, then why, then whether the number goes along; then show both names and ask."""
        subject = self._only("moved to another patient")
        if subject is None:
            return
        if subject.patient_id is None:
            self.flash("It is with nobody yet: L links it to its patient.", "warning")
            return

        def found(patient_id: int | None) -> None:
            if patient_id is not None:
                self.read(
                    "relinking",
                    lambda: (self.session.threads.who(patient_id), self.session.threads.choices()),
                    lambda known: self._why_relink(subject, *known),
                )

        title = f"Whose is {subject.number}?"
        self.app.push_screen(PatientSearch(self.session.patients, title=title), found)

    def _why_relink(self, subject: Subject, who: IdentityView, choices: ThreadChoices) -> None:
        number_goes = (
            Pick(id="stays", name="The number stays with the patient before", hint="answers need another way"),
            Pick(id="goes", name="The number is theirs, too"),
        )

        def reasoned(reason: Picked | None) -> None:
            if reason is not None:
                self.app.push_screen(
                    Choice("And the number it came from?", number_goes), lambda one: asked(reason.id, one)
                )

        def asked(reason: str, number: Picked | None) -> None:
            if number is not None:
                self._confirm_relink(subject, who, reason, with_number=number.id == "goes")

        picks = [Pick(id=code, name=title) for code, title in choices.relink_reasons]
        self.app.push_screen(Choice(f"Why is {subject.number} not {subject.name}'s?", picks), reasoned)

    def _confirm_relink(self, subject: Subject, who: IdentityView, reason: str, *, with_number: bool) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._do_to(
                    subject,
                    "Moved to the other patient",
                    lambda one: self.session.threads.relink(one, who.patient_id, reason, with_number=with_number),
                )

        born = birth_date(who.birth_date, who.age)
        text = (
            f"It is with {subject.name} now, and will be with {one_line(who.name)}{f', born {born}' if born else ''}."
            " What is queued to the patient before is stopped. Both audits say so."
        )
        self.app.push_screen(Confirm(f"Move {subject.number} to another patient?", text), answered)

    # Category and priority

    def do_classify(self) -> None:
        """Ask what it is about, then how urgent it is."""
        if self._only("reclassified") is not None:
            self.read("choices", self.session.threads.choices, self._ask_category)

    def _ask_category(self, choices: ThreadChoices) -> None:
        stays = Pick(id=_AS_IT_IS, name="As it is", hint="only the priority changes")
        picks = [stays, *(Pick(id=key, name=title) for key, title in choices.categories)]
        self._choose("What is {} about?", picks, lambda category: self._ask_priority(choices, category.id))

    def _ask_priority(self, choices: ThreadChoices, category: str) -> None:
        picks = [Pick(id=_AS_IT_IS, name="As it is"), *(Pick(id=one, name=one) for one in choices.priorities)]

        def classify(priority: Picked) -> None:
            said = [None if each == _AS_IT_IS else each for each in (category, priority.id)]
            self._perform("Reclassified", lambda one: self.session.threads.classify(one, *said))

        self._choose("How urgent is {}?", picks, classify)

    # Putting off

    def do_snooze(self) -> None:
        """Offer a few times, until a reply, and until a time even if they reply; take a typed time."""
        extra = (
            Pick(id=_REPLY, name="Until they reply", hint="or the lane's follow-up date"),
            Pick(id=_EVEN_IF, name="Even if they reply, until…", hint="what is urgent still wakes it"),
        )

        def snooze(at: datetime | None, *, held: bool = False) -> None:
            when = "they reply" if at is None else moment(at, self.session.choices.zone)
            words = f"Snoozed{', even if they reply,' if held else ''} until {when}"
            bulk = self.acts.snoozing(at, even_if_reply=held)
            self._perform(words, lambda one: self.session.threads.snooze(one, at, even_if_reply=held), bulk=bulk)

        def other(picked: str) -> None:
            if picked == _REPLY:
                snooze(None)
            else:
                self.ask_when("Snooze {}, even if they reply, until", lambda at: snooze(at, held=True))

        self.ask_when("Snooze {} until", snooze, extra=extra, other=other)

    def ask_when(
        self,
        title: str,
        then: Callable[[datetime], None],
        *,
        extra: Sequence[Pick] = (),
        other: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Ask for a time, offered or typed; `other` hears which of the `extra` picks was taken instead."""
        now, zone = self.desk.now(), self.session.choices.zone
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=one.id, name=one.name, hint=moment(one.at, zone)) for one in offered.values()]

        def picked(answer: Picked) -> None:
            if any(answer.id == one.id for one in extra):
                other(answer.id)
                return
            at = offered[answer.id].at if answer.id else read_moment(answer.text, now, zone)
            if at is None:
                self.flash(f"“{answer.text}” is no time; type 2h, fri 10:00 or 12/1 2pm.", "warning")
                return
            then(at)

        self._choose(title, [*picks, *extra], picked, free=True, hint=TYPE_A_TIME)

    def _do_to(self, subject: Subject, words: str, act: Act) -> None:
        """Do it to the one that was asked about, whatever the cursor is on by now."""
        number = subject.conversation_id
        self.write(lambda: act(number), lambda _: self._done_to_one(words, number, undoable=True))

    def _only(self, done: str) -> Subject | None:
        """The one conversation it is about; None, and a word about it, where there are none or several."""
        subjects = self.subjects()
        if len(subjects) == 1:
            return subjects[0]
        said = (
            f"One conversation is {done} at a time; unmark the others." if subjects else "Nothing is under the cursor."
        )
        self.flash(said, "warning")
        return None
