"""What a person wrote, told from what their mail program quoted; and nothing is ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.channels.quoting import PartKind, folds, has_new, new_part, quotations, split, without_sure

GMAIL = """Thursday works, thank you. Can my daughter come along?

On Mon, Nov 23, 2026 at 9:14 AM Lakeside Clinic <front@clinic.example>
wrote:

> Dear Maria,
>
> we can see you Thursday at 10. If you have chest pain, call 911.
>
> Lakeside Clinic
"""
APPLE = """No, the pills did not help.

Sent from my iPhone

> On Nov 23, 2026, at 9:14 AM, Lakeside Clinic <front@clinic.example> wrote:
>
> \ufeffDid the pills help?
"""
OUTLOOK = """Please cancel it.

Get Outlook for iOS
________________________________
From: Lakeside Clinic <front@clinic.example>
Sent: Monday, November 23, 2026 9:14 AM
To: Maria Webb <maria@example.org>
Subject: Message from Lakeside Clinic

We can see you Thursday.
"""
OUTLOOK_ES = """Sí, confirmo.

De: Lakeside Clinic <front@clinic.example>
Enviado el: lunes, 23 de noviembre de 2026 9:14
Para: Maria Webb <maria@example.org>
Asunto: Message from Lakeside Clinic

La esperamos el jueves.
"""
SPANISH = """¿Puedo ir el viernes?

El lun, 23 nov 2026 a las 9:14, Lakeside Clinic (<front@clinic.example>) escribió:

> La esperamos el jueves.
"""
ORIGINAL = """It still hurts.
-----Original Message-----
From: Lakeside Clinic
We hope the knee is better.
"""
UNMARKED = """Yes please.

On Mon, Nov 23, 2026 at 9:14 AM Lakeside Clinic <front@clinic.example> wrote:

Shall we send it to the pharmacy on Main Street?
"""
BETWEEN = """On Mon, Nov 23, 2026 at 9:14 AM Clinic <c@clinic.example> wrote:
> Are you still taking metformin?
Yes, twice a day.
> Any side effects?
My throat is closing up.
"""
SIGNED = """Is my referral ready?

--
Maria Webb
12 Elm Street
555 0101
"""


@pytest.mark.parametrize(
    ("letter", "new"),
    [
        (GMAIL, "Thursday works, thank you. Can my daughter come along?"),
        (APPLE, "No, the pills did not help."),
        (OUTLOOK, "Please cancel it."),
        (OUTLOOK_ES, "Sí, confirmo."),
        (SPANISH, "¿Puedo ir el viernes?"),
        (ORIGINAL, "It still hurts."),
        (UNMARKED, "Yes please."),
        (BETWEEN, "Yes, twice a day.\nMy throat is closing up."),
        (SIGNED, "Is my referral ready?"),
    ],
)
def test_the_new_part_of_real_letters_is_what_the_person_wrote(letter: str, new: str) -> None:
    assert new_part(letter).strip() == new
    assert "".join(part.text for part in split(letter)) == letter


@pytest.mark.parametrize(
    "letter",
    [
        "I have two questions:\n1. May I drive?\n2. May I swim?",
        "On Monday she wrote: come on Friday. Is that right?",
        "On Monday Kim wrote:\nthe results are fine. Are they?",
        "> 101 fever since Monday and a stiff neck",
        "From: my mother\nShe asks whether she may travel.",
        "Please send it to:\nDr. Alvarez\n-- and a copy to me",
        "Sent from my doctor I have a letter.\nShall I bring it?",
        "---------- Forwarded message ---------\nFrom: Imaging Center\nYour scan is on Friday.",
        "--\n" + "\n".join(f"line {number}" for number in range(12)),
    ],
)
def test_what_only_looks_like_a_quotation_is_the_persons_own(letter: str) -> None:
    assert new_part(letter) == letter
    assert folds(letter) == ()


def test_a_letter_with_nothing_new_in_it_is_judged_whole() -> None:
    quoted = "On Mon, Nov 23, 2026 at 9:14 AM C <c@clinic.example> wrote:\n> Come Thursday.\n"
    assert new_part(quoted) == quoted


def test_what_is_folded_are_the_lines_of_the_quotation_and_its_signature() -> None:
    lines = APPLE.split("\n")
    assert [lines[first:last] for first, last in folds(APPLE)] == [lines[4:7]]
    lines = GMAIL.split("\n")
    assert [lines[first:last] for first, last in folds(GMAIL)] == [lines[2:4], lines[5:10]] or [
        lines[first:last] for first, last in folds(GMAIL)
    ] == [lines[2:10]]
    assert folds(SIGNED) == ()


def test_only_marked_lines_under_a_line_that_says_who_wrote_are_surely_quoted() -> None:
    assert "chest pain" not in without_sure(GMAIL)
    assert "throat is closing" in without_sure(BETWEEN)
    for guessed in (UNMARKED, OUTLOOK, ORIGINAL):
        assert without_sure(guessed) == guessed
    assert without_sure("> my chest hurts\n> and my arm\n") == "> my chest hurts\n> and my arm\n"


def test_a_quoted_letter_is_told_from_what_it_quotes_in_turn() -> None:
    text = "Fine.\n\nOn Nov 24 Kim wrote:\n> I am well.\n>\n> On Nov 23 Ann wrote:\n>> How are you?\n>> Ann\n"
    letters = [each.text.split() for each in quotations(text) if each.is_letter]
    assert letters == [["I", "am", "well."], ["How", "are", "you?", "Ann"]]
    assert [each.text.strip() for each in quotations(text) if not each.is_letter] == ["On Nov 23 Ann wrote:"]


def test_a_letter_that_only_quotes_has_nothing_new() -> None:
    assert has_new(GMAIL)
    assert not has_new("On Nov 23 Kim wrote:\n> I am well.\n\n")


def test_a_long_run_of_dashes_is_no_signature() -> None:
    letter = "--\n" * 6_600
    assert len(new_part(letter)) >= len(letter) - 9 * len("--\n")


_LINES = st.sampled_from(
    [
        "", " ", ">", "> old", ">> older", "  > odd", "new words", "On Mon, Nov 23, 2026 Kim <k@x.example> wrote:",
        "On Monday Kim wrote:", "wrote:", "El lun, 23 nov 2026 Kim escribió:", "-----Original Message-----",
        "From: Kim", "To: Ann", "Sent: Monday", "Subject: hello", "________________________", "--", "-- ",
        "Sent from my iPhone", "Get Outlook for Android", "Enviado desde mi iPhone", "x" * 500,
    ]
)  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=20), max_size=30), st.booleans())
def test_the_parts_put_together_are_the_text(lines: list[str], ended: bool) -> None:
    text = "\n".join(lines) + ("\n" if ended else "")
    parts = split(text)
    assert "".join(part.text for part in parts) == text
    assert all(part.text for part in parts)
    assert all(part.kind is PartKind.QUOTED for part in parts if part.sure)


@given(st.lists(_LINES | st.text(alphabet="abc >\n:", max_size=20), max_size=30))
def test_every_word_is_surely_quoted_or_not_and_folds_lie_in_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    seen = "".join((without_sure(text), *(each.text for each in quotations(text))))
    assert sorted(letters(seen)) == sorted(letters(text))
    count, last = text.count("\n") + 1, 0
    for first, after in folds(text):
        assert last <= first < after <= count
        last = after


def test_letters_within_letters_lose_nothing_however_deep() -> None:
    deep = "".join(">" * depth + f" On Nov 23 K{depth} wrote:\n" for depth in range(60)) + ">" * 60 + " it hurts"
    seen = "".join((without_sure(deep), *(each.text for each in quotations(deep))))
    assert sorted(letters(seen)) == sorted(letters(deep))


def letters(text: str) -> list[str]:
    return [each for each in text if each.isalnum()]
