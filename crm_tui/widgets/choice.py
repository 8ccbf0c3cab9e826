"""Pick one of a few, by typing parts of its name, with a line of words where one is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.dialog import Dialog
from crm_tui.widgets.picking import ranked
from crm_tui.widgets.queue_row import fit

_MOST_NAME = 34


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One thing to pick; `hint` says more on its line, `refused` why it cannot be picked.

    `needs_text` asks for words with this pick, whatever the dialog asks of others.
    """

    id: str
    name: str
    hint: str = ""
    refused: str = ""
    needs_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Picked:
    """The answer: which one, and what was written with it."""

    id: str
    text: str = ""


class Choice(Dialog[Picked]):
    """Lane, reason, outcome, person, time: type a few letters, enter takes the highlighted one.

    Where `text_label` is given, enter goes on to a line of words; `text_needed` refuses an
    empty one. `free` lets what was typed itself be the answer (`Picked(id="", text=…)`) when
    nothing answers to it, as for a time to snooze until.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next", show=False),
        Binding("up", "step(-1)", "Previous", show=False),
    ]
    DEFAULT_CSS = """
    Choice {
        #choice-list {
            height: auto; max-height: 12; border: none; padding: 0; margin: 1 0 0 0; background: $surface;
            scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
            & > .option-list--option-highlighted {
                color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
            }
        }
        #choice-text-label { color: $quiet; margin-top: 1; display: none; }
        #choice-text { display: none; }
        #choice-said { color: $warning; height: auto; display: none; }
        .-shown { display: block !important; }
    }
    """

    def __init__(
        self,
        title: str,
        picks: Sequence[Pick],
        *,
        text_label: str = "",
        text_needed: bool = False,
        free: bool = False,
        hint: str = "type to narrow · enter takes · esc back",
    ) -> None:
        super().__init__(title, hint)
        self._picks = tuple(picks)
        self._found = list(self._picks)
        self._text_label = text_label
        self._text_needed = text_needed
        self._free = free
        self._chosen: Pick | None = None

    def compose_question(self) -> ComposeResult:
        """Filter, list, and the line of words that appears when it is wanted."""
        yield Input(compact=True, placeholder="type a few letters", id="choice-filter")
        yield OptionList(id="choice-list", markup=False)
        yield Static(id="choice-text-label", markup=False)
        yield Input(compact=True, id="choice-text")
        yield Static(id="choice-said", markup=False)

    def on_mount(self) -> None:
        """Keys go to the filter; the list follows them."""
        self._list.can_focus = False
        self._fill("")
        self.query_one("#choice-filter", Input).focus()

    @property
    def highlighted(self) -> Pick | None:
        """The pick that enter would take."""
        at = self._list.highlighted
        return self._found[at] if at is not None and at < len(self._found) else None

    def action_step(self, by: int) -> None:
        if self._found and self._chosen is None:
            self._list.highlighted = ((self._list.highlighted or 0) + by) % len(self._found)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list as it is typed."""
        event.stop()
        self._say("")
        if event.input.id == "choice-filter":
            self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the highlighted pick, or ends the line of words."""
        event.stop()
        if event.input.id == "choice-text":
            self._finish(event.value.strip())
        elif self.highlighted is not None:
            self._take(self.highlighted)
        elif self._free and event.value.strip():
            self.dismiss(Picked(id="", text=event.value.strip()))
        else:
            self._say("Nothing here goes by these letters.")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click takes it."""
        event.stop()
        self._take(self._found[event.option_index])

    def _take(self, pick: Pick) -> None:
        if pick.refused:
            self._say(f"{pick.name}: {pick.refused}")
            return
        if not (self._text_label or pick.needs_text):
            self.dismiss(Picked(id=pick.id))
            return
        self._chosen = pick
        label = self.query_one("#choice-text-label", Static)
        label.update(plain(f"{pick.name} — {self._text_label or 'in a few words'}"))
        words = self.query_one("#choice-text", Input)
        for one in (label, words):
            one.add_class("-shown")
        words.focus()

    def _finish(self, text: str) -> None:
        assert self._chosen is not None
        if not text and (self._text_needed or self._chosen.needs_text):
            self._say("A few words are needed here.")
            return
        self.dismiss(Picked(id=self._chosen.id, text=text))

    def _fill(self, query: str) -> None:
        self._found = ranked(query, self._picks, lambda pick: f"{pick.name} {pick.id}")
        self._list.clear_options()
        told = (len(pick.name) for pick in self._picks if pick.hint or pick.refused)
        width = min(_MOST_NAME, max(told, default=0)) + 2
        self._list.add_options([Option(_prompt(pick, width)) for pick in self._found])
        self._list.highlighted = 0 if self._found else None

    def _say(self, text: str) -> None:
        said = self.query_one("#choice-said", Static)
        said.update(plain(text))
        said.set_class(bool(text), "-shown")

    @property
    def _list(self) -> OptionList:
        return self.query_one("#choice-list", OptionList)


def _prompt(pick: Pick, width: int) -> Content:
    if not (pick.hint or pick.refused):
        return plain(one_line(pick.name))
    name = plain(fit(one_line(pick.name), width), "$quiet" if pick.refused else "")
    return Content.assemble(name, plain(one_line(pick.refused or pick.hint), "$warning" if pick.refused else "$quiet"))
