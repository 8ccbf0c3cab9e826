"""From a FHIR Patient to a draft."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_core.exchange.fhir_patient import read_patient
from crm_core.exchange.model import PatientRecord, Reject, Resource
from crm_core.patients.model import PatientDraft
from tests.exchange.fhir import patient

TODAY = date(2026, 11, 23)


def record(content: dict[str, Any], full_url: str | None = None) -> PatientRecord:
    read = read_patient(Resource(file="f", row=1, type="Patient", content=content, full_url=full_url), TODAY)
    assert isinstance(read, PatientRecord), read
    return read


def draft(**more: Any) -> PatientDraft:
    return record(patient(1, **more)).draft


def reject(**more: Any) -> tuple[str, str]:
    read = read_patient(Resource(file="f", row=3, type="Patient", content=patient(1, **more)), TODAY)
    assert isinstance(read, Reject)
    assert read.row == 3
    return read.field, read.code


def test_the_name_in_use_is_taken() -> None:
    names = [
        {"use": "maiden", "family": "Ode", "given": ["Ana"]},
        {"use": "usual", "family": "Quist-Holm", "given": ["Ana", None, "Bo"]},
        {"use": "official", "family": "Quist", "period": {"end": "2001"}},
    ]
    taken = draft(name=names)
    assert (taken.family, taken.given) == ("Quist-Holm", "Ana Bo")


def test_a_name_in_one_piece_is_kept_in_one_piece() -> None:
    assert draft(name=[{"text": "张无忌"}]).names == ("张无忌", None)


@pytest.mark.parametrize("name", [None, [], [{}], [{"use": "official", "prefix": ["Dr."]}], [{"family": " \u200b "}]])
def test_without_any_part_of_a_name_it_is_nobody(name: Any) -> None:
    assert reject(name=name) == ("name", "no_name")


@pytest.mark.parametrize("born", ["1970", "1970-01", "1970-01-31", None])
def test_a_birth_date_keeps_its_precision(born: str | None) -> None:
    assert draft(birthDate=born).birth_date == born


@pytest.mark.parametrize("born", ["31/01/1970", "1970-02-30", "2031-01-01", "1066", 1970])
def test_a_birth_date_that_cannot_be_is_rejected(born: Any) -> None:
    field, code = reject(birthDate=born)
    assert field == "birthDate"
    assert code == ("bad_type" if isinstance(born, int) else "bad_date")


@pytest.mark.parametrize(
    ("said", "deceased", "at"),
    [
        ({"deceasedBoolean": True}, True, None),
        ({"deceasedBoolean": False}, False, None),
        ({"deceasedDateTime": "2015-02-14T13:42:00+10:00"}, True, datetime(2015, 2, 14, 3, 42, tzinfo=UTC)),
        ({"deceasedDateTime": "2015-02-14"}, True, datetime(2015, 2, 14, tzinfo=UTC)),
        ({"deceasedDateTime": "2015"}, True, None),
        ({}, False, None),
    ],
)
def test_a_death_is_taken_however_it_is_said(said: dict[str, Any], deceased: bool, at: datetime | None) -> None:
    taken = draft(**said)
    assert (taken.deceased, taken.deceased_at) == (deceased, at)


def test_numbers_in_use_are_taken_in_the_order_they_are_to_be_tried() -> None:
    telecom = [
        {"system": "phone", "value": "555-843-0001", "use": "old"},
        {"system": "phone", "value": "555-843-0002", "use": "home"},
        {"system": "email", "value": "ana@example.org", "rank": 2},
        {"system": "sms", "value": "555-843-0003", "use": "mobile", "rank": 1},
        {"system": "fax", "value": "555-843-0004"},
        {"use": "home"},
        {"value": "(03) 5555 6473"},
        {"value": "bo@example.org"},
        {"value": "ask at the desk"},
    ]
    assert [(c.kind.value, c.value, c.use.value, c.rank) for c in draft(telecom=telecom).contacts] == [
        ("phone", "555-843-0003", "mobile", 1),
        ("email", "ana@example.org", "other", 2),
        ("phone", "555-843-0002", "home", 3),
        ("phone", "(03) 5555 6473", "other", 4),
        ("email", "bo@example.org", "other", 5),
    ]


def test_identifiers_a_thief_would_want_are_left_out_and_counted() -> None:
    identifiers = [
        {"type": {"coding": [{"code": "MR"}]}, "system": "https://h.example", "value": "1"},
        {"type": {"coding": [{"code": "MR"}]}, "system": "https://h.example", "value": "0", "use": "old"},
        {"type": {"coding": [{"code": "SS"}]}, "system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-99-1748"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-99-1748"},
        {"type": {"coding": [{"code": "DL"}]}, "system": "urn:oid:2.16.840.1.113883.4.3.25", "value": "S99"},
        {"type": {"coding": [{"code": "PPN"}]}, "value": "X7"},
        {"system": "https://empty.example"},
    ]
    read = record(patient(1, identifier=identifiers))
    assert [(i.value, i.old) for i in read.draft.identifiers] == [("1", False), ("0", True)]
    assert read.left_out == 4


def test_the_home_address_is_one_line() -> None:
    address = [
        {"use": "work", "line": ["1 Desk St"]},
        {"use": "home", "line": ["8 Mews", "Suite 50"], "city": "Worcester", "state": "MA", "postalCode": "01545"},
    ]
    assert draft(address=address).address == "8 Mews, Suite 50, Worcester, MA 01545"


def test_the_preferred_language_is_taken_where_it_is_one() -> None:
    spoken = [
        {"language": {"coding": [{"code": "en-US"}]}},
        {"language": {"coding": [{"code": "not a tag"}, {"code": "es"}]}, "preferred": True},
    ]
    assert draft(communication=spoken).language == "es"
    assert draft(communication=[{"language": {"text": "Klingon"}}]).language is None


def test_a_record_is_known_by_its_server_and_id() -> None:
    assert record(patient(1)).key.text == "fhir\np1"
    assert record(patient(1), "https://h.example/fhir/Patient/p1").key.text == "https://h.example/fhir\np1"
    assert record(patient(1), "urn:uuid:p1").key.text == "fhir\np1"
    assert record(patient(1, id=None), "urn:uuid:77").key.text == "fhir\n77"
    assert record(patient(1, id=None)).key.id == ""


def test_a_record_that_another_has_replaced_says_which() -> None:
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]
    here, there = record(patient(1, link=link)), record(patient(1, link=link), "https://h.example/fhir/Patient/p1")
    assert here.draft.replaced and here.replaced_by and here.replaced_by.text == "fhir\np2"
    assert there.replaced_by and there.replaced_by.text == "https://h.example/fhir\np2"
    assert record(patient(1, link=[{"other": {"reference": "Patient/p2"}, "type": "seealso"}])).replaced_by is None


@pytest.mark.parametrize(
    "more",
    [
        {"name": "Quist"},
        {"name": [{"family": ["Quist"]}]},
        {"name": ["Quist"]},
        {"telecom": {}},
        {"active": "yes"},
        {"identifier": [{"value": 7}]},
        {"address": [{"line": "1 Elm St"}]},
        {"deceasedBoolean": "no"},
        {"link": [7]},
    ],
)
def test_a_field_of_the_wrong_type_is_named(more: dict[str, Any]) -> None:
    field, code = reject(**more)
    assert code == "bad_type"
    assert field.split(".")[0] == next(iter(more))


def test_a_reject_holds_no_value() -> None:
    content = patient(1, family="Sentinel", birthDate="Sentinel-date", name=[{"family": "Sentinel"}])
    read = read_patient(Resource(file="f", row=1, type="Patient", content=content), TODAY)
    assert isinstance(read, Reject)
    assert "Sentinel" not in repr(read)


KEYS = st.sampled_from(["use", "value", "system", "end", "period", "coding", "code", "reference", "other"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["name", "telecom", "identifier", "birthDate", "address", "communication", "link", "meta", "active", "id"]


@example({"name": [{"use": []}], "telecom": [{"system": [], "value": "555-843-0001"}]})
@given(st.dictionaries(st.sampled_from([*FIELDS, "deceasedDateTime", "deceasedBoolean"]), JSON))
def test_whatever_json_stands_in_a_patient_is_a_draft_or_a_reject(more: dict[str, Any]) -> None:
    read = read_patient(Resource(file="f", row=1, type="Patient", content=patient(1) | more), TODAY)
    assert isinstance(read, PatientRecord | Reject)


def test_the_naughty_strings_are_names_like_others(shared_data: Path) -> None:
    strings = json.loads((shared_data / "messy/naughty-strings/blns.json").read_text(encoding="utf-8"))
    taken = 0
    for string in strings:
        read = read_patient(Resource(file="f", row=1, type="Patient", content=patient(1, family=string)), TODAY)
        assert isinstance(read, PatientRecord)
        family = read.draft.family or ""
        assert family.isprintable() or any(not sign.isascii() for sign in family)
        assert not any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 for sign in family)
        family.encode()
        taken += 1
    assert taken > 200
