"""Times as people type them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from crm_core.errors import UsageError

_SPAN = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")


class BadTime(UsageError):
    """That is not a time; write 2026-11-24T09:00, or a span from now like 2h, 90m or 3d."""


def moment(text: str, now: datetime) -> datetime:
    """An ISO 8601 time, this host's where it names no zone, or a span after `now`; aware."""
    span = _span(text)
    if span is not None:
        return now + span
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadTime from None
    return parsed if parsed.tzinfo is not None else parsed.astimezone()


def moment_ago(text: str, now: datetime) -> datetime:
    """As `moment`, a span reaching back from `now`."""
    span = _span(text)
    return moment(text, now) if span is None else now - span


def _span(text: str) -> timedelta | None:
    span = _SPAN.fullmatch(text.strip())
    if span is None or not any(span.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in span.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
