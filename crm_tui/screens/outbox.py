"""What did not go: of what nobody knows the fate, what was given up, what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType
from typing_extensions import override

from crm_tui.commands import bindings
from crm_tui.desk.lanes import CrmError, Topic
from crm_tui.desk.outbox import NotGone, OutboxDesk, OutboxRow
from crm_tui.screens.list_screen import ListScreen
from crm_tui.screens.outbox_rows import UNKNOWN, message_of, name_of, reasons_of, rows_of, timer_of
from crm_tui.terminal import plain
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.line import Line
from crm_tui.widgets.page_cache import PAGE
from crm_tui.widgets.panels import WhyPanel
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow
from crm_tui.widgets.undelivered_list import UndeliveredList


class OutboxScreen(ListScreen):
    """One row is dealt with at a time: each wants to be looked into."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "outbox.tcss"]
    LIST = "outbox"
    NAME = "Outbox"
    EMPTY = "Nothing waits for a person here: what was to go has gone."
    WATCHES = frozenset({Topic.OUTBOX, Topic.POLLERS})
    FOOTER = ("was_sent", "was_not_sent", "try_again", "open", "why", "back", "help")
    BINDINGS: ClassVar[list[BindingType]] = bindings("was_sent", "was_not_sent", "try_again", "why")

    @property
    def _outbox(self) -> OutboxDesk:
        return self.session.outbox

    @override
    def compose_body(self) -> ComposeResult:
        yield Line(id=f"{self.LIST}-head")
        yield UndeliveredList(now=self.console.now, empty=self.EMPTY, id=self.LIST)

    # Asking

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        """Fetch what there is; it is one list, whatever page of it is shown."""
        event.stop()
        listed, zone = event.queue, self.session.choices.zone

        def provide(found: NotGone) -> None:
            rows = rows_of(found, zone)
            listed.provide_page(event.generation, event.index, rows[event.index : event.index + PAGE], len(rows))
            self._show_head(found)

        def failed(error: CrmError) -> None:
            listed.page_failed(event.generation, event.index)
            self.console.told(error)

        self.read(f"page {event.index}", self._outbox.not_gone, provide, failed)

    def _show_head(self, found: NotGone) -> None:
        messages = found.messages
        unknown = len(messages.unknown)
        parts = [
            plain(f"{unknown} unknown", "bold $due-late" if unknown else "$quiet"),
            plain(f"{len(messages.given_up) + len(found.timers)} given up"),
            plain(f"{len(messages.refused)} refused in 7 days"),
        ]
        self.query_one("#outbox-head", Line).show(Content(" · ").join(parts))

    # Looking into one

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """Open the conversation that it was to go in; where there is none, say all that is known."""
        event.stop()
        message = message_of(event.row) if event.row is not None else None
        if message is not None and message.conversation_id is not None:
            self.console.open_conversation(message.conversation_id)
        else:
            self.do_why()

    def do_why(self) -> None:
        """Every reason in order: what the contact rules saw, then what became of it."""
        row = self._row()
        if row is not None:
            self.app.push_screen(WhyPanel(name_of(row), reasons_of(row, self.session.choices.zone)))

    # Dealing with one

    def do_was_sent(self) -> None:
        """Settle an unknown message as sent."""
        self._settle("It was sent", "Whoever says so has asked the provider, or the patient.", sent=True)

    def do_was_not_sent(self) -> None:
        """Settle an unknown message as not sent: it goes at once."""
        self._settle(
            "It was not sent", "It is sent again at once. If it was sent, the patient has it twice.", sent=False
        )

    def _settle(self, words: str, told: str, *, sent: bool) -> None:
        row = self._row()
        if row is None:
            return
        message = message_of(row)
        if message is None or row.state != UNKNOWN:
            self.flash("Only what is UNKNOWN is settled so; R tries this one again.", "warning")
            return
        number = message.id
        said = "Settled as sent" if sent else "Queued again"
        self._confirm(f"{name_of(row)}: {words.lower()}?", told, said, lambda: self._outbox.found(number, sent=sent))

    def do_try_again(self) -> None:
        """Try what was given up or refused once more."""
        row = self._row()
        if row is None:
            return
        timer, message = timer_of(row), message_of(row)
        if timer is not None:
            number = timer.id
            told = "It runs at once, by whichever poller comes first."
            self._confirm(f"{name_of(row)}: run again?", told, "Runs again", lambda: self._outbox.run_again(number))
        elif message is not None and row.state != UNKNOWN:
            self._send_again(row, message)
        else:
            self.flash("Nobody knows whether it went: Y says that it was sent, X that it was not.", "warning")

    def _send_again(self, row: QueueRow, message: OutboxRow) -> None:
        told = "It is sent at once, if the contact rules still let it go."
        title = f"{name_of(row)}: try again?"
        self._confirm(title, told, "Queued again", lambda: self._outbox.try_again(message.id))

    def _confirm(self, title: str, told: str, said: str, act: Callable[[], None]) -> None:
        def done(_: None) -> None:
            self.flash(said)
            self.look_again()

        def answered(yes: bool | None) -> None:
            if yes:
                self.write(act, done)

        self.app.push_screen(Confirm(title, told), answered)

    def _row(self) -> QueueRow | None:
        row = self.listed.row
        if row is None:
            self.flash("Nothing is under the cursor.", "warning")
        return row
