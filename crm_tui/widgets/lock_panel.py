"""The sign-in: all that a locked console shows besides the alarm count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from crm_tui.terminal import plain
from crm_tui.widgets.alarm_line import AlarmLine, AlarmState
from crm_tui.widgets.line import Line, Now, utc_now


class LockPanel(Vertical, can_focus=True):
    """A name, a password, one line that says how it went. The name is fixed where one is given.

    Without `asks_password` enter alone signs in, and the panel says what that means.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enter", "Sign in", show=False)]
    DEFAULT_CSS = """
    LockPanel {
        height: 1fr;
        background: $background;
        #lock-box { width: 62; max-width: 100%; height: auto; }
        #lock-title { text-style: bold; height: auto; margin-bottom: 1; }
        #lock-who { margin-bottom: 1; }
        Input { height: 1; padding: 0 1; margin-bottom: 1; background: $panel; }
        #lock-said { color: $quiet; height: auto; text-wrap: wrap; text-overflow: fold; }
        #lock-said.-refused { color: $warning; }
    }
    """

    @dataclass
    class SignIn(Message):
        """Someone wants in; the password is empty where none is asked for."""

        panel: LockPanel
        name: str
        password: str

        @property
        def control(self) -> LockPanel:
            return self.panel

    def __init__(
        self, *, title: str = "Locked", name: str = "", asks_password: bool = True, said: str = "", now: Now = utc_now
    ) -> None:
        super().__init__()
        self._title = title
        self._name_given = name
        self._asks_password = asks_password
        self._said = said
        self._now = now
        self._asked = False

    def compose(self) -> ComposeResult:
        yield AlarmLine(count_only=True, now=self._now)
        with Middle(), Center(), Vertical(id="lock-box"):
            yield Static(plain(self._title), id="lock-title", markup=False)
            if self._name_given:
                yield Line(plain(self._name_given), id="lock-who")
            else:
                yield Input(compact=True, placeholder="name", id="lock-name")
            if self._asks_password:
                yield Input(compact=True, placeholder="password", password=True, id="lock-password")
            yield Line(plain(self._hint), id="lock-said")

    @property
    def _hint(self) -> str:
        if self._said:
            return self._said
        if self._asks_password:
            return "enter signs in"
        return "enter signs in · this account has no password, so anyone at this keyboard can; `crm staff password`"

    def on_mount(self) -> None:
        """Keys go to the first thing that is missing."""
        fields = list(self.query(Input))
        (fields[0] if fields else self).focus()

    def show_alarm(self, state: AlarmState) -> None:
        """Show how many alarms there are; nothing rings here."""
        line = self.query_one(AlarmLine)
        line.state = state
        line.tick()

    def refuse(self, why: str) -> None:
        """Say why not, and let the password be typed again."""
        self._asked = False
        self._say(why, refused=True)
        for password in self.query("#lock-password").results(Input):
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
        self._ask(name, given)

    def action_enter(self) -> None:
        """Sign in where no password is asked for."""
        if not self._asks_password and not self._asked:
            self._ask(self._name_given, "")

    def _ask(self, name: str, password: str) -> None:
        self._asked = True
        self._say("…", refused=False)
        self.post_message(self.SignIn(self, name, password))

    def _say(self, text: str, *, refused: bool) -> None:
        said = self.query_one("#lock-said", Line)
        said.set_class(refused, "-refused")
        said.show(plain(text))
