"""A template to write with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.library import queries, service, writing
from crm_core.library.model import TemplateView
from crm_core.library.section import TemplateText
from tests.conftest import StaffFactory


def text(**changes: Any) -> TemplateText:
    """The template `hello`, with changes."""
    plain = {
        "file": "hello.md",
        "key": "hello",
        "title": "Hello",
        "categories": ["other"],
        "channels": ["sms"],
        "purpose": "Greets.",
        "review_months": 12,
        "body": "Hi {{ patient.first_name }}.",
    }
    return TemplateText.model_validate({**plain, **changes})


class Library:
    """One store's library, with the people who write and approve in it."""

    def __init__(self, crm: Crm, staff: StaffFactory) -> None:
        self.crm = crm
        self.author = staff(Role.NURSE)
        self.approver = staff(Role.APPROVER)

    def do(self, actor: Actor, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One write of one person."""
        with self.crm.write(actor) as unit:
            return function(unit, *args, **more)

    def see(self, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One read of the author's."""
        with self.crm.read(self.author) as unit:
            return function(unit, *args, **more)

    def write(self, above: int | None = None, actor: Actor | None = None, **changes: Any) -> Any:
        """The author writes `hello`."""
        return self.do(actor or self.author, writing.write, text(**changes), above=above)

    def approve(self, key: str = "hello", **which: Any) -> int:
        """The approver approves it."""
        approved: int = self.do(self.approver, service.approve, key, **which)
        return approved

    def versions(self, key: str = "hello", language: str | None = "en") -> list[TemplateView]:
        """Its versions, newest first."""
        with self.crm.read(SYSTEM) as unit:
            return queries.show(unit, key, language)

    def states(self, key: str = "hello", language: str | None = "en") -> dict[int, str]:
        """Its versions' states by number."""
        return {view.number: view.state.value for view in self.versions(key, language)}


@pytest.fixture
def library(crm: Crm, staff: StaffFactory) -> Library:
    """The shipped drafts, a nurse who writes, an approver."""
    return Library(crm, staff)
