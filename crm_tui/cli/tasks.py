"""`crm tasks`: what is to be done, by whom and by when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from crm_core.access.model import Role
from crm_core.errors import UsageError
from crm_core.tasks.model import NewTask, TaskKind
from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named
from crm_tui.cli.session import Session
from crm_tui.cli.texts import given_text
from crm_tui.ids import Kind, patient_id, read_id

if TYPE_CHECKING:
    from crm_core.work.units import WriteUnit

app = group("What is to be done, by whom and by when.")

Task = Annotated[str, typer.Argument(metavar="T-…", help="The task's id.")]
_TIME = "2026-11-24T09:00, or a span: 2h, 3d."


@command(app, "list", example="crm tasks list --mine")
def list_tasks(
    ctx: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only those I own, or that wait for one of my roles.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their due time.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many tasks.")] = 50,
) -> None:
    """The open tasks, those due first on top."""
    from crm_core.tasks import queries
    from crm_tui.cli.task import line

    session = Session.of(ctx)
    with session.reading() as unit:
        now, page = unit.now, queries.tasks(unit, mine=mine, overdue=overdue, limit=limit)
    documents = [{**line(item), "overdue": item.due_at < now} for item in page.items]
    people = [
        {
            "task": document["task"],
            "due_at": item.due_at,
            "late": "overdue" if document["overdue"] else None,
            "title": item.title,
            "patient": item.patient_name,
            "whose": item.owner or item.role or item.lane,
        }
        for document, item in zip(documents, page.items, strict=True)
    ]
    session.show(documents, people=people, empty="No task waits.")
    if not session.json and page.total > len(page.items):
        session.say(f"{page.total - len(page.items)} more; see --limit.")


@command(app, "add", example='crm tasks add "Call the pharmacy" --kind call_back --due 2h --conversation C-1042')
def add(  # noqa: PLR0917 - typer passes them by name
    ctx: typer.Context,
    title: Annotated[
        str | None, typer.Argument(metavar="TITLE", help="What is to be done; without it, or with -, standard input.")
    ] = None,
    kind: Annotated[TaskKind, typer.Option("--kind", help="What it is about.")] = TaskKind.FOLLOW_UP,
    due: Annotated[str, typer.Option("--due", metavar="TIME", help=_TIME)] = "1d",
    to: Annotated[
        str | None, typer.Option("--to", metavar="LOGIN", help="Whose it is; yours without --to, --role and --lane.")
    ] = None,
    role: Annotated[Role | None, typer.Option("--role", help="Whoever of this role takes it.")] = None,
    lane: Annotated[str | None, typer.Option("--lane", metavar="LANE", help="Whoever of this lane takes it.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="P-…", help="Whom it is about.")] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="C-…", help="The conversation it comes from.")
    ] = None,
    details: Annotated[str | None, typer.Option("--details", help="What else must be known to do it.")] = None,
    require: Annotated[
        list[str] | None, typer.Option("--require", metavar="KEY", help="What must be filled in before it is done.")
    ] = None,
) -> None:
    """Add a task."""
    from crm_core.access.queries import by_login
    from crm_core.inbox.tasks import task_from
    from crm_core.tasks.service import create_task
    from crm_tui.cli.task import show_task
    from crm_tui.cli.times import moment

    written = given_text(title)
    session = Session.of(ctx)
    about = named(session, conversation) if conversation is not None else None
    whose = patient_id(patient) if patient is not None else None
    with session.writing() as unit:
        owner = by_login(unit, to).id if to is not None else None
        if owner is None and role is None and lane is None:
            owner = unit.actor.staff_id
        asked = NewTask(
            kind=kind,
            title=written,
            details=details,
            patient_id=whose,
            owner_id=owner,
            role=role,
            lane=lane,
            due_at=moment(due, unit.now),
            required=tuple(require or ()),
        )
        number = create_task(unit, asked) if about is None else task_from(unit, about, asked)
    show_task(session, number)


@command(app, "done", example='crm tasks done T-12 --words "Reached her; she has enough."')
def done(
    ctx: typer.Context,
    task: Task,
    words: Annotated[str | None, typer.Option("--words", help="What came of it.")] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option("--fill", metavar="KEY=TEXT", help="Something it requires; may be repeated."),
    ] = None,
) -> None:
    """Say that a task is done; what it requires is filled in first."""
    from crm_core.tasks import service

    known = dict(_pair(one) for one in fill or ())
    _work(ctx, task, lambda unit, number: service.finish(unit, number, words=words, known=known))


@command(app, "cancel", example='crm tasks cancel T-12 --why "She called herself."')
def cancel(
    ctx: typer.Context,
    task: Task,
    why: Annotated[str, typer.Option("--why", help="Why it need not be done.")],
) -> None:
    """End a task undone, saying why."""
    from crm_core.tasks import service

    _work(ctx, task, lambda unit, number: service.cancel(unit, number, why))


@command(app, "assign", example="crm tasks assign T-12 --to maria")
def assign(
    ctx: typer.Context,
    task: Task,
    to: Annotated[str | None, typer.Option("--to", metavar="LOGIN", help="Whose it is; yours without it.")] = None,
) -> None:
    """Give a task to somebody."""
    from crm_core.access.queries import by_login
    from crm_core.tasks import service

    def work(unit: WriteUnit, number: int) -> None:
        service.assign_task(unit, number, unit.actor.staff_id if to is None else by_login(unit, to).id)

    _work(ctx, task, work)


@command(app, "put-off", example="crm tasks put-off T-12 --until 2d")
def put_off(
    ctx: typer.Context,
    task: Task,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help=_TIME)],
) -> None:
    """Let a task be due at another time."""
    from crm_core.tasks import service
    from crm_tui.cli.times import moment

    _work(ctx, task, lambda unit, number: service.put_off(unit, number, moment(until, unit.now)))


@command(app, "reopen", example="crm tasks reopen T-12")
def reopen(ctx: typer.Context, task: Task) -> None:
    """Take up again what was ended by mistake."""
    from crm_core.tasks import service

    _work(ctx, task, service.take_up_again)


def _work(ctx: typer.Context, task: str, work: Callable[[WriteUnit, int], object]) -> None:
    from crm_tui.cli.task import show_task

    number = read_id(task, Kind.TASK)[1]
    session = Session.of(ctx)
    with session.writing() as unit:
        work(unit, number)
    show_task(session, number)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(problem="--fill takes KEY=TEXT", remedy="write it like --fill new_number=2125550199")
    return key.strip(), value
