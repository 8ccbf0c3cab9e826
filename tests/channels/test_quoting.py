"""What a person wrote, told from what their mail program quoted; and nothing is ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.channels.quoting import PartKind, folds, new_part, split, to_screen

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


def test_only_marked_lines_under_a_line_that_says_who_wrote_are_spared_the_screening() -> None:
    assert "chest pain" not in to_screen(GMAIL)
    assert "throat is closing" in to_screen(BETWEEN)
    for guessed in (UNMARKED, OUTLOOK, ORIGINAL):
        assert to_screen(guessed) == guessed
    assert to_screen("> my chest hurts\n> and my arm\n") == "> my chest hurts\n> and my arm\n"


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
def test_no_line_without_a_mark_is_spared_the_screening_and_folds_lie_in_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept = to_screen(text).split("\n")
    for line in text.split("\n"):
        assert line in kept or not line.strip() or line.lstrip().startswith(">")
    count, last = text.count("\n") + 1, 0
    for first, after in folds(text):
        assert last <= first < after <= count
        last = after
