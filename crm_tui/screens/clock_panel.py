"""How the clocks of a conversation were counted, for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.content import Content

from crm_tui.desk.clocks import ClockLedger, Segment
from crm_tui.screens.showing import conversation_name
from crm_tui.terminal import plain
from crm_tui.widgets.panels import TextPanel

_SAID = {"counted": "counts", "paused": "the patient is waited on", "closed": "closed", "holiday": "holiday"}


class ClockPanel(TextPanel):
    """Each clock with its sum, and the stretches of time that make it up."""

    def __init__(self, conversation_id: int, ledgers: Sequence[ClockLedger]) -> None:
        parts = [line for one in ledgers for line in (*_clock(one), Content())]
        told = Content("\n").join(parts[:-1] or [plain("No clock has run here.", "$quiet")])
        super().__init__(f"How was the clock counted? {conversation_name(conversation_id)}", told)


def _clock(one: ClockLedger) -> list[Content]:
    name = one.clock.replace("_", " ").capitalize()
    state = _state(one)
    late = one.running and one.left < timedelta()
    head = Content.assemble((f"{name}: ", "bold"), plain(state, "bold $due-late" if late else ""))
    sum_of = f"  {worked(one.counted)} counted of {worked(one.target)} · hours “{one.calendar}”, {one.zone}"
    return [head, plain(sum_of, "$quiet"), *(_stretch(each, one) for each in one.segments)]


def _state(one: ClockLedger) -> str:
    if not one.running:
        ended = "answered" if one.met and one.clock != "resolution" else "ended"
        over = "" if one.left >= timedelta() else f", {worked(-one.left)} over"
        return f"{ended} {_at(one.until, one)}{over}"
    if one.due_at is None:
        return f"stands still, {worked(one.left)} left"
    if one.left < timedelta():
        return f"{worked(-one.left)} over, was due {_at(one.due_at, one)}"
    return f"{worked(one.left)} left, due {_at(one.due_at, one)}"


def _stretch(each: Segment, one: ClockLedger) -> Content:
    kind = each.kind.value
    why = f": {each.why}" if each.why else ""
    counts = kind == "counted"
    length = worked(each.length) if counts else f"({worked(each.length)})"
    return plain(
        f"  {_at(each.start, one)} – {_at(each.end, one):16} {length:>9}  {_SAID[kind]}{why}",
        "" if counts else "$quiet",
    )


def _at(at: datetime, one: ClockLedger) -> str:
    local = at.astimezone(one.zone)
    return f"{local:%a} {local.day:>2} {local:%b %H:%M}"


def worked(span: timedelta) -> str:
    """`7 h 30 min`; working time is never said in days, whose length depends on the lane."""
    minutes = round(span / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"
