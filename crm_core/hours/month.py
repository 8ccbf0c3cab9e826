"""A month of a calendar's open time, laid out once for sums by bisection.

A calendar is asked about the same few months over and over. Laying one out costs about a
tenth of a millisecond, looking into it about a microsecond.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from typing import Self

from crm_core.hours.calendar import Calendar
from crm_core.hours.errors import NeverOpens
from crm_core.hours.wall_clock import moment, on_the_wall

HORIZON_YEARS = 20
"""How far a sum looks for open time before it gives the calendar up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """The open spans between `since` and `until`, which are the first of this month and the next.

    All in microseconds since 1970. `worked[i]` is the open time before span `i` opens.
    """

    index: int
    since: int
    until: int
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    worked: tuple[int, ...]
    total: int

    @classmethod
    def of(cls, calendar: Calendar, index: int) -> Self:
        """Month `index` counted from January of year 0."""
        day, end = _first(index), _first(index + 1)
        zone = calendar.zone
        opens, closes, worked, total = [], [], [], 0
        since, until = on_the_wall(zone, day, 0), on_the_wall(zone, end, 0)
        while day < end:
            for window in calendar.windows(day):
                start, stop = on_the_wall(zone, day, window.opens), on_the_wall(zone, day, window.closes)
                if start < stop:
                    opens.append(start)
                    closes.append(stop)
                    worked.append(total)
                    total += stop - start
            day += timedelta(days=1)
        return cls(
            index=index,
            since=since,
            until=until,
            opens=tuple(opens),
            closes=tuple(closes),
            worked=tuple(worked),
            total=total,
        )

    def worked_by(self, at: int) -> int:
        """The open time of this month before `at`."""
        last = bisect_right(self.opens, at) - 1
        return self.worked[last] + min(at, self.closes[last]) - self.opens[last] if last >= 0 else 0

    def reached(self, amount: int) -> int:
        """The first moment by which `amount` of open time has passed; 0 < amount <= total."""
        span = bisect_left(self.worked, amount) - 1
        return self.opens[span] + amount - self.worked[span]

    def open_span(self, at: int) -> int | None:
        """The span that holds `at`, or None while closed."""
        last = bisect_right(self.opens, at) - 1
        return last if last >= 0 and at < self.closes[last] else None


@functools.lru_cache(maxsize=4096)
def month(calendar: Calendar, index: int) -> Month:
    """That month of `calendar`, laid out once."""
    return Month.of(calendar, index)


def month_at(calendar: Calendar, at: int) -> Month:
    """The month that holds the moment `at`.

    Where the clock goes back over the first midnight of a month, the wall shows the old month
    again for a while; the moment decides, not the wall.
    """
    wall = moment(at).astimezone(calendar.zone)
    found = month(calendar, 12 * wall.year + wall.month - 1)
    if at >= found.until:
        return month(calendar, found.index + 1)
    return month(calendar, found.index - 1) if at < found.since else found


def months_from(calendar: Calendar, at: int) -> Iterator[Month]:
    """The month that holds `at` and those after it; NeverOpens beyond the horizon."""
    first = month_at(calendar, at)
    yield first
    last = min(first.index + 12 * HORIZON_YEARS, 12 * MAXYEAR)
    for index in range(first.index + 1, last):
        yield month(calendar, index)
    since = moment(at).astimezone(calendar.zone).date()
    raise NeverOpens(calendar=calendar.name, years=HORIZON_YEARS, since=since)


def _first(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)
