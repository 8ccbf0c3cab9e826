"""Numbers as Twilio names them: on WhatsApp with the channel in front."""

from __future__ import annotations

from crm_core.words import Channel

_WHATSAPP = "whatsapp:"


def is_whatsapp(text_address: str) -> bool:
    """Whether an address, as Twilio names it, is one of WhatsApp."""
    return text_address.startswith(_WHATSAPP)


def number_of(text_address: str) -> str:
    """The number in such an address."""
    return text_address.removeprefix(_WHATSAPP)


def address(channel: Channel, number: str) -> str:
    """A number as Twilio names it on that channel."""
    return f"{_WHATSAPP}{number}" if channel is Channel.WHATSAPP else number
