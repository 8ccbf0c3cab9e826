"""What the inbox's files say about each other.

A mistake keeps a playbook from being applied: a lane, category, list or calendar that is not
there. A caution is legal but wrong: a rule that can never match, a category no rule reaches, a
lane without an owner or a backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crm_core.access.model import Role
from crm_core.inbox.playbook.rule_comparison import contradiction, forestalls
from crm_core.inbox.playbook.section import (
    PHYSICIAN_REVIEW,
    CategoriesSection,
    LanesSection,
    RoutingSection,
    Rule,
    SegmentsSection,
    WordsSection,
    plain_words,
)
from crm_core.inbox.routing.conditions import (
    ChosenCondition,
    SegmentCondition,
    TextCondition,
)
from crm_core.playbook.calendars import CalendarsSection
from crm_core.playbook.loader import Playbook
from crm_core.playbook.problems import Caution, Problem

LANES_FILE, CATEGORIES_FILE = "lanes.toml", "categories.toml"
WORDS_FILE, ROUTING_FILE, SEGMENTS_FILE = "words.toml", "routing.toml", "segments.toml"


def check_lanes(playbook: Playbook) -> Iterator[Problem]:
    """Calendars exist; every lane has an owner and a backup, who are not the same."""
    calendars = playbook.section(CalendarsSection).calendar
    for lane in playbook.section(LanesSection).lane.values():
        if lane.calendar not in calendars:
            message = f"no calendar {lane.calendar!r}; calendars.toml has {_names(calendars)}"
            yield Problem(file=LANES_FILE, key=f"lane.{lane.key}.calendar", message=message)
        for holder in ("owner", "backup"):
            if getattr(lane, holder) is None:
                message = f"has no {holder}: what waits there is nobody's"
                yield Caution(file=LANES_FILE, key=f"lane.{lane.key}", message=message)
        if lane.owner is not None and lane.owner == lane.backup:
            message = "is the owner too; name someone else"
            yield Caution(file=LANES_FILE, key=f"lane.{lane.key}.backup", message=message)


def check_categories(playbook: Playbook) -> Iterator[Problem]:
    """Lanes exist, no category fills the physicians' lane, and no two are asked for in the same words."""
    lanes = playbook.section(LanesSection).lane
    asked: dict[str, str] = {}
    for category in playbook.section(CategoriesSection).category.values():
        yield from _check_lane(CATEGORIES_FILE, f"category.{category.key}.lane", category.lane, lanes)
        for index, words in enumerate(category.asked_as):
            first = asked.setdefault(plain_words(words), category.key)
            if first != category.key:
                message = f"{words!r} is what {first} is asked for as; only one of them can be meant"
                yield Problem(file=CATEGORIES_FILE, key=f"category.{category.key}.asked_as[{index}]", message=message)


def check_words(playbook: Playbook) -> Iterator[Problem]:
    """Included lists exist; a list that nothing asks after is named."""
    lists = playbook.section(WordsSection).list
    asked = {name for rule in playbook.section(RoutingSection).rule.values() for name in _asked_lists(rule)}
    for listed in lists.values():
        asked.update(listed.include)
        for index, name in enumerate(listed.include):
            if name not in lists:
                yield Problem(file=WORDS_FILE, key=f"list.{listed.key}.include[{index}]", message=f"no list {name!r}")
    for name in lists:
        if name not in asked:
            yield Caution(file=WORDS_FILE, key=f"list.{name}", message="no rule and no other list asks after it")


def check_routing(playbook: Playbook) -> Iterator[Problem]:
    """Lists, categories and lanes exist; every rule can match; every category is reached."""
    rules = list(playbook.section(RoutingSection).rule.values())
    categories = playbook.section(CategoriesSection).category
    lanes = playbook.section(LanesSection).lane
    lists = playbook.section(WordsSection).list
    for rule in rules:
        place = f"rule.{rule.key}"
        if rule.category not in categories:
            message = f"no category {rule.category!r}; categories.toml has {_names(categories)}"
            yield Problem(file=ROUTING_FILE, key=f"{place}.category", message=message)
        if rule.lane is not None:
            yield from _check_lane(ROUTING_FILE, f"{place}.lane", rule.lane, lanes)
        if rule.assign in set(Role):
            message = f"{rule.assign} is a role; name one person's login, or policy"
            yield Problem(file=ROUTING_FILE, key=f"{place}.assign", message=message)
        for name in _asked_lists(rule):
            if name not in lists:
                yield Problem(file=ROUTING_FILE, key=place, message=f"no list @{name}; words.toml has {_names(lists)}")
        yield from _check_names(playbook, rule)
    yield from _unreachable(rules)
    reached = {rule.category for rule in rules}
    for key in categories:
        if key not in reached:
            yield Caution(file=CATEGORIES_FILE, key=f"category.{key}", message="no rule reaches it")


def _check_names(playbook: Playbook, rule: Rule) -> Iterator[Problem]:
    """What conditions on the sender's choice and on segments name exists."""
    categories = playbook.section(CategoriesSection).category
    segments = playbook.section(SegmentsSection).segment
    for group in ("all", "any"):
        for index, condition in enumerate(getattr(rule, group)):
            match condition:
                case ChosenCondition():
                    what, file, known = "category", CATEGORIES_FILE, tuple(categories)
                case SegmentCondition():
                    what, file, known = "segment", SEGMENTS_FILE, tuple(segments)
                case _:
                    continue
            for name in condition.value:
                if name not in known:
                    message = f"no {what} {name!r}; {file} has {_names(known) or 'none'}"
                    yield Problem(file=ROUTING_FILE, key=f"rule.{rule.key}.{group}[{index}]", message=message)


def _check_lane(file: str, key: str, lane: str, lanes: Iterable[str]) -> Iterator[Problem]:
    if lane == PHYSICIAN_REVIEW:
        message = f"{PHYSICIAN_REVIEW} is filled by a nurse's escalation only; name another lane"
        yield Problem(file=file, key=key, message=message)
    elif lane not in lanes:
        yield Problem(file=file, key=key, message=f"no lane {lane!r}; lanes.toml has {_names(lanes)}")


def _unreachable(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Rules that contradict themselves, or that an earlier rule always forestalls."""
    for index, rule in enumerate(rules):
        clash = contradiction(rule)
        if clash is not None:
            yield Caution(file=ROUTING_FILE, key=f"rule.{rule.key}", message=f"can never match: {clash}")
            continue
        for earlier in rules[:index]:
            if forestalls(earlier, rule):
                message = f"can never match: {earlier.key} is tried before it and takes all of it"
                yield Caution(file=ROUTING_FILE, key=f"rule.{rule.key}", message=message)
                break


def _asked_lists(rule: Rule) -> list[str]:
    return [
        name
        for condition in (*rule.all, *rule.any)
        if isinstance(condition, TextCondition)
        for name in condition.asked_lists
    ]


def _names(known: Iterable[str]) -> str:
    return ", ".join(known)
