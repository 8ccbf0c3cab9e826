"""Times that a person picks or types to come back at: in the clinic's own zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

MORNING = time(9)
AFTERNOON = time(14)

_SPAN = re.compile(r"(?:in )?(\d{1,3}) ?(m|min|h|d|w)[a-z]*")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))? ?(am|pm)?")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NOON = 12


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A time on offer, with its name."""

    id: str
    name: str
    at: datetime


def on_offer(now: datetime, zone: tzinfo) -> tuple[Moment, ...]:
    """One hour, this afternoon while there is one, tomorrow at 9, next Monday at 9."""
    local = now.astimezone(zone)
    today = local.date()
    moments = [Moment(id="hour", name="In 1 hour", at=now + timedelta(hours=1))]
    if local.time() < AFTERNOON:
        moments.append(Moment(id="afternoon", name="This afternoon", at=_at(today, AFTERNOON, zone)))
    tomorrow = today + timedelta(days=1)
    moments.append(Moment(id="tomorrow", name="Tomorrow 9:00", at=_at(tomorrow, MORNING, zone)))
    monday = today + timedelta(days=7 - today.weekday())
    moments.append(Moment(id="week", name="Next week", at=_at(monday, MORNING, zone)))
    return tuple(moments)


def read_moment(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`2h`, `3 days`, `14:30`, `tomorrow 10`, `fri 9:15`, `2026-12-01`, `12/1 2pm`; None where it is no time.

    A day alone means 9:00; a time alone that has passed today means tomorrow. Month before
    day with a slash.
    """
    text = " ".join(text.casefold().replace(",", " ").split())
    if found := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    local = now.astimezone(zone)
    first, _, rest = text.partition(" ")
    day = _day(first, local.date())
    if day is None:
        clock = _time(text)
        if clock is None:
            return None
        at = _at(local.date(), clock, zone)
        return at if at > now else _at(local.date() + timedelta(days=1), clock, zone)
    clock = _time(rest) if rest else MORNING
    return None if clock is None else _at(day, clock, zone)


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone)


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=int(word == "tomorrow"))
    if word[:3] in _DAYS and word.isalpha():
        return today + timedelta(days=(_DAYS.index(word[:3]) - today.weekday() - 1) % 7 + 1)
    readers: tuple[Callable[[str], date], ...] = (date.fromisoformat, lambda one: _slashed(one, today))
    for reader in readers:
        try:
            return reader(word)
        except ValueError:
            continue
    return None


def _slashed(word: str, today: date) -> date:
    month, slash, day = word.partition("/")
    if not slash:
        raise ValueError(word)
    found = date(today.year, int(month), int(day))
    return found if found >= today else found.replace(year=today.year + 1)


def _time(text: str) -> time | None:
    found = _CLOCK.fullmatch(text.removeprefix("at ").strip())
    if found is None:
        return None
    hour = int(found[1])
    if found[3] and 1 <= hour <= _NOON:
        hour = hour % _NOON + (_NOON if found[3] == "pm" else 0)
    try:
        return time(hour, int(found[2] or 0))
    except ValueError:
        return None
