"""Mode 1: the lanes with what waits in each, one lane's queue, and a preview of what the cursor rests on."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widget import Widget
from typing_extensions import override

from crm_tui.commands import bindings
from crm_tui.desk.lanes import CrmError, LaneCount, OpenConversation, QueueItem, QueuePage, Topic, is_complaint
from crm_tui.place import Place
from crm_tui.screens.console_screen import ROOMY
from crm_tui.screens.conversation import Start
from crm_tui.screens.filtering import Filtering
from crm_tui.screens.showing import entries, identity_of, item_of, lane_row, next_step, queue_row
from crm_tui.screens.threads import ThreadVerbs
from crm_tui.screens.verbs import Subject
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.filter_line import FilterLine
from crm_tui.widgets.identity import IdentityBar
from crm_tui.widgets.lane_list import LaneList
from crm_tui.widgets.line import Line
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow
from crm_tui.widgets.status_line import StatusLine
from crm_tui.widgets.thread_view import ThreadView


class LanesScreen(Filtering, ThreadVerbs):
    """Lane list, queue and preview; where there is room for one alone, tab goes round."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "lanes.tcss"]
    MODE = "mode_lanes"
    WATCHES = frozenset({Topic.INBOX, Topic.ALARM, Topic.OUTBOX})
    FOOTER = (
        "take_next", "open", "reply", "template", "close", "undo", "help", "filter", "find_patient", "claim",
        "move_lane", "snooze", "why",
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        "previous_lane", "next_lane", "take_next_here", "reply", "template", "note"
    )

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._wanted = place
        self._counts: dict[str, LaneCount] = {}
        self._previewed: QueueItem | None = None

    def compose_body(self) -> ComposeResult:
        """Lanes, queue and preview side by side; the stylesheet says which are seen."""
        now, zone = self.console.now, self.session.choices.zone
        with Vertical(id="panes"):
            with Vertical(id="left"):
                yield LaneList(id="lanes")
                with Vertical(id="middle"):
                    yield Line(id="lane-head")
                    yield FilterLine('owner:me due<2h lane:refills "metformin" -is:snoozed')
                    yield QueueList(
                        now=now, empty="Nothing waits here. n takes the next one, from any lane.", id="queue"
                    )
            with Vertical(id="preview"):
                yield IdentityBar()
                yield ThreadView(now=now, zone=zone)
                yield StatusLine(now=now)

    def on_mount(self) -> None:
        """Ask for the lanes; the queue follows the lane."""
        self.add_class("-queue")
        self.context("Lanes")
        self.mask(masked=self.console.masked)
        self.query_one(QueueList).focus()
        self.look_again()

    @property
    def place(self) -> Place:
        """Where the user is, to be there again after a restart."""
        row = self.query_one(QueueList).row
        return Place(lane=self.lane, conversation_id=row.id if row is not None else None)

    # Asking

    def look_again(self) -> None:
        """Ask for counts and rows anew; the cursor stays on its row."""
        if not self.desk.may("lane:read"):
            self.query_one("#lane-head", Line).show(plain("Your roles work no lane. 6 shows the library, ? the keys."))
            return
        self.read("lanes", self.desk.lanes, self._show_lanes)
        if self.desk.may("outbox:resolve"):
            self.read("not gone", self.session.outbox.waiting, self._show_not_gone)
        if self.lane is not None:
            # None is there while the screen is being taken away, and a change may come in just then.
            for queue in self.query(QueueList):
                queue.reload()

    def _show_not_gone(self, waiting: int) -> None:
        """Keep in view of who may settle it how much did not go; `:outbox` lists it."""
        self.context(f"Lanes · {waiting} did not go" if waiting else "Lanes")

    def _show_lanes(self, lanes: list[LaneCount]) -> None:
        self._counts = {lane.lane: lane for lane in lanes}
        lane_list = self.query_one(LaneList)
        lane_list.show_lanes([lane_row(lane) for lane in lanes])
        if self.lane is None:
            lane_list.select_lane(self._wanted.lane if self._wanted.lane in self._counts else None)
        self.scope_changed()

    @override
    def scope_changed(self) -> None:
        """Say above the rows which lane they are of, or which view, and how many are marked."""
        lane = self._counts.get(self.lane or "")
        if lane is None:
            return
        marked = len(self.query_one(QueueList).marked)
        told = plain(f" · {marked:,} marked", "bold $accent") if marked else Content()
        head = self._said_everywhere() if self.everywhere else self._said_of(lane)
        self.query_one("#lane-head", Line).show(Content.assemble(head, told))

    def _said_everywhere(self) -> Content:
        view = "a saved view" if self.view and self.console.masked else one_line(self.view)
        return Content.assemble(("All my lanes", "bold"), plain(f" · {view}" if view else ""))

    def _said_of(self, lane: LaneCount) -> Content:
        hint = "   J K lanes · tab panes" if self.size.width < ROOMY else ""
        late = plain(f"{lane.overdue} late", "bold $due-late") if lane.overdue else plain("none late", "$quiet")
        return Content.assemble(
            (one_line(lane.title), "bold"),
            f" · {lane.open} open · {lane.unowned} free · ",
            late,
            plain(hint, "$quiet"),
        )

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        """Fetch a page off the loop; the queue itself drops one that comes too late."""
        event.stop()
        lane, queue = self.lane, event.queue
        if lane is None:
            queue.page_failed(event.generation, event.index)
            return
        after = event.after[0] if event.after else None
        before = after if isinstance(after, QueueItem) else None
        if self.filter:
            self.ask_filtered(event, before)
            return

        def provide(page: QueuePage) -> None:
            queue.provide_page(event.generation, event.index, [queue_row(item) for item in page.items], page.total)

        def failed(error: CrmError) -> None:
            queue.page_failed(event.generation, event.index)
            self.console.told(error)

        limit, offset = event.limit, event.index
        self.read(
            f"page {offset}", lambda: self.desk.page(lane, limit=limit, offset=offset, after=before), provide, failed
        )

    # Lanes, filter, panes

    def on_lane_list_shown(self, event: LaneList.Shown) -> None:
        """Another lane is under the cursor: show its queue."""
        event.stop()
        wanted = self.query_one(LaneList).lane
        if wanted is None or wanted == self.lane:
            return
        self.lane = wanted
        queue = self.query_one(QueueList)
        queue.clear_marks()
        if self.everywhere:
            self.drop_filter()
        else:
            self.hold(self.filter)
        if self._wanted.lane == wanted and self._wanted.conversation_id is not None:
            queue.find(self._wanted.conversation_id)
        self._wanted = Place()

    def on_lane_list_opened(self, event: LaneList.Opened) -> None:
        """A lane was chosen: on to its queue."""
        event.stop()
        self._go_to_pane(QueueList)

    def do_previous_lane(self) -> None:
        """Show the lane before."""
        self.query_one(LaneList).step(-1)

    def do_next_lane(self) -> None:
        """Show the lane after."""
        self.query_one(LaneList).step(1)

    def do_filter(self) -> None:
        """Type a filter."""
        self._go_to_pane(QueueList)
        self.query_one(FilterLine).open()

    @override
    def focus_next(self, selector: object = "*") -> Widget | None:
        return self._step_pane(1)

    @override
    def focus_previous(self, selector: object = "*") -> Widget | None:
        return self._step_pane(-1)

    def _step_pane(self, by: int) -> Widget | None:
        panes: list[type[Widget]] = [LaneList, QueueList, ThreadView]
        at = next((number for number, kind in enumerate(panes) if isinstance(self.focused, kind)), 1 - by)
        return self._go_to_pane(panes[(at + by) % len(panes)])

    def _go_to_pane(self, kind: type[Widget]) -> Widget:
        names: dict[type[Widget], str] = {LaneList: "-lanes", QueueList: "-queue", ThreadView: "-preview"}
        for one, name in names.items():
            self.set_class(one is kind, name)
        pane = self.query_one(kind)
        pane.focus()
        if kind is ThreadView:
            self.call_after_refresh(self._preview)
        return pane

    def do_back(self) -> None:
        """Back to the queue; there, a filter is cleared, and then what is marked."""
        if not isinstance(self.focused, QueueList):
            self._go_to_pane(QueueList)
        elif self.query_one(FilterLine).text:
            self.query_one(FilterLine).action_clear()
        else:
            self.query_one(QueueList).clear_marks()
            self.scope_changed()

    # Preview

    def on_queue_list_cursor_moved(self, event: QueueList.CursorMoved) -> None:
        """What was previewed is no longer under the cursor: take it away at once."""
        event.stop()
        if self._previewed is not None and (event.row is None or item_of(event.row) != self._previewed):
            self._clear_preview()

    def on_queue_list_rested(self, event: QueueList.Rested) -> None:
        """The cursor has stood still for a moment: open what it stands on, which is audited."""
        event.stop()
        self._preview()

    def _preview(self) -> None:
        row = self.query_one(QueueList).row
        if row is None or not self.query_one(ThreadView).region or not self.desk.may("conversation:read"):
            return
        item = item_of(row)
        if item != self._previewed:
            self._previewed = item
            self.read("preview", lambda: self.desk.open(item.conversation_id), partial(self._show_preview, item))

    def _show_preview(self, item: QueueItem, opened: OpenConversation) -> None:
        if item != self._previewed:
            return
        who = identity_of(opened)
        self.query_one(IdentityBar).show_identity(who, masked=self.console.masked)
        self.query_one(ThreadView).show_thread(entries(opened.conversation, who.name, self.session.choices.zone))
        self.query_one(StatusLine).show_step(next_step(opened.conversation, self.session.choices.zone))

    def _clear_preview(self) -> None:
        self._previewed = None
        self.console.drop(f"preview {id(self)}")
        self.query_one(IdentityBar).show_identity(None)
        self.query_one(ThreadView).forget()
        self.query_one(StatusLine).show_step(None)

    def mask(self, *, masked: bool) -> None:
        """Mask the names."""
        self.query_one(QueueList).masked = masked
        self.query_one(ThreadView).masked = masked
        self.cover_words()
        self.scope_changed()
        bar = self.query_one(IdentityBar)
        bar.show_identity(bar.identity, masked=masked)

    # Opening and acting

    def subjects(self) -> tuple[Subject, ...]:
        """The marked rows, else the one under the cursor."""
        return tuple(_subject(row) for row in self.query_one(QueueList).acted_on)

    def acted(self) -> None:
        """Look again; the cursor goes on to the next row."""
        queue = self.query_one(QueueList)
        queue.clear_marks()
        queue.go_to(queue.cursor + 1)
        self.look_again()

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        """Open the conversation under the cursor; it stays whose it is."""
        event.stop()
        self._open(Start.READ)

    def do_take_next_here(self) -> None:
        """Take the most urgent of this lane."""
        self.console.take_next(self.lane)

    def do_reply(self) -> None:
        """Open it, and write."""
        self._open(Start.REPLY)

    def do_template(self) -> None:
        """Open it, and pick a template."""
        self._open(Start.TEMPLATE)

    def do_note(self) -> None:
        """Open it, and write a note."""
        self._open(Start.NOTE)

    def _open(self, start: Start) -> None:
        row = self.query_one(QueueList).row
        if row is not None:
            self.console.open_conversation(row.id, start=start)

    def neighbour(self, conversation_id: int, by: int) -> int | None:
        """The conversation `by` rows from this one in the queue, with the cursor put on it; None beyond its ends."""
        queue = self.query_one(QueueList)
        queue.find(conversation_id)
        before = queue.cursor
        queue.go_to(before + by)
        return queue.row.id if queue.row is not None and queue.cursor != before else None


def _subject(row: QueueRow) -> Subject:
    item = item_of(row)
    return Subject(
        conversation_id=item.conversation_id,
        name=one_line(row.patient),
        patient_id=item.patient_id,
        lane=item.lane,
        owner_id=item.owner_id,
        danger=item.danger,
        complaint=is_complaint(item.category, item.lane),
    )
