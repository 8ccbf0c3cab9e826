"""The demo clinic's working time: enough of a calendar to lay the past out in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS, CLOSES = time(9), time(17)
_SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Workdays:
    """Monday to Friday, nine to five in `zone`; holidays are worked, since nothing is promised here."""

    zone: ZoneInfo

    def later(self, at: datetime, minutes: float) -> datetime:
        """`at` moved on by working minutes; a start out of hours counts from the next opening."""
        left = timedelta(minutes=minutes)
        opens, closes = self._day(at)
        start = max(at, opens) if at < closes and self._works(at) else self._next_opening(at)
        while True:
            closes = self._day(start)[1]
            if start + left <= closes:
                return start + left
            left -= closes - start
            start = self._next_opening(start)

    def earlier(self, at: datetime, minutes: float) -> datetime:
        """`at` moved back by working minutes; out of hours counts from the closing before."""
        left = timedelta(minutes=minutes)
        opens, closes = self._day(at)
        end = min(at, closes) if at > opens and self._works(at) else self._closing_before(at)
        while True:
            opens = self._day(end)[0]
            if end - left >= opens:
                return end - left
            left -= end - opens
            end = self._closing_before(opens)

    def _works(self, at: datetime) -> bool:
        return at.astimezone(self.zone).weekday() < _SATURDAY

    def _day(self, at: datetime) -> tuple[datetime, datetime]:
        day = at.astimezone(self.zone).date()
        opens, closes = (datetime.combine(day, hour, self.zone).astimezone(UTC) for hour in (OPENS, CLOSES))
        return opens, closes

    def _next_opening(self, at: datetime) -> datetime:
        opens = self._day(at)[0]
        while opens <= at or not self._works(opens):
            opens = self._day(opens + timedelta(hours=26))[0]
        return opens

    def _closing_before(self, at: datetime) -> datetime:
        closes = self._day(at)[1]
        while closes >= at or not self._works(closes):
            closes = self._day(closes - timedelta(hours=24))[1]
        return closes
