"""`crm doctor`: what is wrong, in one line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.settings import read_settings
from crm_core.timers import heartbeats
from crm_core.timers.model import Alive
from crm_core.timers.service import NewTimer, set_timers
from tests.cli.conftest import Caller

CHECKS = [
    "files", "settings", "key", "disk", "store", "schema", "clock", "playbook", "accounts", "gateways",
    "agreements", "mailboxes", "anchor", "pollers", "incoming",
]  # fmt: skip


def findings(call: Caller, *arguments: str) -> dict[str, Any]:
    answer = call("doctor", *arguments, "--json")
    assert answer.code in (0, 1), answer.err
    found = {finding["check"]: finding for finding in answer.json}
    assert answer.code == (0 if all(finding["ok"] for finding in found.values()) else 1)
    return found


def test_a_new_home_lacks_nothing_but_its_first_checkpoint(crm_home: Caller) -> None:
    found = findings(crm_home)
    assert list(found) == CHECKS
    assert [name for name, finding in found.items() if not finding["ok"]] == ["anchor"]
    assert crm_home("poll", "--once").code == 0
    assert crm_home("doctor").code == 0


def test_without_a_home_it_says_init(call: Caller) -> None:
    assert call("doctor").code == 4


def test_what_others_may_read_is_named_and_closed(crm_home: Caller) -> None:
    (crm_home.home / "crm.key").chmod(0o640)
    crm_home.home.chmod(0o755)
    found = findings(crm_home)
    assert "crm.key (0640)" in found["files"]["detail"]
    assert "store" not in found
    assert findings(crm_home, "--fix")["files"]["ok"]
    assert (crm_home.home / "crm.key").stat().st_mode & 0o777 == 0o600


def test_settings_with_mistakes_are_named(crm_home: Caller) -> None:
    with (crm_home.home / "crm.toml").open("a") as file:
        file.write('[gateway.email]\nkind = "smtp"\n')
    found = findings(crm_home)
    assert not found["settings"]["ok"]
    assert "gateway.email.host" in found["settings"]["detail"]


def test_a_missing_key_is_named(crm_home: Caller) -> None:
    (crm_home.home / "crm.key").unlink()
    found = findings(crm_home)
    assert "crm keys recover" in found["key"]["detail"]
    assert "store" not in found


def test_a_store_that_does_not_open_is_named(crm_home: Caller) -> None:
    (crm_home.home / "crm.key").write_text("11" * 32 + "\n")
    assert "crm keys recover" in findings(crm_home)["store"]["detail"]


def test_a_gateway_without_a_vendors_agreement_in_date_is_named(crm_home: Caller) -> None:
    with (crm_home.home / "crm.toml").open("a") as file:
        file.write(
            '[gateway.email]\nkind = "smtp"\nhost = "mail.example.org"\nfrom = "a@example.org"\nvendor = "Mail Co"\n'
        )
    assert "crm vendor" in findings(crm_home)["gateways"]["detail"]
    dates = ("--from", "2020-01-01", "--until", "2099-12-31")
    assert crm_home.done("vendor", "add", "Mail Co", "--gateway", "email", *dates)["in_date"] is True
    assert findings(crm_home)["gateways"]["ok"]
    assert [each["in_date"] for each in crm_home.done("vendor", "end", "Mail Co")] == [False]
    assert not findings(crm_home)["gateways"]["ok"]


def test_an_agreement_that_ends_within_sixty_days_is_named_and_a_renewal_settles_it(crm_home: Caller) -> None:
    today = datetime.now(UTC).date()
    begins, ends, renewed = today - timedelta(days=300), today + timedelta(days=40), today + timedelta(days=400)
    named = ("vendor", "add", "Mail Co", "--gateway", "email", "--from")
    added = crm_home.done(*named, begins.isoformat(), "--until", ends.isoformat())
    assert "crm vendor add" in added["warning"]
    assert "Mail Co for email ends in" in findings(crm_home)["agreements"]["detail"]
    assert not findings(crm_home)["agreements"]["ok"]
    crm_home.done(*named, ends.isoformat(), "--until", renewed.isoformat())
    assert [one["warning"] for one in crm_home.done("vendor", "list")] == [None, None]
    assert findings(crm_home)["agreements"]["ok"]


def test_an_older_schema_is_refused_everywhere_and_updated_by_the_doctor(
    crm_home: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_core.store import schema

    head = schema.HEAD
    monkeypatch.setattr(schema, "HEAD", "2099_01_01_later")
    refused = crm_home("lanes")
    assert refused.code == 4
    assert "crm doctor --fix" in refused.err
    assert not findings(crm_home)["store"]["ok"]
    monkeypatch.setattr(schema, "HEAD", head)
    assert findings(crm_home, "--fix")["schema"]["ok"]


def test_a_mailbox_that_is_not_read_says_why(crm_home: Caller) -> None:
    with (crm_home.home / "crm.toml").open("a") as file:
        file.write(
            '[mailbox.front_desk]\nhost = "localhost"\nport = 9\nuser = "desk"\npassword_file = "imap-password"\n'
            'vendor = "Mail Co"\nevery = 5\n'
        )
    assert "Mail Co has no agreement for e-mail in date" in findings(crm_home)["mailboxes"]["detail"]
    dates = ("--from", "2020-01-01", "--until", "2099-12-31")
    crm_home.done("vendor", "add", "Mail Co", "--gateway", "email", *dates)
    assert "imap-password" in findings(crm_home)["mailboxes"]["detail"]
    password = crm_home.home / "imap-password"
    password.touch(mode=0o600)
    assert "not read yet" in findings(crm_home)["mailboxes"]["detail"]
    crm_home("poll", "--once", "--kinds", "mail")
    assert "the mail server cannot be reached" in findings(crm_home)["mailboxes"]["detail"]


def test_it_says_which_pollers_live_and_how_late_they_are(crm_home: Caller) -> None:
    assert findings(crm_home)["pollers"]["ok"], "a console polls while it is open"
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        every = tuple(dict.fromkeys(chore.kind for chore in crm.chores))
        number = heartbeats.begin(unit, Alive(host="desk-1", process=7, kinds=every, inside_console=False))
    found = findings(crm_home)["pollers"]
    assert (found["ok"], found["detail"]) == (True, "1 alive, nothing late: desk-1 process 7, began just now")
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        due = unit.now - timedelta(minutes=5)
        set_timers(unit, [NewTimer(kind="incoming", subject_id=1, run_at=due, dedup_key="one")])
    found = findings(crm_home)["pollers"]
    assert not found["ok"]
    assert found["detail"].startswith("Late: incoming 5 min, timers 5 min; ")
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        heartbeats.end(unit, number)
    assert "Nothing polls" in findings(crm_home)["pollers"]["detail"]
    assert crm_home.done("poll", "--once")["done"] == 1
    assert findings(crm_home)["pollers"]["ok"]
    settings = crm_home.home / "crm.toml"
    settings.write_text(settings.read_text().replace("deliver = true", "deliver = false"))
    assert "Nothing polls" in findings(crm_home)["pollers"]["detail"]
