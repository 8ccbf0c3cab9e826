"""What opts a number out or in, what asks for it in other words, and what only looks like it."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from crm_core.channels.keywords import Keyword, classify
from crm_core.channels.model import Handled
from crm_core.words import Channel
from tests.inbox.conftest import Clinic

PHRASES = tomllib.loads((Path(__file__).parent / "keyword_phrases.toml").read_text("utf-8"))


@pytest.mark.parametrize("word", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
@pytest.mark.parametrize("shape", ["{}", "{}.", " {} !!", "{}\n", '"{}"', "{} \U0001f6d1", "{0} {0}"])
def test_a_stop_word_alone_opts_out_in_any_case_and_punctuation(word: str, shape: str) -> None:
    for cased in (word, word.lower(), word.title()):
        assert classify(shape.format(cased)) is Keyword.STOP


@pytest.mark.parametrize(
    "word", ["opt out", "Opt-Out", "stop all", "ALTO", "Parar", "baja", "cancelar", "salir", "detener"]
)
def test_so_do_their_spellings_and_the_spanish_words(word: str) -> None:
    assert classify(word) is Keyword.STOP


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("START", Keyword.START),
        ("unstop.", Keyword.START),
        ("HELP", Keyword.HELP),
        ("info?", Keyword.HELP),
        ("Ayuda", Keyword.HELP),
        ("informaci\u00f3n", Keyword.HELP),
    ],
)
def test_start_opts_in_and_help_asks_who_we_are(text: str, keyword: Keyword) -> None:
    assert classify(text) is keyword


@pytest.mark.parametrize("text", ["YES", "yes", "Y", "si", "C", "ok", "", "  ", "\U0001f44d", "1"])
def test_an_answer_to_a_prompt_is_no_keyword(text: str) -> None:
    assert classify(text) is None


def test_the_carriers_own_examples_are_read_as_they_label_them(shared_data: Path) -> None:
    with (shared_data / "messages" / "opt-out-keywords.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    labels = {"stop": Keyword.STOP, "start": Keyword.START, "help": Keyword.HELP, "none": None}
    # YES is theirs to opt in with only from a number that is opted out, as the words that begin anew are.
    read = [(row, classify(row["text"], opted_out=row["label"] == "start")) for row in rows]
    assert [row for row, keyword in read if keyword is not labels[row["label"].partition("-")[0]]] == []
    assert classify("YES") is None


@pytest.mark.parametrize("text", [*PHRASES["ordinary"], *PHRASES["ordinary_too"]])
def test_what_only_looks_like_an_opt_out_is_none(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize("text", PHRASES["stops"])
def test_a_stop_word_opts_out_however_it_is_dressed(text: str) -> None:
    assert classify(text) is Keyword.STOP


@pytest.mark.parametrize("text", [*PHRASES["suspected"], *PHRASES["suspected_too"]])
def test_what_asks_for_an_end_in_other_words_is_suspected(text: str) -> None:
    assert classify(text) is Keyword.SUSPECTED_STOP


def test_a_stop_beside_a_danger_still_opts_out() -> None:
    assert classify("STOP, chest pain", alarmed=True) is Keyword.STOP
    assert classify("my chest hurts. STOP", alarmed=True) is Keyword.STOP
    assert classify("it wont stop bleeding", alarmed=True) is None
    assert classify("I need to stop in, chest pain", alarmed=True) is None
    assert classify("STOP, chest pain") is None


def test_there_are_a_hundred_phrases_and_more_of_each_kind() -> None:
    assert len({*PHRASES["ordinary"], *PHRASES["ordinary_too"]}) > 200
    assert len({*PHRASES["suspected"], *PHRASES["suspected_too"], *PHRASES["stops"]}) > 200


def test_yes_opts_in_only_a_number_that_is_opted_out(clinic: Clinic) -> None:
    assert clinic.text("YES").handled_by is Handled.ROUTING
    assert clinic.text("STOP").handled_by is Handled.OPT_OUT
    assert clinic.text("YES").handled_by is Handled.OPT_IN


@pytest.mark.parametrize(
    ("subject", "body", "handled"),
    [
        ("unsubscribe", "", Handled.OPT_OUT),
        ("Re: your visit", "STOP", Handled.OPT_OUT),
        ("STOP", "Could you tell me whether to stop the aspirin?", Handled.ROUTING),
        ("cancel", "", Handled.ROUTING),
        ("help", "", Handled.ROUTING),
    ],
)
def test_a_letter_opts_out_by_a_word_that_means_nothing_else(
    clinic: Clinic, subject: str, body: str, handled: Handled
) -> None:
    letter = {"channel": Channel.EMAIL, "sender": "eve@example.org", "subject": subject}
    assert clinic.text(body, **letter).handled_by is handled


@pytest.mark.parametrize("channel", [Channel.PORTAL, Channel.WEBFORM, Channel.CHAT])
def test_where_no_carrier_is_the_words_are_a_persons_to_read(clinic: Clinic, channel: Channel) -> None:
    assert clinic.text("STOP", channel=channel).handled_by is Handled.ROUTING
