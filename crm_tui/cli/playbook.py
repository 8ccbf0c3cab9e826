"""`crm playbook`: the clinic's own rules, checked and applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from crm_core.playbook.problems import Problem

app = group("The clinic's own rules.")

Directory = Annotated[
    str, typer.Argument(metavar="DIR", help="The playbook's folder, or the name of one that ships with the program.")
]


@command(app, "check", example="crm playbook check primary_care")
def check(ctx: typer.Context, directory: Directory) -> None:
    """Find every mistake in a playbook, and what is legal but probably wrong; needs no home."""
    from crm_core.playbook.loader import load
    from crm_core.playbook.problems import PlaybookErrors
    from crm_core.sections import SECTIONS

    session = Session.of(ctx)
    try:
        playbook = load(folder(directory), SECTIONS)
    except PlaybookErrors as error:
        session.show(_document(None, error.problems, ()))
        raise typer.Exit(1) from None
    session.show(_document(None, (), playbook.warnings), people=None if playbook.warnings else "No mistake found.")


@command(app, "apply", example="crm playbook apply ~/our-playbook")
def apply(ctx: typer.Context, directory: Directory) -> None:
    """Make a playbook the one in force, as a numbered version; refused while it has a mistake."""
    from crm_core.playbook import service
    from crm_core.playbook.loader import load
    from crm_core.playbook.problems import PlaybookErrors
    from crm_core.sections import SECTIONS

    session = Session.of(ctx)
    try:
        playbook = load(folder(directory), SECTIONS)
    except PlaybookErrors as error:
        session.show(_document(None, error.problems, ()))
        raise typer.Exit(1) from None
    with session.writing() as unit:
        version = service.apply(unit, playbook)
    session.show(_document(version, (), playbook.warnings))


def folder(directory: str) -> Traversable | Path:
    """The folder of that path; else the shipped playbook of that name."""
    from crm_core.playbook.shipped import shipped

    path = Path(directory).expanduser()
    return path if path.is_dir() or "/" in directory else shipped(directory)


def _document(version: int | None, errors: Sequence[Problem], warnings: Sequence[Problem]) -> dict[str, Any]:
    return {"version": version, "errors": [_problem(e) for e in errors], "warnings": [_problem(w) for w in warnings]}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "key": problem.key or None, "message": problem.message}
