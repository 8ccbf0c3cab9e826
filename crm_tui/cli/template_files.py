"""`crm template`: templates written, in an editor or as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.library.checking import Examined, Known
    from crm_core.library.model import TemplateView
    from crm_core.library.writing import Written
    from crm_core.playbook.problems import Problem

app = group("Templates as files.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The template's key.")]
Language = Annotated[str, typer.Option("--language", metavar="L", help="The variant's language.")]
MOST_FILES = 2_000


@command(app, "export", example="crm template export ~/our-playbook/templates")
def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write into; made where it is missing.")],
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="One template only.")] = None,
    approved: Annotated[bool, typer.Option("--approved", help="What is in force, rather than the newest.")] = False,
) -> None:
    """Write templates as the files of a playbook, a file a language; never over a file that says something else."""
    from crm_core.errors import NotFound
    from crm_core.library import queries
    from crm_core.library.exporting import write_files
    from crm_core.library.files import as_file, file_name
    from crm_core.library.model import TemplateState

    session = Session.of(ctx)
    with session.reading() as unit:
        views = [view for view in queries.templates(unit) if view.state is not TemplateState.RETIRED]
    chosen: dict[str, TemplateView] = {}
    for view in views:
        if key in (None, view.key) and (view.state is TemplateState.APPROVED or not approved):
            chosen[file_name(view.key, view.language)] = view
    if key is not None and not chosen:
        raise NotFound(kind="template", id=key)
    made = write_files(folder.expanduser(), {name: as_file(view) for name, view in chosen.items()})
    session.show({"written": made.written, "unchanged": len(made.unchanged)})


@command(app, "import", example="crm template import ~/our-playbook/templates")
def import_files(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR…", help="Markdown files, or folders of them.")],
) -> None:
    """Make drafts of template files; what a newest version says already makes none, and one mistake refuses all."""
    from crm_core.library import writing
    from crm_core.library.checking import known
    from crm_core.library.files import TemplateErrors, read_files

    session = Session.of(ctx)
    content, unread = _content(paths)
    try:
        if unread:
            raise TemplateErrors(tuple(unread))
        texts = read_files(content)
        with session.writing() as unit:
            made = writing.write_all(unit, texts)
            against = known(unit)
    except TemplateErrors as error:
        session.show({"drafted": 0, "unchanged": 0, "errors": [_problem(each) for each in error.problems]})
        raise typer.Exit(1) from None
    found = [problem for file, text in content.items() for problem in _examined(file, text, against).findings]
    _show(session, made, found)


@command(app, "new", example="crm template new refill_delayed < refill_delayed.md")
def new(ctx: typer.Context, name: Name, language: Language = "en") -> None:
    """Write a new template, or a variant in a language it lacks: in $EDITOR, or as a file on standard input."""
    from crm_core.library.files import blank_file

    session = Session.of(ctx)
    _write(session, name, language, blank_file(name, language), above=None)


@command(app, "edit", example="crm template edit refill_received")
def edit(ctx: typer.Context, name: Name, language: Language = "en") -> None:
    """Write the next version of a template: in $EDITOR, or as a file on standard input."""
    from crm_core.library import queries
    from crm_core.library.files import as_file

    session = Session.of(ctx)
    with session.reading() as unit:
        newest = queries.show(unit, name, language)[0]
    _write(session, name, language, as_file(newest), above=newest.number)


def _write(session: Session, name: str, language: str, before: str, *, above: int | None) -> None:
    from crm_core.access.model import Permission
    from crm_core.errors import CrmError
    from crm_core.library import writing
    from crm_core.library.checking import known
    from crm_core.library.files import TemplateErrors, file_name, renamed

    session.permit(Permission.TEMPLATE_WRITE)
    with session.reading() as unit:
        against = known(unit)
    file = file_name(name, language)
    typed = _typed(before)
    while True:
        examined = _examined(file, typed, against)
        try:
            if examined.text is None:
                raise TemplateErrors(examined.mistakes)
            renamed(examined.text, name, language)
            with session.writing() as unit:
                made = writing.write(unit, examined.text, above=above)
        except CrmError as error:
            problems = tuple(map(str, error.problems)) if isinstance(error, TemplateErrors) else ()
            for said in problems or ((error.message,) if _is_typed_here() else ()):
                session.say(said)
            if not _is_typed_here():
                raise
            if not typer.confirm("Open it again? Without that the text is printed here.", default=True, err=True):
                sys.stdout.write(typed)
                raise typer.Exit(error.exit_code) from None
            typed = _typed(typed)
            continue
        _show(session, made, examined.findings)
        return


def _typed(before: str) -> str:
    """What a person makes of `before` in their editor; standard input where that is no terminal."""
    import click

    from crm_core.errors import UsageError
    from crm_core.playbook.reading import LONGEST_FILE

    if not _is_typed_here():
        text = sys.stdin.read(LONGEST_FILE + 1)
        if len(text) > LONGEST_FILE:
            raise UsageError(problem=f"The text is longer than {LONGEST_FILE:,} characters", remedy="shorten it")
        return text
    try:
        text = click.edit(before, extension=".md") or ""
    except click.ClickException:
        raise UsageError(
            problem="The editor did not start", remedy="name one in $EDITOR, or give the file on standard input"
        ) from None
    if text.strip() in ("", before.strip()):
        raise UsageError(problem="Nothing was changed", remedy="change the text and save it")
    return text


def _is_typed_here() -> bool:
    return sys.stdin.isatty()


def _examined(file: str, text: str, against: Known) -> Examined:
    from crm_core.clock import SystemClock
    from crm_core.library.checking import examine_file

    return examine_file(file, text, against, today=SystemClock().now().date())


def _content(paths: list[Path]) -> tuple[dict[str, str], list[Problem]]:
    """Every Markdown file by the path it was named with, and what cannot be read."""
    from crm_core.playbook.problems import Problem
    from crm_core.playbook.reading import read_text

    content: dict[str, str] = {}
    unread: list[Problem] = []
    for path in paths:
        here = path.expanduser()
        files = sorted(here.glob("*.md"))[: MOST_FILES + 1] if here.is_dir() else [here]
        if len(files) > MOST_FILES or not files:
            what = f"holds more than {MOST_FILES:,} templates" if files else "holds no template, a file *.md"
            unread.append(Problem(file=str(path), message=what))
            continue
        for file in files:
            if file.suffix != ".md":
                unread.append(Problem(file=str(file), message="is no template; its name ends in .md"))
                continue
            text = read_text(str(file), file)
            if isinstance(text, Problem):
                unread.append(text)
            else:
                content[str(file)] = text
    return content, unread


def _show(session: Session, made: Written, found: Any) -> None:
    session.show(
        {
            "drafted": len(made.drafted),
            "unchanged": made.unchanged,
            "findings": [_problem(problem) for problem in found],
        }
    )


def _problem(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "key": problem.key or None, "message": problem.message}
