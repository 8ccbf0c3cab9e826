"""From a patient's record or a conversation: planning what the house is to send by itself, later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from typing_extensions import override

from crm_tui.command import Command
from crm_tui.desk.notices import Plannable
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.moments import on_offer, read_moment
from crm_tui.screens.showing import moment
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked

_TYPE_A_TIME = "or type: 2h · 15:30 · fri 10:00 · 12/1 2pm · esc back"
_ASKS = (
    Pick(id="asks", name="It asks to confirm", hint="C confirms, N declines"),
    Pick(id="tells", name="It only tells"),
)


class PlansNotices(ConsoleScreen):
    """A screen with one patient in view."""

    @override
    def why_not(self, command: Command) -> str | None:
        if command.id == "plan_notice" and self.console.masked:
            return "Identities are masked; f2 shows whom this goes to."
        return super().why_not(command)

    def notice_is_for(self) -> int | None:
        """The patient in view."""
        raise NotImplementedError

    def do_plan_notice(self) -> None:
        """Ask what it says, when it goes, and what else the template wants to know."""
        whom = self.notice_is_for()
        if whom is None:
            self.flash("This sender is nobody's patient yet: L links it first.", "warning")
            return
        self.read("plannable", self.session.notices.plannable, lambda found: self._ask_what(whom, found))

    def _ask_what(self, whom: int, found: Sequence[Plannable]) -> None:
        picks = [Pick(id=one.key, name=one_line(one.title), hint=one_line(one.purpose)) for one in found]
        by_key = {one.key: one for one in found}

        def picked(what: Picked | None) -> None:
            if what is not None:
                self._ask_a_time("When does it go?", lambda at: self._ask_about(whom, by_key[what.id], at))

        if picks:
            self.app.push_screen(Choice("What is to be sent?", picks), picked)
        else:
            self.flash("No approved template can go by itself: an approver approves one in mode 6.", "warning")

    def _ask_about(self, whom: int, what: Plannable, at: datetime) -> None:
        if not what.wants_when:
            self._ask_words(whom, what, at, None, asks=False)
            return

        def takes_place(about_at: datetime) -> None:
            def picked(asks: Picked | None) -> None:
                if asks is not None:
                    self._ask_words(whom, what, at, about_at, asks=asks.id == "asks")

            self.app.push_screen(Choice("Does it ask for an answer?", _ASKS), picked)

        self._ask_a_time("When does the visit take place?", takes_place)

    def _ask_words(self, whom: int, what: Plannable, at: datetime, about_at: datetime | None, *, asks: bool) -> None:
        def plan(words: str | None) -> None:
            when = moment(at, self.session.choices.zone)
            self.write(
                lambda: self.session.notices.plan(whom, what.key, at, asks=asks, about_at=about_at, words=words),
                lambda number: self._notice_planned(f"Planned: N-{number} goes {when}"),
            )

        def answered(words: str | None) -> None:
            if words is not None:
                plan(words)

        if what.wants_words:
            self.app.push_screen(AskText("Its personal sentence", "what this patient is to read"), answered)
        else:
            plan(None)

    def _notice_planned(self, words: str) -> None:
        self.flash(words)
        self.look_again()

    def _ask_a_time(self, title: str, then: Callable[[datetime], None]) -> None:
        now, zone = self.desk.now(), self.session.choices.zone
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=one.id, name=one.name, hint=moment(one.at, zone)) for one in offered.values()]

        def picked(answer: Picked | None) -> None:
            if answer is None:
                return
            at = offered[answer.id].at if answer.id else read_moment(answer.text, now, zone)
            if at is None:
                self.flash(f"“{answer.text}” is no time; type 2h, fri 10:00 or 12/1 2pm.", "warning")
                return
            then(at)

        self.app.push_screen(Choice(title, picks, free=True, hint=_TYPE_A_TIME), picked)
