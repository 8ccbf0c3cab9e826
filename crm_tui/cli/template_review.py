"""`crm template`: what a writer and an approver look at before they decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_core.library.model import TemplateView
    from crm_core.playbook.problems import Problem

app = group("Looking at the library.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The template's key.")]
Language = Annotated[str, typer.Option("--language", metavar="L", help="The variant's language.")]


@command(app, "back", example="crm template back refill_received --remark 'Say when we call.'")
def back(
    ctx: typer.Context,
    name: Name,
    remark: Annotated[str, typer.Option("--remark", help="What the author should change.")],
    language: Language = "en",
    number: Annotated[int | None, typer.Option("--number", help="The version you read.")] = None,
) -> None:
    """Send a version in review back to its author, with a remark."""
    from crm_core.library import queries, service

    session = Session.of(ctx)
    with session.writing() as unit:
        version_id = service.send_back(unit, name, remark=remark, language=language, number=number)
        view = queries.version(unit, version_id)
    session.show({"template": view.key, "language": view.language, "number": view.number, "state": view.state})


@command(app, "lint", example="crm template lint refill_received")
def lint(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The template's key; all without it.")] = None,
) -> None:
    """Find what is wrong or worth a look in the newest versions; exit code 1 where something is wrong."""
    from crm_core.library import checking, queries
    from crm_core.library.model import TemplateState

    session = Session.of(ctx)
    with session.reading() as unit:
        views = queries.show(unit, name) if name is not None else queries.templates(unit)
        found = [
            problem
            for view in _newest(views)
            if view.state is not TemplateState.RETIRED
            for problem in checking.findings(unit, view)
        ]
    session.show([_finding(problem) for problem in found], empty="Nothing found.")
    if checking.mistakes(found):
        raise typer.Exit(1)


@command(app, "uses", example="crm template uses")
def uses(ctx: typer.Context) -> None:
    """How often each template was sent, and when last; the most used first."""
    from crm_core.inbox.template_uses import template_uses
    from crm_core.library import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        counted = template_uses(unit)
        views = queries.every_version(unit)
    rows: dict[str, dict[str, Any]] = {}
    for view in views:
        row = rows.setdefault(view.key, {"template": view.key, "sent": 0, "last_sent": None, "title": view.title})
        if (used := counted.get(view.id)) is not None:
            row["sent"] += used.count
            row["last_sent"] = max(filter(None, (row["last_sent"], used.last_at)))
    session.show(sorted(rows.values(), key=lambda row: (-row["sent"], row["template"])))


@command(app, "variants", example="crm template variants")
def variants(ctx: typer.Context) -> None:
    """Which languages each template speaks; a patient whose language is missing is answered in English."""
    from crm_core.library import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        found = queries.variants(unit)
    session.show(
        [
            {"template": each.key, "approved": each.ready, "waiting": each.waiting, "missing": each.missing}
            for each in found
        ]
    )


@command(app, "reviews", example="crm template reviews --days 60")
def reviews(
    ctx: typer.Context,
    days: Annotated[int, typer.Option("--days", min=0, max=3660, help="How many days ahead to look.")] = 30,
) -> None:
    """What must be approved again soon; past its review date a template is not sent."""
    from crm_core.library import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        views = queries.due_for_review(unit, within=timedelta(days=days))
        today = unit.now.date()
    session.show(
        [
            {
                "template": view.key,
                "language": view.language,
                "number": view.number,
                "review_due": view.review_due,
                "past": view.past_review(today),
                "title": view.title,
            }
            for view in views
        ],
        empty="Nothing is due for review.",
    )


@command(app, "diff", example="crm template diff refill_received --from 1 --to 2")
def diff(
    ctx: typer.Context,
    name: Name,
    language: Language = "en",
    before: Annotated[int | None, typer.Option("--from", help="The older version; else what is approved.")] = None,
    after: Annotated[int | None, typer.Option("--to", help="The newer version; else the newest.")] = None,
) -> None:
    """What two versions say differently, a line each: - gone, + new."""
    from crm_core.errors import NotFound
    from crm_core.library import queries
    from crm_core.library.differences import differences
    from crm_core.library.model import TemplateState

    session = Session.of(ctx)
    with session.reading() as unit:
        views = queries.show(unit, name, language)
    by_number = {view.number: view for view in views}
    in_force = next((view.number for view in views if view.state is TemplateState.APPROVED), min(by_number))
    one, other = before or in_force, after or max(by_number)
    for number in (one, other):
        if number not in by_number:
            raise NotFound(kind=f"version of {name} ({language})", id=number)
    lines = [f"{line.change} {line.text}" for line in differences(by_number[one], by_number[other])]
    session.show(
        {"template": name, "language": language, "from": one, "to": other, "lines": lines},
        people={f"version {one} and version {other}": "\n".join(lines)},
    )


@contextmanager
def every_mistake(session: Session) -> Iterator[None]:
    """Name each mistake of a refused template, of which the error itself names the first."""
    from crm_core.library.files import TemplateErrors

    try:
        yield
    except TemplateErrors as error:
        for problem in error.problems:
            session.say(str(problem))
        raise


def _newest(views: Iterable[TemplateView]) -> list[TemplateView]:
    newest: dict[tuple[str, str], TemplateView] = {}
    for view in views:
        place = (view.key, view.language)
        if place not in newest or newest[place].number < view.number:
            newest[place] = view
    return list(newest.values())


def _finding(problem: Problem) -> dict[str, Any]:
    from crm_core.playbook.problems import Caution

    kind = "caution" if isinstance(problem, Caution) else "wrong"
    return {"file": problem.file, "kind": kind, "key": problem.key or None, "message": problem.message}
