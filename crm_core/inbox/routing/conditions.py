"""The closed set of conditions a routing rule may state, each typed by the field it looks at.

A condition is data: `{field = "channel", op = "is_any", value = ["sms"]}`. What a fact does not
know (no age, no hours) satisfies no positive condition, and every negative one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_core.inbox.routing.phrases import EntryError, Listed, Reading, check_entry
from crm_core.words import Channel

LIST_MARK = "@"
_SEEN_AT_MOST = 4
_UNKNOWN = "unknown"


class AgeGroup(StrEnum):
    """Whether the patient is a child before the law."""

    MINOR = "minor"
    ADULT = "adult"


class Pending(StrEnum):
    """What a patient may be waiting for that another room keeps."""

    APPOINTMENT = "appointment"
    REFERRAL = "referral"


class TextOp(StrEnum):
    """What a condition asks of the text."""

    CONTAINS_ANY = "contains_any"
    CONTAINS_ALL = "contains_all"
    CONTAINS_NONE = "contains_none"


class ChoiceOp(StrEnum):
    """What a condition asks of one of several values."""

    IS_ANY = "is_any"
    IS_NONE = "is_none"


class NumberOp(StrEnum):
    """What a condition asks of a number."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when a conversation is routed; None is not known.

    `text` is subject and body together. `local_time` is the wall clock where the clinic is.
    `chosen` is the category that the sender chose in a portal or form. `pending` holds an answer
    for each thing that some room could be asked about.
    """

    text: str
    channel: Channel
    sender_known: bool
    language: str | None = None
    coverage: str | None = None
    age_group: AgeGroup | None = None
    local_time: time | None = None
    in_hours: bool | None = None
    chosen: str | None = None
    pending: Mapping[Pending, bool] = field(default_factory=dict)


class Message(NamedTuple):
    """The facts, what the lexicon has read in their text, and the segments the patient belongs to."""

    facts: Facts
    reading: Reading
    segments: frozenset[str] = frozenset()


class Seen(NamedTuple):
    """What one condition saw, as short words, and whether it passed."""

    words: tuple[str, ...]
    passed: bool


NOTHING_PASSED = Seen((), True)
NOTHING_FAILED = Seen((), False)


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextCondition(_Condition):
    """Words, phrases (see phrases.py) and `@lists` that the text holds any, all or none of."""

    field: Literal["text"]
    op: TextOp
    value: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("value")
    @classmethod
    def _entries_can_match(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if not entry.startswith(LIST_MARK):
                try:
                    check_entry(entry)
                except EntryError as bad:
                    raise ValueError(str(bad)) from bad
        return value

    @cached_property
    def list_names(self) -> tuple[str, ...]:
        """The list of each entry: the playbook's, or one made of the entry alone."""
        return tuple(entry[1:] if entry.startswith(LIST_MARK) else f"={entry}" for entry in self.value)

    @property
    def asked_lists(self) -> tuple[str, ...]:
        """The names of the playbook's word lists it asks for."""
        return tuple(entry[1:] for entry in self.value if entry.startswith(LIST_MARK))

    @property
    def own_lists(self) -> dict[str, Listed]:
        """The lists made of the entries written in the condition itself."""
        return {f"={entry}": Listed(words=(entry,)) for entry in self.value if not entry.startswith(LIST_MARK)}

    def see(self, message: Message) -> Seen:
        """Look each entry up in what the lexicon has read."""
        reading = message.reading
        if reading.touched.isdisjoint(self.list_names):
            return NOTHING_PASSED if self.op is TextOp.CONTAINS_NONE else NOTHING_FAILED
        found = [reading.found(name) for name in self.list_names]
        match self.op:
            case TextOp.CONTAINS_ANY:
                passed = any(found)
            case TextOp.CONTAINS_ALL:
                passed = all(found)
            case TextOp.CONTAINS_NONE:
                passed = not any(found)
        words = dict.fromkeys(word for words in found for word in words)
        return Seen(tuple(words)[:_SEEN_AT_MOST], passed)


class _ChoiceCondition(_Condition):
    op: ChoiceOp

    def _choose(self, actual: str | None, allowed: tuple[str, ...]) -> Seen:
        return Seen((actual or _UNKNOWN,), (actual in allowed) == (self.op is ChoiceOp.IS_ANY))


class ChannelCondition(_ChoiceCondition):
    """The channel the message came by."""

    field: Literal["channel"]
    value: Annotated[tuple[Channel, ...], Field(min_length=1)]

    def see(self, message: Message) -> Seen:
        """Compare the channel."""
        return self._choose(message.facts.channel, self.value)


class PersonCondition(_ChoiceCondition):
    """Something known of the sender: language (two letters), coverage, or age group."""

    field: Literal["language", "coverage", "age_group"]
    value: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _values_exist(self) -> PersonCondition:
        if self.field == "age_group":
            wrong = sorted(set(self.value) - set(AgeGroup))
            if wrong:
                raise ValueError(f"age_group is minor or adult, not {', '.join(wrong)}")
        return self

    def see(self, message: Message) -> Seen:
        """Compare the fact the field names."""
        return self._choose(getattr(message.facts, self.field), self.value)

    def holds(self, facts: Facts) -> bool:
        """Whether it is known to be so: what nobody knows puts no one into a segment."""
        actual = getattr(facts, self.field)
        return actual is not None and self._choose(actual, self.value).passed


class ChosenCondition(_ChoiceCondition):
    """The category that the sender chose in a portal or web form."""

    field: Literal["category"]
    value: Annotated[tuple[str, ...], Field(min_length=1)]

    def see(self, message: Message) -> Seen:
        """Compare what was chosen."""
        return self._choose(message.facts.chosen, self.value)


class SegmentCondition(_ChoiceCondition):
    """A segment of patients (segments.toml) that the sender belongs to."""

    field: Literal["segment"]
    value: Annotated[tuple[str, ...], Field(min_length=1)]

    def see(self, message: Message) -> Seen:
        """Look whether one of them holds the patient."""
        found = [name for name in self.value if name in message.segments]
        return Seen(tuple(found) or ("none",), bool(found) == (self.op is ChoiceOp.IS_ANY))


class PendingCondition(_ChoiceCondition):
    """An appointment or a referral that the patient is waiting for."""

    field: Literal["pending"]
    value: Annotated[tuple[Pending, ...], Field(min_length=1)]

    def see(self, message: Message) -> Seen:
        """Ask what is known of each; of what nobody could be asked, nothing is pending."""
        known = message.facts.pending
        found = [kind.value for kind in self.value if known.get(kind)]
        nothing = "none" if all(kind in known for kind in self.value) else _UNKNOWN
        return Seen(tuple(found) or (nothing,), bool(found) == (self.op is ChoiceOp.IS_ANY))


class FlagCondition(_Condition):
    """Something that is so or not."""

    field: Literal["sender_known", "has_question", "in_hours"]
    op: Literal["is"]
    value: bool

    def see(self, message: Message) -> Seen:
        """Compare; an unknown flag is neither so nor not so."""
        actual = message.reading.has_question if self.field == "has_question" else getattr(message.facts, self.field)
        word = _UNKNOWN if actual is None else "yes" if actual else "no"
        return Seen((word,), actual is self.value)


class WordCountCondition(_Condition):
    """How long the text is, in words and numbers."""

    field: Literal["word_count"]
    op: NumberOp
    value: Annotated[int, Field(ge=0)]

    def see(self, message: Message) -> Seen:
        """Compare the number of words."""
        count = message.reading.word_count
        passed = count >= self.value if self.op is NumberOp.AT_LEAST else count <= self.value
        return Seen((str(count),), passed)


class TimeCondition(_Condition):
    """The clinic's wall clock, from the first time up to but not including the second."""

    field: Literal["time_of_day"]
    op: Literal["between"]
    value: tuple[time, time]

    @field_validator("value")
    @classmethod
    def _two_times(cls, value: tuple[time, time]) -> tuple[time, time]:
        if value[0] == value[1]:
            raise ValueError("the two times are the same; leave the condition out for the whole day")
        return value

    def see(self, message: Message) -> Seen:
        """Compare; a span may cross midnight."""
        now = message.facts.local_time
        if now is None:
            return Seen((_UNKNOWN,), False)
        start, end = self.value
        inside = start <= now < end if start < end else now >= start or now < end
        return Seen((now.strftime("%H:%M"),), inside)


Condition = Annotated[
    TextCondition
    | ChannelCondition
    | PersonCondition
    | ChosenCondition
    | SegmentCondition
    | PendingCondition
    | FlagCondition
    | WordCountCondition
    | TimeCondition,
    Field(discriminator="field"),
]
