"""What is legal in a template but wrong to send.

A `Problem` keeps a template from being applied, submitted and approved; a `Caution` is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from typing import TYPE_CHECKING

from crm_core.cleaning import clean
from crm_core.library.merge import SAMPLE, MergeField, fill
from crm_core.library.reading import grade
from crm_core.library.segments import segments
from crm_core.playbook.problems import Caution, Problem
from crm_core.words import Channel

if TYPE_CHECKING:
    from crm_core.library.section import TemplateText

HARDEST_GRADE = 8.0
"""Above this many years of school a text is too hard for the general public."""
MOST_SEGMENTS = 2

_UNPROTECTED = frozenset(Channel) - {Channel.PORTAL}
_HEALTH = re.compile(
    r"""\b(
    cancer|tumou?r|oncolog\w*|chemo\w*|diabet\w*|insulin|hiv|aids|hepatitis|std|sti|syphilis|chlamydia|
    pregnan\w*|abortion|miscarriage|obstetric\w*|gynecolog\w*|ob-?gyn|prenatal|depress\w*|anxiety|
    psychiat\w*|psycholog\w*|behavioral\ health|mental\ health|bipolar|schizophreni\w*|dementia|addiction|
    rehab|methadone|suboxone|cardiolog\w*|neurolog\w*|urolog\w*|dermatolog\w*|nephrolog\w*|dialysis|
    asthma|copd|epilep\w*|stroke|hypertension|cholesterol|positive\ result|abnormal|biops\w*|mammogram\w*|
    colonoscop\w*|diagnos\w*|cardiólog\w*|oncólog\w*|cáncer|embaraz\w*|aborto|sida|vih|diálisis|depresión
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_CANCEL = re.compile(r"(?-i:\bCANCEL\b)|\b(?:reply|text|send|responda|escriba|envíe)\s+[\"'“]?cancel\w*", re.IGNORECASE)
_HOLE = re.compile(r"\[[^\]\n]{1,40}\]|<[^>\n]{1,40}>|_{3,}|\bX{3,}\b|\bTBD\b", re.IGNORECASE)


def lint(texts: Iterable[TemplateText], *, today: date) -> Iterator[Problem]:
    """Everything worth a look in these templates."""
    texts = list(texts)
    english = frozenset(text.key for text in texts if text.language == "en")
    for text in texts:
        yield from lint_text(text, today=today, english=english)


def lint_text(text: TemplateText, *, today: date, english: AbstractSet[str]) -> Iterator[Problem]:
    """Everything worth a look in one of them; `english` are the keys that have an English variant."""
    if text.language != "en" and text.key not in english:
        yield Caution(file=text.file, key="language", message=f"{text.key} has no English variant to fall back to")
    if text.review_due is not None and text.review_due < today:
        message = f"the review date {text.review_due} has passed, so the template is not sent"
        yield Caution(file=text.file, key="review_due", message=message)
    yield from _body(text)


def uncovered(texts: Iterable[TemplateText], categories: frozenset[str]) -> Iterator[Problem]:
    """The categories of the playbook that no template answers."""
    for category in sorted(categories - {category for text in texts for category in text.categories}):
        yield Caution(file="categories.toml", message=f"no template answers the category {category}")


def _body(text: TemplateText) -> Iterator[Problem]:
    filled = fill(text.key, text.body, SAMPLE)
    yield from _words(text)
    if text.language == "en" and (level := grade(filled)) > HARDEST_GRADE:
        yield _caution(text, f"reads at grade {level:.1f}; {HARDEST_GRADE:.0f} or below is plain enough")
    if Channel.SMS in text.channels:
        size = segments(filled)
        if size.count > MOST_SEGMENTS:
            because = f" because of {' '.join(size.odd)}" if size.odd else ""
            yield _caution(text, f"takes {size.count} text segments ({size.encoding}{because})")


def asks_for_cancel(text: str) -> bool:
    """Whether a text asks for the word CANCEL, which opts a number out: none of ours may."""
    return _CANCEL.search(text) is not None


def _words(text: TemplateText) -> Iterator[Problem]:
    if asks_for_cancel(text.body):
        message = "asks for the word CANCEL, which opts a number out; name another way"
        yield Problem(file=text.file, key="body", message=message)
    if hidden := clean(text.body).hidden:
        message = f"holds {hidden} {'sign' if hidden == 1 else 'signs'} that cannot be seen; take them out"
        yield Problem(file=text.file, key="body", message=message)
    if hole := _HOLE.search(text.body):
        yield _caution(text, f"{hole[0]} looks like a gap to fill by hand; use a merge field")
    open_ways = [channel.value for channel in text.channels if channel in _UNPROTECTED]
    if open_ways and (word := _HEALTH.search(text.body)):
        kind = Problem if Channel.SMS in text.channels else Caution
        message = f"“{word[0]}” says something about health, over {', '.join(open_ways)}"
        yield kind(file=text.file, key="body", message=message)
    if Channel.SMS in text.channels and MergeField.PATIENT_FULL_NAME in text.fields:
        yield _caution(text, "the full name in a text message tells more than the first name")


def _caution(text: TemplateText, message: str) -> Caution:
    return Caution(file=text.file, key="body", message=message)
