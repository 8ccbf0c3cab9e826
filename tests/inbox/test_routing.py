"""Conditions, the order of rules, and the trace that says why."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from crm_core.inbox.playbook.section import CategoriesSection, RoutingSection, WordsSection
from crm_core.inbox.routing.conditions import AgeGroup, Condition, Facts, Message
from crm_core.inbox.routing.deciding import Rules, compile_rules, explain, route, trace_json, trace_of
from crm_core.inbox.routing.phrases import Lexicon
from crm_core.words import Channel, Priority

CATEGORIES = {
    "category": {
        "clinical": {"title": "Clinical", "lane": "nurses", "priority": "urgent", "next_action": "Assess"},
        "bill": {"title": "Bill", "lane": "money", "priority": "routine", "next_action": "Look it up"},
        "other": {"title": "Other", "lane": "desk", "priority": "routine", "next_action": "Read"},
    }
}
WORDS = {"list": {"symptom": {"title": "symptoms", "words": ["pain"]}}}
RULES = {
    "rule": {
        "bill": {
            "title": "A bill",
            "all": [
                {"field": "text", "op": "contains_any", "value": ["bill", "invoice"]},
                {"field": "text", "op": "contains_none", "value": ["@symptom"]},
            ],
            "category": "bill",
        },
        "nurse": {
            "title": "Symptom, or a stranger at night",
            "any": [
                {"field": "text", "op": "contains_any", "value": ["@symptom"]},
                {"field": "time_of_day", "op": "between", "value": ["21:00", "06:00"]},
            ],
            "category": "clinical",
            "lane": "night",
            "priority": "asap",
        },
        "rest": {"title": "Anything else", "category": "other"},
    }
}


def rules(routing: dict[str, Any] = RULES) -> Rules:
    return compile_rules(
        WordsSection.model_validate(WORDS),
        CategoriesSection.model_validate(CATEGORIES),
        RoutingSection.model_validate(routing),
    )


def facts(text: str, **known: Any) -> Facts:
    return Facts(**{"text": text, "channel": Channel.SMS, "sender_known": True, **known})


def passes(condition: dict[str, Any], text: str = "", **known: Any) -> bool:
    checked: Condition = TypeAdapter(Condition).validate_python(condition)
    return checked.see(Message(facts(text, **known), Lexicon({}).read(text))).passed


def test_the_first_rule_that_matches_wins_with_its_categorys_lane_and_priority() -> None:
    decision = route(rules(), facts("Why this bill?"))
    assert (decision.category, decision.reason, decision.lane) == ("bill", "bill", "money")
    assert decision.priority is Priority.ROUTINE


def test_a_rules_own_lane_and_priority_override_its_categorys() -> None:
    decision = route(rules(), facts("a bill for my pain"))
    assert (decision.category, decision.reason, decision.lane) == ("clinical", "nurse", "night")
    assert decision.priority is Priority.ASAP


def test_one_of_any_is_enough_and_a_span_of_time_may_cross_midnight() -> None:
    assert route(rules(), facts("hello", local_time=time(23, 10))).reason == "nurse"
    assert route(rules(), facts("hello", local_time=time(6, 0))).reason == "rest"
    assert route(rules(), facts("hello")).reason == "rest"


def test_the_trace_holds_every_condition_of_every_rule_tried_and_what_it_saw() -> None:
    trace = route(rules(), facts("A bill for my pain", local_time=time(12, 30))).trace
    assert [(tried.rule, tried.matched) for tried in trace] == [("bill", False), ("nurse", True)]
    assert [(check.saw, check.passed) for check in trace[0].checks] == [(("bill",), True), (("pain",), False)]
    assert [(check.saw, check.passed) for check in trace[1].checks] == [(("pain",), True), (("12:30",), False)]


def test_a_trace_survives_its_json() -> None:
    for text in ("bill", "pain “quoted” ñ", ""):
        trace = route(rules(), facts(text)).trace
        assert trace_of(trace_json(trace)) == trace


def test_the_trace_is_told_in_sentences_the_decisive_rule_first() -> None:
    lines = explain(route(rules(), facts("a bill for my pain", local_time=time(12, 30))).trace)
    assert lines[0] == "Routed by “Symptom, or a stranger at night” (nurse)."
    assert lines[1].strip() == "speaks of symptoms: yes, found “pain”"
    assert lines[-1].strip() == "“A bill”: does not speak of symptoms: no, found “pain”."
    assert "It takes whatever no other rule takes." in "\n".join(explain(route(rules(), facts("hello")).trace))


@pytest.mark.parametrize(
    ("condition", "known", "passed"),
    [
        ({"field": "channel", "op": "is_any", "value": ["sms", "voice"]}, {}, True),
        ({"field": "channel", "op": "is_none", "value": ["sms"]}, {}, False),
        ({"field": "language", "op": "is_any", "value": ["es"]}, {"language": "es"}, True),
        ({"field": "coverage", "op": "is_any", "value": ["self_pay"]}, {"coverage": "insured"}, False),
        ({"field": "age_group", "op": "is_any", "value": ["minor"]}, {"age_group": AgeGroup.MINOR}, True),
        ({"field": "sender_known", "op": "is", "value": False}, {"sender_known": False}, True),
        ({"field": "in_hours", "op": "is", "value": True}, {"in_hours": True}, True),
        ({"field": "has_question", "op": "is", "value": True}, {"text": "¿Abren?"}, True),
        ({"field": "word_count", "op": "at_most", "value": 2}, {"text": "one two three"}, False),
        ({"field": "word_count", "op": "at_least", "value": 3}, {"text": "one two three"}, True),
    ],
)
def test_each_field_is_compared(condition: dict[str, Any], known: dict[str, Any], passed: bool) -> None:
    assert passes(condition, **known) is passed


@pytest.mark.parametrize("field", ["language", "coverage", "age_group"])
def test_what_is_not_known_passes_negative_conditions_only(field: str) -> None:
    value = ["minor"] if field == "age_group" else ["es"]
    assert not passes({"field": field, "op": "is_any", "value": value})
    assert passes({"field": field, "op": "is_none", "value": value})


def test_unknown_hours_are_neither_inside_nor_outside() -> None:
    assert not passes({"field": "in_hours", "op": "is", "value": True})
    assert not passes({"field": "in_hours", "op": "is", "value": False})


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "weather", "op": "is", "value": "rain"},
        {"field": "text", "op": "is", "value": ["bill"]},
        {"field": "text", "op": "contains_any", "value": []},
        {"field": "text", "op": "contains_any", "value": ["bill .."]},
        {"field": "channel", "op": "is_any", "value": ["pigeon"]},
        {"field": "age_group", "op": "is_any", "value": ["old"]},
        {"field": "word_count", "op": "at_most", "value": -1},
        {"field": "time_of_day", "op": "between", "value": ["09:00", "09:00"]},
        {"field": "sender_known", "op": "is", "value": True, "also": 1},
    ],
)
def test_a_condition_outside_the_closed_set_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Condition).validate_python(condition)


def test_all_of_several_words_must_stand_in_the_text() -> None:
    condition = {"field": "text", "op": "contains_all", "value": ["card", "declined"]}
    both = {"title": "Both", "category": "bill", "all": [condition]}
    routing = {"rule": {"both": both, "rest": RULES["rule"]["rest"]}}
    assert route(rules(routing), facts("my card was declined")).reason == "both"
    assert route(rules(routing), facts("my card")).reason == "rest"
