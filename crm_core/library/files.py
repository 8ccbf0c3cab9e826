"""A template as the file it would be in a playbook: Markdown under TOML, both ways."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_core.errors import UsageError
from crm_core.library.macro import Then
from crm_core.library.model import TemplateView
from crm_core.library.section import SECTION, TemplatesSection, TemplateText, ThenText
from crm_core.playbook.loader import load_content
from crm_core.playbook.problems import PlaybookErrors, Problem

_LINE = re.compile(r"line (\d+): ")
_NEXT_LINE = re.compile(r"; (?=line \d+: )")
"""How section.py says where in a body something is wrong, and parts one such sentence from the next."""
_DELETE = "\x7f"


class TemplateErrors(UsageError):
    """{count} to mend, the first in {first}; mend what is named and try again."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = "There is 1 mistake" if len(problems) == 1 else f"There are {len(problems)} mistakes"
        super().__init__(count=count, first=str(problems[0]), problems=problems)


def file_name(key: str, language: str) -> str:
    """`refill_done.md`, and `refill_done.es.md` where it is not English."""
    return f"{key}.md" if language == "en" else f"{key}.{language}.md"


def text_of(view: TemplateView) -> TemplateText:
    """What a version's file would hold; raises ValueError where today's rules refuse it."""
    # An approval sets the review date of a version that counts in months.
    due = None if view.review_months is not None else view.review_due
    return TemplateText(
        file=file_name(view.key, view.language),
        key=view.key,
        title=view.title,
        categories=view.categories,
        channels=view.channels,
        language=view.language,
        purpose=view.purpose,
        review_months=view.review_months,
        review_due=due,
        needs_personal=view.needs_personal,
        then=_then_text(view.then),
        body=view.body,
    )


def as_file(view: TemplateView) -> str:
    """The file of a version, as somebody would have written it; reading it gives the same digest."""
    lines = [
        f"key = {_string(view.key)}",
        f"title = {_string(view.title)}",
        f"categories = {_strings(view.categories)}",
        f"channels = {_strings(view.channels)}",
        f"language = {_string(view.language)}",
        f"purpose = {_string(view.purpose)}",
    ]
    if view.review_months is not None:
        lines.append(f"review_months = {view.review_months}")
    else:
        lines.append(f"review_due = {view.review_due}")
    if view.needs_personal:
        lines.append("needs_personal = true")
    if view.then is not None:
        lines.append(f"then = {_then_line(view.then)}")
    return "\n".join(["+++", *lines, "+++", view.body, ""])


def blank_file(key: str, language: str) -> str:
    """What somebody starts a new template from: it does not hold together until a body is written."""
    return "\n".join(
        [
            "+++",
            f"key = {_string(key)}",
            'title = "A few words that staff will look for"',
            'categories = ["other"]',
            'channels = ["sms", "email", "portal"]',
            f"language = {_string(language)}",
            'purpose = "When to send it."',
            "review_months = 12",
            "+++",
            "",
        ]
    )


def renamed(text: TemplateText, key: str, language: str) -> None:
    """Refuse a text that says it is another template, or another language, than it was opened as."""
    if (text.key, text.language) != (key, language):
        raise UsageError(
            problem=f"This text says it is {text.key} ({text.language}), not {key} ({language})",
            remedy="leave key and language as they are, or write that one as a new template",
        )


def read_files(content: Mapping[str, str]) -> tuple[TemplateText, ...]:
    """The templates of these files, by the name they go under; TemplateErrors with every mistake."""
    # A pattern without a wildcard alone would be read as a section of one file.
    patterns = (*(glob.escape(file) for file in content), "templates/*.md")
    try:
        playbook = load_content(content, [replace(SECTION, files=patterns, checks=())], name="templates")
    except PlaybookErrors as error:
        problems = (placed for each in error.problems for placed in _placed(each, content))
        raise TemplateErrors(tuple(problems)) from None
    return playbook.section(TemplatesSection).templates


def _placed(problem: Problem, content: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a body, each with its line in the file rather than in the body."""
    if problem.key != "body" or problem.file not in content:
        return [problem]
    matter, _, body = content[problem.file].removeprefix("+++\n").partition("\n+++\n")
    above = matter.count("\n") + 3 + (len(body) - len(body.lstrip("\n"))) if body else 0
    placed = []
    for message in _NEXT_LINE.split(problem.message):
        found = _LINE.match(message)
        line = int(found[1]) + above if found is not None else problem.line
        placed.append(replace(problem, line=line, message=_LINE.sub("", message)))
    return placed


def _then_text(then: Then | None) -> ThenText | None:
    if then is None:
        return None
    task: dict[str, Any] | None = {"title": then.task.title, "due": then.task.due} if then.task is not None else None
    return ThenText.model_validate({"close": then.close, "snooze": then.snooze, "task": task})


def _then_line(then: Then) -> str:
    parts = []
    if then.close is not None:
        parts.append(f"close = {_string(then.close)}")
    if then.snooze is not None:
        parts.append(f"snooze = {_string(then.snooze)}")
    if then.task is not None:
        parts.append(f"task = {{ title = {_string(then.task.title)}, due = {_string(then.task.due)} }}")
    return f"{{ {', '.join(parts)} }}"


def _strings(words: tuple[str, ...]) -> str:
    return f"[{', '.join(_string(word) for word in words)}]"


def _string(text: str) -> str:
    """A TOML basic string: JSON's, but for the one character that only TOML wants escaped."""
    return json.dumps(str(text), ensure_ascii=False).replace(_DELETE, "\\u007f")
