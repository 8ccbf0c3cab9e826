"""Mode 6: the library of answers, what each template says, and its way from a draft to the patient."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from crm_tui.commands import Command, Group, bindings
from crm_tui.desk.lanes import Topic
from crm_tui.desk.library import (
    LibraryDesk,
    Place,
    Shelf,
    ShelfRow,
    TemplateState,
    TemplateView,
    as_file,
    blank_file,
    differences,
)
from crm_tui.screens.ask_text import AskText
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.template_editor import TemplateEditor
from crm_tui.screens.template_text import difference_text, state_word, template_text
from crm_tui.terminal import plain
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.line import Line
from crm_tui.widgets.panels import Reading, TextPanel
from crm_tui.widgets.template_list import TemplateList, TemplateRow

_WAITS = (TemplateState.DRAFT, TemplateState.IN_REVIEW)
_SHOWN = ("all", "waiting for approval", "to be read again")
_LANGUAGE = 2
"""Letters of a language: what is shorter or longer is no language."""


class LibraryScreen(ConsoleScreen):
    """The list and the text of what the cursor is on; where there is room for one alone, tab goes round."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "library.tcss"]
    MODE = "mode_library"
    WATCHES = frozenset({Topic.LIBRARY, Topic.PLAYBOOK})
    FOOTER = (
        "library_edit", "library_submit", "library_approve", "back", "library_new", "library_back", "help", "filter",
        "library_states", "library_diff", "open", "library_retire",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        "filter", "previous_record", "next_record", "library_edit", "library_new", "library_submit", "library_approve",
        "library_back", "library_retire", "library_diff", "library_states",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._shelf: Shelf | None = None
        self._rows: dict[str, ShelfRow] = {}
        self._states = 0
        self._version = 0
        """Which version is read, counted from the newest."""

    def compose_body(self) -> ComposeResult:
        """How many, the list, and the text."""
        yield Line(id="library-head")
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield FilterLine("filter: words of name, key, category, state, language")
                yield TemplateList(id="templates")
            with Reading(id="reading"):
                yield Static(id="template-text", markup=False)

    def on_mount(self) -> None:
        """Ask for the shelf."""
        self.context("Library")
        self._list.focus()
        self.look_again()

    @property
    def _list(self) -> TemplateList:
        return self.query_one(TemplateList)

    @property
    def _library(self) -> LibraryDesk:
        return self.session.library

    @property
    def row(self) -> ShelfRow | None:
        """What the cursor is on."""
        return self._rows.get(self._list.row_id or "")

    @property
    def view(self) -> TemplateView | None:
        """The version that is read."""
        row = self.row
        return row.versions[min(self._version, len(row.versions) - 1)] if row is not None else None

    # Asking and showing

    def look_again(self) -> None:
        """Ask for all of it anew; the cursor stays on its row."""
        self.read("shelf", self._library.shelf, self._show_shelf)

    def _show_shelf(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._rows = {_row_id(row.place): row for row in shelf.rows}
        self._show_rows()

    def _show_rows(self) -> None:
        shelf = self._shelf
        if shelf is None:
            return
        words = self.query_one(FilterLine).text.casefold().split()
        found = [
            row for row in shelf.rows if self._wanted(row, shelf) and _holds(row, state_word(row, shelf.today), words)
        ]
        self._list.show_rows([_template_row(row, shelf) for row in found])
        if words:
            self.query_one(FilterLine).show_count(len(found), len(shelf.rows))
        waiting = sum(row.newest.state in _WAITS for row in shelf.rows)
        due = sum(bool(row.review(shelf.today)) for row in shelf.rows)
        self.query_one("#library-head", Line).show(
            Content.assemble(
                (f"Library: {_SHOWN[self._states]}", "bold"),
                f" · {len(found)} of {len(shelf.rows)} · {waiting} waiting · ",
                plain(f"{due} to be read again", "$warning") if due else plain("none to be read again", "$quiet"),
            )
        )
        self._show_text()

    def _wanted(self, row: ShelfRow, shelf: Shelf) -> bool:
        if self._states == 0:
            return True
        return row.newest.state in _WAITS if self._states == 1 else bool(row.review(shelf.today))

    def _show_text(self) -> None:
        row, view, shelf = self.row, self.view, self._shelf
        shown = self.query_one("#template-text", Static)
        if row is None or view is None or shelf is None:
            shown.update(plain("No template answers to this.", "$quiet"))
            return
        findings = self._library.examine(row.place, as_file(view), shelf).findings
        names = dict(self.session.choices.staff)
        zone = self.session.choices.zone
        shown.update(template_text(row, view, findings, names, today=shelf.today, zone=zone))

    def on_template_list_shown(self, event: TemplateList.Shown) -> None:
        """Read the newest version of what the cursor is on now."""
        event.stop()
        self._version = 0
        self._show_text()
        self.query_one(Reading).scroll_home(animate=False)

    def on_template_list_opened(self, event: TemplateList.Opened) -> None:
        """On to its text."""
        event.stop()
        self._go_to(Reading)

    def do_previous_record(self) -> None:
        """Read the version before."""
        self._step_version(1)

    def do_next_record(self) -> None:
        """Read the version after."""
        self._step_version(-1)

    def _step_version(self, by: int) -> None:
        row = self.row
        if row is None:
            return
        wanted = self._version + by
        if wanted not in range(len(row.versions)):
            self.flash("There is no other version on that side.", "warning")
            return
        self._version = wanted
        self._show_text()

    # Filter and panes

    def do_filter(self) -> None:
        """Type a filter."""
        self._go_to(TemplateList)
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Show what answers to it."""
        event.stop()
        if not event.text:
            event.filter_line.show_count(0, 0)
        self._show_rows()

    def on_filter_line_left(self) -> None:
        """Back to the rows."""
        self._list.focus()

    def do_library_states(self) -> None:
        """Show all, what waits for approval, what must be read again, in turn."""
        self._states = (self._states + 1) % len(_SHOWN)
        self._show_rows()

    @override
    def focus_next(self, selector: object = "*") -> Widget | None:
        return self._go_to(Reading if isinstance(self.focused, TemplateList) else TemplateList)

    @override
    def focus_previous(self, selector: object = "*") -> Widget | None:
        return self.focus_next()

    def _go_to(self, kind: type[Widget]) -> Widget:
        self.set_class(kind is Reading, "-reading")
        pane = self.query_one(kind)
        pane.focus()
        return pane

    def do_back(self) -> None:
        """Back to the list, then out of a filter, then to the lanes."""
        if isinstance(self.focused, Reading):
            self._go_to(TemplateList)
        elif self.query_one(FilterLine).text:
            self.query_one(FilterLine).action_clear()
        else:
            super().do_back()

    # What is done to a template

    @override
    def why_not(self, command: Command) -> str | None:
        if command.group is not Group.LIBRARY:
            return super().why_not(command)
        refused = self._library.why_not(command.permission)
        if refused is not None or command.id in ("library_new", "library_states"):
            return refused
        row = self.row
        if row is None:
            return "No template is under the cursor."
        return self._not_in_this_state(command.id, row)

    def _not_in_this_state(self, command_id: str, row: ShelfRow) -> str | None:
        newest, state = row.newest, row.newest.state
        called = f"Version {newest.number} is {state.value.replace('_', ' ')}"
        if command_id == "library_submit" and state is not TemplateState.DRAFT:
            return f"{called}; only a draft is submitted."
        if command_id == "library_back" and state is not TemplateState.IN_REVIEW:
            return f"{called}; only what is in review is sent back."
        if command_id == "library_approve" and state is TemplateState.RETIRED:
            return f"{called}; e writes a new one."
        if command_id == "library_approve" and newest.author_id == self.session.staff_id:
            return f"Version {newest.number} is your own; another approver must approve it."
        return None

    def do_library_edit(self) -> None:
        """Write its next version."""
        row = self.row
        if row is not None:
            self._open_editor(row.place, as_file(row.newest).rstrip("\n"), above=row.newest.number)

    def do_library_new(self) -> None:
        """Ask for a key, and a language where it is another than English."""

        def named(answer: str | None) -> None:
            key, _, language = (answer or "").partition(" ")
            if not key:
                return
            place = (key, language.strip() or "en")
            if len(place[1]) != _LANGUAGE or not key.isidentifier() or not key.islower():
                self.flash("A key is small letters and underscores; a language two letters.", "warning")
            elif _row_id(place) in self._rows:
                self._list.select_row(_row_id(place))
                self.flash("It is there already; e writes its next version.", "warning")
            else:
                self._open_editor(place, self._begun(place), above=None)

        self.app.push_screen(
            AskText("Key of the new template, and its language", "refill_delayed, or refill_done es"), named
        )

    def _begun(self, place: Place) -> str:
        """What a new one starts from: the English one where that is there."""
        english = self._rows.get(_row_id((place[0], "en")))
        if english is None:
            return blank_file(*place)
        return as_file(english.newest).rstrip("\n").replace('\nlanguage = "en"\n', f'\nlanguage = "{place[1]}"\n', 1)

    def _open_editor(self, place: Place, text: str, *, above: int | None) -> None:
        if self._shelf is not None:
            self.app.push_screen(TemplateEditor(place, text, self._shelf, above=above))

    def do_library_submit(self) -> None:
        """Put the newest draft up for review."""
        self._do("submitted: an approver reads it next", lambda row: self._library.submit(row.place))

    def do_library_approve(self) -> None:
        """Approve the newest version, after asking."""
        row = self.row
        if row is None:
            return
        number = row.newest.number
        if self._version:
            self._version = 0
            self._show_text()
            self.flash(f"This is version {number}, the newest; y approves it.", "warning")
            return
        before = row.in_force
        retired = f" Version {before.number} is retired." if before is not None and before.number != number else ""
        self._ask(
            "Approve it?",
            f"Version {number} of {row.place[0]} ({row.place[1]}) may be sent from now on, under your name.{retired}",
            "approved",
            lambda found: self._library.approve(found.place, number),
        )

    def do_library_back(self) -> None:
        """Ask what the author should change."""
        row = self.row
        if row is None:
            return
        number = row.newest.number

        def said(remark: str | None) -> None:
            if remark:
                self._do("sent back", lambda found: self._library.send_back(found.place, number, remark), row)

        self.app.push_screen(AskText("What should its author change?", "a sentence for its author"), said)

    def do_library_retire(self) -> None:
        """Take it out of use, after asking."""
        row = self.row
        if row is not None:
            self._ask(
                "Retire it?",
                f"{row.place[0]} ({row.place[1]}) is sent no more; a new version brings it back.",
                "retired",
                lambda found: self._library.retire(found.place),
            )

    def do_library_diff(self) -> None:
        """Show what the version that is read changed."""
        row, view = self.row, self.view
        if row is None or view is None:
            return
        before = next((one for one in row.versions if one.number < view.number), None)
        if before is None:
            self.flash("This is its first version.", "warning")
            return
        title = f"{view.key} ({view.language}): version {before.number} to {view.number}"
        self.app.push_screen(TextPanel(title, difference_text(differences(before, view))))

    def _ask(self, title: str, text: str, done: str, run: Callable[[ShelfRow], None]) -> None:
        row = self.row

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(done, run, row)

        self.app.push_screen(Confirm(title, text), answered)

    def _do(self, done: str, run: Callable[[ShelfRow], None], row: ShelfRow | None = None) -> None:
        found = row or self.row
        if found is None:
            return

        def then(_: None) -> None:
            self.flash(f"{found.place[0]} ({found.place[1]}) {done}")
            self.look_again()

        self.write(lambda: run(found), then)


def _row_id(place: Place) -> str:
    return f"{place[0]} {place[1]}"


def _template_row(row: ShelfRow, shelf: Shelf) -> TemplateRow:
    newest = row.newest
    state = state_word(row, shelf.today)
    return TemplateRow(id=_row_id(row.place), state=state, title=newest.title, language=newest.language, sent=row.sent)


def _holds(row: ShelfRow, state: str, words: list[str]) -> bool:
    """Whether each word begins a word of what is known of the row."""
    newest = row.newest
    told = (newest.title, newest.key, newest.key.replace("_", " "), *newest.categories, state, newest.language)
    held = " ".join(told).casefold().split()
    return all(any(one.startswith(word) for one in held) for word in words)
