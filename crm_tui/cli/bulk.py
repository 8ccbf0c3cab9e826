"""`crm bulk`: one verb over everything that answers to a filter, after its number was said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import Refused, UsageError
from crm_tui.cli.command import command, group
from crm_tui.cli.find import FILTER_HELP, read_filter, say_if_cut
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.inbox.lists.bulk import Bulk, Weighed

app = group("One verb over all that answer to a filter.")

SAMPLES = 3

FilterOption = Annotated[str, typer.Option("--filter", metavar="FILTER", help=FILTER_HELP)]
Yes = Annotated[
    int | None,
    typer.Option("--yes", metavar="N", min=1, help="Go without asking, if N is the number that would be changed."),
]
Words = Annotated[str | None, typer.Option("--words", help="What else the next person should know.")]


@command(app, "close", example="crm bulk close --filter 'category:other age>4w' --outcome no_response")
def close(
    ctx: typer.Context,
    filter_text: FilterOption,
    outcome: Annotated[str, typer.Option("--outcome", metavar="O", help="How they ended, a key of the playbook's.")],
    words: Words = None,
    yes: Yes = None,
) -> None:
    """Close all that answer to a filter."""
    from crm_core.inbox.handling import close as close_one
    from crm_core.inbox.lists.bulk import Bulk
    from crm_core.inbox.model import Verb

    bulk = Bulk(verb=Verb.CLOSED, act=lambda unit, number: close_one(unit, number, outcome=outcome, words=words))
    _work(Session.of(ctx), "close", bulk, filter_text, yes)


@command(app, "move", example="crm bulk move --filter 'lane:front_desk invoice' --lane billing --reason wrong_lane")
def move(
    ctx: typer.Context,
    filter_text: FilterOption,
    *,
    lane: Annotated[str, typer.Option("--lane", metavar="LANE", help="The lane to move them to.")],
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Why, a key of the playbook's.")],
    words: Words = None,
    yes: Yes = None,
) -> None:
    """Move all that answer to a filter to another lane."""
    from crm_core.inbox.lists.bulk import moving

    _work(Session.of(ctx), "move", moving(lane, reason, words), filter_text, yes)


@command(app, "assign", example="crm bulk assign --filter 'lane:billing owner:none' --to maria")
def assign(
    ctx: typer.Context,
    filter_text: FilterOption,
    to: Annotated[str | None, typer.Option("--to", metavar="LOGIN", help="Whose they are; yours without it.")] = None,
    yes: Yes = None,
) -> None:
    """Give all that answer to a filter to somebody."""
    from crm_core.access import queries
    from crm_core.inbox.handling import assign as assign_one
    from crm_core.inbox.lists.bulk import Bulk
    from crm_core.inbox.model import Verb

    session = Session.of(ctx)
    with session.reading() as unit:
        whose = unit.actor.staff_id if to is None else queries.by_login(unit, to).id
    bulk = Bulk(verb=Verb.ASSIGNED, act=lambda unit, number: assign_one(unit, number, whose), staff_id=whose)
    _work(session, "assign", bulk, filter_text, yes)


@command(app, "snooze", example="crm bulk snooze --filter 'owner:me state:waiting_other' --until 2d")
def snooze(
    ctx: typer.Context,
    filter_text: FilterOption,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="2026-11-24T09:00, or a span: 2h, 3d.")],
    action: Annotated[str | None, typer.Option("--action", help="What is to be done then.")] = None,
    yes: Yes = None,
) -> None:
    """Put all that answer to a filter aside until a time."""
    from crm_core.inbox.handling import snooze as snooze_one
    from crm_core.inbox.lists.bulk import Bulk
    from crm_core.inbox.model import Verb
    from crm_tui.cli.times import moment

    session = Session.of(ctx)
    at = moment(until, session.clock.now())
    bulk = Bulk(verb=Verb.SNOOZED, act=lambda unit, number: snooze_one(unit, number, until=at, action=action))
    _work(session, "snooze", bulk, filter_text, yes)


def _work(session: Session, verb: str, bulk: Bulk, text: str, yes: int | None) -> None:
    weighed = _weigh(session, bulk, text)
    _agree(session, verb, weighed, yes)
    report = _do(session, verb, bulk, weighed)
    session.show(report, people=_told(report))
    if report["refused"]:
        raise typer.Exit(1)


def _weigh(session: Session, bulk: Bulk, text: str) -> Weighed:
    from crm_core.inbox.lists import finding
    from crm_core.inbox.lists.bulk import MOST_AT_ONCE, weigh

    sought = read_filter(text)
    if not sought.terms:
        raise UsageError(problem="An empty filter would mean everything", remedy="say which, as in --filter owner:me")
    with session.reading() as unit:
        found = finding.find(unit, sought, limit=MOST_AT_ONCE)
        if found.matching > MOST_AT_ONCE:
            raise UsageError(
                problem=f"{found.matching:,} answer to that, and at most {MOST_AT_ONCE:,} are done at once",
                remedy="narrow the filter",
            )
        weighed = weigh(unit, [item.conversation_id for item in found.items], bulk)
    say_if_cut(session, found)
    return weighed


def _agree(session: Session, verb: str, weighed: Weighed, yes: int | None) -> None:
    """Show how many, three of them and what is left out; go on only where the number itself is given."""
    count = len(weighed.fit)
    left_out = f" Left out: {weighed.excluded}." if weighed.excluded else ""
    if not count:
        raise Refused(why=f"Nothing may be {_PAST[verb]} there.{left_out}".rstrip("."), remedy="change the filter")
    samples = ", ".join(str(show_id(Kind.CONVERSATION, number)) for number in weighed.fit[:SAMPLES])
    more = f" and {count - SAMPLES:,} more" if count > SAMPLES else ""
    session.say(f"{verb.capitalize()} {count:,}: {samples}{more}.{left_out}")
    if yes is None and sys.stdin.isatty():
        sys.stderr.write(f"Type {count} to go: ")
        sys.stderr.flush()
        yes = _number(sys.stdin.readline())
    if yes is None:
        raise UsageError(problem="Nothing was changed", remedy=f"repeat with --yes {count} to go")
    if yes != count:
        raise UsageError(problem=f"Nothing was changed: {yes} is not {count}", remedy="look again, and give the number")


def _do(session: Session, verb: str, bulk: Bulk, weighed: Weighed) -> dict[str, Any]:
    """In units of fifty; Ctrl-C stops between two, and says what was done."""
    from crm_core.inbox.lists.bulk import do_to_all, in_units
    from crm_tui.cli.output import progress

    batch: int | None = None
    done: list[int] = []
    refused: list[tuple[int, str]] = []
    stopped = False
    with progress(verb.capitalize()) as tell:
        try:
            for some in in_units(weighed.fit):
                with session.writing() as unit:
                    part = do_to_all(unit, some, bulk, batch_id=batch)
                batch = part.batch_id
                done += part.done
                refused += part.refused
                tell(len(done) + len(refused), len(weighed.fit))
        except KeyboardInterrupt:
            stopped = True
    if stopped:
        session.say(f"Stopped: {len(done):,} of {len(weighed.fit):,} were {_PAST[verb]}.")
    return {
        "act": batch,
        "done": [show_id(Kind.CONVERSATION, number) for number in done],
        "refused": [{"conversation": show_id(Kind.CONVERSATION, number), "why": why} for number, why in refused],
        "left_out": [{"reason": reason, "count": count} for reason, count in weighed.left_out],
        "stopped": stopped,
    }


def _told(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "done": len(report["done"]),
        "refused": [f"{one['why']}" for one in report["refused"]],
        "take back": f"crm undo --act {report['act']}" if report["done"] else None,
    }


_PAST = {"close": "closed", "move": "moved", "assign": "assigned", "snooze": "snoozed"}


def _number(line: str) -> int | None:
    typed = line.strip().replace(",", "")
    return int(typed) if typed.isascii() and typed.isdecimal() else None
