"""For those who may not act on a danger: its age, whose it is, and whom to fetch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.content import Content

from crm_tui.desk.entrance import AlarmView
from crm_tui.screens.showing import conversation_name
from crm_tui.terminal import plain
from crm_tui.widgets.clock_cell import span
from crm_tui.widgets.panels import TextPanel


class AlarmsPanel(TextPanel):
    """Every unacknowledged danger in a line, with no patient in it."""

    def __init__(self, alarms: Sequence[AlarmView], now: datetime) -> None:
        lines = [
            plain(
                f"{conversation_name(one.conversation_id)} · raised {_ago(now - one.raised_at)} · "
                f"nobody has it · fetch a {one.holder}",
                "bold" if now > one.ack_due_at else "",
            )
            for one in alarms
        ]
        told = plain("Only a clinician acts on a danger. Go and fetch one now.", "$warning")
        super().__init__("Danger", Content("\n").join([told, Content(), *lines]), "esc closes")


def _ago(age: timedelta) -> str:
    return f"{span(age)} ago" if age >= timedelta(minutes=1) else "just now"
