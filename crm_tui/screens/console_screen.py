"""What every screen of a signed-in console has: the alarm line, the footer, a way to the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.types import CSSPathType
from typing_extensions import override

from crm_tui.command_host import CommandHost
from crm_tui.commands import Command, bindings
from crm_tui.desk.lanes import CrmError, LanesDesk, Topic
from crm_tui.signed_in import SignedIn
from crm_tui.terminal import plain
from crm_tui.widgets.alarm_line import AlarmLine, AlarmState
from crm_tui.widgets.footer import CommandFooter, Mood
from crm_tui.widgets.line import Line
from crm_tui.widgets.ring_line import RingLine

if TYPE_CHECKING:
    from crm_tui.app import CrmApp

T = TypeVar("T")

ROOMY = 100
"""Columns from which the top line says more than where one is."""


class ConsoleScreen(CommandHost, Screen[None]):
    """A screen of the work: refreshed by the change feed while it is in view, and only then."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss"]
    AUTO_FOCUS = None
    FOOTER: ClassVar[tuple[str, ...]] = ()
    WATCHES: ClassVar[frozenset[Topic]] = frozenset()
    MODE: ClassVar[str] = ""
    """The command that shows this mode (see modes.py); "" for a screen that lies over one."""
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        "back",
        "next_pane",
        "previous_pane",
        "take_next",
        "undo",
        "open_alarm",
        "mode_lanes",
        "mode_tasks",
        "mode_library",
    )

    def __init__(self) -> None:
        super().__init__()
        self._stale = False

    @property
    def console(self) -> CrmApp:
        """The app, by its own type."""
        return cast("CrmApp", self.app)

    @property
    def session(self) -> SignedIn:
        """Whose screen this is."""
        found = self.console.session
        assert found is not None
        return found

    @property
    def desk(self) -> LanesDesk:
        """What mode 1 may ask."""
        return self.session.lanes

    def compose(self) -> ComposeResult:
        """The frame around what `compose_body` yields."""
        yield AlarmLine(now=self.console.now)
        yield RingLine()
        yield from self.compose_body()
        yield Line(id="polling")
        yield Line(id="held")
        yield CommandFooter(*self.FOOTER)

    def compose_body(self) -> ComposeResult:
        """What stands between alarm line and footer."""
        yield from ()

    def on_mount(self) -> None:
        """Show what is known already; nothing rings for an alarm that is not new."""
        self.show_alarm(self.console.alarm)
        self.show_callers()
        self.show_held(self.console.done.countdown())
        self.show_polling(self.console.polling_trouble)

    # What the app tells

    def show_alarm(self, state: AlarmState) -> None:
        """Show the alarms; the app rings."""
        for line in self.query(AlarmLine):
            line.state = state
            line.tick()

    def show_callers(self) -> None:
        """Show what rings; behind the curtain its count."""
        for line in self.query(RingLine):
            line.show_callers(self.console.callers, masked=self.console.hides_callers)

    def show_held(self, text: str) -> None:
        """Show how long the last text may still be taken back."""
        self._show_line("#held", text)

    def show_polling(self, text: str) -> None:
        """Show what is wrong with the pollers; "" for nothing."""
        self._show_line("#polling", text)

    def _show_line(self, line_id: str, text: str) -> None:
        for line in self.query(line_id).results(Line):
            line.display = bool(text)
            line.show(plain(text))

    def changed(self, topics: frozenset[Topic], *, in_view: bool) -> None:
        """Something changed in the store: look again now, or once this screen is in view."""
        if not self.WATCHES & topics:
            return
        self._stale = not in_view
        if in_view:
            self.look_again()

    def on_screen_resume(self) -> None:
        """Catch up with what changed meanwhile."""
        if self._stale and self.console.session is not None:
            self._stale = False
            self.look_again()

    def look_again(self) -> None:
        """Ask anew for what this screen shows."""

    def mask(self, *, masked: bool) -> None:
        """Draw the curtain over identities, or open it."""

    def keep_drafts(self) -> None:
        """Keep what is being written: the console locks or ends."""

    # What a screen does

    @property
    def _is_in_use(self) -> bool:
        """Whether it is still up, in a session that goes on."""
        return self.is_attached and self.console.session is not None

    def read(
        self,
        group: str,
        run: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[CrmError], None] | None = None,
    ) -> None:
        """Ask the store; the answer is dropped when this screen has gone meanwhile."""

        def still_here(value: T) -> None:
            if self._is_in_use:
                then(value)

        self.console.read(f"{group} {id(self)}", run, still_here, failed)

    def write(
        self,
        run: Callable[[], T],
        then: Callable[[T], None] | None = None,
        failed: Callable[[CrmError], None] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Change something in the store; it happens even when this screen has gone meanwhile."""

        def still_here(value: T) -> None:
            if then is not None and self._is_in_use:
                then(value)

        self.console.write(run, still_here, failed, ended)

    def flash(self, message: str, mood: Mood = "good", *, seconds: float = 4.0) -> None:
        """Say something in the footer for a moment."""
        self.query_one(CommandFooter).flash(message, mood, seconds=seconds)

    def context(self, text: str) -> None:
        """Say on the right of the alarm line where one is and who one is."""
        roomy = self.size.width >= ROOMY
        self.query_one(AlarmLine).show_context(f"{text} · {self.session.name}" if roomy else text)

    # Commands

    @override
    def why_not(self, command: Command) -> str | None:
        if command.permission and not self.desk.may(command.permission):
            return f"Your role does not {command.title.lower()}; a supervisor can."
        return None

    @override
    def refuse(self, command: Command, why: str) -> None:
        self.flash(why, "warning")

    @override
    async def action_command(self, command_id: str) -> None:
        if callable(getattr(self, f"do_{command_id}", None)):
            await super().action_command(command_id)
        else:
            await self.app.action_command(command_id)  # type: ignore[attr-defined]

    def on_alarm_line_opened(self) -> None:
        """A click on the alarm is `!`."""
        self.console.do_open_alarm()

    def on_ring_line_opened(self) -> None:
        """A click on what rings is `:ringing`."""
        self.console.do_ringing()

    def do_back(self) -> None:
        """Leave this layer; the lowest one stays."""
        self.console.leave(self)
