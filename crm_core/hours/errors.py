"""What can be wrong with a calendar."""

from __future__ import annotations

from crm_core.errors import CrmError


class CalendarError(CrmError):
    """The calendar {calendar} cannot be used; mend calendars.toml."""

    exit_code = 2


class NoHours(CalendarError):
    """The calendar {calendar} has no hours on any weekday; give it some, such as monday = ["09:00-17:00"]."""


class NeverOpens(CalendarError):
    """The calendar {calendar} has too little open time in the {years} years from {since}; close fewer days."""


class OverlappingHours(CalendarError):
    """The hours {first} and {second} overlap; join them or move one."""


class BadWindow(CalendarError):
    """{text} is no span of hours; write 09:00-17:00, at most from 00:00 to 24:00."""


class UnknownZone(CalendarError):
    """There is no time zone {zone}; use an IANA name such as America/New_York."""


class UnknownHolidays(CalendarError):
    """Public holidays of {place} are not known; use an ISO country code and its region, such as US and NY."""


class RepeatedDay(CalendarError):
    """The day {day} has exceptions twice; keep one."""
