"""Single values of FHIR, checked by hand: an importer reads millions, and few are wrong.

Each reader gives the value, None where it is absent, or raises `BadValue` naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crm_core.cleaning import single_line
from crm_core.patients.birth_date import is_partial_date

LONGEST_TEXT = 500
"""Characters kept of one name, address or identifier; real ones are far shorter."""

_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_DATE_TIME = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")


class BadValue(Exception):
    """A field whose value cannot be used; holds no value."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.code = code
        self.message = message


def text(value: Any, field: str) -> str | None:
    """A string on one line, without control signs; None where nothing is left."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadValue(field, "bad_type", "Text is expected here.")
    # Codes, dates and most names are plain already; cleaning them anyway cost a quarter of the reading.
    if not _PLAIN.fullmatch(value):
        value = single_line(value)
    return value[:LONGEST_TEXT].strip() or None


def texts(value: Any, field: str) -> list[str]:
    """A list of strings; FHIR pads such lists with null."""
    return [found for item in items(value, field) if (found := text(item, field))]


def items(value: Any, field: str) -> list[Any]:
    """A list; nothing where it is absent."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadValue(field, "bad_type", "A list is expected here.")
    return value


def objects(value: Any, field: str) -> Iterator[dict[str, Any]]:
    """The objects of a list; null is left out."""
    for item in items(value, field):
        if item is None:
            continue
        if not isinstance(item, dict):
            raise BadValue(field, "bad_type", "An object is expected here.")
        yield item


def flag(value: Any, field: str) -> bool | None:
    """True or false, and nothing that looks like it."""
    if value is None or isinstance(value, bool):
        return value
    raise BadValue(field, "bad_type", "true or false is expected here.")


def partial_date(value: Any, field: str, today: date) -> str | None:
    """A date of any precision, not in the future and not before 1850."""
    found = text(value, field)
    # East of us it may be tomorrow already, and somebody was born there.
    if found is not None and not is_partial_date(found, today + timedelta(days=1)):
        raise BadValue(field, "bad_date", "A date as YYYY, YYYY-MM or YYYY-MM-DD between 1850 and today is expected.")
    return found


def instant(value: Any, field: str) -> datetime | None:
    """A time in UTC; None of a partial one. A day without a time is its first moment in UTC."""
    found = text(value, field)
    if found is None:
        return None
    if not _DATE_TIME.fullmatch(found):
        raise BadValue(field, "bad_date", "A date or time of ISO 8601 is expected.")
    if len(found) < len("YYYY-MM-DD"):
        return None
    try:
        at = datetime.fromisoformat(found)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(field, "bad_date", "A real date or time is expected.") from None


def codes(concept: Any) -> Iterator[str]:
    """The codes of a CodeableConcept; none of anything else."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings if isinstance(codings, list) else ():
        code = coding.get("code") if isinstance(coding, dict) else None
        if isinstance(code, str):
            yield code


def language(concept: Any) -> str | None:
    """The BCP 47 tag of a CodeableConcept, where it has one."""
    return next((code for code in codes(concept) if _LANGUAGE.fullmatch(code)), None)


def has_ended(element: dict[str, Any], today: date) -> bool:
    """Whether a name, number or address is said to be no longer in use."""
    if element.get("use") == "old":
        return True
    period = element.get("period")
    end = period.get("end") if isinstance(period, dict) else None
    return isinstance(end, str) and end[:10] < today.isoformat()[: len(end[:10])]
