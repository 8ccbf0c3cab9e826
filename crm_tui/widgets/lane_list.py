"""The lanes with what waits in each: open, unowned, overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from crm_tui.commands import bindings
from crm_tui.terminal import one_line
from crm_tui.widgets.queue_row import fit

_COUNT = 5
_HEAD = "lane-list-head"


@dataclass(frozen=True, kw_only=True)
class LaneCount:
    """One lane's name and its three counts."""

    id: str
    name: str
    open: int = 0
    unowned: int = 0
    overdue: int = 0


class LaneList(OptionList):
    """One row a lane; counts change in place, the highlight stays."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("down", "up", "first", "last")
    DEFAULT_CSS = """
    LaneList {
        height: 1fr;
        border: none;
        padding: 0;
        background: $background;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: $foreground 0%; }
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-disabled { color: $quiet; }
    }
    """

    @dataclass
    class Shown(Message):
        """Another lane is highlighted: its queue is wanted."""

        lane_list: LaneList
        lane: str

        @property
        def control(self) -> LaneList:
            return self.lane_list

    class Opened(Shown):
        """The user chose the lane: move on to its queue."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._lanes: tuple[LaneCount, ...] = ()

    @property
    def lane(self) -> str | None:
        """The highlighted lane's id."""
        option = self.highlighted_option
        return option.id if option is not None and option.id != _HEAD else None

    def show_lanes(self, lanes: Sequence[LaneCount]) -> None:
        """Show these lanes; where they are the same as before only changed counts are drawn."""
        before, self._lanes = self._lanes, tuple(lanes)
        if [lane.id for lane in before] == [lane.id for lane in lanes]:
            for old, new in zip(before, lanes, strict=True):
                if old != new:
                    self.replace_option_prompt(new.id, self._prompt(new))
            return
        kept = self.lane
        self.clear_options()
        self.add_options([Option(self._head(), id=_HEAD, disabled=True)])
        self.add_options([Option(self._prompt(lane), id=lane.id) for lane in lanes])
        if lanes:
            self.select_lane(kept if kept in {lane.id for lane in lanes} else lanes[0].id)

    def select_lane(self, lane: str | None) -> None:
        """Highlight a lane; nothing happens for one that is not shown."""
        for index, one in enumerate(self._lanes):
            if one.id == lane:
                self.highlighted = index + 1

    def step(self, by: int) -> None:
        """Highlight the next (1) or previous (-1) lane, round and round."""
        if self._lanes:
            at = next((index for index, lane in enumerate(self._lanes) if lane.id == self.lane), 0)
            self.highlighted = (at + by) % len(self._lanes) + 1

    def on_resize(self) -> None:
        """Lay the counts out for the new width."""
        if self._lanes:
            self.replace_option_prompt(_HEAD, self._head())
            for lane in self._lanes:
                self.replace_option_prompt(lane.id, self._prompt(lane))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say it in lanes."""
        event.stop()
        if event.option_id is not None and event.option_id != _HEAD:
            self.post_message(self.Shown(self, event.option_id))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Say it in lanes."""
        event.stop()
        if event.option_id is not None and event.option_id != _HEAD:
            self.post_message(self.Opened(self, event.option_id))

    def _name_width(self) -> int:
        return max(8, (self.scrollable_content_region.width or 30) - 2 - 3 * _COUNT)

    def _head(self) -> Content:
        counts = "".join(word.rjust(_COUNT) for word in ("open", "free", "late"))
        return Content(fit("lane", self._name_width()) + counts)

    def _prompt(self, lane: LaneCount) -> Content:
        return Content.assemble(
            fit(one_line(lane.name), self._name_width()),
            (str(lane.open or "·").rjust(_COUNT), "" if lane.open else "$quiet"),
            (str(lane.unowned or "·").rjust(_COUNT), "" if lane.unowned else "$quiet"),
            (str(lane.overdue or "·").rjust(_COUNT), "bold $due-late" if lane.overdue else "$quiet"),
        )
