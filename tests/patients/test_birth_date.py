"""Birth dates of any precision."""

from __future__ import annotations

from datetime import date

import pytest

from crm_core.patients.birth_date import age_on, is_partial_date

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("text", ["1970", "1970-01", "1970-01-31", "2026-11-23", "1850"])
def test_real_dates_of_any_precision_are_taken(text: str) -> None:
    assert is_partial_date(text, TODAY)


@pytest.mark.parametrize(
    "text", ["", "70", "1970-13", "1970-02-30", "1970-1-1", "31/01/1970", "2026-11-24", "1849", "1970-01-31T00"]
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_partial_date(text, TODAY)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1970-11-23", 56),
        ("1970-11-24", 55),
        ("1970", 55),
        ("1970-11", 55),
        ("1970-10", 56),
        ("2026-11-01", 0),
        ("2026", 0),
        ("2027-01-01", None),
        ("unknown", None),
    ],
)
def test_an_age_counts_only_the_years_that_are_certain(born: str, age: int | None) -> None:
    assert age_on(born, TODAY) == age
