"""`crm lanes`, `crm queue`, `crm next`: what waits, and the most urgent of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.inbox.model import QueueItem

app = group("What waits.")


@command(app, "lanes", example="crm lanes --json")
def lanes(ctx: typer.Context) -> None:
    """What is open in each lane."""
    from crm_core.inbox import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        counts = queries.lanes(unit)
    session.show(
        [
            {
                "lane": count.lane,
                "open": count.open,
                "unowned": count.unowned,
                "overdue": count.overdue,
                "next_due": count.next_due,
            }
            for count in counts
        ],
        empty="Your roles see no lane.",
    )


@command(app, "queue", example="crm queue refills --limit 20")
def queue(
    ctx: typer.Context,
    lane: Annotated[str, typer.Argument(metavar="LANE", help="The lane's key, as `crm lanes` shows it.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many conversations.")] = 50,
) -> None:
    """One lane's conversations, in working order."""
    from crm_core.inbox import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        page = queries.queue(unit, lane, limit=limit)
    documents = [document(item) for item in page.items]
    session.show(documents, people=[for_people(item) for item in page.items], empty="Nothing waits in this lane.")
    if not session.json and page.total > len(page.items):
        session.say(f"{page.total - len(page.items)} more; see --limit.")


@command(app, "next", example="crm next --lane refills")
def take_next(
    ctx: typer.Context,
    lane: Annotated[str | None, typer.Option("--lane", metavar="LANE", help="Only from this lane.")] = None,
) -> None:
    """Take the most urgent conversation."""
    from crm_core.inbox import take
    from crm_tui.cli.conversation import show_conversation

    session = Session.of(ctx)
    with session.writing() as unit:
        taken = take.take_next(unit, lane)
    if taken is None:
        session.show(None, empty="Nothing waits that you may take.")
    else:
        show_conversation(session, taken)


def document(item: QueueItem) -> dict[str, Any]:
    """One line of a queue."""
    return {
        "conversation": show_id(Kind.CONVERSATION, item.conversation_id),
        "patient": show_id(Kind.PATIENT, item.patient_id),
        "category": item.category,
        "priority": item.priority,
        "state": item.state,
        "owner": item.owner,
        "due_at": item.due_at,
        "waiting_since": item.waiting_since,
    }


def for_people(item: QueueItem) -> dict[str, Any]:
    """The same with the patient's name."""
    name = item.patient_name or "unknown sender"
    return {**document(item), "patient": name, "priority": "DANGER" if item.danger else item.priority}
