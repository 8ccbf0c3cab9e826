"""`crm playbook` and `crm template`: the rules and answers, as files and as what is in force."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Caller

SHIPPED = Path(__file__).parents[2] / "data" / "playbooks" / "primary_care"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A clinic's own copy of the shipped playbook."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "ours"))


def test_the_shipped_playbook_has_no_mistake_and_checking_needs_no_home(call: Caller) -> None:
    checked = call.done("playbook", "check", "primary_care")
    assert (checked["version"], checked["errors"]) == (None, [])


def test_every_mistake_is_named_with_file_line_and_key_and_nothing_is_applied(crm_home: Caller, draft: Path) -> None:
    lanes = draft / "lanes.toml"
    lanes.write_text(lanes.read_text().replace("catch_all = true", "catch_all = 3"))
    (draft / "stray.toml").write_text("x = 1\n")
    for verb in ("check", "apply"):
        answer = crm_home("playbook", verb, str(draft), "--json")
        assert answer.code == 1
        files = {error["file"] for error in answer.json["errors"]}
        assert {"lanes.toml", "stray.toml"} <= files
        assert all(set(error) == {"file", "line", "key", "message"} for error in answer.json["errors"])
    assert (
        "version 1"
        in next(found for found in crm_home("doctor", "--json").json if found["check"] == "playbook")["detail"]
    )


def test_applying_a_change_makes_the_next_version_and_applying_it_again_does_not(crm_home: Caller, draft: Path) -> None:
    (draft / "clinic.toml").write_text((draft / "clinic.toml").read_text() + "\n# ours\n")
    assert crm_home.done("playbook", "apply", str(draft))["version"] == 2
    assert crm_home.done("playbook", "apply", str(draft))["version"] == 2


@pytest.mark.parametrize("name", ["nonsense", "/nonexistent"])
def test_an_unknown_playbook_is_a_usage_error(call: Caller, name: str) -> None:
    answer = call("playbook", "check", name)
    assert answer.code in (1, 2)
    assert "Traceback" not in answer.err


def test_templates_ship_as_drafts_and_become_approved_and_retired(crm_home: Caller) -> None:
    shipped = crm_home.done("template", "list")
    assert {template["state"] for template in shipped} == {"draft"}
    assert crm_home.done("template", "submit", "refill_received")["state"] == "in_review"
    assert crm_home("template", "approve", "refill_received", "--number", "7").code == 1
    approved = crm_home.done("template", "approve", "refill_received", "--number", "1")
    assert (approved["state"], approved["template"]) == ("approved", "refill_received")
    assert approved["review_due"]
    assert [one["template"] for one in crm_home.done("template", "list", "--state", "approved")] == ["refill_received"]
    versions = crm_home.done("template", "show", "refill_received", "--language", "en")
    assert "{{ patient.first_name }}" in versions[0]["body"]
    assert {one["state"] for one in crm_home.done("template", "retire", "refill_received")} == {"retired"}
    assert crm_home("template", "show", "nonsense").code == 1


REFILL = "I need a refill of my metformin please"


def to_billing(draft: Path) -> None:
    """Let the draft send refills to billing."""
    categories = draft / "categories.toml"
    categories.write_text(categories.read_text().replace('lane = "refills"', 'lane = "billing"'))


def test_diff_says_what_a_draft_changes_and_says_when_it_changes_nothing(crm_home: Caller, draft: Path) -> None:
    assert crm_home.done("playbook", "diff", str(draft)) == {"version": 1, "changes": []}
    assert "Nothing differs from version 1." in crm_home("playbook", "diff", str(draft)).out
    to_billing(draft)
    assert crm_home.done("playbook", "diff", str(draft))["changes"] == [
        {
            "file": "categories.toml",
            "key": "category.refill.lane",
            "change": "changed",
            "said": "was refills, is billing",
        }
    ]
    assert "was refills, is billing" in crm_home("playbook", "diff", str(draft)).out


def test_rehearse_shows_what_would_lie_elsewhere_with_samples(crm_home: Caller, draft: Path) -> None:
    to_billing(draft)
    took = crm_home.done("receive", "--channel", "sms", "--from", "+12125550199", "--text", REFILL)[0]
    found = crm_home.done("playbook", "rehearse", str(draft), "--since", "1d")
    assert (found["texts"], found["moved"], found["reprioritised"]) == (1, 1, 0)
    assert {"lane": "billing", "now": 0, "then": 1, "moved_in": 1, "moved_out": 0} in found["lanes"]
    (move,) = found["moves"]
    assert (move["from"], move["to"], move["texts"]) == ("refills", "billing", 1)
    assert move["samples"] == [
        {
            "conversation": took["conversation"],
            "category_now": "refill",
            "category_then": "refill",
            "rule_now": "refill",
            "rule_then": "refill",
            "text": REFILL,
        }
    ]
    told = crm_home("playbook", "rehearse", str(draft), "--samples", "1").out
    assert took["conversation"] in told
    assert "metformin" in told


def test_an_administrator_who_reads_no_conversations_is_told_no_words(crm_home: Caller, draft: Path) -> None:
    to_billing(draft)
    crm_home.done("receive", "--channel", "sms", "--from", "+12125550199", "--text", REFILL)
    crm_home("staff", "add", "ida", "--name", "Ida", "--role", "admin", "--ask-password", stdin="tea kettle marathon\n")
    answer = crm_home("--as", "ida", "playbook", "rehearse", str(draft), "--json", stdin="tea kettle marathon\n")
    assert answer.json["moves"][0]["samples"][0]["conversation"]
    assert "text" not in answer.json["moves"][0]["samples"][0]
    assert "metformin" not in answer.out + answer.err


@pytest.mark.parametrize("verb", ["diff", "rehearse"])
def test_a_draft_with_mistakes_is_not_compared(crm_home: Caller, draft: Path, verb: str) -> None:
    (draft / "lanes.toml").write_text("lane = 3\n")
    answer = crm_home("playbook", verb, str(draft), "--json")
    assert answer.code == 1
    assert answer.json["errors"][0]["file"] == "lanes.toml"


@pytest.mark.parametrize("since", ["yesterday-ish", "30", ""])
def test_a_rehearsal_since_no_time_is_a_usage_error(crm_home: Caller, draft: Path, since: str) -> None:
    answer = crm_home("playbook", "rehearse", str(draft), "--since", since)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_in_a_home_the_people_that_a_playbook_names_are_looked_for(crm_home: Caller, draft: Path) -> None:
    lanes = draft / "lanes.toml"
    lanes.write_text(lanes.read_text().replace('owner = "coordinator"', 'owner = "zoe"'))
    (warning,) = crm_home.done("playbook", "check", str(draft))["warnings"]
    assert (warning["file"], warning["key"]) == ("lanes.toml", "lane.referrals.owner")
    assert warning["message"].startswith("zoe is no role and no account here")
    assert crm_home.done("playbook", "apply", str(draft))["warnings"] == [warning]
