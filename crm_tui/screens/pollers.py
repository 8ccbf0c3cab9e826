"""Which processes do the work that must happen later, and how late it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.content import Content

from crm_tui.desk.pollers import KindView, Polling
from crm_tui.pollers_told import told, trouble
from crm_tui.terminal import plain
from crm_tui.widgets.clock_cell import span
from crm_tui.widgets.panels import TextPanel

_KIND = 12


class PollersPanel(TextPanel):
    """Each kind of work, who does it and since when its oldest is due; then the pollers, the living first."""

    def __init__(self, polling: Polling, now: datetime) -> None:
        wrong = trouble(polling)
        lines = [plain(wrong, "$warning"), Content()] if wrong is not None else []
        lines += [plain(_kind(one), "bold" if one in polling.late else "") for one in polling.kinds]
        lines.append(Content())
        for one in polling.pollers:
            lines.append(plain(told(one, now), "bold" if one.lives else "$quiet"))
            lines.append(plain(f"  {', '.join(one.alive.kinds)}", "$quiet"))
        super().__init__("Pollers", Content("\n").join(lines))


def _kind(one: KindView) -> str:
    by = f"polled by {one.polled_by}" if one.polled_by else "nobody polls it"
    if one.behind is None:
        return f"{one.kind.ljust(_KIND)}{by}, nothing due"
    return f"{one.kind.ljust(_KIND)}{by}, oldest due {_since(one.behind)}"


def _since(behind: timedelta) -> str:
    length = span(behind)
    return "now" if length == "now" else f"for {length}"
