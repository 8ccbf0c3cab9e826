"""How it stands with the pollers, in words for the doctor and the console."""

from __future__ import annotations

from datetime import datetime

from crm_core.timers.model import PollerView, Polling
from crm_tui.widgets.clock_cell import ago, span


def trouble(polling: Polling) -> str | None:
    """What is wrong, in one line: nothing polls, or something is late. None where all is well."""
    late = ", ".join(f"{one.kind} {span(one.behind)}" for one in polling.late if one.behind is not None)
    if not polling.living:
        held_up = f" (late: {late})" if late else ""
        return f"Nothing polls: nothing is sent, fired or taken in{held_up}"
    unpolled = [one.kind for one in polling.late if not one.polled_by]
    if late:
        return f"Late: {late}" + (f"; nobody polls {', '.join(unpolled)}" if unpolled else "")
    return None


def told(poller: PollerView, now: datetime) -> str:
    """One poller: where, and since when it has polled, or has not."""
    where = f"{poller.alive.host} process {poller.alive.process}"
    if poller.alive.inside_console:
        where += ", in a console"
    if poller.lives:
        return f"{where}, began {ago(poller.started_at, now)}"
    if poller.stopped_at is not None:
        return f"{where}, stopped {ago(poller.stopped_at, now)}"
    return f"{where}, last heard {ago(poller.seen_at, now)}"
