"""When an automatic message may go: hours on the patient's clock, the cap, and the patient's own text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm_core.channels.contact_section import Cap, Hours
from crm_core.channels.gate.model import Contact
from crm_core.hours.wall_clock import moment, on_the_wall

SEVEN_DAYS = timedelta(days=7)
_DAY = timedelta(days=1)


def in_hours(at: datetime, zone: ZoneInfo, hours: Hours) -> bool:
    """Whether clocks in `zone` show a time within the hours."""
    return hours.opens <= at.astimezone(zone).time() < hours.closes


def next_in_hours(at: datetime, zone: ZoneInfo, hours: Hours) -> datetime:
    """`at` itself within the hours, else when they next open there."""
    local = at.astimezone(zone)
    if hours.opens <= local.time() < hours.closes:
        return at
    day = local.date() if local.time() < hours.opens else local.date() + _DAY
    minute = hours.opens.hour * 60 + hours.opens.minute
    opens = moment(on_the_wall(zone, day, minute))
    # Where a zone leaves out a whole day, its morning is past when it begins.
    return opens if opens > at else moment(on_the_wall(zone, day + _DAY, minute))


def counted(at: datetime, zone: ZoneInfo, contacts: Sequence[Contact]) -> tuple[int, int]:
    """The contacts up to `at`: on its local day, and in the seven days that end with it."""
    today = at.astimezone(zone).date()
    until = [contact.at for contact in contacts if contact.at <= at]
    days = sum(_local_day(one, zone) == today for one in until)
    return days, sum(one > at - SEVEN_DAYS for one in until)


def under_cap(at: datetime, zone: ZoneInfo, cap: Cap, contacts: Sequence[Contact]) -> datetime:
    """The first moment from `at` on at which one more contact keeps the cap, `contacts` being those up to then."""
    until = sorted(contact.at for contact in contacts if contact.at <= at)
    today = at.astimezone(zone).date()
    frees = at
    if sum(_local_day(one, zone) == today for one in until) >= cap.a_day:
        frees = _begins_after(today, at, zone)
    lately = [one for one in until if one > at - SEVEN_DAYS]
    if len(lately) >= cap.in_seven_days:
        frees = max(frees, lately[-cap.in_seven_days] + SEVEN_DAYS)
    return frees


def earliest(
    at: datetime, *, zone: ZoneInfo, hours: Hours, cap: Cap, contacts: Sequence[Contact], quiet_until: datetime
) -> datetime:
    """The first moment from `at` on that hours, cap and the patient's own text all allow.

    What frees at night goes in the morning, which may be a day that is full: so until all agree.
    """
    while True:
        free = next_in_hours(max(under_cap(at, zone, cap, contacts), quiet_until), zone, hours)
        if free <= at:
            return at
        at = free


def _begins_after(day: date, at: datetime, zone: ZoneInfo) -> datetime:
    """When the local day after `day` begins; later than `at` even where a zone leaves that day out."""
    begins = moment(on_the_wall(zone, day + _DAY, 0))
    return begins if begins > at else moment(on_the_wall(zone, day + 2 * _DAY, 0))


def _local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
