"""Who is acting: the operating-system user, or an account that gives its password."""

from __future__ import annotations

import os
import pwd

import pytest

from tests.cli.conftest import Caller

PASSWORD = "tea kettle marathon"


@pytest.fixture
def two(crm_home: Caller) -> Caller:
    """A home with a nurse called maria beside its first account."""
    made = crm_home("staff", "add", "maria", "--name", "Maria Lopez", "--role", "nurse", "--ask-password",
                    stdin=f"{PASSWORD}\n")  # fmt: skip
    assert made.code == 0, made.err
    return crm_home


def test_as_asks_for_that_accounts_password(two: Caller) -> None:
    assert two("--as", "maria", "lanes", stdin=f"{PASSWORD}\n").code == 0
    refused = two("lanes", "--as", "maria", stdin="guess guess guess\n")
    assert refused.code == 3
    assert "guess" not in refused.err
    waits = two("lanes", "--as", "MARIA", stdin=f"{PASSWORD}\n")
    assert waits.code == 3
    assert "wait" in waits.err


def test_as_without_a_password_given_says_where_to_give_it(two: Caller) -> None:
    answer = two("--as", "maria", "lanes")
    assert answer.code == 2
    assert "standard input" in answer.err


def test_an_account_may_only_what_its_roles_may(two: Caller) -> None:
    refused = two("--as", "maria", "staff", "disable", pwd.getpwuid(os.getuid()).pw_name, stdin=f"{PASSWORD}\n")
    assert refused.code == 3
    assert "staff:manage" in refused.err


def test_someone_without_an_account_is_told_what_to_ask_for(two: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "54321")
    refused = two("lanes")
    assert refused.code == 3
    assert "crm staff os-user" in refused.err


def test_a_served_session_is_the_caller_and_asks_for_a_password_on_top(
    two: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = pwd.getpwnam("nobody")
    assert two("staff", "os-user", "maria", "nobody").code == 0
    monkeypatch.setenv("SUDO_UID", str(nobody.pw_uid))
    assert two("lanes").code == 2
    assert two("lanes", stdin=f"{PASSWORD}\n").code == 0
    refused = two("staff", "list", "--json", stdin="wrong wrong wrong\n")
    assert (refused.code, refused.out) == (3, "")


def test_a_served_session_of_an_account_without_a_password_is_refused(
    two: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two("staff", "add", "joe", "--name", "Joe", "--role", "agent", "--os-user", "nobody").code == 0
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam("nobody").pw_uid))
    refused = two("lanes", stdin="\n")
    assert refused.code == 3
    assert "crm staff password" in refused.err


def test_a_disabled_account_is_refused_at_its_next_call(two: Caller) -> None:
    assert two.done("staff", "disable", "maria")["active"] is False
    assert two("--as", "maria", "lanes", stdin=f"{PASSWORD}\n").code == 3


def test_accounts_are_changed_and_shown_as_they_are_then(two: Caller) -> None:
    assert two.done("staff", "roles", "maria", "--role", "agent", "--role", "supervisor")["roles"] == [
        "agent",
        "supervisor",
    ]
    assert two.done("staff", "lanes", "maria", "--lane", "billing")["lanes"] == ["billing"]
    unknown = two("staff", "lanes", "maria", "--lane", "nonsense")
    assert unknown.code == 2
    assert "billing" in unknown.err
    assert two.done("staff", "lanes", "maria")["lanes"] is None
    assert two.done("staff", "password", "maria", stdin="another long password\n")["has_password"] is True
    assert two("staff", "password", "maria", stdin="short\n").code == 2
    assert two("--as", "maria", "lanes", stdin="another long password\n").code == 0
    assert two("staff", "add", "Maria", "--name", "M", "--role", "agent").code == 1
    assert two("staff", "disable", "nobody-here").code == 1


def test_capacity_and_absence_are_set_shown_and_refused_in_a_sentence(crm_home: Caller) -> None:
    for login in ("maria", "tom"):
        crm_home.done("staff", "add", login, "--name", login.title(), "--role", "agent")
    assert crm_home.done("staff", "capacity", "maria", "15")["capacity"] == 15
    planned = crm_home.done("staff", "absent", "maria", "--until", "3d", "--substitute", "tom")
    (absence,) = planned["absences"]
    assert absence["substitute"] == "tom"
    assert "tom" in crm_home("staff", "list").out
    for wrong in (
        ("capacity", "maria", "lots"),
        ("capacity", "maria", "9999999"),
        ("absent", "maria", "--until", "yesterday"),
        ("absent", "maria", "--until", "2d"),
        ("absent", "tom", "--until", "2d", "--substitute", "tom"),
        ("absent", "tom", "--from", "3d", "--until", "2d"),
    ):
        refused = crm_home("staff", *wrong)
        assert refused.code == 2, wrong
        assert "Traceback" not in refused.err
    assert crm_home("staff", "absent", "nobody", "--until", "2d").code == 1
    assert crm_home("staff", "absent", "tom", "--until", "2d", "--substitute", "nobody").code == 1
    assert crm_home.done("staff", "back", "maria")["absences"] == []
    assert crm_home.done("staff", "capacity", "maria", "none")["capacity"] is None
