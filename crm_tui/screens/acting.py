"""How a verb is done: to the one in view at once, to several after their number was typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm_tui.desk.acts import ActsDesk, Bulk, Tally, Weighed
from crm_tui.screens.raising_tasks import RaisesTasks
from crm_tui.screens.showing import conversation_name
from crm_tui.widgets.confirm import Confirm

Act = Callable[[int], object]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A conversation that a verb is about; `name` is the patient's."""

    conversation_id: int
    name: str
    patient_id: int | None
    lane: str
    owner_id: int | None
    danger: bool
    complaint: bool = False

    @property
    def number(self) -> str:
        """`C-12`."""
        return conversation_name(self.conversation_id)


class Acting(RaisesTasks):
    """A screen that acts; it says by `subjects` on what, and by `acted` what follows."""

    @property
    def acts(self) -> ActsDesk:
        """What is done to several, and taken back."""
        return self.session.acts

    def subjects(self) -> tuple[Subject, ...]:
        """What is acted on: the marked rows, else the one in view."""
        raise NotImplementedError

    def acted(self) -> None:
        """Called when a verb is done: look again, and advance."""

    def _perform(self, words: str, act: Act, *, bulk: Bulk | None = None, undoable: bool = True) -> None:
        """Do it to the one in view; to several by `bulk`, after what it would do was shown and its number typed."""
        subjects = self.subjects()
        if len(subjects) == 1:
            number = subjects[0].conversation_id
            self.write(lambda: act(number), lambda _: self._done_to_one(words, number, undoable=undoable))
        elif bulk is None:
            self.flash("This is done to one at a time; unmark the others.", "warning")
        elif subjects:
            numbers = [subject.conversation_id for subject in subjects]
            names = {subject.conversation_id: self.said(subject) for subject in subjects}
            self.read("weigh", lambda: self.acts.weigh(numbers, bulk), lambda seen: self._ask(words, bulk, seen, names))

    def said(self, subject: Subject) -> str:
        """A conversation as it is named in a question; by its number alone under the curtain."""
        return subject.number if self.console.masked else f"{subject.number} {subject.name}"

    def _ask(self, words: str, bulk: Bulk, weighed: Weighed, names: dict[int, str]) -> None:
        count = len(weighed.fit)
        if not count:
            self.flash(f"Nothing here may be acted on together: {weighed.excluded}.", "warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do_to_all(words, bulk, weighed.fit)

        question = Confirm(
            f"{words}: {count:,} conversations?",
            "This is done to each of them; one z takes all of it back.",
            count=count,
            samples=[names[number] for number in weighed.fit],
            excluded=weighed.excluded,
        )
        self.app.push_screen(question, answered)

    def _do_to_all(self, words: str, bulk: Bulk, numbers: Sequence[int]) -> None:
        work, acts = self.console.work_on(words), self.acts
        self.write(
            lambda: acts.do(numbers, bulk, work.tell, work.stopped),
            lambda tally: self._done_to_all(words, tally, len(numbers)),
            ended=work.ended,
        )

    def _done_to_one(self, words: str, number: int, *, undoable: bool) -> None:
        if undoable:
            self.console.done.add(number, words)
        self.flash(f"{words} · z undoes" if undoable else words)
        self.acted()

    def _done_to_all(self, words: str, tally: Tally, asked: int) -> None:
        if tally.done and tally.act is not None:
            self.console.done.add(tally.done[0], words, act=tally.act)
        facts = [f"{len(tally.done):,} done"]
        if tally.refused:
            facts.append(f"{len(tally.refused):,} refused")
            self.notify(tally.refused[0], title="Refused", severity="warning")
        if tally.stopped:
            facts.append(f"stopped before the other {asked - len(tally.done) - len(tally.refused):,}")
        self.flash(" · ".join([words, *facts, *(["z undoes"] if tally.done else [])]), seconds=8.0)
        self.acted()
