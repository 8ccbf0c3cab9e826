"""Find a patient by name, phone digits, record number or birth date, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from crm_tui.desk.patients import Found, PatientBrief, PatientDesk
from crm_tui.screens.showing import birth_date
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.dialog import Dialog
from crm_tui.widgets.line import Line
from crm_tui.widgets.queue_row import fit

if TYPE_CHECKING:
    from crm_tui.app import CrmApp

_PAUSE = 0.25
_LEAST = 2
_NAME = 26


class PatientSearch(Dialog[int]):
    """Answers the patient's number; each search is audited as one listing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next", show=False),
        Binding("up", "step(-1)", "Previous", show=False),
    ]
    DEFAULT_CSS = """
    PatientSearch {
        #dialog { width: 78; }
        #search-list {
            height: auto; max-height: 12; border: none; padding: 0; margin: 1 0 0 0; background: $surface;
            scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
        }
        #search-said { color: $quiet; margin-top: 1; }
    }
    """

    def __init__(self, desk: PatientDesk, *, title: str = "Find a patient") -> None:
        super().__init__(title, "↓ ↑ move · enter takes · esc back")
        self._desk = desk
        self._found: tuple[PatientBrief, ...] = ()
        self._rest: Timer | None = None

    def compose_question(self) -> ComposeResult:
        """The line to type in, what is found, and a hint."""
        yield Input(compact=True, placeholder="name, phone digits, record number, birth date", id="search-text")
        yield OptionList(id="search-list", markup=False)
        yield Line(plain("Type at least two letters or digits."), id="search-said")

    def on_mount(self) -> None:
        """Keys go to the line."""
        self._list.can_focus = False
        self.query_one(Input).focus()

    def action_step(self, by: int) -> None:
        if self._found:
            self._list.highlighted = ((self._list.highlighted or 0) + by) % len(self._found)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search once the hands rest a moment."""
        event.stop()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_PAUSE, self._search)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the highlighted one."""
        event.stop()
        at = self._list.highlighted
        if at is not None and at < len(self._found):
            self.dismiss(self._found[at].patient_id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click takes it."""
        event.stop()
        self.dismiss(self._found[event.option_index].patient_id)

    def _search(self) -> None:
        text = self.query_one(Input).value.strip()
        app = cast("CrmApp", self.app)
        if len(text) < _LEAST:
            app.drop("patient search")
            self._show(Found(patients=(), hint="Type at least two letters or digits."))
            return
        app.read("patient search", lambda: self._desk.find(text), self._show_if_here)

    def _show_if_here(self, found: Found) -> None:
        if self.is_attached:
            self._show(found)

    def _show(self, found: Found) -> None:
        self._found = found.patients
        self._list.clear_options()
        self._list.add_options([Option(_line(one)) for one in found.patients])
        self._list.highlighted = 0 if found.patients else None
        said = found.hint or (f"{len(found.patients)} found" if found.patients else "Nobody answers to this.")
        self.query_one("#search-said", Line).show(plain(said))

    @property
    def _list(self) -> OptionList:
        return self.query_one("#search-list", OptionList)


def _line(one: PatientBrief) -> Content:
    facts = (
        birth_date(one.birth_date, one.age).ljust(17),
        f"···{one.last_four}" if one.last_four else " " * 7,
        f"MRN {fit(one_line(one.mrn), 14).rstrip()}" if one.mrn else "",
        "DECEASED" if one.deceased else "" if one.active else "inactive",
    )
    return Content.assemble(
        plain(fit(one_line(one.name), _NAME)), "  ", plain("  ".join(fact for fact in facts if fact), "$quiet")
    )
