"""The playbook's section of response templates: one Markdown file each, `templates/*.md`.

The text in the file is what a clinic writes and reviews; a version in the store is what its
approver let through. Everything a patient could notice is part of a version's digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from crm_core.cleaning import clean
from crm_core.clock import SystemClock
from crm_core.library.lint import lint
from crm_core.library.macro import span
from crm_core.library.merge import MergeField, fields_of, problems
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Problem
from crm_core.words import Channel


def _a_span(text: str) -> str:
    span(text)
    return text


def _one_line(text: str) -> str:
    cleaned = clean(text)
    if cleaned.hidden or "\n" in cleaned.text:
        raise ValueError("holds a line break or a sign that cannot be seen")
    return text


Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_one_line)]
Span = Annotated[str, AfterValidator(_a_span)]


class ThenTaskText(Strict):
    """A task that the sending makes; `due` counts from the sending: `4h`, `1d`."""

    title: Line
    due: Span


class ThenText(Strict):
    """What else happens when the template is sent: `close` or `snooze`, and `task`."""

    close: Key | None = None
    snooze: Span | None = None
    task: ThenTaskText | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.close is not None and self.snooze is not None:
            raise ValueError("give either close or snooze: what is closed does not wait")
        if self.close is None and self.snooze is None and self.task is None:
            raise ValueError("says nothing; give close, snooze or task, or leave it out")
        return self


class TemplateText(Strict):
    """One template file: its front matter, and the body below it.

    `review_months` counts from the approval; `review_due` is a fixed last day instead. With `then`
    it is a macro.
    """

    file: str
    key: Key
    title: Line
    categories: Annotated[tuple[Key, ...], Field(min_length=1)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    language: Language = "en"
    purpose: Line
    review_months: Annotated[int, Field(ge=1, le=36)] | None = None
    review_due: date | None = None
    needs_personal: bool = False
    then: ThenText | None = None
    body: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]

    @field_validator("body")
    @classmethod
    def _only_merge_fields(cls, body: str) -> str:
        if not body:
            raise ValueError("no text stands below the +++: write what the patient reads")
        found = problems(body)
        if found:
            raise ValueError("; ".join(found))
        return body

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.review_months is None) == (self.review_due is None):
            raise ValueError("give either review_months or review_due")
        if len(set(self.categories)) < len(self.categories) or len(set(self.channels)) < len(self.channels):
            raise ValueError("a category or channel is named twice")
        if self.needs_personal != (MergeField.PERSONAL in fields_of(self.body)):
            raise ValueError("needs_personal = true and {{ personal }} in the body go together")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The merge fields that the body uses."""
        return fields_of(self.body)

    def digest(self) -> str:
        """SHA-256 of everything but the file's name: equal digests, equal version."""
        # A template without a macro keeps the digest that it had before there were macros.
        content = self.model_dump(mode="json", exclude={"file"} if self.then is not None else {"file", "then"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class TemplatesSection(Strict):
    """All templates of a playbook; a key stands once in each language."""

    templates: tuple[TemplateText, ...] = ()

    @model_validator(mode="after")
    def _each_key_once_a_language(self) -> Self:
        seen: dict[tuple[str, str], str] = {}
        twice = []
        for text in self.templates:
            first = seen.setdefault((text.key, text.language), text.file)
            if first != text.file:
                twice.append(f"{text.key} ({text.language}) is in {first} and in {text.file}")
        if twice:
            raise ValueError("; ".join(twice))
        return self


def check(playbook: Playbook) -> Iterable[Problem]:
    """What is legal but wrong to send, as of the host's date."""
    return lint(playbook.section(TemplatesSection).templates, today=SystemClock().now().date())


SECTION = Section(name="templates", model=TemplatesSection, files=("templates/*.md",), required=False, checks=(check,))
"""Registered in app.py with the other features' sections."""
