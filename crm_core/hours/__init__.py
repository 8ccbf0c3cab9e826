"""Business hours: what a calendar says is working time, and sums over it."""

from __future__ import annotations

from crm_core.hours.arithmetic import Pause, add, between, due, is_open, next_open
from crm_core.hours.calendar import Calendar, DatedHours, Holidays, Weekday, Window
from crm_core.hours.errors import CalendarError, NeverOpens, NoHours, OverlappingHours, UnknownHolidays, UnknownZone
from crm_core.hours.ledger import Kind, Segment, segments

__all__ = [
    "Calendar",
    "CalendarError",
    "DatedHours",
    "Holidays",
    "Kind",
    "NeverOpens",
    "NoHours",
    "OverlappingHours",
    "Pause",
    "Segment",
    "UnknownHolidays",
    "UnknownZone",
    "Weekday",
    "Window",
    "add",
    "between",
    "due",
    "is_open",
    "next_open",
    "segments",
]
