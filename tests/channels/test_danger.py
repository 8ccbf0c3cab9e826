"""Danger first: what alarms, what does not, and what cannot be screened."""

from __future__ import annotations

import csv
import functools
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_core.channels.danger import DangerLists, Screening, Verdict, screen
from crm_core.channels.danger_section import SECTION, DangerList, DangerSection
from crm_core.playbook.loader import load_content

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "data" / "playbooks" / "primary_care"


@functools.cache
def shipped() -> DangerLists:
    """The lists that ship, made ready."""
    content = {f"danger/{file.name}": file.read_text("utf-8") for file in (FOLDER / "danger").glob("*.toml")}
    playbook = load_content(content, [SECTION], name="primary_care")
    return DangerLists(playbook.section(DangerSection))


@pytest.fixture
def lists() -> DangerLists:
    return shipped()


def phrases(name: str) -> list[str]:
    """Every phrase of one of the data files beside this test."""
    data = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
    return [phrase for language in data.values() for phrase in language]


def verdicts(texts: Iterable[str], verdict: Verdict) -> list[str]:
    """Those of `texts` that get this verdict."""
    return [text for text in texts if screen(text, shipped()).verdict is verdict]


def rows(file: Path, column: str, keep: Callable[[dict[str, str]], bool] = lambda _row: True) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [row[column] for row in csv.DictReader(lines) if keep(row)]


def test_every_phrase_the_lists_were_mended_by_alarms() -> None:
    texts = phrases("danger_phrases")
    assert len(texts) >= 150
    assert verdicts(texts, Verdict.CLEAR) + verdicts(texts, Verdict.UNSCREENED) == []


def test_of_phrases_the_lists_never_saw_98_in_100_alarm() -> None:
    texts = phrases("danger_held_out")
    assert len(texts) >= 60
    assert len(verdicts(texts, Verdict.ALARM)) >= 0.98 * len(texts)


def test_of_ordinary_texts_at_most_one_in_100_alarms() -> None:
    texts = phrases("ordinary_phrases")
    assert len(texts) >= 300
    assert len(verdicts(texts, Verdict.ALARM)) <= 0.01 * len(texts)
    assert verdicts(texts, Verdict.UNSCREENED) == []


def test_of_real_text_messages_at_most_one_in_100_alarms(shared_data: Path) -> None:
    ham = rows(shared_data / "messages" / "sms-spam-collection.csv", "text", lambda row: row["label"] == "ham")
    assert len(verdicts(ham, Verdict.ALARM)) <= 0.01 * len(ham)
    assert len(verdicts(ham, Verdict.UNSCREENED)) <= 0.01 * len(ham)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("no chest pain", "en.chest-pain"),
        ("I do NOT have chest pain", "en.chest-pain"),
        ("I'm not suicidal", "en.suicide"),
        ("no trouble breathing", "en.cant-breathe"),
        ("no tengo dolor de pecho", "es.dolor-pecho"),
    ],
)
def test_negation_is_not_trusted(lists: DangerLists, text: str, term: str) -> None:
    assert term in screen(text, lists).terms


@pytest.mark.parametrize("word", ["STOP, ", "Thanks! ", "C. ", "lol ", "Need a refill of my blood pressure pills. "])
def test_whatever_stands_before_it_danger_alarms(lists: DangerLists, word: str) -> None:
    assert screen(f"{word}chest pain since this morning", lists).verdict is Verdict.ALARM


@pytest.mark.parametrize(
    "text",
    [
        "chest pian",
        "CHEST PAIN!!!",
        "chestpain",
        "chest... pain",
        "pain in chest",
        "chest paaaiiin",
        "c h e s t  p a i n",
        "che\u200bst p\u00adain",
        "chest\npain",
        "ｃｈｅｓｔ ｐａｉｎ",
        "su1c1dal",
        "$uicidal",
        "sui cide",
        "can\u2019t breathe",
        "cant breath",
        "cantbreathe",
        "no puedo respirár",
        "kiero morirme",
        "\U0001f52b at my door he has it",
    ],
)
def test_it_is_found_however_it_is_spelt(lists: DangerLists, text: str) -> None:
    assert screen(text, lists).verdict is Verdict.ALARM


@pytest.mark.parametrize(
    "text",
    [
        "je ne peux pas respirer",
        "n\u00e3o consigo respirar",
        "t\u00f4i b\u1ecb \u0111au ng\u1ef1c",
        "mwen pa ka respire",
        "ich kann nicht atmen",
        "\u043d\u0435 \u043c\u043e\u0433\u0443 \u0434\u044b\u0448\u0430\u0442\u044c",
        "\u6211\u80f8\u53e3\u5f88\u75db",
        "\u0623\u0644\u0645 \u0641\u064a \u0635\u062f\u0631\u064a",
        "mimi siwezi kupumua vizuri leo",
    ],
)
def test_a_language_without_a_list_is_unscreened(lists: DangerLists, text: str) -> None:
    assert screen(text, lists).verdict is Verdict.UNSCREENED


@pytest.mark.parametrize(
    "text",
    ["ok", "C", "Maria Lopez", "Jos\u00e9", "415-555-0123", "\U0001f44d", "??", "omw", "b4 5pm", "gracias", "q tal"],
)
def test_short_neutral_texts_are_clear(lists: DangerLists, text: str) -> None:
    assert screen(text, lists).verdict is Verdict.CLEAR


def test_a_picture_alone_is_unscreened_and_nothing_alone_is_clear(lists: DangerLists) -> None:
    assert screen("", lists, attachments=True).verdict is Verdict.UNSCREENED
    assert screen(" \n", lists, attachments=True).verdict is Verdict.UNSCREENED
    assert screen("", lists).verdict is Verdict.CLEAR
    assert screen("ok", lists, attachments=True).verdict is Verdict.CLEAR


def test_a_screening_names_the_entries_and_the_languages_read(lists: DangerLists) -> None:
    assert screen("tengo chest pain y quiero morir", lists) == Screening(
        verdict=Verdict.ALARM, terms=("en.chest-pain", "es.querer-morir"), languages=("en", "es")
    )


def test_what_stands_in_another_sentence_does_not_add_up(lists: DangerLists) -> None:
    apart = "Is my chest film back? I also wanted to ask about the back brace for the pain program."
    assert screen(apart, lists).verdict is Verdict.CLEAR


def test_an_idiom_takes_out_only_its_own_words(lists: DangerLists) -> None:
    assert screen("what a stroke of luck", lists).verdict is Verdict.CLEAR
    assert screen("what a stroke of luck, but my face is drooping", lists).verdict is Verdict.ALARM


@given(st.text(max_size=200))
def test_no_text_makes_the_screen_fail(text: str) -> None:
    assert screen(text, shipped()).verdict in Verdict


@pytest.mark.parametrize(
    "text",
    ["chest " * 4000 + "pain", "cant " * 5000, "a" * 100_000, "i want to die " * 2000],
    ids=["far apart", "half a danger", "one word", "all danger"],
)
def test_a_huge_text_is_screened(lists: DangerLists, text: str) -> None:
    assert screen(text, lists).languages == ("en", "es")


def _list(**changes: Any) -> dict[str, Any]:
    return {
        "file": "danger/en.toml",
        "language": "en",
        "version": 1,
        "approved_by": "a clinician",
        "approved_on": "2026-11-02",
        "function_words": "the a my",
        "numbers": {"two": 2},
        "spelling": {"everyday": "chess"},
        "concepts": {"chest": ["chest"], "pain": ["pain{s,ful}", "hurt|ache"]},
        "entry": [{"id": "chest-pain", "all": ["chest", "pain"], "within": 2}],
        **changes,
    }


def _own(**changes: Any) -> DangerLists:
    return DangerLists(DangerSection.model_validate({"danger": [_list(**changes)]}))


def test_a_window_counts_words_from_the_first_concept() -> None:
    assert _own().screen("chest is painful").verdict is Verdict.ALARM
    assert _own().screen("chest is really very painful").verdict is Verdict.CLEAR


def test_an_everyday_word_is_no_slip_for_a_listed_one() -> None:
    assert _own().screen("chesst pain").verdict is Verdict.ALARM
    assert _own().screen("chess pain").verdict is Verdict.CLEAR


def test_numbers_stand_for_ranges() -> None:
    own = _own(concepts={"hot": ["fever|temp .. #103-110"]}, entry=[{"id": "hot", "all": ["hot"]}])
    assert own.screen("fever is 104.2f").verdict is Verdict.ALARM
    assert own.screen("fever is 101").verdict is Verdict.CLEAR


def test_what_takes_an_alarm_back_is_never_matched_by_resemblance() -> None:
    own = _own(
        concepts={"chest": ["chest"], "pain": ["pain"], "film": ["xrays"]},
        entry=[{"id": "chest-pain", "all": ["chest", "pain"], "unless": ["film"]}],
    )
    assert own.screen("chest pain xrays").verdict is Verdict.CLEAR
    assert own.screen("chest pain xrayz").verdict is Verdict.ALARM


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entry": [{"id": "x", "all": ["chest", "pian"]}]}, "unknown concept pian"),
        ({"entry": [{"id": "x"}]}, "needs `all` or `any`"),
        ({"entry": [{"id": "x", "any": ["a"]}, {"id": "x", "any": ["b"]}]}, "stands twice"),
        ({"concepts": {"chest": ["Chest!"], "pain": []}}, "no word of plain small letters"),
        ({"approved_by": ""}, "at least 3 characters"),
        ({"version": 0}, "greater than or equal to 1"),
    ],
)
def test_a_list_with_a_mistake_is_refused_and_says_which(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DangerList.model_validate(_list(**changes))


def test_a_playbook_has_one_list_a_language() -> None:
    with pytest.raises(ValidationError, match="one danger list a language"):
        DangerSection.model_validate({"danger": [_list(), _list(file="danger/again.toml")]})


def test_the_shipped_lists_say_who_approved_them_and_when() -> None:
    for file in (FOLDER / "danger").glob("*.toml"):
        data = tomllib.loads(file.read_text("utf-8"))
        assert data["approved_by"].startswith("clinical lead")
        assert data["approved_on"].year >= 2026
