"""In the tasks: logging a call of the call list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType

from crm_tui.commands import bindings
from crm_tui.desk.notices import CallLine, Tried
from crm_tui.desk.tasks import TaskItem
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.moments import on_offer, read_moment
from crm_tui.screens.showing import moment
from crm_tui.screens.task_rows import task_name
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked

_NEXT_DAY = "next_day"
_TYPE_A_TIME = "or type: 2h · 15:30 · fri 10:00 · 12/1 2pm · esc back"


class LogsCalls(ConsoleScreen):
    """A screen of tasks of which some are calls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("log_call")

    def call_in_view(self) -> TaskItem | None:
        """The task under the cursor."""
        raise NotImplementedError

    def do_log_call(self) -> None:
        """Show whom to dial, and ask how the call ended."""
        item = self.call_in_view()
        if item is None or item.kind.value != "call":
            self.flash("The task under the cursor is no call.", "warning")
            return
        if self.console.masked:
            self.flash("Identities are masked; f2 shows whom to call.", "warning")
            return
        self.read("call", lambda: self.session.notices.call(item.task_id), self._ask_outcome)

    def _ask_outcome(self, call: CallLine) -> None:
        reaching = self.session.choices.calls_that_reach
        picks = [Pick(id=code, name=title) for code, title in self.session.choices.call_outcomes]
        whom = one_line(call.number) if call.number else f"nobody: {call.refused}"
        title = f"{task_name(call.task_id)}, call {call.attempts + 1} of {call.max_attempts} to {whom}. How did it end?"

        def picked(outcome: Picked | None) -> None:
            if outcome is None:
                return
            if outcome.id in reaching or call.attempts + 1 >= call.max_attempts or call.number is None:
                self._log(call, outcome, None)
            else:
                self._ask_next(lambda at: self._log(call, outcome, at))

        self.app.push_screen(Choice(title, picks, text_label="what was said, or nothing"), picked)

    def _ask_next(self, then: Callable[[datetime | None], None]) -> None:
        now, zone = self.desk.now(), self.session.choices.zone
        offered = {one.id: one for one in on_offer(now, zone)}
        picks = [Pick(id=_NEXT_DAY, name="A day on, when we are open")]
        picks += [Pick(id=one.id, name=one.name, hint=moment(one.at, zone)) for one in offered.values()]

        def picked(answer: Picked | None) -> None:
            if answer is None:
                return
            at = offered[answer.id].at if answer.id in offered else read_moment(answer.text, now, zone)
            if at is None and answer.id != _NEXT_DAY:
                self.flash(f"“{answer.text}” is no time; type 2h, fri 10:00 or 12/1 2pm.", "warning")
                return
            then(at)

        self.app.push_screen(Choice("Call again when?", picks, free=True, hint=_TYPE_A_TIME), picked)

    def _log(self, call: CallLine, outcome: Picked, at: datetime | None) -> None:
        desk, number = self.session.notices, call.task_id
        self.write(lambda: desk.log_call(number, outcome.id, outcome.text or None, at), self._logged)

    def _logged(self, became: Tried) -> None:
        name, zone = task_name(became.task_id), self.session.choices.zone
        said = {
            "reached": f"{name}: reached, and done",
            "given_up": f"{name}: given up after {became.attempts} calls",
            "cancelled": f"{name}: may not be called, {became.because}",
        }
        again = f", again {moment(became.next_at, zone)}" if became.next_at is not None else ""
        self.flash(said.get(became.state.value, f"{name}: call {became.attempts} of {became.max_attempts}{again}"))
        self.look_again()
