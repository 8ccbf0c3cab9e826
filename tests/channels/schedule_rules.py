"""The contact rules once more, as domain.md states them, written without the gate's code: by looking at every minute.

Slow and plain on purpose. All times of a schedule are whole minutes, so that looking at each is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
_FARTHEST = 16 * 24 * 60
"""Minutes looked at: no rule puts anything off for longer than two full weeks of contacts."""


@dataclass(frozen=True, kw_only=True)
class Went:
    """One message that left: when, whether hours, cap and waiting bind it, and until when it was true."""

    at: datetime
    unasked: bool
    send_by: datetime | None


def wall(at: datetime, zone: ZoneInfo) -> tuple[date, int]:
    """What clocks there show: the day, and the minutes since midnight."""
    shown = datetime.fromtimestamp(at.timestamp(), zone)
    return date(shown.year, shown.month, shown.day), shown.hour * 60 + shown.minute


def minute_is_free(at: datetime, zone: ZoneInfo, contacts: Sequence[datetime], texts: Sequence[datetime]) -> bool:
    """Whether an unasked message may leave in this minute, after these contacts and the patient's own texts."""
    day, minute = wall(at, zone)
    if minute < 8 * 60 or minute >= 20 * 60:
        return False
    before = [one for one in contacts if one <= at]
    if any(wall(one, zone)[0] == day for one in before):
        return False
    if sum(at - one < timedelta(days=7) for one in before) >= 3:
        return False
    return all(at - one >= timedelta(minutes=10) for one in texts if one <= at)


def first_free_minute(
    since: datetime, zone: ZoneInfo, contacts: Sequence[datetime], texts: Sequence[datetime]
) -> datetime:
    """The first minute from `since` on in which one may leave."""
    for ahead in range(_FARTHEST):
        at = since + ahead * MINUTE
        if minute_is_free(at, zone, contacts, texts):
            return at
    raise AssertionError("nothing may ever leave")


def violations(
    went: Sequence[Went], zone: ZoneInfo, texts: Sequence[datetime], silent_since: datetime | None
) -> list[str]:
    """What of all that left to one patient ought not to have."""
    unasked = sorted(one.at for one in went if one.unasked)
    found = [wrong for at in unasked for wrong in _out_of_time(at, zone, texts)]
    days = [wall(at, zone)[0] for at in unasked]
    found += ["two on one day"] * (len(days) - len(set(days)))
    fourth = zip(unasked, unasked[3:], strict=False)
    found += ["four in seven days" for first, last in fourth if last - first < timedelta(days=7)]
    found += ["left after it was true" for one in went if one.send_by is not None and one.at > one.send_by]
    if silent_since is not None:
        found += ["left after the opt-out" for one in went if one.at >= silent_since]
    return found


def _out_of_time(at: datetime, zone: ZoneInfo, texts: Sequence[datetime]) -> Iterator[str]:
    _, minute = wall(at, zone)
    if not 8 * 60 <= minute < 20 * 60:
        yield f"left at {minute // 60:02}:{minute % 60:02} on the patient's clock"
    if any(timedelta(0) <= at - one < timedelta(minutes=10) for one in texts):
        yield "left while the patient was writing"
