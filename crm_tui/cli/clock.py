"""`crm clock`: how a conversation's clocks were counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named
from crm_tui.cli.session import Session
from crm_tui.cli.verbs import Conversation

if TYPE_CHECKING:
    from datetime import timedelta

    from crm_core.inbox.timing.clock_ledger import ClockLedger

app = group("How clocks were counted.")


@command(app, "clock", example="crm clock C-1042 --json")
def clock(ctx: typer.Context, conversation: Conversation) -> None:
    """How a conversation's clocks were counted, stretch by stretch; lengths are in minutes."""
    from crm_core.inbox.timing.clock_ledger import clock_ledgers

    session = Session.of(ctx)
    number = named(session, conversation)
    with session.reading() as unit:
        ledgers = clock_ledgers(unit, number)
    session.show([_document(one) for one in ledgers], people=[_line(one) for one in ledgers])
    if not session.json:
        for one in ledgers:
            session.say(f"\n{one.clock.replace('_', ' ')}, by the hours “{one.calendar}” ({one.zone}):")
            for each in one.segments:
                start, end = each.start.astimezone(one.zone), each.end.astimezone(one.zone)
                why = f" ({each.why})" if each.why else ""
                span = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
                session.say(f"  {span}  {each.kind.value}{why}, {_minutes(each.length)} min")


def _line(one: ClockLedger) -> dict[str, Any]:
    return {key: value for key, value in _document(one).items() if key not in ("segments", "calendar")}


def _document(one: ClockLedger) -> dict[str, Any]:
    return {
        "clock": one.clock,
        "calendar": one.calendar,
        "since": one.since,
        "until": one.until,
        "target": _minutes(one.target),
        "counted": _minutes(one.counted),
        "left": _minutes(one.left),
        "due_at": one.due_at,
        "running": one.running,
        "met": one.met,
        "warned_at": one.warned_at,
        "breached_at": one.breached_at,
        "segments": [
            {
                "kind": each.kind,
                "start": each.start,
                "end": each.end,
                "minutes": _minutes(each.length),
                "why": each.why or None,
            }
            for each in one.segments
        ],
    }


def _minutes(span: timedelta) -> float:
    return round(span.total_seconds() / 60, 1)
