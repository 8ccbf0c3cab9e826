"""Taking apart what somebody typed into the patient search."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.patients.terms import LONGEST_QUERY, TermKind, dates_of, terms_of

TODAY = date(2026, 11, 23)


def read(query: str) -> list[tuple[str, str]]:
    return [(term.kind.value, term.text) for term in terms_of(query, TODAY)]


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("smith", [("name", "smith")]),
        ("Smith, Ann", [("name", "smith"), ("name", "ann")]),
        ("O’Brien-Łódź", [("name", "obrien"), ("name", "lodz")]),
        ("smith 6789", [("name", "smith"), ("number", "6789")]),
        ("(555) 843-1642", [("number", "(555) 843-1642")]),
        ("555 843 1642 ann", [("number", "555 843 1642"), ("name", "ann")]),
        ("+44 20 7183 8750", [("number", "+44 20 7183 8750")]),
        ("6789 5558431642", [("number", "6789"), ("number", "5558431642")]),
        ("5558431642 6789", [("number", "5558431642"), ("number", "6789")]),
        ("MRN25637170", [("code", "MRN25637170")]),
        ("8da884f0-080a-4417-ba44-24fb6bde0851", [("code", "8da884f0-080a-4417-ba44-24fb6bde0851")]),
        ("ann@example.org 1970-01-31", [("email", "ann@example.org"), ("date", "1970-01-31")]),
        ("19700131", [("number", "19700131")]),
        ("-- ?", []),
        ("", []),
    ],
)
def test_a_query_is_read_as_a_person_means_it(query: str, terms: list[tuple[str, str]]) -> None:
    assert read(query) == terms


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("1970-01-31", ("1970-01-31",)),
        ("1970/1/31", ("1970-01-31",)),
        ("01/31/1970", ("1970-01-31",)),
        ("31.1.1970", ("1970-01-31",)),
        ("3/4/1970", ("1970-03-04", "1970-04-03")),
        ("4-4-1970", ("1970-04-04",)),
        ("1/31/70", ("1970-01-31",)),
        ("1/31/20", ("1920-01-31", "2020-01-31")),
        ("19700131", ("1970-01-31",)),
        ("31.2.1970", ()),
        ("2030-01-01", ()),
        ("1/2-1970", ()),
    ],
)
def test_a_date_is_read_every_way_it_can_be_meant(text: str, dates: tuple[str, ...]) -> None:
    assert dates_of(text, TODAY) == dates


@given(st.text(max_size=2 * LONGEST_QUERY))
def test_any_text_can_be_typed(query: str) -> None:
    for term in terms_of(query, TODAY):
        assert term.text
        assert isinstance(term.kind, TermKind)
