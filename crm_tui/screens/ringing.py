"""Whom it may be that calls: a panel over whatever is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from crm_tui.commands import bindings
from crm_tui.desk.patients import PatientBrief
from crm_tui.desk.ringing import RingCard
from crm_tui.screens.showing import birth_date
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.dialog import Dialog
from crm_tui.widgets.queue_row import fit

_NAME = 30


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What is to be done: see the record, or log the call. Without a patient the caller is looked for, or unknown."""

    ring_id: int
    patient_id: int | None
    logs: bool


class RingPanel(Dialog[Answered]):
    """Every call that rings, each with everybody who uses its number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("down", "up"),
        Binding("p", "log", "Log the call", show=False),
    ]
    DEFAULT_CSS = """
    RingPanel {
        #dialog { width: 78; }
        #ring-list {
            height: auto; max-height: 14; border: none; padding: 0; margin: 1 0 0 0; background: $surface;
            scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
        }
    }
    """

    def __init__(self, cards: tuple[RingCard, ...]) -> None:
        super().__init__("Ringing", "enter opens the record · p logs the call · esc back")
        self._cards = cards
        self._rows: list[tuple[int, int | None]] = []

    def compose_question(self) -> ComposeResult:
        """The calls, the longest first."""
        yield OptionList(id="ring-list", markup=False)

    def on_mount(self) -> None:
        """Stand on the first of them."""
        found = self._list
        for card in self._cards:
            found.add_option(Option(plain(_call(card), "bold $primary"), disabled=True))
            rows: list[PatientBrief | None] = [*card.candidates] or [None]
            for one in rows:
                found.add_option(Option(_candidate(one, len(card.candidates)), id=str(len(self._rows))))
                self._rows.append((card.ring.ring_id, one.patient_id if one is not None else None))
        found.focus()
        found.action_first()

    def action_cursor_down(self) -> None:
        self._list.action_cursor_down()

    def action_cursor_up(self) -> None:
        self._list.action_cursor_up()

    def action_log(self) -> None:
        self._answer(self._list.highlighted_option, logs=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click, opens the record."""
        event.stop()
        self._answer(event.option, logs=False)

    def _answer(self, option: Option | None, *, logs: bool) -> None:
        if option is not None and option.id is not None:
            ring_id, patient_id = self._rows[int(option.id)]
            self.dismiss(Answered(ring_id=ring_id, patient_id=patient_id, logs=logs))

    @property
    def _list(self) -> OptionList:
        return self.query_one("#ring-list", OptionList)


def _call(card: RingCard) -> str:
    number = one_line(card.number) if card.number else "Number withheld"
    return " · ".join(part for part in (number, one_line(card.ring.line)) if part)


def _candidate(one: PatientBrief | None, sharing: int) -> Content:
    if one is None:
        return plain("  Not known: enter looks for the patient, p begins a conversation", "$quiet")
    facts = (
        birth_date(one.birth_date, one.age).ljust(17),
        f"shared by {sharing}" if sharing > 1 else "",
        "DECEASED" if one.deceased else "" if one.active else "inactive",
    )
    name = plain(f"  {fit(one_line(one.name), _NAME)}")
    return Content.assemble(name, "  ", plain("  ".join(fact for fact in facts if fact), "$quiet"))
