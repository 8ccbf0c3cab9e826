"""How far a mailbox is read: claimed by one reader at a time, moved on by that reader alone.

A reader that slept through its lease finds its token outdated and stops; what it handed in
meanwhile is known by its id and is no second message. None of this is audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, or_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.mail.tables import MailboxRow
from crm_core.channels.vendors import agreement_until
from crm_core.settings import MailboxTable
from crm_core.store.dialect import insert_or_ignore
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

LEASE = timedelta(seconds=60)
NO_AGREEMENT = "its vendor has no BAA in date"

_TABLE = cast("Table", MailboxRow.__table__)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A mailbox in a reader's hands. The fields are the row's (tables.py)."""

    name: str
    token: int
    uid_validity: int | None
    last_uid: int
    first_new_uid: int
    begun_at: datetime


@dataclass(frozen=True, kw_only=True)
class MailboxState:
    """What is known of a mailbox: when it was last read, and why it cannot be read now."""

    name: str
    read_at: datetime | None
    failure: str | None
    failing_since: datetime | None


@needs(Permission.MESSAGE_RECEIVE)
def claim(unit: WriteUnit, name: str, table: MailboxTable) -> Place | None:
    """Take the mailbox for LEASE; None while another reader has it. Another address is begun anew."""
    address = f"{table.user} at {table.host}: {table.folder}"[: _TABLE.c.address.type.length]  # type: ignore[attr-defined]
    new = {"name": name, "address": address, "begun_at": unit.now}
    unit.execute(insert_or_ignore(unit.dialect, _TABLE, ["name"]).values(new))
    free = or_(_TABLE.c.lease_until.is_(None), _TABLE.c.lease_until < unit.now)
    held = {"lease_until": unit.now + LEASE, "lease_token": _TABLE.c.lease_token + 1}
    row = unit.execute(
        update(_TABLE).where(_TABLE.c.name == name, free).values(held).returning(*_TABLE.c)
    ).one_or_none()
    if row is None:
        return None
    place = Place(
        name=name,
        token=row.lease_token,
        uid_validity=row.uid_validity,
        last_uid=row.last_uid,
        first_new_uid=row.first_new_uid,
        begun_at=row.begun_at,
    )
    if row.address == address:
        return place
    anew = {"address": address, "uid_validity": None, "last_uid": 0, "first_new_uid": 0, "begun_at": unit.now}
    _change(unit, place, anew)
    return Place(name=name, token=place.token, uid_validity=None, last_uid=0, first_new_uid=0, begun_at=unit.now)


@needs(Permission.MESSAGE_RECEIVE)
def may_be_read(unit: ReadUnit, table: MailboxTable) -> bool:
    """Whether the mailbox's vendor has an agreement for letters in date."""
    return agreement_until(unit, table.vendor, Channel.EMAIL) is not None


@needs(Permission.MESSAGE_RECEIVE)
def keep_hold(unit: WriteUnit, place: Place) -> bool:
    """Take the lease anew after the folder was looked at; False where another reader has it by now."""
    fine = {"lease_until": unit.now + LEASE, "read_at": unit.now, "failure": None, "failing_since": None}
    return _change(unit, place, fine)


@needs(Permission.MESSAGE_RECEIVE)
def number_anew(unit: WriteUnit, place: Place, uid_validity: int, first_new_uid: int) -> bool:
    """Begin the folder's numbering that goes by `uid_validity`; False as in `keep_hold`."""
    return _change(unit, place, {"uid_validity": uid_validity, "first_new_uid": first_new_uid, "last_uid": 0})


@needs(Permission.MESSAGE_RECEIVE)
def move_on(unit: WriteUnit, place: Place, last_uid: int) -> bool:
    """Note that all up to `last_uid` is handed in and marked; False as in `keep_hold`."""
    return _change(unit, place, {"last_uid": last_uid, "lease_until": unit.now + LEASE})


@needs(Permission.MESSAGE_RECEIVE)
def give_up(unit: WriteUnit, place: Place, failure: str) -> None:
    """Note why the mailbox cannot be read."""
    since = unit.scalar(select(_TABLE.c.failing_since).where(_TABLE.c.name == place.name))
    _change(unit, place, {"failure": failure[:80], "failing_since": since or unit.now})


@needs(Permission.MESSAGE_RECEIVE)
def let_go(unit: WriteUnit, place: Place) -> None:
    """Leave the mailbox to whoever wants it next."""
    _change(unit, place, {"lease_until": None})


@needs(Permission.POLLER_READ)
def mailbox_states(unit: ReadUnit) -> dict[str, MailboxState]:
    """Each mailbox that was ever claimed, by name."""
    rows = unit.execute(
        select(MailboxRow.name, MailboxRow.read_at, MailboxRow.failure, MailboxRow.failing_since)
    ).mappings()
    return {row["name"]: MailboxState(**row) for row in rows}


def _change(unit: WriteUnit, place: Place, values: dict[str, Any]) -> bool:
    ours = (_TABLE.c.name == place.name, _TABLE.c.lease_token == place.token)
    return unit.execute(update(_TABLE).where(*ours).values(values)).rowcount == 1
