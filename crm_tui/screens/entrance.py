"""The door: signing in, and the cover over a locked console. Nothing else is on it but a count of alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.screen import Screen

from crm_tui.desk.entrance import CrmError, Doorway
from crm_tui.widgets.alarm_line import AlarmState
from crm_tui.widgets.lock_panel import LockPanel
from crm_tui.widgets.ring_line import RingLine

if TYPE_CHECKING:
    from crm_tui.app import CrmApp


class EntranceScreen(Screen[None]):
    """Asks for the password of the account at hand; without a known account for its name, too.

    `unlocks` is a console that somebody locked: then only that person comes in.
    """

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    EntranceScreen RingLine { dock: bottom; }
    """

    def __init__(self, doorway: Doorway | None, *, title: str, said: str = "", unlocks: bool = False) -> None:
        super().__init__()
        self.doorway = doorway
        self.unlocks = unlocks
        self._title_text = title
        self._said = said

    @property
    def console(self) -> CrmApp:
        """The app, by its own type."""
        return cast("CrmApp", self.app)

    def compose(self) -> ComposeResult:
        """The panel alone; under it how many telephones ring, while a console is locked."""
        yield RingLine()
        yield LockPanel(
            title=self._title_text,
            name=self.doorway.name if self.doorway is not None else "",
            asks_password=self.doorway is None or self.doorway.needs_password,
            said=self._said,
            now=self.console.now,
        )

    def on_mount(self) -> None:
        """Show how many alarms there are."""
        self.show_alarm(self.console.alarm)
        self.show_callers()

    def show_alarm(self, state: AlarmState) -> None:
        """The count and nothing else; the app rings."""
        self.query_one(LockPanel).show_alarm(state)

    def show_callers(self) -> None:
        """The count and nothing else."""
        self.query_one(RingLine).show_callers(self.console.callers, masked=True)

    def on_lock_panel_sign_in(self, event: LockPanel.SignIn) -> None:
        """Try it, off the loop: a password is slow to check on purpose."""
        event.stop()
        login = self.doorway.login if self.doorway is not None else event.name
        self.console.come_in(self, login, event.password or None)

    def refuse(self, error: CrmError) -> None:
        """Say why not."""
        if self.is_attached:
            self.query_one(LockPanel).refuse(error.message)
