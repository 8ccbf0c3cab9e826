"""The filter, the views and the marks of a list of conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from crm_tui.commands import bindings
from crm_tui.desk.finding import Answer, FindingDesk, ViewLine
from crm_tui.desk.lanes import CrmError, QueueItem
from crm_tui.screens.showing import moment, queue_row
from crm_tui.screens.verbs import Verbs
from crm_tui.terminal import one_line
from crm_tui.widgets.choice import Choice, Pick, Picked
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.page_cache import PAGE
from crm_tui.widgets.queue_list import QueueList

_MOST_NAMED = 46


class Filtering(Verbs):
    """A screen with a filter over its list; gone with the session."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filter", "views", "mark_all")

    def __init__(self) -> None:
        super().__init__()
        self.lane: str | None = None
        self.filter = ""
        self.view = ""
        """The name of the view that brought the filter along; it looks at all my lanes."""
        self._answer: Answer | None = None
        self._answered = -1

    @property
    def finding(self) -> FindingDesk:
        """What filters and views are asked."""
        return self.session.finding

    @property
    def everywhere(self) -> bool:
        """Whether what is listed comes from all my lanes."""
        return bool(self.view) or (self._answer is not None and self._answer.everywhere)

    def scope_changed(self) -> None:
        """Called when what the list shows may have another name now."""

    # The filter

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Show what answers to it; words are looked for once enter says so, since that opens texts."""
        event.stop()
        said = event.filter_line.say
        reading = self.finding.understood(event.text)
        if reading.mistake:
            said(reading.mistake, wrong=True)
        elif reading.words and not event.settled:
            said("enter looks for these words in names, texts and notes")
        else:
            said("")
            view = self.view if event.text == self.filter else ""
            self.hold(event.text, view)

    def on_filter_line_left(self) -> None:
        """Back to the rows."""
        self.query_one(QueueList).focus()

    def hold(self, text: str, view: str = "") -> None:
        """Let this filter hold, or none."""
        self.filter, self.view, self._answer = text, view, None
        if not text:
            self.query_one(FilterLine).show_count(0, 0)
        self.cover_words()
        self.scope_changed()
        self.query_one(QueueList).restart()

    def cover_words(self) -> None:
        """Words may be a patient's: under the curtain the filter that holds is dots."""
        covered = self.console.masked and self.finding.understood(self.filter).words
        self.query_one(FilterLine).cover(covered)

    def drop_filter(self) -> None:
        """Let no filter hold."""
        line = self.query_one(FilterLine)
        line.put("")
        line.say("")
        self.hold("")

    def ask_filtered(self, event: QueueList.PageWanted, after: QueueItem | None) -> None:
        """Fetch a page of what answers; what words found is kept, and looked at again when something changed."""
        text, lane, everywhere, kept = self.filter, self.lane, bool(self.view), self._answer
        if kept is not None and kept.words and event.generation == self._answered:
            self._provide(event, kept)
            return

        def ask() -> Answer:
            if kept is not None and kept.words:
                return self.finding.again(kept)
            return self.finding.find(
                text, lane=lane, everywhere=everywhere, limit=event.limit, offset=event.index, after=after
            )

        def failed(error: CrmError) -> None:
            event.queue.page_failed(event.generation, event.index)
            self.query_one(FilterLine).say(error.message, wrong=True)

        self.read(f"page {event.index}", ask, lambda answer: self._provide(event, answer), failed)

    def _provide(self, event: QueueList.PageWanted, answer: Answer) -> None:
        line, before = self.query_one(FilterLine), self.everywhere
        self._answer, self._answered = answer, event.generation
        line.show_count(answer.matching, answer.of)
        line.say(" · ".join(self._about(answer)))
        items = answer.items[event.index : event.index + PAGE] if answer.words else answer.items
        rows = [queue_row(item) for item in items]
        event.queue.provide_page(event.generation, event.index, rows, answer.matching)
        if self.everywhere != before:
            self.scope_changed()

    def _about(self, answer: Answer) -> list[str]:
        told = ["all my lanes"] if answer.everywhere else []
        if answer.words:
            told.append(f"words as of {moment(answer.at, self.session.choices.zone)}; / then enter looks again")
        return [*told, *([answer.looked] if answer.looked else [])]

    # Marks

    def do_mark_all(self) -> None:
        """Mark all that the list shows, on whatever page; where that is done, unmark all."""
        queue = self.query_one(QueueList)
        if queue.marked and len(queue.marked) >= queue.total:
            queue.clear_marks()
            self.scope_changed()
            return
        text, lane, everywhere = self.filter, self.lane, bool(self.view)
        kept = self._answer if self._answer is not None and self._answer.words else None

        def mark(answer: Answer) -> None:
            queue.mark(queue_row(item) for item in answer.items)
            self.scope_changed()
            count = f"{len(answer.items):,}"
            of = f" of {answer.matching:,}, the most urgent" if answer.matching > len(answer.items) else ""
            self.flash(f"Marked {count}{of} · * once more unmarks")

        self.read(
            "mark all",
            lambda: kept or self.finding.find(text, lane=lane, everywhere=everywhere),
            mark,
            self.console.told,
        )

    def on_queue_list_marks_changed(self, event: QueueList.MarksChanged) -> None:
        """Count them."""
        event.stop()
        self.scope_changed()

    # Views

    def do_views(self) -> None:
        """Pick a view; its filter then holds, over all my lanes."""
        self._pick_view("Which view?", self._show_view, "type to narrow · enter shows it · esc back")

    def _show_view(self, lines: Sequence[ViewLine], picked: Picked) -> None:
        view = lines[int(picked.id)].view
        line = self.query_one(FilterLine)
        line.put(view.filter)
        line.say("")
        self.hold(str(view.filter), str(view.name))
        self.query_one(QueueList).focus()

    def do_save_view(self) -> None:
        """Ask for whom, and for the name."""
        text = self.filter
        if not text:
            self.flash("No filter holds here; / sets one, then it can be saved.", "warning")
            return
        refused = "" if self.finding.may_share else "a supervisor shares views"
        picks = [Pick(id="mine", name="For me"), Pick(id="shared", name="For everybody", refused=refused)]

        def save(picked: Picked | None) -> None:
            if picked is not None:
                self.write(
                    lambda: self.finding.save_view(picked.text, text, shared=picked.id == "shared"),
                    lambda _: self.flash(f"Saved: {one_line(picked.text)} · V shows it"),
                )

        self.app.push_screen(Choice("Save this filter", picks, text_label="its name", text_needed=True), save)

    def do_rename_view(self) -> None:
        """Give a view of mine another name."""

        def rename(lines: Sequence[ViewLine], picked: Picked) -> None:
            name = lines[int(picked.id)].view.name
            self.write(
                lambda: self.finding.rename_view(name, picked.text),
                lambda _: self.flash(f"Renamed: {one_line(picked.text)}"),
            )

        self._pick_view("Rename which view?", rename, "enter takes, then type its new name · esc back", saved=True)

    def do_drop_view(self) -> None:
        """Forget a view."""

        def drop(lines: Sequence[ViewLine], picked: Picked) -> None:
            name = lines[int(picked.id)].view.name
            self.write(lambda: self.finding.drop_view(name), lambda _: self.flash(f"Dropped: {one_line(name)}"))

        self._pick_view("Drop which view?", drop, "enter drops it · esc back", saved=True)

    def _pick_view(
        self, title: str, then: Callable[[Sequence[ViewLine], Picked], None], hint: str, *, saved: bool = False
    ) -> None:
        """Offer the views, counted now; with `saved` those alone that this person may change."""

        def show(lines: Sequence[ViewLine]) -> None:
            offered = [(at, line) for at, line in enumerate(lines) if not saved or self._may_change(line)]
            if not offered:
                self.flash("No saved view is yours to change; / filters, then “Save view” in the palette keeps it.")
                return
            picks = [self._pick(at, line) for at, line in offered]
            label = "its new name" if title.startswith("Rename") else ""
            choice = Choice(title, picks, text_label=label, text_needed=bool(label), hint=hint)
            self.app.push_screen(choice, lambda picked: then(lines, picked) if picked is not None else None)

        self.read("views", self.finding.views, show)

    def _may_change(self, line: ViewLine) -> bool:
        return line.view.view_id is not None and (line.view.mine or self.finding.may_share)

    def _pick(self, at: int, line: ViewLine) -> Pick:
        """People put patients into names and filters: under the curtain neither is shown."""
        view, count = line.view, "·" if line.open is None else f"{line.open:,}"
        if view.view_id is not None and self.console.masked:
            return Pick(id=str(at), name=f"Saved view {at}", hint=f"{count:>5}")
        whose = f" · {view.owner}" if view.shared and view.owner and not view.mine else ""
        return Pick(id=str(at), name=str(view.name), hint=f"{count:>5}  {view.filter}{whose}"[:_MOST_NAMED])
