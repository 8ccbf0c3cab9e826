"""`crm playbook`: the clinic's own rules, checked, rehearsed, compared and applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from crm_core.playbook.loader import Playbook
    from crm_core.playbook.problems import Problem

app = group("The clinic's own rules.")

Directory = Annotated[
    str, typer.Argument(metavar="DIR", help="The playbook's folder, or the name of one that ships with the program.")
]


@command(app, "check", example="crm playbook check primary_care")
def check(ctx: typer.Context, directory: Directory) -> None:
    """Find every mistake in a playbook, and what is legal but probably wrong; in a home, whom it names too."""
    from crm_core.errors import CrmError
    from crm_core.inbox.playbook.people_checks import check_people
    from crm_core.settings import FILE

    session = Session.of(ctx)
    playbook = _draft(session, directory)
    warnings = list(playbook.warnings)
    if (session.home / FILE).is_file():
        try:
            with session.reading() as unit:
                warnings += check_people(unit, playbook)
        except CrmError as error:
            session.say(f"The accounts it names were not looked for: {error.message}")
    session.show(_document(None, (), warnings), people=None if warnings else "No mistake found.")


@command(app, "apply", example="crm playbook apply ~/our-playbook")
def apply(ctx: typer.Context, directory: Directory) -> None:
    """Make a playbook the one in force, as a numbered version; refused while it has a mistake."""
    from crm_core.inbox.playbook.people_checks import check_people
    from crm_core.playbook import service

    session = Session.of(ctx)
    playbook = _draft(session, directory)
    with session.writing() as unit:
        version = service.apply(unit, playbook)
        warnings = [*playbook.warnings, *check_people(unit, playbook)]
    session.show(_document(version, (), warnings))


@command(app, "diff", example="crm playbook diff ~/our-playbook")
def diff(ctx: typer.Context, directory: Directory) -> None:
    """Say in words what a playbook changes against the one in force; refused while it has a mistake."""
    from crm_core.playbook import service
    from crm_core.playbook.changes import changes
    from crm_core.sections import SECTIONS

    session = Session.of(ctx)
    draft = _draft(session, directory)
    with session.reading() as unit:
        before = service.in_force(unit)
    found = [
        {"file": one.file, "key": one.key or None, "change": one.kind, "said": one.said}
        for one in changes(before, draft, SECTIONS)
    ]
    session.show(
        {"version": before.version, "changes": found},
        people=None if found else f"Nothing differs from version {before.version}.",
    )


@command(app, "rehearse", example="crm playbook rehearse ~/our-playbook --since 30d --samples 3")
def rehearse(
    ctx: typer.Context,
    directory: Directory,
    *,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="From when on: a span back from now like 30d, or a date.")
    ] = "30d",
    samples: Annotated[
        int, typer.Option("--samples", min=0, max=100, help="How many texts to name for each pair of lanes.")
    ] = 3,
) -> None:
    """Route the texts that came in by a draft too, and show what would lie elsewhere; changes nothing."""
    from crm_core.access.model import SYSTEM, Permission
    from crm_core.inbox.routing import rehearsal
    from crm_tui.cli.output import progress
    from crm_tui.cli.rehearsed import document, for_people
    from crm_tui.cli.times import moment_ago

    session = Session.of(ctx)
    session.permit(Permission.PLAYBOOK_REHEARSE)
    draft = _draft(session, directory)
    with session.writing() as unit:
        run = rehearsal.begin(unit, draft, moment_ago(since, session.clock.now()), samples=samples)
    with progress("Rehearsing") as shown:
        while not run.done:
            with session.crm.read(SYSTEM) as unit:
                rehearsal.rehearse_some(unit, run)
            shown(run.first.texts, run.total)
    said = {}
    kept = [sample for some in run.first.kept.values() for sample in some]
    if kept and session.actor.may(Permission.CONVERSATION_READ):
        with session.reading() as unit:
            said = rehearsal.sample_texts(unit, kept)
    found = document(run, said)
    session.show(found, people=for_people(found))


def _draft(session: Session, directory: str) -> Playbook:
    """The checked playbook of that folder; with mistakes, they are shown and the run ends."""
    from crm_core.playbook.loader import load
    from crm_core.playbook.problems import PlaybookErrors
    from crm_core.sections import SECTIONS

    try:
        return load(folder(directory), SECTIONS)
    except PlaybookErrors as error:
        session.show(_document(None, error.problems, ()))
        raise typer.Exit(1) from None


def folder(directory: str) -> Traversable | Path:
    """The folder of that path; else the shipped playbook of that name."""
    from crm_core.playbook.shipped import shipped

    path = Path(directory).expanduser()
    return path if path.is_dir() or "/" in directory else shipped(directory)


def _document(version: int | None, errors: Sequence[Problem], warnings: Sequence[Problem]) -> dict[str, Any]:
    return {"version": version, "errors": [_problem(e) for e in errors], "warnings": [_problem(w) for w in warnings]}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "key": problem.key or None, "message": problem.message}
