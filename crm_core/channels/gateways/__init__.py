"""Gateways: how messages leave, one per channel as crm.toml names them."""

from __future__ import annotations

from crm_core.channels.gateways.base import Gateway
from crm_core.channels.gateways.smtp import SmtpGateway
from crm_core.channels.gateways.spool import SpoolGateway
from crm_core.settings import Settings, SmtpTable
from crm_core.words import Channel


def build_gateways(settings: Settings) -> dict[Channel, Gateway]:
    """The gateways of crm.toml; nothing is connected before something is sent."""
    built: dict[Channel, Gateway] = {}
    for name, table in settings.gateways.items():
        channel = Channel(name)
        if isinstance(table, SmtpTable):
            built[channel] = SmtpGateway(table)
        else:
            built[channel] = SpoolGateway(channel, table.path)
    return built
