"""A clinic with people at their consoles, on the embedded store unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import create_staff
from crm_core.app import Crm
from crm_core.inbox.model import Verb
from crm_core.library.queries import templates
from crm_core.library.service import approve
from tests.inbox.conftest import Clinic, clinic, read_once
from tests.widgets.conftest import pytest_pyfunc_call

__all__ = ["Clinic", "Verb", "clinic", "pytest_pyfunc_call", "read_once"]

Account = Callable[..., Actor]
HERE = Path(__file__).parent


@pytest.fixture
def both_stores() -> None:
    """Asked for by a test that runs on Postgres, too; the others need no second store to show a screen."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the Postgres half of the tests here that did not ask for it."""

    def stays(item: pytest.Item) -> bool:
        if HERE not in item.path.parents or not isinstance(item, pytest.Function):
            return True
        store = item.callspec.params.get("settings") if hasattr(item, "callspec") else None
        return store != "postgres" or "both_stores" in item.fixturenames

    items[:] = [item for item in items if stays(item)]


@pytest.fixture
def polls_inside(crm: Crm) -> None:
    """A console that is alone polls, as it does unless crm.toml says otherwise."""
    crm.settings = replace(crm.settings, console_delivers=True)


@pytest.fixture
def account(crm: Crm) -> Account:
    """Makes an account of a system user of the same name, without a password."""

    def make(name: str, *roles: Role, lanes: frozenset[str] | None = None) -> Actor:
        with crm.write(SYSTEM) as unit:
            number = create_staff(unit, login=name, name=name.title(), roles=roles, lanes=lanes, os_user=name)
        return Actor.with_roles(number, name.title(), frozenset(roles), lanes)

    return make


@pytest.fixture
def approved(crm: Crm, account: Account) -> None:
    """The shipped English templates, approved by one who may."""
    approver = account("approver", Role.APPROVER, Role.AGENT)
    with crm.read(approver) as unit:
        keys = [view.key for view in templates(unit, language="en")]
    with crm.write(approver) as writing:
        for key in keys:
            approve(writing, key)
