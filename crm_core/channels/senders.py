"""Who a message is from, as far as its number or address can tell."""

from __future__ import annotations

from crm_core.patients.contacts import digits_of
from crm_core.patients.model import ContactKind, ContactMatch
from crm_core.patients.queries import match_contact
from crm_core.patients.service import ensure_contact_point
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

PHONE_CHANNELS = frozenset({Channel.SMS, Channel.WHATSAPP, Channel.VOICE})


def match_sender(unit: WriteUnit, channel: Channel, sender: str) -> ContactMatch:
    """The sender's contact point, made where it is new, and the patients who use it.

    Portal, web form and chat name their senders by address or number too; a sender that is
    neither (a screen name, nothing at all) has no contact point and is nobody's.
    """
    kind = kind_of(channel, sender)
    if kind is None:
        return ContactMatch(contact_point_id=None)
    known = match_contact(unit, kind, sender)
    if known.contact_point_id is not None:
        return known
    return ContactMatch(contact_point_id=ensure_contact_point(unit, kind, sender))


def kind_of(channel: Channel, sender: str) -> ContactKind | None:
    """What sort of contact point the sender is named by; None where it is none."""
    if "@" in sender:
        return ContactKind.EMAIL
    if digits_of(sender):
        return ContactKind.PHONE
    return ContactKind.PHONE if channel in PHONE_CHANNELS and sender.strip() else None
