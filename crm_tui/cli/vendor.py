"""`crm vendor`: who carries messages, and under which agreement."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.words import Channel
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.channels.vendors import VendorView

app = group("Who carries messages, and under which BAA.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The vendor's name.")]
_DAY = ["%Y-%m-%d"]
Begins = Annotated[datetime, typer.Option("--from", formats=_DAY, help="The agreement's first day.")]
Ends = Annotated[datetime, typer.Option("--until", formats=_DAY, help="The agreement's last day.")]


@command(app, "list", example="crm vendor list")
def list_vendors(ctx: typer.Context) -> None:
    """Every vendor, its agreement's dates, and whether it may be used today."""
    session = Session.of(ctx)
    session.show(_documents(session))


@command(app, "add", example='crm vendor add "Example Mail" --gateway email --from 2026-01-01 --until 2027-12-31')
def add(
    ctx: typer.Context,
    name: Name,
    gateway: Annotated[Channel, typer.Option("--gateway", help="The channel it carries, as crm.toml names it.")],
    begins: Begins,
    ends: Ends,
) -> None:
    """Record a vendor's business associate agreement for a channel; a renewal is added the same way."""
    from crm_core.channels import vendors

    session = Session.of(ctx)
    with session.writing() as unit:
        number = vendors.add_vendor(
            unit, name=name, gateway=gateway.value, baa_from=begins.date(), baa_until=ends.date()
        )
    session.show(next(each for each in _of(session, name) if each["vendor"] == number))


@command(app, "end", example='crm vendor end "Example Mail"')
def end(ctx: typer.Context, name: Name) -> None:
    """Stop using a vendor now, on every channel; nothing more goes through it."""
    from crm_core.channels import vendors

    session = Session.of(ctx)
    with session.writing() as unit:
        vendors.end_vendor(unit, name)
    session.show(_of(session, name))


def _of(session: Session, name: str) -> list[dict[str, Any]]:
    return [document for document in _documents(session) if document["name"] == name]


def _documents(session: Session) -> list[dict[str, Any]]:
    from crm_core.channels import vendors

    with session.reading() as unit:
        return [_document(vendor) for vendor in vendors.vendors(unit)]


def _document(vendor: VendorView) -> dict[str, Any]:
    return {
        "vendor": vendor.id,
        "name": vendor.name,
        "gateway": vendor.gateway,
        "baa_from": vendor.baa_from,
        "baa_until": vendor.baa_until,
        "ended": vendor.ended,
        "in_date": vendor.in_date,
        "warning": _warning(vendor),
    }


def _warning(vendor: VendorView) -> str | None:
    if vendor.ran_out:
        return "over: nothing leaves by it; renew it with `crm vendor add`"
    return f"ends in {vendor.days_left} days; renew it with `crm vendor add`" if vendor.ends_soon else None
