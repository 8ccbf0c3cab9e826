"""Merge fields: what a body may hold, and how it is filled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.library.merge import SAMPLE, BraceInText, MergeField, MissingField, fields_of, fill, problems

FIELDS = {MergeField.PATIENT_FIRST_NAME.value: "Ana", MergeField.CLINIC_NAME.value: "Willow Bend"}


@pytest.mark.parametrize(
    "body",
    [
        "Hi {{ patient.first_name }}, this is {{clinic.name}}.",
        "{{- today -}} and {{ lane.title | lower | trim }}",
        "No field at all, 50% off; 'quotes' & <angles>",
    ],
)
def test_a_body_of_words_and_known_fields_has_no_problems(body: str) -> None:
    assert problems(body) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{{ patient.diagnosis }}", "there is no field patient.diagnosis"),
        ("{{ first_name }}", "there is no field first_name"),
        ("Hi {first_name}", "a single brace"),
        ("Hi }} there", "a single brace"),
        ("{{ patient.first_name", "not a merge field"),
        ("{{ patient.first_name.upper() }}", "only a field's name"),
        ("{{ patient['first_name'] }}", "only a field's name"),
        ("{{ patient.first_name.__class__ }}", "only a field's name"),
        ("{{ 7 * 7 }}", "only a field's name"),
        ("{{ 'text' }}", "only a field's name"),
        ("{{ today if today else today }}", "only a field's name"),
        ("{{ today | safe }}", "no filter safe"),
        ("{{ today | default('soon') }}", "no filter default"),
        ("{{ today | trim('x') }}", "takes nothing in brackets"),
        ("{{ today is defined }}", "only a field's name"),
        ("{% if today %}x{% endif %}", "no statement"),
        ("a\n{% raw %}{{ x }}{% endraw %}", "line 2"),
        ("{# a remark #}", "no comment"),
        ("one\ntwo\n{{ nobody }}", "line 3"),
    ],
)
def test_anything_else_is_refused_with_its_line(body: str, says: str) -> None:
    assert any(says in problem for problem in problems(body)), problems(body)


def test_fields_are_listed_once_in_their_order() -> None:
    body = "{{ today }} {{ patient.first_name | upper }} {{ today }} {{ clinic.name }}"
    assert fields_of(body) == ("today", "patient.first_name", "clinic.name")


def test_filling_puts_values_in_and_trims_the_ends() -> None:
    text = fill("hello", "\nHi {{ patient.first_name | upper }} from {{ clinic.name }}.\n", FIELDS)
    assert text == "Hi ANA from Willow Bend."


@pytest.mark.parametrize("value", [None, "", "  ", "\n", "{first_name}", "{{ patient.first_name }}"])
def test_a_missing_blank_or_unfilled_value_refuses_and_names_the_field_only(value: str | None) -> None:
    with pytest.raises(MissingField) as caught:
        fill("hello", "Hi {{ patient.first_name }}", {**FIELDS, "patient.first_name": value})
    assert "patient.first_name" in str(caught.value)
    assert "hello" in str(caught.value)
    assert (
        not value or not value.strip() or value.strip("{} \n") == "patient.first_name" or value not in str(caught.value)
    )


def test_a_field_that_was_not_passed_at_all_is_missing() -> None:
    with pytest.raises(MissingField):
        fill("hello", "{{ staff.first_name }}", FIELDS)


def test_jinja_inside_a_value_is_not_run() -> None:
    with pytest.raises(MissingField):
        fill("hello", "{{ clinic.name }}", {"clinic.name": "{{ 7 * 7 }}"})


def test_a_line_break_in_a_value_does_not_make_a_new_line() -> None:
    assert fill("hello", "Hi {{ patient.first_name }}!", {"patient.first_name": " Ana \n Lee "}) == "Hi Ana Lee!"


def test_a_brace_that_slipped_past_the_check_never_reaches_a_patient() -> None:
    with pytest.raises(BraceInText):
        fill("hello", "Hi {first_name}", FIELDS)


@given(st.text(alphabet="ab {}%#.|()[]'\n_", max_size=40))
def test_no_body_without_problems_ever_fills_to_a_text_with_braces(body: str) -> None:
    if not problems(body):
        text = fill("any", body, SAMPLE)
        assert "{" not in text
        assert "}" not in text
