"""Who carries messages for us, and whether the agreement that covers it is in date."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.tables import Vendor
from crm_core.errors import NotFound, UsageError
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

WARN_DAYS = 60
"""Days before an agreement's last day from which it is warned of."""


@dataclass(frozen=True, kw_only=True)
class VendorView:
    """A vendor's agreement; `in_date` says whether its gateway may be used today.

    `days_left` counts to the last day, which is included; negative once it is over. Where no later
    agreement follows it, `ends_soon` says that it is in date for `WARN_DAYS` or fewer, `ran_out`
    that it is over though nobody has ended it.
    """

    id: int
    name: str
    gateway: str
    baa_from: date
    baa_until: date
    ended: bool
    in_date: bool
    days_left: int
    ends_soon: bool
    ran_out: bool


@needs(Permission.VENDOR_MANAGE)
def add_vendor(unit: WriteUnit, *, name: str, gateway: str, baa_from: date, baa_until: date) -> int:
    """Record a vendor's agreement for a channel with its dates (both included); a renewal is added beside the old one.

    AlreadyInUse where one for that vendor and channel begins on the same day.
    """
    if baa_until < baa_from:
        raise UsageError(problem="The agreement ends before it begins", remedy="give --from before --until")
    vendor_id = unit.new_id("vendor")
    row = {"id": vendor_id, "name": name, "gateway": gateway, "baa_from": baa_from, "baa_until": baa_until}
    unit.execute(insert(Vendor), [row])
    unit.audit(Tag.VENDOR_ADDED, vendor_id)
    return vendor_id


@needs(Permission.VENDOR_MANAGE)
def end_vendor(unit: WriteUnit, name: str) -> list[int]:
    """End a vendor's use now on every channel, whatever its dates say; returns the agreements' ids."""
    current = update(Vendor).where(Vendor.name == name, Vendor.ended_at.is_(None))
    ended = sorted(unit.execute(current.values(ended_at=unit.now).returning(Vendor.id)).scalars())
    if not ended:
        raise NotFound(kind="vendor", id=name)
    unit.audit(Tag.VENDOR_ENDED, *ended)
    return ended


@needs(Permission.VENDOR_READ)
def vendors(unit: ReadUnit) -> list[VendorView]:
    """Every agreement, by vendor, channel and first day."""
    rows = unit.execute(
        select(Vendor.id, Vendor.name, Vendor.gateway, Vendor.baa_from, Vendor.baa_until, Vendor.ended_at).order_by(
            Vendor.name, Vendor.gateway, Vendor.baa_from
        )
    ).all()
    latest = {(row.name, row.gateway): row.id for row in sorted(rows, key=_last_day) if row.ended_at is None}
    today = _today(unit)
    return [_view(row, today, last=latest.get((row.name, row.gateway)) == row.id) for row in rows]


def _last_day(row: Any) -> date:
    day: date = row.baa_until
    return day


def _view(row: Any, today: date, *, last: bool) -> VendorView:
    """`last`: none that nobody has ended goes on for longer."""
    left = (row.baa_until - today).days
    in_date = row.ended_at is None and row.baa_from <= today <= row.baa_until
    return VendorView(
        id=row.id,
        name=row.name,
        gateway=row.gateway,
        baa_from=row.baa_from,
        baa_until=row.baa_until,
        ended=row.ended_at is not None,
        in_date=in_date,
        days_left=left,
        ends_soon=last and in_date and left <= WARN_DAYS,
        ran_out=last and left < 0,
    )


def agreement_until(unit: ReadUnit, name: str | None, channel: Channel) -> date | None:
    """What `agreements_until` says of one."""
    return agreements_until(unit, [name] if name else []).get((name or "", channel.value))


def agreements_until(unit: ReadUnit, names: Collection[str]) -> dict[tuple[str, str], date]:
    """Until when each of these vendors may carry a channel, by vendor and channel, both dates included; one statement.

    One that may not today is not in it. Part of the gate, which asks no permission.
    """
    if not names:
        return {}
    today = _today(unit)
    rows = unit.execute(
        select(Vendor.name, Vendor.gateway, func.max(Vendor.baa_until).label("until"))
        .where(Vendor.name.in_(names), Vendor.ended_at.is_(None), Vendor.baa_from <= today, Vendor.baa_until >= today)
        .group_by(Vendor.name, Vendor.gateway)
    )
    return {(row.name, row.gateway): row.until for row in rows}


def _today(unit: ReadUnit) -> date:
    """The date where the clinic is: an agreement is dated by people."""
    return unit.now.astimezone(in_force(unit).section(ClinicSection).zone).date()
