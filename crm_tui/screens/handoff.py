"""Handing a shift over: what is mine, whom I give it to, and what a colleague gives me."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.types import CSSPathType

from crm_tui.commands import bindings
from crm_tui.desk.handoff import ColleagueView, HandoffDesk, Listed
from crm_tui.desk.lanes import CrmError, Topic
from crm_tui.screens.handoff_rows import Kind, kind_of, mine_of, rows_of, words_of
from crm_tui.screens.list_screen import ListScreen
from crm_tui.screens.picking_people import people
from crm_tui.screens.showing import conversation_name
from crm_tui.terminal import plain
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.line import Line
from crm_tui.widgets.page_cache import PAGE
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow

_ANSWERS = (
    Pick(id="accept", name="Accept it", hint="it is yours from now on"),
    Pick(id="decline", name="Decline it", hint="say why", needs_text=True),
    Pick(id="open", name="Read it first"),
)
_HINT = "type to narrow · enter takes · esc back"
_OFFERED = (
    Pick(id="open", name="Open it"),
    Pick(id="withdraw", name="Withdraw the offer", hint="you keep it"),
)


class HandoffScreen(ListScreen):
    """Marks choose what is given; each is accepted by itself."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "handoff.tcss"]
    LIST = "handoff"
    NAME = "Handoff"
    EMPTY = "You own nothing, and nothing is handed to you."
    WATCHES = frozenset({Topic.HANDOVER, Topic.INBOX})
    FOOTER = ("hand_to", "open", "claim", "mark", "back", "help")
    BINDINGS: ClassVar[list[BindingType]] = bindings("hand_to", "claim")

    @property
    def _handoff(self) -> HandoffDesk:
        return self.session.handoff

    # Asking

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        """Fetch what there is; one person's work is one listing, whatever page of it is shown."""
        event.stop()
        shown = event.queue

        def provide(listed: Listed) -> None:
            rows = rows_of(listed)
            shown.provide_page(event.generation, event.index, rows[event.index : event.index + PAGE], len(rows))
            self._show_head(listed)

        def failed(error: CrmError) -> None:
            shown.page_failed(event.generation, event.index)
            self.console.told(error)

        self.read(f"page {event.index}", self._handoff.listed, provide, failed)

    def _show_head(self, listed: Listed) -> None:
        loose = sum(one.unfinished for one in listed.mine)
        unfinished = plain(f"{loose} without a next step", "bold $due-late") if loose else plain("all with a next step")
        parts = [plain(f"{len(listed.mine)} yours", "bold"), unfinished]
        if listed.handed:
            parts.insert(0, plain(f"{len(listed.handed)} handed to you", "bold $warning"))
        if listed.raised:
            parts.append(plain(f"{len(listed.raised)} escalated"))
        self.query_one("#handoff-head", Line).show(Content(" · ").join(parts))

    # Answering, opening

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """What is handed to me is answered, what I offer may be taken back, the rest is opened."""
        event.stop()
        row = event.row
        if row is None:
            return
        mine = mine_of(row)
        if kind_of(row) is Kind.HANDED:
            words = "" if self.console.masked else words_of(row)
            self._ask(
                f"{conversation_name(row.id)} is handed to you",
                _ANSWERS,
                lambda picked: self._answer(row, picked),
                hint=f"“{words}” · {_HINT}" if words else _HINT,
            )
        elif mine is not None and mine.offered_to:
            title = f"{conversation_name(row.id)} is on offer to {mine.offered_to}"
            self._ask(title, _OFFERED, lambda picked: self._answer(row, picked))
        else:
            self.console.open_conversation(row.id)

    def _answer(self, row: QueueRow, picked: Picked) -> None:
        number, desk = row.id, self._handoff
        if picked.id == "open":
            self.console.open_conversation(number)
        elif picked.id == "accept":
            self._do("Yours now", [number], desk.accept)
        elif picked.id == "decline":
            self._do("Declined", [number], lambda one: desk.decline(one, picked.text))
        else:
            self._do("Withdrawn; you keep it", [number], desk.withdraw)

    def do_claim(self) -> None:
        """Accept what is under the cursor: item by item, never the marked together."""
        row = self.listed.row
        if row is None or kind_of(row) is not Kind.HANDED:
            self.flash("Only what is handed to you is accepted; h gives yours to a colleague.", "warning")
            return
        self._do("Yours now", [row.id], self._handoff.accept)

    # Giving

    def do_hand_to(self) -> None:
        """Ask who is to have the marked, or the one under the cursor, with a word about them."""
        rows = [row for row in self.listed.acted_on if mine_of(row) is not None]
        if not rows:
            self.flash("Only what is yours is handed over; space marks several.", "warning")
            return
        lanes = frozenset(row.state for row in rows)
        self.read("colleagues", lambda: self._handoff.colleagues(lanes), lambda found: self._ask_who(rows, found))

    def _ask_who(self, rows: Sequence[QueueRow], found: Sequence[ColleagueView]) -> None:
        numbers = [row.id for row in rows]
        about = conversation_name(numbers[0]) if len(numbers) == 1 else f"{len(numbers)} conversations"
        picks = people(found, self.session.choices.zone, but=self.session.staff_id, must_be_here=True)

        def give(picked: Picked) -> None:
            to, words, desk = int(picked.id), picked.text or None, self._handoff
            self._do("Offered; yours until accepted", numbers, lambda one: desk.offer(one, to, words))

        self._ask(f"Hand {about} to", picks, give, text_label="what they should know, or nothing")

    # How it is asked and done

    def _ask(
        self,
        title: str,
        picks: Sequence[Pick],
        then: Callable[[Picked], None],
        *,
        text_label: str = "",
        hint: str = _HINT,
    ) -> None:
        def answered(picked: Picked | None) -> None:
            if picked is not None:
                then(picked)

        self.app.push_screen(Choice(title, picks, text_label=text_label, hint=hint), answered)

    def _do(self, words: str, numbers: Sequence[int], act: Callable[[int], object]) -> None:
        """Do it to each; what is refused stops no other and is told."""

        def each() -> list[str]:
            refused = []
            for number in numbers:
                try:
                    act(number)
                except CrmError as error:
                    refused.append(error.message)
            return refused

        def done(refused: list[str]) -> None:
            count = len(numbers) - len(refused)
            if count:
                self.flash(words if len(numbers) == 1 else f"{words} · {count} of {len(numbers)}")
            for said in refused[:1]:
                self.notify(said, title="Refused", severity="warning")
            self.listed.clear_marks()
            self.look_again()

        self.write(each, done)
