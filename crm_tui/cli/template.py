"""`crm template`: the library of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.library.model import TemplateState
from crm_tui.cli import template_files, template_review
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.library.model import TemplateView

app = group("The library of answers.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The template's key.")]
Language = Annotated[str, typer.Option("--language", metavar="L", help="The variant's language.")]
AnyLanguage = Annotated[str | None, typer.Option("--language", metavar="L", help="One language only.")]


@command(app, "list", example="crm template list --state draft")
def list_templates(
    ctx: typer.Context,
    state: Annotated[TemplateState | None, typer.Option("--state", help="Only versions in this state.")] = None,
    language: AnyLanguage = None,
) -> None:
    """The newest version of every template, and the approved one where that is older."""
    from crm_core.library import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        views = queries.templates(unit, state=state, language=language)
    session.show([_summary(view) for view in views])


@command(app, "show", example="crm template show refill_received")
def show(ctx: typer.Context, name: Name, language: AnyLanguage = None) -> None:
    """Every version of one template with its text, newest first."""
    from crm_core.library import queries

    session = Session.of(ctx)
    with session.reading() as unit:
        views = queries.show(unit, name, language)
    documents = [_whole(view) for view in views]
    session.show(documents, people={f"version {one['number']} in {one['language']}": one for one in documents})


@command(app, "submit", example="crm template submit refill_received")
def submit(ctx: typer.Context, name: Name, language: Language = "en") -> None:
    """Put the newest draft of a template up for review; refused with what the linter finds wrong."""
    from crm_core.library import checking, queries, service

    session = Session.of(ctx)
    with template_review.every_mistake(session), session.writing() as unit:
        view = queries.version(unit, service.submit(unit, name, language=language))
        cautions = checking.findings(unit, view)
    session.show({**_summary(view), "cautions": [problem.message for problem in cautions]})


@command(app, "approve", example="crm template approve refill_received --number 2")
def approve(
    ctx: typer.Context,
    name: Name,
    language: Language = "en",
    number: Annotated[
        int | None, typer.Option("--number", help="The version you read; refused when a newer one exists.")
    ] = None,
) -> None:
    """Let a version that another person wrote be sent from now on; the one before it is retired."""
    from crm_core.library import queries, service

    session = Session.of(ctx)
    with template_review.every_mistake(session), session.writing() as unit:
        view = queries.version(unit, service.approve(unit, name, language=language, number=number))
    session.show(_summary(view))


@command(app, "retire", example="crm template retire refill_received")
def retire(ctx: typer.Context, name: Name, language: AnyLanguage = None) -> None:
    """Take a template out of use, in one language or in all."""
    from crm_core.library import queries, service

    session = Session.of(ctx)
    with session.writing() as unit:
        views = [queries.version(unit, version) for version in service.retire(unit, name, language=language)]
    session.show([_summary(view) for view in views])


def _summary(view: TemplateView) -> dict[str, Any]:
    return {
        "template": view.key,
        "language": view.language,
        "number": view.number,
        "state": view.state,
        "title": view.title,
        "channels": list(view.channels),
        "categories": list(view.categories),
        "review_due": view.review_due,
    }


def _whole(view: TemplateView) -> dict[str, Any]:
    return {
        **_summary(view),
        "purpose": view.purpose,
        "fields": list(view.fields),
        "needs_personal": view.needs_personal,
        "approved_at": view.approved_at,
        "retired_because": view.retired_because,
        "then": str(view.then) if view.then is not None else None,
        "origin": view.origin,
        "remark": view.remark,
        "body": view.body,
    }


for _more in (template_files.app, template_review.app):
    app.registered_commands += _more.registered_commands
