"""The normal form of phone numbers and e-mail addresses."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from crm_core.patients.contacts import dialled, last_four, normal
from crm_core.patients.model import ContactKind

PHONE, EMAIL = ContactKind.PHONE, ContactKind.EMAIL


def test_every_spelling_of_a_number_has_one_normal_form(shared_data: Path) -> None:
    spellings: dict[str, set[str]] = defaultdict(set)
    with (shared_data / "messy/phones/libphonenumber-examples.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["validity"] == "valid":
                form = normal(PHONE, row["text"], row["region"])
                assert form is not None and form.problem is None, row
                spellings[row["e164"]].add(form.key)
    assert len(spellings) > 400
    assert all(keys == {e164} for e164, keys in spellings.items())


def test_what_is_called_invalid_is_kept_and_most_of_it_is_flagged(shared_data: Path) -> None:
    with (shared_data / "messy/phones/libphonenumber-examples.csv").open(encoding="utf-8") as handle:
        forms = [normal(PHONE, r["text"], r["region"]) for r in csv.DictReader(handle) if r["validity"] == "invalid"]
    assert all(form is not None and form.value for form in forms)
    assert sum(form is not None and form.problem is not None for form in forms) >= len(forms) * 3 // 4


@pytest.mark.parametrize("spelling", ["555-843-1642", "(555) 843-1642", "+1 555 843 1642", "tel:+1-555-843-1642"])
def test_a_number_of_a_range_not_given_out_is_still_dialled(spelling: str) -> None:
    form = normal(PHONE, spelling, "US")
    assert form is not None
    assert (form.value, form.key, form.problem, form.last_four) == ("+15558431642", "+15558431642", None, "1642")


def test_an_extension_makes_another_number_with_the_same_last_four() -> None:
    form = normal(PHONE, "555-843-1642 ext. 12", "US")
    assert form is not None
    assert form.value == "+15558431642;ext=12"
    assert form.last_four == "1642"
    assert dialled(form.value) == "15558431642"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("call my sister", "not_a_phone_number"),
        ("72345", "not_a_possible_number"),
        ("843-1642", "no_area_code"),
        ("5" * 40, "not_a_phone_number"),
    ],
)
def test_what_cannot_be_dialled_is_kept_as_given_and_flagged(given: str, problem: str) -> None:
    form = normal(PHONE, given, "US")
    assert form is not None
    assert form.problem == problem
    assert form.value == given


def test_nothing_is_left_of_blanks() -> None:
    assert normal(PHONE, "   ", "US") is None
    assert normal(EMAIL, "\t\n", "US") is None


def test_addresses_are_compared_without_case_and_kept_as_written() -> None:
    form = normal(EMAIL, " Ann.Lee@Example.ORG ", "US")
    assert form is not None
    assert (form.value, form.key, form.problem) == ("Ann.Lee@Example.ORG", "ann.lee@example.org", None)


@pytest.mark.parametrize("given", ["nobody", "a b@c.org", "a@@b.org", "@b.org", "a@", "a@b..org", "a\x07@b.org"])
def test_what_is_no_address_is_flagged(given: str) -> None:
    form = normal(EMAIL, given, "US")
    assert form is not None and form.problem == "not_an_email_address"


def test_only_a_phone_number_has_last_four_digits() -> None:
    assert last_four(EMAIL, "a1234567@b.org") is None
    assert last_four(PHONE, "12345") is None
    assert last_four(PHONE, None) is None
