"""`crm views`: filters kept under a name."""

from __future__ import annotations

from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.find import FilterText, read_filter, show_found
from crm_tui.cli.session import Session

app = group("Filters kept under a name.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The view's name, in any case.")]


@command(app, "list", example="crm views list")
def list_views(ctx: typer.Context) -> None:
    """Every view: everybody's, yours, and what others share."""
    from crm_core.inbox.lists import views

    session = Session.of(ctx)
    with session.reading() as unit:
        seen = views.views(unit)
        counts = views.view_counts(unit, seen)
    session.show(
        [
            {
                "view": view.name,
                "filter": view.filter,
                "open": count,
                "shared": view.shared,
                "owner": view.owner,
            }
            for view, count in zip(seen, counts, strict=True)
        ]
    )


@command(app, "show", example='crm views show "Due within 2 h"')
def show(
    ctx: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, max=2_000, help="How many conversations.")] = 50,
) -> None:
    """The conversations that a view shows."""
    from crm_core.inbox.lists import views

    session = Session.of(ctx)
    with session.reading() as unit:
        view = views.view_named(unit, name)
    show_found(session, view.filter, limit)


@command(app, "save", example="crm views save 'Late refills' 'lane:refills is:overdue'")
def save(
    ctx: typer.Context,
    name: Name,
    filter_text: FilterText,
    shared: Annotated[bool, typer.Option("--shared", help="For everybody; a supervisor's to do.")] = False,
) -> None:
    """Keep a filter under a name, in place of your view of the same name."""
    from crm_core.inbox.lists import views

    text = str(read_filter(filter_text))
    session = Session.of(ctx)
    with session.writing() as unit:
        views.save_view(unit, name, text, shared=shared)
    with session.reading() as unit:
        view = views.view_named(unit, name)
    session.show({"view": view.name, "filter": view.filter, "shared": view.shared})


@command(app, "rename", example="crm views rename 'Late refills' 'Overdue refills'")
def rename(
    ctx: typer.Context,
    name: Name,
    to: Annotated[str, typer.Argument(metavar="TO", help="The new name.")],
) -> None:
    """Give a view of yours another name."""
    from crm_core.inbox.lists import views

    session = Session.of(ctx)
    with session.writing() as unit:
        views.rename_view(unit, name, to)
    with session.reading() as unit:
        view = views.view_named(unit, to)
    session.show({"view": view.name, "filter": view.filter, "shared": view.shared})


@command(app, "drop", example="crm views drop 'Late refills'")
def drop(ctx: typer.Context, name: Name) -> None:
    """Forget a view; the conversations stay as they are."""
    from crm_core.inbox.lists import views

    session = Session.of(ctx)
    with session.writing() as unit:
        views.drop_view(unit, name)
    session.show({"dropped": name})
