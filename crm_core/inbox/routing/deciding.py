"""Which category, priority and lane a new conversation gets, and why.

Rules come compiled from the playbook (`compile_rules`, once for each version) and are tried in
order; the first that matches wins. The trace of a decision holds every rule that was tried with
every condition, what it saw and whether it passed. It quotes the patient, so it is stored sealed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from typing import Any, NamedTuple

from crm_core.inbox.playbook.section import (
    CategoriesSection,
    RoutingSection,
    Rule,
    Segment,
    SegmentsSection,
    WordsSection,
)
from crm_core.inbox.routing.conditions import (
    LIST_MARK,
    NOTHING_FAILED,
    NOTHING_PASSED,
    Condition,
    Facts,
    Message,
    SegmentCondition,
    TextCondition,
    TextOp,
)
from crm_core.inbox.routing.phrases import Lexicon
from crm_core.words import Priority

_JSON_VERSION = 1
_THEN = "then"
"""The group of what a rule does once it has matched, beside all and any."""


class Asked(NamedTuple):
    """What one condition asks: `group` is all or any, `value` as a person reads it."""

    group: str
    field: str
    op: str
    value: str


class Check(NamedTuple):
    """One condition of a tried rule: what was asked, what it saw, whether it passed."""

    asked: Asked
    saw: tuple[str, ...]
    passed: bool


class Tried(NamedTuple):
    """One rule that was tried, in the order of the playbook."""

    rule: str
    title: str
    matched: bool
    checks: tuple[Check, ...]


Trace = tuple[Tried, ...]


class _Prepared:
    """A condition with those of its checks that never change."""

    def __init__(self, condition: Condition, asked: Asked) -> None:
        self._see = condition.see
        self._asked = asked
        self._nothing_passed = Check(asked, (), True)
        self._nothing_failed = Check(asked, (), False)

    def check(self, message: Message) -> Check:
        seen = self._see(message)
        if seen is NOTHING_FAILED:
            return self._nothing_failed
        if seen is NOTHING_PASSED:
            return self._nothing_passed
        return Check(self._asked, seen.words, seen.passed)


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    """A rule with its category's answers filled in."""

    rule: Rule
    all: tuple[_Prepared, ...]
    any: tuple[_Prepared, ...]
    lane: str
    priority: Priority

    def check(self, message: Message) -> tuple[bool, tuple[Check, ...]]:
        """Whether the rule matches, and every condition's check; plain loops, for this is the hot path."""
        checks = []
        every, some = True, not self.any
        for prepared in self.all:
            check = prepared.check(message)
            checks.append(check)
            every = every and check.passed
        for prepared in self.any:
            check = prepared.check(message)
            checks.append(check)
            some = some or check.passed
        return every and some, tuple(checks)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """A playbook's routing, compiled: safe to share between threads, and itself alone its equal."""

    compiled: tuple[_Compiled, ...]
    lexicon: Lexicon
    segments: tuple[Segment, ...]
    asked: frozenset[str]
    """The fields that a rule, or a segment that a rule names, asks after: nothing else need be known."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where a conversation goes. `reason` is the key of the rule that matched, last in `trace`.

    `assign` is whom that rule gives it to: a login, POLICY, or None.
    """

    category: str
    reason: str
    priority: Priority
    lane: str
    trace: Trace
    assign: str | None = None

    def assigned(self, *, saw: str, passed: bool) -> Decision:
        """The same, its trace saying what became of the assignment."""
        *before, last = self.trace
        check = Check(Asked(_THEN, "assign", "to", self.assign or ""), (saw,), passed)
        return replace(self, trace=(*before, last._replace(checks=(*last.checks, check))))


def compile_rules(
    words: WordsSection,
    categories: CategoriesSection,
    routing: RoutingSection,
    segments: SegmentsSection | None = None,
) -> Rules:
    """The rules ready to run; the sections have passed `crm playbook check`."""
    lists = {key: listed.listed() for key, listed in words.list.items()}
    titles = {key: listed.title for key, listed in words.list.items()}
    compiled = []
    for rule in routing.rule.values():
        for condition in (*rule.all, *rule.any):
            if isinstance(condition, TextCondition):
                lists.update(condition.own_lists)
        category = categories.category[rule.category]
        compiled.append(
            _Compiled(
                rule=rule,
                all=tuple(_prepared(condition, "all", titles) for condition in rule.all),
                any=tuple(_prepared(condition, "any", titles) for condition in rule.any),
                lane=rule.lane or category.lane,
                priority=rule.priority or category.priority,
            )
        )
    conditions = [condition for rule in routing.rule.values() for condition in (*rule.all, *rule.any)]
    asked = {condition.field for condition in conditions}
    named = {name for condition in conditions if isinstance(condition, SegmentCondition) for name in condition.value}
    used = tuple(segment for segment in segments.segment.values() if segment.key in named) if segments else ()
    asked.update(condition.field for segment in used for condition in segment.all)
    return Rules(compiled=tuple(compiled), lexicon=Lexicon(lists), segments=used, asked=frozenset(asked))


def route(rules: Rules, facts: Facts) -> Decision:
    """The first rule that matches `facts`, with the trace of all that were tried."""
    segments = frozenset(segment.key for segment in rules.segments if segment.holds(facts))
    message = Message(facts, rules.lexicon.read(facts.text), segments)
    tried = []
    for compiled in rules.compiled:
        matched, checks = compiled.check(message)
        rule = compiled.rule
        tried.append(Tried(rule.key, rule.title, matched, checks))
        if matched:
            return Decision(
                category=rule.category,
                reason=rule.key,
                priority=compiled.priority,
                lane=compiled.lane,
                trace=tuple(tried),
                assign=rule.assign,
            )
    raise AssertionError("the last rule of a checked playbook is the catch-all")


def trace_json(trace: Trace) -> str:
    """The trace as one line of JSON, for the sealed column; `trace_of` reads it back."""
    return json.dumps(
        [
            _JSON_VERSION,
            *(
                [
                    tried.rule,
                    tried.title,
                    int(tried.matched),
                    [[*check.asked, check.saw, int(check.passed)] for check in tried.checks],
                ]
                for tried in trace
            ),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def trace_of(text: str) -> Trace:
    """The trace that `trace_json` wrote."""
    _, *rules = json.loads(text)
    return tuple(
        Tried(rule=rule, title=title, matched=bool(matched), checks=tuple(_check_of(check) for check in checks))
        for rule, title, matched, checks in rules
    )


def explain(trace: Trace) -> list[str]:
    """The trace in plain sentences: the rule that matched first, then those tried before it."""
    *before, last = trace
    lines = [f"Routed by “{last.title}” ({last.rule})."]
    if all(check.asked.group == _THEN for check in last.checks):
        lines.append("  It takes whatever no other rule takes.")
    lines += [f"  {_sentence(check)}" for check in last.checks]
    if before:
        lines.append("Tried before it, without a match:")
    for tried in before:
        # What failed is why it did not match; a failed choice is told only if every choice failed.
        failed = [check for check in tried.checks if not check.passed and check.asked.group == "all"]
        failed = failed or [check for check in tried.checks if not check.passed]
        lines.append(f"  “{tried.title}”: {'; '.join(_sentence(check) for check in failed)}.")
    return lines


def _check_of(row: list[Any]) -> Check:
    *asked, saw, passed = row
    return Check(Asked(*asked), tuple(saw), bool(passed))


def _prepared(condition: Condition, group: str, titles: Mapping[str, str]) -> _Prepared:
    value = condition.value
    parts = value if isinstance(value, tuple) else (value,)
    spelt = ", ".join(_spelt(part, titles) for part in parts)
    return _Prepared(condition, Asked(group, condition.field, condition.op, spelt))


def _spelt(part: object, titles: Mapping[str, str]) -> str:
    """A condition's value as a person reads it; a word list by its title."""
    match part:
        case bool():
            return "yes" if part else "no"
        case time():
            return part.isoformat("minutes")
        case str() if part.startswith(LIST_MARK):
            return titles[part[1:]]
        case _:
            return str(part)


_TEXT_OPS = {
    TextOp.CONTAINS_ANY: "speaks of",
    TextOp.CONTAINS_ALL: "speaks of all of",
    TextOp.CONTAINS_NONE: "does not speak of",
}


def _sentence(check: Check) -> str:
    _, field, op, value = check.asked
    verdict = "yes" if check.passed else "no"
    if check.asked.group == _THEN:
        return f"goes to {value}: {verdict}, {', '.join(check.saw)}"
    if field != "text":
        return f"{f'{field} {op} {value}'.replace('_', ' ')}: {verdict}, it is {', '.join(check.saw)}"
    saw = ", ".join(f"“{word}”" for word in check.saw) or "nothing"
    return f"{_TEXT_OPS[TextOp(op)]} {value}: {verdict}, found {saw}"
