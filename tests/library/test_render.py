"""From a version to the text that is sent, or a refusal."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from crm_core.errors import Refused
from crm_core.library.merge import BraceInText, MissingField
from crm_core.library.model import TemplateState, TemplateView, months_after
from crm_core.library.render import (
    PersonalCopied,
    PersonalMissing,
    TemplateNotApproved,
    TemplatePastReview,
    TemplateWrongChannel,
    preview,
    render,
)
from crm_core.words import Channel

TODAY = date(2026, 11, 23)
FIELDS = {"patient.first_name": "Ana", "clinic.name": "Willow Bend"}
VIEW = TemplateView(
    id=1,
    template_id=1,
    key="hello",
    number=2,
    language="en",
    state=TemplateState.APPROVED,
    title="Hello",
    purpose="Greets.",
    categories=("other",),
    channels=(Channel.SMS,),
    body="Hi {{ patient.first_name }}, from {{ clinic.name }}.",
    fields=("patient.first_name", "clinic.name"),
    needs_personal=False,
    review_months=12,
    review_due=TODAY,
    approved_by=4,
    approved_at=None,
    retired_because=None,
)
PERSONAL = dataclasses.replace(
    VIEW, body=VIEW.body + " {{ personal }}", fields=(*VIEW.fields, "personal"), needs_personal=True
)


def test_an_approved_version_renders_up_to_and_on_its_review_date() -> None:
    assert render(VIEW, FIELDS, channel=Channel.SMS, today=TODAY) == "Hi Ana, from Willow Bend."


@pytest.mark.parametrize("state", [state for state in TemplateState if state is not TemplateState.APPROVED])
def test_a_version_in_any_other_state_is_refused(state: TemplateState) -> None:
    with pytest.raises(TemplateNotApproved, match="Version 2 of the template hello"):
        render(dataclasses.replace(VIEW, state=state), FIELDS, channel=Channel.SMS, today=TODAY)


def test_the_day_after_its_review_date_a_version_is_refused() -> None:
    with pytest.raises(TemplatePastReview, match="2026-11-23"):
        render(VIEW, FIELDS, channel=Channel.SMS, today=date(2026, 11, 24))


def test_a_channel_it_was_not_written_for_is_refused() -> None:
    with pytest.raises(TemplateWrongChannel, match="email"):
        render(VIEW, FIELDS, channel=Channel.EMAIL, today=TODAY)


@pytest.mark.parametrize("personal", [None, "", "   "])
def test_a_template_that_needs_a_personal_sentence_is_refused_without_one(personal: str | None) -> None:
    with pytest.raises(PersonalMissing):
        render(PERSONAL, FIELDS, personal, channel=Channel.SMS, today=TODAY)


def test_a_personal_sentence_stands_where_the_template_says() -> None:
    assert render(PERSONAL, FIELDS, " See you. ", channel=Channel.SMS, today=TODAY).endswith("Bend. See you.")


def test_a_placeholder_in_the_personal_sentence_is_refused() -> None:
    with pytest.raises(BraceInText):
        render(PERSONAL, FIELDS, "Dear {first_name}", channel=Channel.SMS, today=TODAY)


def test_a_missing_field_is_refused_by_name_and_every_refusal_is_one_sentence() -> None:
    with pytest.raises(MissingField, match=r"clinic\.name") as caught:
        render(VIEW, {"patient.first_name": "Ana"}, channel=Channel.SMS, today=TODAY)
    assert isinstance(caught.value, Refused)
    assert "Ana" not in str(caught.value)


def test_a_preview_shows_a_draft_with_its_gaps_marked_and_named() -> None:
    draft = dataclasses.replace(PERSONAL, state=TemplateState.DRAFT)
    shown = preview(draft, {"patient.first_name": "Ana", "clinic.name": None})
    assert shown.text == "Hi Ana, from ‹clinic.name›. ‹personal›"
    assert shown.missing == ("clinic.name", "personal")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
    ],
)
def test_months_are_counted_to_a_day_that_exists(day: date, months: int, then: date) -> None:
    assert months_after(day, months) == then


@pytest.mark.parametrize(
    "sentence", ["Hi Ana, from Willow Bend.", "  hi ana from willow bend!  ", "Greets.", "...", "Hello"]
)
def test_a_personal_sentence_that_only_repeats_the_template_is_refused(sentence: str) -> None:
    with pytest.raises(PersonalCopied, match="only repeats the template"):
        render(PERSONAL, FIELDS, sentence, channel=Channel.SMS, today=TODAY)


@pytest.mark.parametrize("sentence", ["Your form is here.", "Hi Ana, from Willow Bend. It is ready.", "Ana!"])
def test_a_personal_sentence_that_says_something_goes(sentence: str) -> None:
    assert render(PERSONAL, FIELDS, sentence, channel=Channel.SMS, today=TODAY).endswith(sentence)


@pytest.mark.parametrize("sentence", [None, "", " \n\t "])
def test_a_personal_sentence_of_nothing_but_blanks_is_none(sentence: str | None) -> None:
    with pytest.raises(PersonalMissing):
        render(PERSONAL, FIELDS, sentence, channel=Channel.SMS, today=TODAY)
