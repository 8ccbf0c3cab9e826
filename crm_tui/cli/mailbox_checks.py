"""What `crm doctor` says of each mailbox: that it is read, or since when and why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from crm_core.access.model import SYSTEM
from crm_core.errors import CrmError
from crm_core.settings import MailboxTable, Settings, read_secret

if TYPE_CHECKING:
    from datetime import datetime

    from crm_core.app import Crm
    from crm_core.channels.mail.places import MailboxState

SLACK = timedelta(minutes=2)
"""Beyond the mailbox's own pause, before one that nobody read is called unread."""


def each_mailbox(crm: Crm, settings: Settings) -> Iterator[tuple[bool, str]]:
    """Whether each mailbox of crm.toml is well, and what was seen."""
    from crm_core.channels.mail.places import mailbox_states
    from crm_core.channels.vendors import vendors
    from crm_core.words import Channel

    with crm.read(SYSTEM) as unit:
        states, now = mailbox_states(unit), unit.now
        agreements = [one for one in vendors(unit) if one.in_date and one.gateway == Channel.EMAIL]
    until = {one.name: one.baa_until for one in sorted(agreements, key=lambda one: one.baa_until)}
    for name, table in settings.mailboxes.items():
        last_day = until.get(table.vendor)
        if last_day is None:
            yield False, f"{name}: not read, as {table.vendor} has no agreement for e-mail in date; see `crm vendor`"
            continue
        problem = _problem(table, states.get(name), now)
        yield problem is None, f"{name}: {problem or f'{table.host}, agreement until {last_day}'}"


def _problem(table: MailboxTable, state: MailboxState | None, now: datetime) -> str | None:
    try:
        read_secret(table.password_file)
    except CrmError as error:
        return error.message
    if state is not None and state.failure is not None:
        return f"cannot be read since {state.failing_since:%Y-%m-%d %H:%M} UTC: {state.failure}"
    if state is None or state.read_at is None:
        return "not read yet; run `crm poll`"
    if now - state.read_at > SLACK + timedelta(seconds=table.every):
        return f"last read at {state.read_at:%Y-%m-%d %H:%M} UTC; run `crm poll`"
    return None
