"""What the inbox reads from the playbook: lanes, categories, outcomes, word lists, rules.

Each model is one file: lanes.toml, categories.toml, segments.toml, outcomes.toml, words.toml,
routing.toml.
Every table is keyed (`[lane.billing]`), so that a key is unique and an error names it. What one
file says about another is checked in section_checks.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from crm_core.access.model import Role
from crm_core.inbox.routing.conditions import Condition, Facts, PersonCondition
from crm_core.inbox.routing.phrases import EntryError, Listed, check_entry, words_of
from crm_core.inbox.timing.clocks import Targets
from crm_core.playbook.loader import Strict
from crm_core.words import Priority

PHYSICIAN_REVIEW = "physician_review"
"""The lane that no rule may fill: only a nurse's escalation does."""

POLICY = "policy"
"""In a rule's `assign`: whoever the lane's own policy says."""

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?")


def _working_time(value: Any) -> Any:
    """ "4h", "30m" or "1h30m" of working time as a timedelta."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value)
    hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0)
    if hours == minutes == 0:
        raise ValueError(f"{value!r} is no working time; write 4h, 30m or 1h30m")
    return timedelta(hours=hours, minutes=minutes)


def _can_match(entry: str) -> str:
    try:
        check_entry(entry)
    except EntryError as bad:
        raise ValueError(str(bad)) from bad
    return entry


Entry = Annotated[str, AfterValidator(_can_match)]
"""A word or phrase as phrases.py reads it."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
WorkingTime = Annotated[timedelta, BeforeValidator(_working_time)]


class _Keyed(Strict):
    """A table that knows the key it stands under."""

    key: Key
    title: Text


def _with_keys(value: Any) -> Any:
    """Write each table's key into it, so that a piece knows its name."""
    if not isinstance(value, Mapping):
        return value
    return {key: {**table, "key": key} if isinstance(table, Mapping) else table for key, table in value.items()}


class AssignBy(StrEnum):
    """Who is next: the one who was given something longest ago, or the one who holds the least."""

    ROUND_ROBIN = "round_robin"
    LEAST_LOADED = "least_loaded"


class FairShare(Strict):
    """At most so many conversations assigned to one person within a time that moves along."""

    most: Annotated[int, Field(ge=1)]
    within: WorkingTime


class AssignPolicy(Strict):
    """How a lane gives its conversations to people by itself; see assignment.py."""

    by: AssignBy
    fair_share: FairShare | None = None


class Lane(_Keyed):
    """A queue of work with one owner.

    `owner` and `backup` are a role's name or a staff login. `roles` may see and work the lane.
    Targets are working time in the hours of `calendar`, for each priority; `next_response` is
    `first_response` where it is not given. `warn` is the share of a target after which it is
    warned of. Without `assign` nobody is given anything: people take from the lane.
    """

    owner: str | None = None
    backup: str | None = None
    calendar: Key
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    first_response: Mapping[Priority, WorkingTime]
    next_response: Mapping[Priority, WorkingTime] | None = None
    resolution: Mapping[Priority, WorkingTime]
    warn: Annotated[float, Field(gt=0, lt=1)] = 0.75
    catch_all: bool = False
    assign: AssignPolicy | None = None

    @field_validator("first_response", "next_response", "resolution")
    @classmethod
    def _every_priority(cls, value: Mapping[Priority, timedelta] | None) -> Mapping[Priority, timedelta] | None:
        if value is None:
            return None
        missing = [priority for priority in Priority if priority not in value]
        if missing:
            raise ValueError(f"has no target for {', '.join(missing)}")
        targets = [value[priority] for priority in Priority]
        if targets != sorted(targets):
            raise ValueError("a more urgent priority has a longer target than a less urgent one")
        return value

    @model_validator(mode="after")
    def _physicians_choose(self) -> Lane:
        if self.key == PHYSICIAN_REVIEW and self.assign is not None:
            raise ValueError("assigns nobody by itself: physicians are shielded; leave out assign")
        return self

    @model_validator(mode="after")
    def _resolved_no_sooner_than_answered(self) -> Lane:
        for priority in Priority:
            if self.resolution[priority] < self.first_response[priority]:
                raise ValueError(f"resolution.{priority} is shorter than first_response.{priority}")
        return self

    def targets(self, priority: Priority) -> Targets:
        """The working time within which each clock is to end."""
        return Targets(
            first_response=self.first_response[priority],
            next_response=(self.next_response or self.first_response)[priority],
            resolution=self.resolution[priority],
            warn=self.warn,
        )


class LanesSection(Strict):
    """lanes.toml, in the order that the console lists them."""

    lane: Mapping[Key, Lane]

    _keys = field_validator("lane", mode="before")(_with_keys)

    @model_validator(mode="after")
    def _one_catch_all(self) -> LanesSection:
        flagged = [lane.key for lane in self.lane.values() if lane.catch_all]
        if len(flagged) != 1:
            raise ValueError(f"exactly one lane is catch_all, not {', '.join(flagged) or 'none'}")
        return self

    @property
    def catch_all(self) -> Lane:
        """The lane for what no rule knows, and for what cannot be screened."""
        return next(lane for lane in self.lane.values() if lane.catch_all)

    def visible_to(self, roles: frozenset[Role]) -> frozenset[str]:
        """The keys of the lanes that any of `roles` may see and work."""
        return frozenset(lane.key for lane in self.lane.values() if lane.roles & roles)


class Category(_Keyed):
    """What a conversation is about, where it goes, and what someone should do first.

    `asked_as` are the words in which a portal or web form offers it, as its choice or its subject.
    """

    lane: Key
    priority: Priority
    next_action: Text
    asked_as: tuple[Text, ...] = ()


class CategoriesSection(Strict):
    """categories.toml."""

    category: Annotated[Mapping[Key, Category], Field(min_length=1)]

    _keys = field_validator("category", mode="before")(_with_keys)

    def chosen(self, choice: str | None, subject: str | None) -> str | None:
        """The category that a sender chose: by its key, its title or its `asked_as`; by a subject that is one."""
        return self._by_name.get(plain_words(choice or "")) or self._by_subject.get(plain_words(subject or ""))

    @cached_property
    def _by_subject(self) -> dict[str, str]:
        return {plain_words(words): each.key for each in self.category.values() for words in each.asked_as}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        names = {plain_words(name): each.key for each in self.category.values() for name in (each.key, each.title)}
        return names | self._by_subject


def plain_words(text: str) -> str:
    """`text` as choices are compared: its words alone, without case, accents and punctuation."""
    return " ".join(words_of(text.replace("_", " ")))


class Segment(_Keyed):
    """Patients of whom all of `all` is known to be so."""

    all: Annotated[tuple[PersonCondition, ...], Field(min_length=1)]

    def holds(self, facts: Facts) -> bool:
        """Whether the patient belongs to it."""
        return all(condition.holds(facts) for condition in self.all)


class SegmentsSection(Strict):
    """segments.toml."""

    segment: Mapping[Key, Segment] = {}

    _keys = field_validator("segment", mode="before")(_with_keys)


class Coded(_Keyed):
    """A reason or an outcome: what is stored is its key."""


class CloseOutcome(Coded):
    """How a conversation ended; where it `resolves`, what the patient asked for was done."""

    resolves: bool = False


class CallOutcome(_Keyed):
    """How a call ended; only one that `reached` the patient stops a response clock."""

    reached: bool


class OutcomesSection(Strict):
    """outcomes.toml: how conversations and calls end, why they are moved, escalated, skipped, relinked.

    `complaint` is what complaints are about. A playbook written before conversations could be
    moved to another patient, or complaints had categories, lists none of them. What a call was
    about (`call_reason`) may be left out.
    """

    close: Annotated[Mapping[Key, CloseOutcome], Field(min_length=1)]
    move: Annotated[Mapping[Key, Coded], Field(min_length=1)]
    escalate: Annotated[Mapping[Key, Coded], Field(min_length=1)]
    skip: Annotated[Mapping[Key, Coded], Field(min_length=1)]
    call: Annotated[Mapping[Key, CallOutcome], Field(min_length=1)]
    call_reason: Mapping[Key, Coded] = {}
    relink: Annotated[Mapping[Key, Coded], Field(min_length=1)] = {
        "wrong_patient": Coded(key="wrong_patient", title="It was linked to the wrong patient")
    }
    complaint: Annotated[Mapping[Key, Coded], Field(min_length=1)] = {
        "other": Coded(key="other", title="Something else")
    }

    _keys = field_validator(
        "close", "move", "escalate", "skip", "call", "call_reason", "relink", "complaint", mode="before"
    )(_with_keys)


class WordList(_Keyed):
    """Words that mean one thing, for rules to ask after as `@key`; see phrases.py."""

    words: tuple[Entry, ...] = ()
    but_not: tuple[Entry, ...] = ()
    include: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _holds_something(self) -> WordList:
        if not self.words and not self.include:
            raise ValueError("holds no words and includes no list")
        return self

    def listed(self) -> Listed:
        """What the lexicon compiles."""
        return Listed(words=self.words, but_not=self.but_not, include=self.include)


class WordsSection(Strict):
    """words.toml."""

    list: Mapping[Key, WordList] = {}

    _keys = field_validator("list", mode="before")(_with_keys)


class Rule(_Keyed):
    """If all of `all` and, where stated, one of `any` hold: the category, and where it goes.

    `lane` and `priority` override the category's own. `assign` names who owns it from the start:
    a staff login, or POLICY for whomever the lane's policy says. A rule without conditions is the
    catch-all. `yields_to` names earlier rules that are known to take words which it looks for too.
    """

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    category: Key
    lane: Key | None = None
    priority: Priority | None = None
    assign: Text | None = None
    yields_to: tuple[Key, ...] = ()

    @property
    def is_catch_all(self) -> bool:
        """Whether every message matches."""
        return not self.all and not self.any


class RoutingSection(Strict):
    """routing.toml: the rules in the order they are tried; the first that matches wins."""

    rule: Annotated[Mapping[Key, Rule], Field(min_length=1)]

    _keys = field_validator("rule", mode="before")(_with_keys)

    @model_validator(mode="after")
    def _ends_with_the_catch_all(self) -> RoutingSection:
        if not list(self.rule.values())[-1].is_catch_all:
            raise ValueError("the last rule is the catch-all: a rule without conditions")
        return self
