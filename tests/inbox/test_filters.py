"""The filter language: what is understood, what is refused in which words, and that nothing else comes out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.inbox.lists.filters import (
    LONGEST,
    MOST_TERMS,
    STATES,
    BadFilter,
    FieldTerm,
    Filter,
    Is,
    Name,
    SpanTerm,
    WordTerm,
    folded,
    holds,
    parse,
)
from crm_core.words import Channel, Priority


def test_each_kind_of_term_is_understood() -> None:
    sought = parse('owner:me,none due<2h -is:snoozed lane:refills,billing "chest  pain" -metformin age>3d C-12')
    assert sought.terms == (
        FieldTerm(name=Name.OWNER, values=("me", "none")),
        SpanTerm(name=Name.DUE, less=True, count=2, unit="h"),
        FieldTerm(name=Name.IS, values=("snoozed",), negated=True),
        FieldTerm(name=Name.LANE, values=("refills", "billing")),
        WordTerm(text="chest pain", quoted=True),
        WordTerm(text="metformin", negated=True),
        SpanTerm(name=Name.AGE, less=False, count=3, unit="d"),
        FieldTerm(name=Name.CONVERSATION, values=("c-12",)),
    )
    assert isinstance(sought.terms[1], SpanTerm) and sought.terms[1].span == timedelta(hours=2)
    assert sought.field_names == ("age", "conversation", "due", "is", "lane", "owner", "words")
    assert parse("  ") == Filter()


@pytest.mark.parametrize(
    ("text", "everywhere"),
    [("lane:billing", True), ('"metformin"', True), ("-lane:billing", False), ("metformin owner:me", False)],
)
def test_a_lane_or_a_quoted_word_looks_beyond_the_lane_in_view(text: str, everywhere: bool) -> None:
    assert parse(text).looks_everywhere is everywhere


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("colour:red", "no field colour"),
        ("http://x.test", "no field http"),
        ("state:closed", "state: cannot be closed; it may be new, open, waiting,"),
        ("priority:now", "stat, asap, urgent or routine"),
        ("channel:pigeon", "channel: cannot be pigeon"),
        ("is:late", "is: cannot be late"),
        ("due:2h", "write due<2h or due>3d"),
        ("age>long", "age is compared with a span of time"),
        ("due<٣h", "due is compared"),
        ("owner<me", "owner takes no <"),
        ("owner:", "owner: stands alone; write after it me, none or somebody's login"),
        ("patient:12", "a patient's number, like P-12"),
        ("lane:x'--", "lane: cannot be that"),
        ("lane:a;drop", "lane: cannot be that"),
        ("language:%", "a language's code"),
        ('due<2h "metformin', "A quote is not closed"),
        ('met"formin', "A quote stands inside a word"),
        ("!!!", "no letter or digit"),
        ("-", "no letter or digit"),
        ('""', "no letter or digit"),
        ("a" * (LONGEST + 1), f"at most {LONGEST} characters"),
        ("a " * (MOST_TERMS + 1), f"at most {MOST_TERMS} terms"),
    ],
)
def test_what_is_not_understood_is_named_in_one_sentence_with_what_is_allowed(text: str, names: str) -> None:
    with pytest.raises(BadFilter) as refused:
        parse(text)
    assert names in refused.value.message
    assert refused.value.exit_code == 2
    assert "\n" not in refused.value.message


_KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
_LOGINS = st.from_regex(r"[a-z0-9][a-z0-9._@-]{0,20}", fullmatch=True)
_NUMBERS = st.integers(0, 10**18 - 1)
_VALUES = {
    Name.OWNER: _LOGINS,
    Name.ESCALATED: _LOGINS,
    Name.LANE: _KEYS,
    Name.CATEGORY: _KEYS,
    Name.STATE: st.sampled_from(list(STATES)),
    Name.PRIORITY: st.sampled_from([one.value for one in Priority]),
    Name.CHANNEL: st.sampled_from([one.value for one in Channel]),
    Name.IS: st.sampled_from([one.value for one in Is]),
    Name.PATIENT: _NUMBERS.map("p-{}".format),
    Name.CONVERSATION: _NUMBERS.map("c-{}".format),
    Name.LANGUAGE: st.from_regex(r"[a-z]{2}(-[a-z]{2})?", fullmatch=True),
}


@st.composite
def _field_terms(draw: st.DrawFn) -> FieldTerm:
    name = draw(st.sampled_from(list(_VALUES)))
    values = draw(st.lists(_VALUES[name], min_size=1, max_size=3, unique=True))
    return FieldTerm(name=name, values=tuple(values), negated=draw(st.booleans()))


_SPANS = st.builds(
    SpanTerm,
    name=st.sampled_from([Name.DUE, Name.AGE]),
    less=st.booleans(),
    count=st.integers(0, 9999),
    unit=st.sampled_from("mhdw"),
    negated=st.booleans(),
)
_TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: '"' not in text and folded(text).strip())
_QUOTED = st.builds(
    WordTerm, text=_TEXTS.map(lambda text: " ".join(text.split())), quoted=st.just(True), negated=st.booleans()
)
_BARE = st.builds(
    WordTerm, text=st.from_regex(r"[a-zñéø0-9][a-zñé0-9'.-]{0,9}", fullmatch=True), negated=st.booleans()
).filter(lambda term: not term.text.startswith("c-"))


@given(st.lists(st.one_of(_field_terms(), _SPANS, _QUOTED, _BARE), max_size=6))
def test_a_filter_written_out_is_read_as_the_same_filter(terms: list[FieldTerm | SpanTerm | WordTerm]) -> None:
    sought = Filter(terms=tuple(terms))
    assert parse(str(sought)) == sought


def tried(text: str) -> None:
    """What comes of any text: a filter that means the same when written out, or one sentence."""
    try:
        sought = parse(text)
    except BadFilter as refused:
        assert "\n" not in refused.message
        return
    assert parse(str(sought)) == sought


@given(st.text(max_size=80))
def test_no_text_brings_out_another_error(text: str) -> None:
    tried(text)


@given(
    st.lists(st.sampled_from(['"', "-", ":", "<", "due", "owner", "lane:", "me", " ", ",", "2h", "c-1", "\u2028", "ß"]))
)
def test_no_mixture_of_its_own_marks_brings_out_another_error(parts: list[str]) -> None:
    tried("".join(parts))


def test_the_naughty_strings_are_words_or_refused(shared_data: Path) -> None:
    strings = json.loads((shared_data / "messy/naughty-strings/blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 200
    for text in strings:
        for typed in (text, f'"{text}"', f"lane:{text}", f"-owner:{text}", f"due<{text}", f"{text}:me"):
            tried(typed)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("metf", "Metformin 500 mg", True),
        ("formin", "Metformin 500 mg", False),
        ('"metf"', "Metformin 500 mg", False),
        ('"metformin 500"', "my METFORMIN, 500mg? no: metformin 500", True),
        ("jose", "José Muñoz", True),
        ("MUNOZ", "José Muñoz", True),
        ("sorensen", "Sørensen", True),
        ("hauptstrasse", "Hauptstraße 4", True),
        ("o'brien", "Pat O'Brien", True),
        ("refill_request", "refill request", True),
        ("会", "我会说中文", True),
    ],
)
def test_words_are_compared_without_case_and_accents(word: str, text: str, found: bool) -> None:
    term = parse(word).words[0]
    assert holds(term, folded(text)) is found
