"""`crm find`: open conversations by a filter, in every lane that one sees."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.lanes import document, for_people
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.inbox.lists.filters import Filter
    from crm_core.inbox.lists.finding import Found
    from crm_core.inbox.model import QueueItem

app = group("Find open conversations.")

FILTER_HELP = "Like 'owner:me due<2h \"metformin\" -is:snoozed'; - reads it from standard input, unseen by `ps`."
FilterText = Annotated[str, typer.Argument(metavar="FILTER", help=FILTER_HELP)]


@command(app, "find", example="crm find 'lane:refills,billing owner:none due<2h'")
def find(
    ctx: typer.Context,
    filter_text: FilterText,
    limit: Annotated[int, typer.Option("--limit", min=1, max=2_000, help="How many conversations.")] = 50,
) -> None:
    """Open conversations that answer to a filter, in working order; words are looked for in names and texts."""
    show_found(Session.of(ctx), filter_text, limit)


def show_found(session: Session, text: str, limit: int) -> None:
    """Print what answers to a filter, and what the look could not cover."""
    from crm_core.inbox.lists import finding

    sought = read_filter(text)
    with session.reading() as unit:
        found = finding.find(unit, sought, limit=limit)
    session.show(
        [_with_lane(item, document(item)) for item in found.items],
        people=[_with_lane(item, for_people(item)) for item in found.items],
        empty="No open conversation of your lanes answers to that.",
    )
    if not session.json and found.matching > len(found.items):
        session.say(f"{found.matching - len(found.items):,} more; see --limit.")
    say_if_cut(session, found)


def read_filter(text: str) -> Filter:
    """The filter that was given, or a line of standard input for `-`."""
    from crm_core.inbox.lists.filters import LONGEST, parse

    return parse(sys.stdin.readline(LONGEST + 2).strip() if text == "-" else text)


def say_if_cut(session: Session, found: Found) -> None:
    """Say where the bound of a search stopped it."""
    if found.is_cut:
        session.say(f"Looked through {found.looked_through:,} of {found.might:,}, the newest; narrow the filter.")


def _with_lane(item: QueueItem, line: dict[str, Any]) -> dict[str, Any]:
    return {"conversation": line.pop("conversation"), "lane": item.lane, **line}
