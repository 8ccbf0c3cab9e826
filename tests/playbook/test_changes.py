"""What a draft changes is said in words: what is new, gone, different or elsewhere, and nothing else."""

from __future__ import annotations

import pytest

from crm_core.playbook.changes import Change, changes
from crm_core.playbook.loader import Playbook, load, load_content
from crm_core.playbook.shipped import shipped
from crm_core.sections import SECTIONS

RULE = """
[rule.ours]
title = "Ours"
all = [{ field = "channel", op = "is_any", value = ["sms"] }]
category = "other"

"""


@pytest.fixture(scope="module")
def content() -> dict[str, str]:
    """The shipped files' texts."""
    return dict(load(shipped("primary_care"), SECTIONS).content)


def told(content: dict[str, str], **changed: tuple[str, str]) -> list[Change]:
    """What replacing one text by another in each file (its name without .toml) changes."""
    return changes(playbook(content), playbook(replaced(content, **changed)), SECTIONS)


def replaced(content: dict[str, str], **changed: tuple[str, str]) -> dict[str, str]:
    draft = dict(content)
    for name, (old, new) in changed.items():
        assert old in draft[f"{name}.toml"]
        draft[f"{name}.toml"] = draft[f"{name}.toml"].replace(old, new, 1)
    return draft


def playbook(content: dict[str, str]) -> Playbook:
    return load_content(content, SECTIONS, name="ours")


def test_the_same_rules_in_other_words_and_layout_are_no_change(content: dict[str, str]) -> None:
    assert told(content, lanes=("[lane.billing]", "# ours\n\n[lane.billing]")) == []
    assert told(content, clinic=('languages = ["en", "es"]', 'languages = [ "en",\n "es" ]')) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("lanes", 'owner = "coordinator"', 'owner = "agent"', "lane.referrals.owner: was coordinator, is agent"),
        ("lanes", 'routine = "4h"', 'routine = "3h30m"',
         "lane.clinical_triage.first_response.routine: was 4h, is 3h30m"),
        ("lanes", '["nurse", "agent", "supervisor"]', '["nurse", "supervisor"]',
         "lane.clinical_triage.roles: 1 taken away: agent"),
        ("words", '"worse", "worst"', '"worse", "wurst", "verst"', "list.acute.words: 2 added: wurst, verst"),
        ("words", '"worse", "worst"', '"worse"', "list.acute.words: 1 taken away: worst"),
        ("routing", "[rule.stranger]", RULE + "[rule.stranger]", "rule.ours: new: “Ours”, before all others"),
        ("routing", "[rule.records]", RULE + "[rule.records]", "rule.ours: new: “Ours”, after refill_supply"),
        ("routing", 'op = "at_most", value = 60', 'op = "at_most", value = 50',
         "rule.refill.all.word_count.at_most.value: was 60, is 50"),
        ("routing", '"@clinical", "@bill_firm"', '"@bill_firm"',
         "rule.stranger.all.text.contains_none.value: 1 taken away: @clinical"),
        ("routing", 'category = "clinical_advice"\npriority = "asap"', 'category = "clinical_advice"',
         "rule.acute.priority: was asap, is nothing"),
        ("clinic", '"Maple Street Primary Care"', '"Oak Street"', "name: was Maple Street Primary Care, is Oak Street"),
        ("clinic", '["en", "es"]', '["es", "en"]', "languages: in another order: es, en"),
        ("segments", "[segment.spanish]", "[segment.hispanic]",
         "segment.spanish: taken away: “Patients who prefer Spanish”"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(content: dict[str, str], *, file: str, old: str, new: str, expected: str) -> None:
    found = [f"{one.key}: {one.said}" for one in told(content, **{file: (old, new)}) if one.file == f"{file}.toml"]
    assert expected in found


def test_moving_a_rule_names_that_rule_alone_and_where_it_is_tried_now(content: dict[str, str]) -> None:
    text = content["routing.toml"]
    start, end = text.index("[rule.refill]"), text.index("[rule.refill_short]")
    moved, rest = text[start:end], text[:start] + text[end:]
    draft = {**content, "routing.toml": rest.replace("[rule.acute]", moved + "[rule.acute]")}
    found = changes(playbook(content), playbook(draft), SECTIONS)
    assert [(one.key, one.kind, one.said) for one in found] == [
        ("rule.refill", "moved", "moved, after referral_specialist")
    ]


def test_a_condition_that_is_new_and_one_that_is_gone_are_quoted(content: dict[str, str]) -> None:
    old = '{ field = "word_count", op = "at_most", value = 60 }'
    found = told(content, routing=(old, '{ field = "channel", op = "is_any", value = ["sms", "chat"] }'))
    assert {(one.key, one.said) for one in found} == {
        ("rule.refill.all", "new: channel is_any sms, chat"),
        ("rule.refill.all", "taken away: word_count at_most 60"),
    }


def test_templates_that_come_go_or_read_differently_are_named_by_file(content: dict[str, str]) -> None:
    draft = dict(content)
    draft["templates/ours.md"] = draft.pop("templates/form_ready.md").replace('key = "form_ready"', 'key = "ours"')
    draft["templates/refill_done.md"] += "\nBye\n"
    found = {(one.file, one.key, one.kind) for one in changes(playbook(content), playbook(draft), SECTIONS)}
    assert found == {
        ("templates/form_ready.md", "", "removed"),
        ("templates/ours.md", "", "added"),
        ("templates/refill_done.md", "body", "changed"),
    }
