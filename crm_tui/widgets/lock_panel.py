"""The sign-in: all that a locked console shows besides the alarm count."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Center, Middle, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from crm_tui.terminal import plain
from crm_tui.widgets.alarm_line import AlarmLine, AlarmState
from crm_tui.widgets.line import Line, Now, utc_now


class LockPanel(Vertical):
    """A name, a password, one line that says how it went. The name is fixed where one is given."""

    DEFAULT_CSS = """
    LockPanel {
        height: 1fr;
        background: $background;
        #lock-box { width: 58; max-width: 100%; height: auto; }
        #lock-title { text-style: bold; height: auto; margin-bottom: 1; }
        Input { height: 1; padding: 0 1; margin-bottom: 1; background: $panel; }
        #lock-said { color: $quiet; }
        #lock-said.-refused { color: $warning; }
    }
    """

    @dataclass
    class SignIn(Message):
        """Someone wants in."""

        panel: LockPanel
        name: str
        password: str

        @property
        def control(self) -> LockPanel:
            return self.panel

    def __init__(self, *, title: str = "Locked", name: str = "", now: Now = utc_now) -> None:
        super().__init__()
        self._title = title
        self._name_given = name
        self._now = now

    def compose(self) -> ComposeResult:
        yield AlarmLine(count_only=True, now=self._now)
        with Middle(), Center(), Vertical(id="lock-box"):
            yield Static(plain(self._title), id="lock-title", markup=False)
            if self._name_given:
                yield Line(plain(self._name_given))
            else:
                yield Input(compact=True, placeholder="name", id="lock-name")
            yield Input(compact=True, placeholder="password", password=True, id="lock-password")
            yield Line(plain("enter signs in"), id="lock-said")

    def on_mount(self) -> None:
        """Keys go to the first thing that is missing."""
        self.query(Input).first().focus()

    def show_alarm(self, state: AlarmState) -> None:
        """Show how many alarms there are."""
        self.query_one(AlarmLine).show(state)

    def refuse(self, why: str) -> None:
        """Say why not, and let the password be typed again."""
        said = self.query_one("#lock-said", Line)
        said.add_class("-refused")
        said.show(plain(why))
        password = self.query_one("#lock-password", Input)
        password.disabled = False
        password.value = ""
        password.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes from the name to the password, and from there in."""
        event.stop()
        password = self.query_one("#lock-password", Input)
        if event.input is not password:
            password.focus()
            return
        name = self._name_given or self.query_one("#lock-name", Input).value.strip()
        if not name or not password.value:
            return
        given, password.value = password.value, ""
        password.disabled = True
        said = self.query_one("#lock-said", Line)
        said.remove_class("-refused")
        said.show(plain("…"))
        self.post_message(self.SignIn(self, name, given))
