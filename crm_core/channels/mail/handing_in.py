"""What becomes of a letter of a mailbox: a report of a letter of ours is noted, all else is taken in as a message."""

from __future__ import annotations

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Inbound
from crm_core.work.units import WriteUnit


@needs(Permission.MESSAGE_RECEIVE)
def hand_in(unit: WriteUnit, mailbox: str, raw: bytes, letter: Inbound) -> None:  # noqa: ARG001
    """Take in one letter of the mailbox; the same one again changes nothing."""
    take_in(unit, f"mail {mailbox}", letter)
