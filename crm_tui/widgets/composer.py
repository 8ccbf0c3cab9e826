"""Where a reply or a note is written, under a line that says to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from crm_tui.commands import bindings, command
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.footer import flash
from crm_tui.widgets.identity import Identity, IdentityBar, IdentityGuard
from crm_tui.widgets.line import Line

DRAFT_PAUSE = 1.0
"""Seconds without a keystroke after which the draft is to be kept."""


class Purpose(StrEnum):
    """What the text becomes."""

    REPLY = "reply"
    NOTE = "note"


class ComposerText(TextArea):
    """The text itself; keys pass only while the composer lets them."""

    def __init__(self) -> None:
        super().__init__(show_line_numbers=False, compact=True, highlight_cursor_line=False, id="composer-text")
        self.lets: Callable[[events.Key], bool] = lambda _: True
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        if not self.lets(event):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        if not self.lets(events.Key("paste", None)):
            event.prevent_default()
            return
        await super()._on_paste(event)


class Composer(Vertical):
    """The identity line, the text, and one line of help under it.

    `ctrl+s` posts `SendRequested`; nothing is sent by the widget. It refuses an empty text,
    masked identities, and keys that came before the identity was seen; a number that is
    shared or new needs a `y` first.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("send")
    DEFAULT_CSS = """
    Composer {
        height: auto;
        max-height: 60%;
        background: $surface;
        border-top: solid $border-blurred;
        #composer-text { height: auto; min-height: 4; max-height: 12; background: $surface; padding: 0 1; }
        #composer-hint { color: $quiet; padding: 0 1; }
        &:focus-within { border-top: solid $border; }
        &.-note {
            background: $internal;
            #composer-text { background: $internal; color: $internal-text; }
            #composer-hint { color: $internal-text; }
        }
        &.-asking #composer-hint { color: $warning; text-style: bold; }
    }
    """

    masked: reactive[bool] = reactive(False, init=False)
    """Whether the curtain is drawn; then nothing is sent."""

    @dataclass
    class SendRequested(Message):
        """The user wants this sent, or this note saved; `confirmed` when a `y` was asked for and given.

        `at` is the time it is to go, None for now.
        """

        composer: Composer
        conversation: int
        purpose: Purpose
        text: str
        template: str
        confirmed: bool
        at: datetime | None = None

        @property
        def control(self) -> Composer:
            return self.composer

    @dataclass
    class DraftChanged(Message):
        """The text rests for a second: keep it."""

        composer: Composer
        conversation: int
        purpose: Purpose
        text: str
        template: str

        @property
        def control(self) -> Composer:
            return self.composer

    def __init__(
        self,
        *,
        guard: IdentityGuard | None = None,
        measure: Callable[[str], str] = lambda text: f"{len(text)} characters",
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`measure` says in words how long a reply is, such as `2 texts, 31 left`."""
        super().__init__(id=id)
        self.guard = guard or IdentityGuard()
        self.measure = measure
        self.conversation = 0
        self.purpose = Purpose.REPLY
        self.identity: Identity | None = None
        self.template = ""
        self.then = ""
        self._kept = ""
        self._asking = False
        self._at: datetime | None = None
        self._resting: Timer | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        yield IdentityBar(id="composer-identity")
        yield ComposerText()
        yield Line(id="composer-hint")

    def on_mount(self) -> None:
        """Take the keys before the text does."""
        self._area.lets = self._lets

    # What a screen asks and tells

    @property
    def text(self) -> str:
        """What is written."""
        return self._area.text

    @property
    def has_unsent(self) -> bool:
        """Whether a reply is being written: `n d m x s` are to be refused meanwhile."""
        return self.display and self.purpose is Purpose.REPLY and bool(self.text.strip())

    def open(
        self,
        conversation: int,
        identity: Identity,
        *,
        purpose: Purpose = Purpose.REPLY,
        text: str = "",
        template: str = "",
    ) -> None:
        """Begin to write in a conversation, with its draft or a filled template as the text."""
        self._stop_resting()
        self.conversation, self.purpose, self.template = conversation, purpose, template
        self._asking = False
        self._kept = text
        self.set_class(purpose is Purpose.NOTE, "-note")
        self.display = True
        self._area.load_text(text)
        self._area.move_cursor(self._area.document.end)
        self.show_identity(identity)
        self._area.focus()
        self._hint()

    def show_identity(self, identity: Identity) -> None:
        """Show whom the text is for; another person than before closes the keys for a moment."""
        self.identity = identity
        bar = self.query_one(IdentityBar)
        bar.show_identity(identity, masked=self.masked)
        who = (self.conversation, identity.patient, identity.name, identity.number)
        if self.guard.changed(who):
            self.call_after_refresh(self.guard.painted, who)

    def insert_template(self, template: str, text: str) -> None:
        """Put a filled template in, before what is already written."""
        written = self.text.strip()
        self.template = template
        self._area.text = f"{text}\n\n{written}" if written else text
        self._area.move_cursor(self._area.document.end)
        self._area.focus()
        self._hint()

    def show_then(self, words: str) -> None:
        """Say what else the sending does, such as `closes as resolved`; nothing for an empty word."""
        self.then = words
        self._hint()

    def insert(self, text: str) -> None:
        """Put a text in at the cursor, on lines of its own where something stands there already."""
        before = self._area.get_text_range((0, 0), self._area.cursor_location)
        self._area.insert(f"\n{text}" if before and not before.endswith("\n") else text)
        self._area.focus()
        self._hint()

    def close(self) -> None:
        """Put the composer away and forget its text; a draft not yet kept is posted first."""
        if self.display:
            self._keep()
        self.forget()

    def forget(self) -> None:
        """Put the composer away without a word: what it held was sent, or the console locked."""
        self._stop_resting()
        self.display = False
        self._asking = False
        self.template = self.then = self._kept = ""
        self._area.load_text("")
        self._area.history.clear()

    # Keys

    def why_not_send(self) -> str | None:
        """Why nothing can be sent now, as one sentence, or None."""
        if self.identity is None or not self.display:
            return "Nothing is being written; press r to reply."
        if not self.text.strip():
            return "There is nothing to send yet."
        if not self.guard.is_open:
            return "The patient on the screen has just changed; look, then send again."
        if self.purpose is Purpose.REPLY and self.masked:
            return "Identities are masked; press f2 to see who this goes to, then send."
        return None

    def action_command(self, command_id: str) -> None:
        """`ctrl+s`; other commands are the screen's."""
        if command_id == command("send").id:
            self.request_send()

    def request_send(self, at: datetime | None = None) -> None:
        """Ask for what must be confirmed, else post `SendRequested`; `at` is when it is to go, None for now."""
        self._at = at
        why = self.why_not_send()
        if why is not None:
            flash(self, why, "warning")
            return
        assert self.identity is not None
        if self.purpose is Purpose.REPLY and self.identity.cautions:
            self._asking = True
            self._hint()
            return
        self._send(confirmed=False)

    def _lets(self, event: events.Key) -> bool:
        """Whether a key may do anything: none before the identity is seen, one answer to a question."""
        if not self.guard.is_open:
            return False
        if not self._asking:
            return True
        self._asking = False
        self._hint()
        if event.key == "y" and self.why_not_send() is None:
            self._send(confirmed=True)
        return False

    def _send(self, *, confirmed: bool) -> None:
        self._stop_resting()
        self._kept = self.text
        self.post_message(
            self.SendRequested(self, self.conversation, self.purpose, self.text, self.template, confirmed, self._at)
        )

    # Drafts and the hint

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Count anew, and keep the draft once the hands rest."""
        event.stop()
        self._hint()
        self._stop_resting()
        if self.display and self.text != self._kept:
            self._resting = self.set_timer(DRAFT_PAUSE, self._keep)

    def _keep(self) -> None:
        self._stop_resting()
        if self.text != self._kept:
            self._kept = self.text
            self.post_message(self.DraftChanged(self, self.conversation, self.purpose, self.text, self.template))

    def _stop_resting(self) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None

    def watch_masked(self) -> None:
        """Mask the identity, or show it."""
        if self.identity is not None and self.is_mounted:
            self.query_one(IdentityBar).show_identity(self.identity, masked=self.masked)

    def _hint(self) -> None:
        self.set_class(self._asking, "-asking")
        self.query_one("#composer-hint", Line).show(self._hint_text())

    def _hint_text(self) -> Content:
        if self._asking and self.identity is not None:
            cautions = " and ".join(self.identity.cautions)
            return plain(f"Number {cautions}. Press y to send it for {self.identity.name}, any other key stops.")
        if self.purpose is Purpose.NOTE:
            return plain("INTERNAL · no patient sees this · ctrl+s saves · esc leaves")
        parts = [self.measure(self.text), "ctrl+s sends", "f6 later", "esc leaves"]
        if self.template:
            parts.append(f"template {self.template}")
        if self.then:
            parts.remove("f6 later")
            parts.insert(0, f"then: {one_line(self.then)}")
        return plain(" · ".join(parts))

    @property
    def _area(self) -> ComposerText:
        return self.query_one(ComposerText)
