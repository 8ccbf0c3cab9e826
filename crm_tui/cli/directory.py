"""`crm directory`: the services that staff tell patients of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.library.directory import Service

app = group("What there is, where, and how it is booked.")


@command(app, "list", example="crm directory list")
def list_services(ctx: typer.Context) -> None:
    """Every service of the playbook in force, by title."""
    from crm_core.library import directory

    session = Session.of(ctx)
    with session.reading() as unit:
        listed = directory.services(unit)
    session.show(
        [_document(service) for service in listed],
        people=[
            {"service": service.key, "title": service.title, "phone": service.phone, "hours": service.hours}
            for service in listed
        ],
        empty="This playbook lists no service; add a directory.toml.",
    )


@command(app, "find", example="crm directory find blood test")
def find(
    ctx: typer.Context,
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help="What it is called, in any language.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many services.")] = 5,
) -> None:
    """The services that answer to a name, best first."""
    from crm_core.library import directory

    session = Session.of(ctx)
    with session.reading() as unit:
        likely = directory.find_services(unit, " ".join(text), limit)
    session.show([_document(service) for service in likely], empty="No service answers to this.")


def _document(service: Service) -> dict[str, Any]:
    return {
        "service": service.key,
        "title": service.title,
        "what": service.what,
        "where": service.where,
        "for_whom": service.for_whom,
        "how_to_book": service.how_to_book,
        "phone": service.phone,
        "hours": service.hours,
        "languages": list(service.languages),
        "aliases": list(service.aliases),
    }
