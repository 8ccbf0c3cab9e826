"""The inbox's files: what is refused, with file and key, and what is legal but wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from crm_core.access.model import Role
from crm_core.inbox.playbook.section import CategoriesSection, LanesSection, OutcomesSection
from crm_core.inbox.playbook.sections import SECTIONS
from crm_core.playbook.calendars import CALENDARS
from crm_core.playbook.loader import Playbook, load
from crm_core.playbook.problems import PlaybookErrors
from crm_core.words import Priority
from tests.inbox.routing_report import PRIMARY_CARE, shipped

ALL = (CALENDARS, *SECTIONS)

LANES = """
[lane.desk]
title = "Desk"
owner = "agent"
backup = "supervisor"
calendar = "office"
roles = ["agent"]
first_response = { stat = "15m", asap = "1h", urgent = "1h30m", routine = "4h" }
resolution = { stat = "4h", asap = "8h", urgent = "16h", routine = "24h" }
catch_all = true
"""
CATEGORIES = """
[category.other]
title = "Other"
lane = "desk"
priority = "routine"
next_action = "Read it"
"""
WORDS = """
[list.bill]
title = "bills"
words = ["bill"]
"""
ROUTING = """
[rule.bill]
title = "Bills"
all = [{ field = "text", op = "contains_any", value = ["@bill"] }]
category = "other"

[rule.rest]
title = "Rest"
category = "other"
"""


def loaded(folder: Path, **changed: str) -> Playbook:
    """A small playbook with some of its files `changed`."""
    files = {"lanes": LANES, "categories": CATEGORIES, "words": WORDS, "routing": ROUTING, **changed}
    for name in ("calendars", "outcomes"):
        files.setdefault(name, (PRIMARY_CARE / f"{name}.toml").read_text(encoding="utf-8"))
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return load(folder, ALL)


def problems(folder: Path, **changed: str) -> list[str]:
    """Every mistake of that playbook, as `file:line: key: message`."""
    with pytest.raises(PlaybookErrors) as caught:
        loaded(folder, **changed)
    return [str(problem) for problem in caught.value.problems]


def warnings(folder: Path, **changed: str) -> list[str]:
    """Every caution of that playbook."""
    return [str(caution) for caution in loaded(folder, **changed).warnings]


def test_a_small_playbook_is_in_order(tmp_path: Path) -> None:
    playbook = loaded(tmp_path)
    assert not playbook.warnings
    lane = playbook.section(LanesSection).catch_all
    assert (lane.key, lane.targets(Priority.URGENT).next_response) == ("desk", timedelta(minutes=90))


def test_every_mistake_is_told_at_once_with_its_file_line_and_key(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        lanes=LANES.replace('calendar = "office"', 'calendar = "moon"').replace('["agent"]', '["wizard"]'),
        categories=CATEGORIES.replace('"routine"', '"soon"'),
        words=WORDS.replace('["bill"]', '["bill .."]'),
    )
    assert any(line.startswith("lanes.toml:7: lane.desk.roles") for line in told)
    assert any(line.startswith("categories.toml:5: category.other.priority") for line in told)
    assert any(line.startswith("words.toml:4: list.bill.words") and "begins and ends" in line for line in told)


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "message"),
    [
        ("lanes", '"office"', '"moon"', "lane.desk.calendar", "no calendar 'moon'"),
        ("lanes", "catch_all = true", "", "", "exactly one lane is catch_all"),
        ("lanes", '"4h"', '"4 hours"', "lane.desk.first_response.routine", "is no working time"),
        ("lanes", '"15m"', '"9h"', "lane.desk.first_response", "longer target"),
        ("lanes", ', routine = "4h"', "", "lane.desk.first_response", "no target for routine"),
        ("categories", '"desk"', '"attic"', "category.other.lane", "no lane 'attic'"),
        ("categories", '"desk"', '"physician_review"', "category.other.lane", "nurse's escalation only"),
        ("words", 'words = ["bill"]', 'words = ["bill"]\ninclude = ["rent"]', "list.bill.include[0]", "no list 'rent'"),
        ("words", 'words = ["bill"]', "", "list.bill", "holds no words"),
        ("routing", "@bill", "@rent", "rule.bill", "no list @rent"),
        ("routing", 'title = "Bills"', 'title = "Bills"\nlane = "attic"', "rule.bill.lane", "no lane 'attic'"),
        (
            "routing",
            'title = "Bills"',
            'title = "Bills"\nlane = "physician_review"',
            "rule.bill.lane",
            "nurse's escalation only",
        ),
        ("routing", 'category = "other"', 'category = "rent"', "rule.bill.category", "no category 'rent'"),
        ("routing", '[rule.rest]\ntitle = "Rest"\ncategory = "other"', "", "", "the last rule is the catch-all"),
        ("routing", '"contains_any"', '"rhymes_with"', "rule.bill.all[0].op", "contains_any"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, *, file: str, old: str, new: str, key: str, message: str) -> None:
    texts = {"lanes": LANES, "categories": CATEGORIES, "words": WORDS, "routing": ROUTING}
    told = problems(tmp_path, **{file: texts[file].replace(old, new)})
    assert any(f"{file}.toml" in line and key in line and message in line for line in told), told


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("lanes", 'owner = "agent"\n', "", "has no owner"),
        ("lanes", 'backup = "supervisor"\n', "", "has no backup"),
        ("lanes", '"supervisor"', '"agent"', "is the owner too"),
        ("words", '["bill"]', '["bill"]\n[list.unused]\ntitle = "nothing"\nwords = ["x"]', "no rule and no other list"),
    ],
)
def test_what_is_legal_but_wrong_is_a_caution(file: str, old: str, new: str, message: str, tmp_path: Path) -> None:
    texts = {"lanes": LANES, "words": WORDS}
    assert any(message in line for line in warnings(tmp_path, **{file: texts[file].replace(old, new)}))


def test_a_category_that_no_rule_reaches_is_a_caution(tmp_path: Path) -> None:
    more = CATEGORIES + CATEGORIES.replace("category.other", "category.lonely")
    assert warnings(tmp_path, categories=more) == ["categories.toml:8: category.lonely: no rule reaches it"]


def condition(field: str, op: str, value: str) -> str:
    return f'{{ field = "{field}", op = "{op}", value = {value} }}'


@pytest.mark.parametrize(
    "conditions",
    [
        [condition("text", "contains_any", '["fee"]'), condition("text", "contains_none", '["fee", "bill"]')],
        [condition("text", "contains_all", '["fee", "due"]'), condition("text", "contains_none", '["due"]')],
        [condition("channel", "is_any", '["sms"]'), condition("channel", "is_any", '["email"]')],
        [condition("channel", "is_any", '["sms"]'), condition("channel", "is_none", '["sms", "email"]')],
        [condition("word_count", "at_least", "9"), condition("word_count", "at_most", "8")],
        [condition("in_hours", "is", "true"), condition("in_hours", "is", "false")],
    ],
)
def test_a_rule_that_contradicts_itself_is_a_caution(conditions: list[str], tmp_path: Path) -> None:
    rule = f'[rule.never]\ntitle = "Never"\nall = [{", ".join(conditions)}]\ncategory = "other"\n'
    assert any("rule.never: can never match" in line for line in warnings(tmp_path, routing=rule + ROUTING))


@pytest.mark.parametrize(
    "conditions",
    [
        condition("text", "contains_any", '["@bill"]'),
        condition("text", "contains_any", '["@bill"]') + ", " + condition("channel", "is_any", '["sms"]'),
    ],
)
def test_a_rule_that_an_earlier_one_forestalls_is_a_caution(conditions: str, tmp_path: Path) -> None:
    rule = f'[rule.late]\ntitle = "Late"\nall = [{conditions}]\ncategory = "other"\n'
    routing = ROUTING.replace("[rule.rest]", rule + "\n[rule.rest]")
    assert any("bill is tried before it" in line for line in warnings(tmp_path, routing=routing))


def test_a_narrower_rule_before_a_wider_one_is_no_caution(tmp_path: Path) -> None:
    both = condition("text", "contains_any", '["@bill"]') + ", " + condition("channel", "is_any", '["sms"]')
    rule = f'[rule.early]\ntitle = "Early"\nall = [{both}]\ncategory = "other"\n'
    assert not warnings(tmp_path, routing=rule + ROUTING)


def test_what_ships_has_no_mistake_and_no_caution(tmp_path: Path) -> None:
    texts = {
        name: (PRIMARY_CARE / f"{name}.toml").read_text(encoding="utf-8")
        for name in ("lanes", "categories", "words", "routing")
    }
    assert not warnings(tmp_path, **texts)


def test_the_lanes_that_ship_are_those_of_the_domain_and_shield_physicians() -> None:
    lanes = shipped().section(LanesSection)
    assert set(lanes.lane) == {
        "scheduling", "clinical_triage", "refills", "records", "billing", "referrals", "complaints",
        "physician_review", "front_desk",
    }  # fmt: skip
    assert lanes.catch_all.key == "front_desk"
    assert lanes.visible_to(frozenset({Role.SUPERVISOR})) == set(lanes.lane)
    assert lanes.visible_to(frozenset({Role.AGENT})) == set(lanes.lane) - {"physician_review"}
    assert lanes.visible_to(frozenset({Role.PHYSICIAN})) == {"physician_review"}
    assert lanes.visible_to(frozenset({Role.NURSE})) == {"clinical_triage", "refills", "physician_review"}
    assert lanes.visible_to(frozenset({Role.ADMIN, Role.PRIVACY})) == set()


def test_the_categories_and_outcomes_that_ship_are_those_of_the_domain() -> None:
    assert set(shipped().section(CategoriesSection).category) == {
        "refill", "result_question", "scheduling", "billing", "clinical_advice", "form", "records_request",
        "referral", "complaint", "other",
    }  # fmt: skip
    outcomes = shipped().section(OutcomesSection)
    assert {"resolved", "redirected", "no_response", "duplicate", "not_for_us"} <= set(outcomes.close)
    assert outcomes.call["reached"].reached
    assert not any(outcomes.call[key].reached for key in ("voicemail", "no_answer", "busy", "wrong_number"))


MORE = """
[category.bill]
title = "Bill"
lane = "money"
priority = "routine"
next_action = "Look it up"
"""
MONEY = LANES + LANES.replace("lane.desk", "lane.money").replace("catch_all = true", "")


def two_rules(first: str, second: str, *, yields_to: str = "") -> dict[str, str]:
    """Files in which the first rule leads to one lane and the second to another."""
    rules = f"""
[rule.first]
title = "First"
{first}
category = "bill"

[rule.second]
title = "Second"
{second}
category = "other"
{yields_to}

[rule.rest]
title = "Rest"
category = "other"
"""
    words = """
[list.money]
title = "money"
words = ["bill", "fee", "what i owe"]

[list.visit]
title = "visits"
words = ["visit", "fee", "bills", "what i owe"]
but_not = ["fee for service"]
"""
    return {"lanes": MONEY, "categories": CATEGORIES + MORE, "words": words, "routing": rules}


def any_of(*entries: str) -> str:
    """What a rule asks of the text, as its `all`."""
    named = ", ".join(f'"{entry}"' for entry in entries)
    return f'all = [{{ field = "text", op = "contains_any", value = [{named}] }}]'


def test_words_that_two_rules_to_different_lanes_both_look_for_are_named_with_both(tmp_path: Path) -> None:
    (told,) = warnings(tmp_path, **two_rules(any_of("@money"), any_of("@visit")))
    assert told.startswith("routing.toml:7: rule.second: shares ")
    assert "fee" in told
    assert "what i owe" in told
    assert "with first, which is tried before it and leads to money" in told


def test_a_word_met_by_the_other_rules_form_of_it_is_shared(tmp_path: Path) -> None:
    """A listed singular is met by the plural that the other list holds."""
    told = warnings(tmp_path, **two_rules(any_of("bill"), any_of("bills", "visit")))
    assert any("rule.second: shares bills with first" in line for line in told)


def test_words_are_not_shared_where_one_rule_excludes_them_or_says_that_it_yields(tmp_path: Path) -> None:
    none = ', { field = "text", op = "contains_none", value = ["@money"] }]'
    excluding = any_of("@visit").removesuffix("]") + none
    unused = 'all = [{ field = "text", op = "contains_any", value = ["@money"] }, '
    by_channel = unused + '{ field = "channel", op = "is_any", value = ["sms"] }]'
    other = by_channel.replace("@money", "@visit").replace('"sms"', '"email"')
    assert warnings(tmp_path, **two_rules(any_of("@money"), excluding)) == []
    assert warnings(tmp_path, **two_rules(any_of("@money"), any_of("@visit"), yields_to='yields_to = ["first"]')) == []
    assert warnings(tmp_path, **two_rules(by_channel, other)) == []


def test_of_many_shared_words_a_few_are_named(tmp_path: Path) -> None:
    many = [f"fee{letter}" for letter in "abcdefgh"]
    files = two_rules(any_of("@money", *many), any_of("visit", *many))
    told = next(line for line in warnings(tmp_path, **files) if "shares" in line)
    assert "feea, feeb, feec, feed, feee and 3 more" in told


def test_a_rule_yields_only_to_what_is_tried_before_it(tmp_path: Path) -> None:
    files = two_rules(any_of("@money"), any_of("@visit"), yields_to='yields_to = ["rest"]')
    assert any("no rule 'rest' is tried before this one" in line for line in problems(tmp_path, **files))


def test_an_alternative_that_an_earlier_rule_always_takes_is_a_caution(tmp_path: Path) -> None:
    sms, quiet = (f'{{ field = "channel", op = "is_any", value = ["{channel}"] }}' for channel in ("sms", "chat"))
    files = two_rules(f"all = [{sms}]", f"any = [{sms}, {quiet}]")
    assert any(
        "rule.second: “channel is any sms” in it never decides: first" in line for line in warnings(tmp_path, **files)
    )
    files = two_rules(f"all = [{sms}]", 'all = [{ field = "channel", op = "is_any", value = ["chat", "sms"] }]')
    assert any("rule.second: sms in it never decides: first" in line for line in warnings(tmp_path, **files))


def test_two_categories_are_not_asked_for_in_the_same_words(tmp_path: Path) -> None:
    asked = 'next_action = "Read it"\nasked_as = ["Bills & money"]'
    both = CATEGORIES.replace('next_action = "Read it"', asked) + MORE.replace(
        'next_action = "Look it up"', 'next_action = "Look it up"\nasked_as = ["bills, money"]'
    )
    files = two_rules(any_of("@money"), any_of("@visit"))
    told = problems(tmp_path, **{**files, "categories": both})
    assert any("category.bill.asked_as[0]" in line and "is what other is asked for as" in line for line in told)


def test_a_circle_of_word_lists_is_read_like_their_sum(tmp_path: Path) -> None:
    circle = """
[list.bill]
title = "bills"
words = ["bill"]
include = ["fee"]

[list.fee]
title = "fees"
words = ["fee"]
include = ["bill"]
"""
    assert not warnings(tmp_path, words=circle)
