"""Reading words and phrases out of what people type."""

from __future__ import annotations

import pytest

from crm_core.inbox.routing.phrases import EntryError, Lexicon, Listed, check_entry, fold, forms_of, words_of


def found(text: str, *words: str, but_not: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What a list of `words` sees in `text`."""
    return Lexicon({"list": Listed(words=words, but_not=but_not)}).read(text).found("list")


def test_case_accents_and_curly_quotes_make_no_difference() -> None:
    assert fold("Can’t BREATHE, señor Pérez") == "cant breathe, senor perez"
    assert found("I CAN’T breathe", "can't breathe") == ("cant breathe",)
    assert found("la receta de la presion", "presión") == ("presion",)


def test_numbers_stand_apart_from_their_units_but_not_inside_a_word() -> None:
    assert words_of("10mg of B12, A1C 7.9, x-ray at 9:30") == [
        "10", "mg", "of", "b12", "a1c", "7.9", "x", "ray", "at", "9:30",
    ]  # fmt: skip


def test_a_word_is_met_whole_never_inside_another() -> None:
    assert found("the billboard", "bill") == ()
    assert found("a bill.", "bill") == ("bill",)


@pytest.mark.parametrize(
    ("written", "listed"),
    [("bills", "bill"), ("allergies", "allergy"), ("rashes", "rash"), ("scheduled", "schedule"), ("scanned", "scan"),
     ("referring", "refer"), ("moving", "move")],
)  # fmt: skip
def test_a_listed_word_is_met_in_its_simple_inflections(written: str, listed: str) -> None:
    assert found(written, listed) == (written,)


def test_a_listed_plural_is_not_met_by_its_singular() -> None:
    assert found("first aid", "aids") == ()
    assert forms_of("pass") == ("pass",)


def test_words_in_a_row_alternatives_and_gaps() -> None:
    assert found("please cancel my appt", "cancel|move my|the appt|visit") == ("cancel my appt",)
    assert found("cancel the 3pm appt", "cancel .. appt") == ("cancel the 3 pm appt",)
    assert found("cancel it because I will not need the appt", "cancel .. appt") == ()


def test_endings_and_beginnings_need_more_letters() -> None:
    assert found("bronchitis and arthritis", "*itis") == ("bronchitis", "arthritis")
    assert found("itis", "*itis") == ()
    assert found("cardiology", "cardi*") == ("cardiology",)


def test_but_not_hides_from_its_own_list_only() -> None:
    lexicon = Lexicon({
        "symptom": Listed(words=("pain",), but_not=("pain pill",)),
        "medicine": Listed(words=("pill",)),
        "clinical": Listed(words=(), include=("symptom", "medicine")),
    })  # fmt: skip
    reading = lexicon.read("my pain pills")
    assert reading.found("symptom") == ()
    assert reading.found("medicine") == ("pills",)
    assert reading.found("clinical") == ("pills",)
    assert lexicon.read("pain, and no pain pills left").found("symptom") == ("pain",)


def test_lists_that_include_each_other_do_not_loop() -> None:
    lexicon = Lexicon({"one": Listed(words=("a",), include=("two",)), "two": Listed(words=("b",), include=("one",))})
    assert lexicon.read("a b").found("one") == ("a", "b")


@pytest.mark.parametrize("entry", ["", "..", "cancel ..", "*", "*two words", "in*side", "x-ray|scan", "!?"])
def test_an_entry_that_can_match_nothing_is_refused(entry: str) -> None:
    with pytest.raises(EntryError):
        check_entry(entry)


def test_a_text_without_words_is_read_too() -> None:
    reading = Lexicon({"list": Listed(words=("hi",))}).read("👍 … ؟")
    assert reading.word_count == 0
    assert reading.has_question
    assert reading.found("list") == ()
