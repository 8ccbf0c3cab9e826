"""Pick a template: type parts of its name, see it filled for this patient, enter takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.footer import flash


@dataclass(frozen=True, kw_only=True)
class TemplateOption:
    """An approved template as filled for the open patient.

    `refused` says why it cannot be used here, such as `missing: patient.first_name`; then
    `text` shows it as far as it could be filled. `then` is what else the sending does.
    """

    id: str
    name: str
    category: str = ""
    language: str = ""
    text: str = ""
    then: str = ""
    refused: str = ""


class TemplatePicker(Vertical):
    """An input, the results best first, and the text of the highlighted one.

    `rank` is asked at every keystroke for the options of a query, so it must not wait for
    anything.
    """

    PLACEHOLDER: ClassVar[str] = "type a word of the template's name"
    NOTHING: ClassVar[str] = "No approved template fits these words."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next result", show=False),
        Binding("up", "step(-1)", "Previous result", show=False),
        Binding("pagedown", "page(1)", "Scroll the preview", show=False),
        Binding("pageup", "page(-1)", "Scroll the preview back", show=False),
        Binding("escape", "cancel", "Back", show=False),
    ]
    DEFAULT_CSS = """
    TemplatePicker {
        height: 1fr;
        background: $surface;
        #picker-query { height: 1; padding: 0 1; background: $panel; }
        #picker-body { height: 1fr; }
        #picker-results {
            width: 2fr; max-width: 44; height: 1fr; border: none; padding: 0; background: $surface;
            scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
            & > .option-list--option-highlighted {
                color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
            }
        }
        #picker-preview-pane { width: 3fr; height: 1fr; padding: 0 2; background: $background; }
        #picker-preview { width: 1fr; height: auto; }
        #picker-refused { height: auto; color: $warning; text-style: bold; padding: 0 0 1 0; display: none; }
        #picker-refused.-shown { display: block; }
        #picker-then { height: auto; color: $accent; padding: 0 0 1 0; display: none; }
        #picker-then.-shown { display: block; }
    }
    """

    @dataclass
    class Chosen(Message):
        """The user took this template; it is never a refused one."""

        picker: TemplatePicker
        option: TemplateOption

        @property
        def control(self) -> TemplatePicker:
            return self.picker

    class Cancelled(Message):
        """The user wants none."""

    def __init__(self, rank: Callable[[str], Sequence[TemplateOption]], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rank = rank
        self._found: list[TemplateOption] = []

    def compose(self) -> ComposeResult:
        yield Input(compact=True, placeholder=self.PLACEHOLDER, id="picker-query")
        with Horizontal(id="picker-body"):
            yield OptionList(id="picker-results", markup=False)
            with VerticalScroll(id="picker-preview-pane", can_focus=False):
                yield Static(id="picker-refused", markup=False)
                yield Static(id="picker-then", markup=False)
                yield Static(id="picker-preview", markup=False)

    def on_mount(self) -> None:
        """Show everything until something is typed."""
        self.query_one("#picker-results").can_focus = False
        self.search("")
        self.query_one(Input).focus()

    @property
    def highlighted(self) -> TemplateOption | None:
        """The option in the preview."""
        at = self._results.highlighted
        return self._found[at] if at is not None and at < len(self._found) else None

    def search(self, query: str) -> None:
        """Show what `rank` finds, the best one highlighted."""
        self._found = list(self.rank(query))
        self._results.clear_options()
        self._results.add_options([Option(self._prompt(option)) for option in self._found])
        self._results.highlighted = 0 if self._found else None
        self._preview()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        self.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes the highlighted one."""
        event.stop()
        self.choose()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show its text."""
        event.stop()
        self._preview()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click takes it."""
        event.stop()
        self.choose()

    def choose(self) -> None:
        """Take the highlighted option, or say why it cannot be taken."""
        option = self.highlighted
        if option is None:
            return
        if option.refused:
            flash(self, f"{option.name}: {option.refused}", "warning")
            return
        self.post_message(self.Chosen(self, option))

    def action_step(self, by: int) -> None:
        if self._found:
            self._results.highlighted = ((self._results.highlighted or 0) + by) % len(self._found)

    def action_page(self, by: int) -> None:
        pane = self.query_one("#picker-preview-pane")
        pane.scroll_relative(y=by * max(1, pane.size.height - 1), animate=False)

    def action_cancel(self) -> None:
        self.post_message(self.Cancelled())

    @property
    def _results(self) -> OptionList:
        return self.query_one("#picker-results", OptionList)

    def _prompt(self, option: TemplateOption) -> Content:
        words = ("macro" if option.then else "", option.category.replace("_", " "), option.language)
        facts = " · ".join(one_line(word) for word in words if word)
        name = plain(one_line(option.name), "$quiet" if option.refused else "")
        why = plain(f"  {one_line(option.refused)}", "$warning") if option.refused else plain(f"  {facts}", "$quiet")
        return Content.assemble(name, why)

    def _preview(self) -> None:
        option = self.highlighted
        refused = self.query_one("#picker-refused", Static)
        refused.set_class(option is not None and bool(option.refused), "-shown")
        refused.update(plain(f"Cannot be used here: {option.refused}" if option is not None else ""))
        then = self.query_one("#picker-then", Static)
        then.set_class(option is not None and bool(option.then), "-shown")
        then.update(plain(f"Then: {one_line(option.then)}" if option is not None else ""))
        self.query_one("#picker-preview", Static).update(
            plain(option.text) if option is not None else plain(self.NOTHING, "$quiet")
        )
        self.query_one("#picker-preview-pane").scroll_home(animate=False)
