"""Gateways: how messages leave, one per channel as crm.toml names them."""

from __future__ import annotations

from crm_core.channels.gateways.base import Gateway
from crm_core.channels.gateways.rates import Pace, Paced
from crm_core.channels.gateways.segments import segments
from crm_core.channels.gateways.smtp import SmtpGateway
from crm_core.channels.gateways.spool import SpoolGateway
from crm_core.settings import FILE, AnyGateway, BadSettings, Settings, SmtpTable
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel

_TEXTS = frozenset({Channel.SMS, Channel.WHATSAPP})
_CARRIES = {"twilio": _TEXTS, "smtp": frozenset({Channel.EMAIL}), "spool": frozenset(Channel)}


def build_gateways(settings: Settings) -> dict[Channel, Gateway]:
    """The gateways of crm.toml; nothing is connected before something is sent.

    BadSettings for a channel that there is not, or that such a gateway does not carry.
    """
    return {
        (channel := _channel(settings, name, table)): _built(settings, channel, table)
        for name, table in settings.gateways.items()
    }


def _built(settings: Settings, channel: Channel, table: AnyGateway) -> Gateway:
    if isinstance(table, SmtpTable):
        letters = SmtpGateway(table, answers_are_read=bool(settings.mailboxes))
        return letters if table.per_second is None else Paced(letters, _pace(settings, channel, table.per_second))
    if isinstance(table, TwilioTable):
        # httpx takes a while to import, and most homes at a start have no use for it.
        from crm_core.channels.gateways.twilio import TwilioGateway

        texts = TwilioGateway(channel, table)
        if table.per_second is None:
            return texts
        pace = _pace(settings, channel, table.per_second)
        return Paced(texts, pace, weight=lambda outgoing: segments(outgoing.body))
    return SpoolGateway(channel, table.path)


def _pace(settings: Settings, channel: Channel, per_second: float) -> Pace:
    return Pace(settings.home / f"gateway-{channel.value}.pace", per_second)


def _channel(settings: Settings, name: str, table: AnyGateway) -> Channel:
    carried = sorted(channel.value for channel in _CARRIES[table.kind])
    if name not in carried:
        problem = f'gateway.{name}: kind "{table.kind}" carries {", ".join(carried)}'
        raise BadSettings(file=settings.home / FILE, problems=problem)
    return Channel(name)
