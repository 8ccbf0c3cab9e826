"""What `crm doctor` says of each gateway: that it may be used, and, when asked to look, that it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crm_core.access.model import SYSTEM
from crm_core.errors import CrmError
from crm_core.settings import Settings, SmtpTable, SpoolTable, read_secret
from crm_core.twilio_settings import TwilioTable

if TYPE_CHECKING:
    from crm_core.app import Crm


def each_gateway(crm: Crm, settings: Settings) -> Iterator[tuple[bool, str]]:
    """Whether each gateway of crm.toml may be used, and what was seen."""
    from crm_core.channels.vendors import vendors

    with crm.read(SYSTEM) as unit:
        in_date = {(vendor.name, vendor.gateway): vendor for vendor in vendors(unit) if vendor.in_date}
    for channel, table in settings.gateways.items():
        if isinstance(table, SpoolTable):
            yield True, f"{channel}: appended to {table.path.name}, nothing leaves"
            continue
        problem = _unreadable(table)
        vendor = in_date.get((table.vendor, channel))
        if vendor is None:
            yield False, f"{channel}: {table.vendor} has no agreement in date; see `crm vendor`"
        elif problem is not None:
            yield False, f"{channel}: {problem}"
        else:
            yield True, f"{channel}: {_where(table)}, agreement until {vendor.baa_until}"


def each_reached(settings: Settings) -> Iterator[tuple[bool, str]]:
    """Whether each gateway that leads out of this host lets us in; nothing is sent."""
    from crm_core.channels.gateways.smtp import SmtpGateway
    from crm_core.channels.gateways.twilio import TwilioGateway
    from crm_core.words import Channel

    for channel, table in settings.gateways.items():
        if isinstance(table, SpoolTable):
            continue
        gateway = SmtpGateway(table) if isinstance(table, SmtpTable) else TwilioGateway(Channel(channel), table)
        try:
            yield True, f"{channel}: {_where(table)} answers, {gateway.probe()}"
        except CrmError as error:
            yield False, f"{channel}: {getattr(error, 'reason', error.message)}"
        finally:
            gateway.close()


def _where(table: SmtpTable | TwilioTable) -> str:
    if isinstance(table, SmtpTable):
        return table.host
    return f"Twilio {table.account[:6]}… from {table.sender or table.messaging_service}"


def _unreadable(table: SmtpTable | TwilioTable) -> str | None:
    """What is wrong with the file of its secret."""
    file = table.password_file if isinstance(table, SmtpTable) else table.token_file
    try:
        if file is not None:
            read_secret(file)
    except CrmError as error:
        return error.message
    return None
