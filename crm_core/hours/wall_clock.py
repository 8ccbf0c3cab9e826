"""From the wall clock of a zone to the one line of time, counted in microseconds.

The mapping never runs backwards, so that windows which do not overlap on the wall do not
overlap in time. On the two days a year when the clock is changed:

- an edge that the clock skips (02:30 in spring) is the moment of the change;
- an edge that the clock shows twice (01:30 in autumn) is its first showing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)


def micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware time; ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("business time needs an aware time")
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    """The inverse of `micros`, in UTC."""
    return EPOCH + timedelta(microseconds=at)


def on_the_wall(zone: ZoneInfo, day: date, minute: int) -> int:
    """The moment at which clocks in `zone` show `minute` of `day` (1440: the end of the day)."""
    wall = datetime.combine(day, time()) + minute * _MINUTE
    early, late = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = early.utcoffset(), late.utcoffset()
    assert before is not None
    assert after is not None
    if before >= after:
        return micros(early)
    return _change(zone, micros(late), micros(early))


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The moment within `low`..`high` from which `zone` keeps the offset it has at `high`."""
    offset = moment(high).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if moment(middle).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
