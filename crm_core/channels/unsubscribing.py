"""Unsubscribing from automatic letters: the header by which a mail program offers it, and what comes of it.

The header (RFC 2369) asks for a letter with a subject that names the letter it stands in. Only its
recipient knows that name, so nobody can unsubscribe an address that is not theirs.
"""

from __future__ import annotations

import re

from sqlalchemy import select

from crm_core.channels.consent.ledger import NewEntry, append
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.channels.inbound import Arrival, Reply
from crm_core.channels.letters import our_letter
from crm_core.channels.model import Handled
from crm_core.channels.tables import Message, Outbox
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit, WriteUnit

_ASKED = re.compile(r"\s*unsubscribe\s+([0-9a-f]{32})\s*", re.IGNORECASE)


class UnsubscribeHandler:
    """Writes down that an address wants no more letters of the purpose of the one that is named."""

    def handle(self, unit: WriteUnit, arrival: Arrival) -> Reply | None:
        """None for any other letter, and for one in which somebody also wrote something: people read that."""
        point, asked = arrival.contact.contact_point_id, _ASKED.fullmatch(arrival.subject or "")
        if arrival.channel is not Channel.EMAIL or point is None or asked is None:
            return None
        purpose = _purpose(unit, asked[1].lower(), point)
        if purpose is None:
            return None
        entry = NewEntry(
            contact_point_id=point,
            channel=Channel.EMAIL,
            about=About.of(purpose),
            decision=Decision.WITHDRAWN,
            said_by=SaidBy.PATIENT,
            how=How.FORM,
            message_id=arrival.message_id,
        )
        append(unit, entry)
        if arrival.said.strip():
            return None
        return Reply(
            by=Handled.OPT_OUT, why=(f"unsubscribed: no more letters of the kind “{purpose}” to this address",)
        )


def _purpose(unit: ReadUnit, name: str, contact_point_id: int) -> Purpose | None:
    """What the letter of that name was for, if it went to that address and no person wrote it."""
    sent = select(Outbox.purpose).join(Message, Message.id == Outbox.message_id)
    purpose: Purpose | None = unit.scalar(
        sent.where(
            Message.id == our_letter(unit, name),
            Message.contact_point_id == contact_point_id,
            Outbox.automatic,
        )
    )
    return purpose
