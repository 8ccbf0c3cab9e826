"""What becomes of a letter of a mailbox: a report on a letter of ours is noted, all else is taken in as a message.

Anybody can send a report. It is believed where it names a letter that we sent, by an id that only
those know who have had it, and the very address that the letter went to. Any other is a letter
written by a machine, for people to look at, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gateways.base import Permanent
from crm_core.channels.gateways.enhanced_codes import in_words
from crm_core.channels.gateways.letter import mailbox as bare
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.letters import our_letter
from crm_core.channels.mail.bounces import Returned, returned_in
from crm_core.channels.mail_reading import parsed
from crm_core.channels.model import Inbound, Report
from crm_core.channels.outbox import SendObserver
from crm_core.channels.reports import Reported, report
from crm_core.channels.tables import Message
from crm_core.patients.tables import ContactPoint
from crm_core.work.units import ReadUnit, WriteUnit

_FATES = {"failed": Report.FAILED, "delivered": Report.DELIVERED}
_UNDECIDED = frozenset({"delayed", "relayed", "expanded"})
"""A letter that is still on its way, or passed on to where nothing more is told of it."""


@needs(Permission.MESSAGE_RECEIVE)
def hand_in(unit: WriteUnit, mailbox: str, raw: bytes, letter: Inbound, observers: Sequence[SendObserver] = ()) -> None:
    """Take in one letter of the mailbox, as it travelled and as it was read; the same one again changes nothing."""
    returned = returned_in(parsed(raw)) if letter.automatic and raw else ()
    known = [one for each in returned if (one := _ours(unit, each)) is not None]
    if returned and len(known) == len(returned):
        for each, name in zip(returned, known, strict=True):
            _note(unit, each, name, letter.at, observers)
        return
    take_in(unit, f"mail {mailbox}", letter)


def _ours(unit: ReadUnit, returned: Returned) -> str | None:
    """The name of our letter that came back from where it went; None where it is none, or went elsewhere."""
    if returned.action not in _FATES and returned.action not in _UNDECIDED:
        return None
    for letter_id in returned.letters:
        name = letter_id[1:-1].rpartition("@")[0]
        message_id = our_letter(unit, name)
        went_to = _went_to(unit, message_id) if message_id is not None else None
        if went_to is not None and went_to in map(_spelt, returned.recipients):
            return name
    return None


def _went_to(unit: ReadUnit, message_id: int) -> str | None:
    to = select(ContactPoint.value).join(Message, Message.contact_point_id == ContactPoint.id)
    row = unit.execute(to.where(Message.id == message_id)).one_or_none()
    return None if row is None else _spelt(str(unit.open(row.value)))


def _spelt(address: str) -> str | None:
    """An address in the one spelling by which two are compared; None where it is no address."""
    try:
        return bare(address).casefold()
    except Permanent:
        return None


def _note(unit: WriteUnit, returned: Returned, name: str, at: datetime, observers: Sequence[SendObserver]) -> None:
    fate = _FATES.get(returned.action)
    if fate is None:
        return
    reported = Reported(
        source="smtp",
        fate=fate,
        at=at,
        attempt=name,
        permanent=returned.no_such_address,
        code=returned.status,
        reason=in_words(returned.status),
    )
    report(unit, reported, observers)
