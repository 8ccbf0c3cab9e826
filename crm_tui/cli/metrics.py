"""`crm metrics`: a week's figures of the inbox."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.inbox.measures import Figures

app = group("What the inbox did.")

_DIMENSIONS = ("channel", "lane", "staff")


class BadDay(UsageError):
    """That is no date; write 2026-11-23, any day of the week that you mean."""


class BadDimension(UsageError):
    """Figures are not told apart by that; choose channel, lane or staff."""


@command(app, "metrics", example="crm metrics --week 2026-11-23 --by channel")
def metrics(
    ctx: typer.Context,
    week: Annotated[
        str | None, typer.Option("--week", metavar="DATE", help="Any day of the week; this week without it.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="DIMENSION", help="channel, lane or staff; the whole without it.")
    ] = None,
) -> None:
    """A week's figures: opened, closed, resolved at the first contact, time to the first answer, breaches."""
    from crm_core.inbox.measures import By, measured, week_of

    if by is not None and by not in _DIMENSIONS:
        raise BadDimension
    try:
        day = date.fromisoformat(week) if week is not None else None
    except ValueError:
        raise BadDay from None
    session = Session.of(ctx)
    with session.reading() as unit:
        span = week_of(unit, day)
        figures = measured(unit, span, By(by) if by is not None else None)
    session.show(
        {"from": span.since, "to": span.until, "by": by, "figures": [_document(one) for one in figures]},
        people=[_for_people(one) for one in figures],
    )
    if not session.json:
        session.say(f"Week of {span.since:%Y-%m-%d}; times are working minutes.")


def _document(one: Figures) -> dict[str, Any]:
    return {
        "group": one.group,
        "opened": one.opened,
        "closed": one.closed,
        "resolved": one.resolved,
        "first_contact_resolution": {"count": one.first_contact, "share": _rounded(one.first_contact_share)},
        "response": {
            "answered": one.answered,
            "median_minutes": one.median_minutes,
            "p90_minutes": one.p90_minutes,
            "within_target": _rounded(one.in_time_share),
        },
        "warned": one.warned,
        "breached": one.breached,
    }


def _for_people(one: Figures) -> dict[str, Any]:
    return {
        "": one.group,
        "opened": one.opened,
        "closed": one.closed,
        "first contact": _share(one.first_contact_share),
        "answered": one.answered,
        "median": one.median_minutes,
        "p90": one.p90_minutes,
        "in time": _share(one.in_time_share),
        "breached": one.breached,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"
