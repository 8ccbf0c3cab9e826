"""From a version and a patient's fields to the text that is sent, or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crm_core.errors import Refused
from crm_core.library.lint import asks_for_cancel
from crm_core.library.merge import BraceInText, MergeField, fill, usable
from crm_core.library.model import TemplateState, TemplateView
from crm_core.words import Channel

_WORD = re.compile(r"\w+")
_END = re.compile(r"[.!?\n]+")
_STANDS_ALONE = ".\N{BULLET}."
"""Stands for the personal part where the template's own sentences are looked at: a sentence without a word."""


class TemplateNotApproved(Refused):
    """Version {number} of the template {template} is {state}; an approver must approve a version before it is sent."""


class TemplatePastReview(Refused):
    """The template {template} was due for review on {due}; an approver must approve it again before it is sent."""


class TemplateWrongChannel(Refused):
    """The template {template} is not written for {channel}; choose one that is."""


class PersonalMissing(Refused):
    """The template {template} needs a personal sentence; write one before it is sent."""


class PersonalCopied(Refused):
    """The personal sentence of {template} only repeats the template; say something to this patient."""


class AsksForCancel(Refused):
    """The text of {template} would ask for the word CANCEL, which opts a number out; say it another way."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A text to look at, with `‹field›` where a value is missing; never to send."""

    text: str
    missing: tuple[str, ...]


def render(
    version: TemplateView,
    fields: Mapping[str, str | None],
    personal: str | None = None,
    *,
    channel: Channel,
    today: date,
) -> str:
    """The text of `version` for one patient on `channel`, ready to send.

    `fields` maps a MergeField to its value; `today` is the clinic's own date. Raises
    TemplateNotApproved, TemplatePastReview, TemplateWrongChannel, PersonalMissing, BraceInText,
    MissingField, PersonalCopied or AsksForCancel, in that order: what only an approver can mend is
    said first.
    """
    if version.state is not TemplateState.APPROVED:
        raise TemplateNotApproved(template=version.key, number=version.number, state=version.state.replace("_", " "))
    if version.past_review(today):
        raise TemplatePastReview(template=version.key, due=version.review_due)
    if channel not in version.channels:
        raise TemplateWrongChannel(template=version.key, channel=channel.value)
    sentence = (personal or "").strip()
    if not sentence and version.needs_personal:
        raise PersonalMissing(template=version.key)
    if "{" in sentence or "}" in sentence:
        raise BraceInText(template=version.key, where="in the personal sentence")
    text = fill(version.key, version.body, {**fields, MergeField.PERSONAL: sentence})
    if version.needs_personal and _only_repeats(sentence, version, fields):
        raise PersonalCopied(template=version.key)
    if asks_for_cancel(text):
        raise AsksForCancel(template=version.key)
    return text


def _only_repeats(sentence: str, version: TemplateView, fields: Mapping[str, str | None]) -> bool:
    """Whether the personal part says nothing that the template does not: each of its sentences is one of those."""
    own = _sentences(fill(version.key, version.body, {**fields, MergeField.PERSONAL: _STANDS_ALONE}))
    own |= _sentences(version.title) | _sentences(version.purpose)
    return _sentences(sentence) <= own


def _sentences(text: str) -> set[str]:
    """Its sentences as words alone, without case or punctuation."""
    parts = (" ".join(_WORD.findall(part.casefold())) for part in _END.split(text))
    return {part for part in parts if part}


def preview(version: TemplateView, fields: Mapping[str, str | None], personal: str | None = None) -> Preview:
    """How `version` would read, in any state, with the gaps marked and named."""
    given = {**fields, MergeField.PERSONAL.value: personal}
    missing = tuple(field for field in version.fields if not usable(given.get(field)))
    gaps = {field: f"‹{field}›" for field in missing}
    return Preview(text=fill(version.key, version.body, {**given, **gaps}), missing=missing)
