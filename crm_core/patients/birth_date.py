"""Birth dates of any precision: ISO 8601 text, `1970`, `1970-01` or `1970-01-31`."""

from __future__ import annotations

import re
from datetime import date

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
EARLIEST_YEAR = 1850
"""No living patient is older; a year below this is a typing error or a placeholder."""


def is_partial_date(text: str, today: date) -> bool:
    """Whether `text` is a real date of any precision, not before 1850 and not after `today`."""
    match = _PARTIAL.fullmatch(text)
    if match is None:
        return False
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        return year >= EARLIEST_YEAR and date(year, month, day) <= today
    except ValueError:
        return False


def age_on(birth_date: str, today: date) -> int | None:
    """Full years lived on `today`; of a partial date the most that is certain, None if in the future."""
    match = _PARTIAL.fullmatch(birth_date)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    had_birthday = (today.month, today.day) >= (month or 12, day or 31)
    age = today.year - year - (0 if had_birthday else 1)
    return age if age >= 0 else (0 if today.year == year else None)
