"""Every function that is handed a unit declares its permission, and each role gets what it should."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import crm_core
from crm_core.access.model import PERMISSIONS, SYSTEM, Actor, Permission, Role
from crm_core.errors import NotPermitted

WITHOUT = {
    "crm_core.access.guard.check_active": "every unit begins with it, whoever acts",
}
"""Functions of service and query modules that need no permission, and why."""

INSIDE = {
    "crm_core.channels.screening.screen_inbound",
    "crm_core.channels.senders.match_sender",
    "crm_core.exchange.references.place",
    "crm_core.exchange.references.remember",
    "crm_core.exchange.references.open_merges",
    "crm_core.inbox.alarms.raise_alarm",
    "crm_core.inbox.filling.merge_fields",
    "crm_core.inbox.handling.in_lane",
    "crm_core.inbox.health_detail.health_detail",
    "crm_core.inbox.queries.opened",
    "crm_core.inbox.recipients.recipient",
    "crm_core.inbox.record.current",
    "crm_core.inbox.record.held_for_clinicians",
    "crm_core.inbox.record.change",
    "crm_core.inbox.record.next_action",
    "crm_core.inbox.rules.inbox_rules",
    "crm_core.patients.briefs.briefs",
    "crm_core.patients.contact_points.known_points",
    "crm_core.patients.contact_points.ensure_points",
    "crm_core.patients.contact_points.users_of",
    "crm_core.patients.links.store_links",
    "crm_core.patients.region.clinic_region",
    "crm_core.store.search_index.put",
    "crm_core.store.search_index.remove",
    "crm_core.store.search_index.find",
}
"""Parts of a room that its own declared functions call; what they open is still checked by `unit.open`."""

TABLE = """
                     agent nurse physician coordinator supervisor approver privacy admin
lane:read              x     x       x          x          x         .        .      x
conversation:read      x     x       x          x          x         .        .      .
conversation:work      x     x       x          x          x         .        .      .
conversation:assign    .     .       .          .          x         .        .      .
danger:act             .     x       x          .          .         .        .      .
message:send           x     x       x          x          x         .        .      .
message:receive        .     .       .          .          .         .        .      x
outbox:read            x     x       x          x          x         .        .      .
outbox:deliver         .     .       .          .          .         .        .      x
outbox:resolve         .     .       .          .          x         .        .      .
patient:read           x     x       x          x          x         .        .      .
patient:link           x     x       x          x          x         .        .      .
patient:import         .     .       .          .          .         .        .      x
template:read          x     x       x          x          x         x        .      x
template:approve       .     .       .          .          .         x        .      .
playbook:read          x     x       x          x          x         x        .      x
playbook:apply         .     .       .          .          .         .        .      x
staff:read             x     x       x          x          x         .        x      x
staff:manage           .     .       .          .          .         .        .      x
vendor:read            .     .       .          .          x         .        x      x
vendor:manage          .     .       .          .          .         .        .      x
audit:read             .     .       .          .          .         .        x      .
audit:verify           .     .       .          .          .         .        x      x
session:open           .     .       .          .          .         .        .      .
"""


class Untouched:
    """A unit that nothing may be done with: a refusal must come before the first look at the store."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)


def handed_a_unit() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.walk_packages(crm_core.__path__, "crm_core."):
        if module.name.startswith("crm_core.store.migrations"):
            continue
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if name.startswith("_") or not inspect.isfunction(value) or value.__module__ != module.name:
                continue
            first = next(iter(inspect.signature(value).parameters), None)
            if first == "unit":
                found[f"{module.name}.{name}"] = value
    return found


FUNCTIONS = handed_a_unit()
DECLARED = {name: function for name, function in FUNCTIONS.items() if hasattr(function, "__needs__")}


def test_every_public_function_that_is_handed_a_unit_declares_what_it_needs() -> None:
    assert set(FUNCTIONS) - set(DECLARED) - set(WITHOUT) - INSIDE == set()


def test_no_exception_outlives_its_function() -> None:
    assert set(WITHOUT) | INSIDE <= set(FUNCTIONS)


def test_the_front_doors_of_a_room_are_never_exceptions() -> None:
    doors = {name for name in FUNCTIONS if name.split(".")[-2].startswith(("service", "queries"))}
    assert doors
    assert doors - {"crm_core.inbox.queries.opened"} <= set(DECLARED)


def test_the_roles_hold_what_the_table_says() -> None:
    header, *lines = TABLE.strip().splitlines()
    roles = [Role(word) for word in header.split()]
    assert roles == list(Role)
    said: dict[Role, set[Permission]] = {role: set() for role in roles}
    for line in lines:
        permission, *marks = line.split()
        for role, mark in zip(roles, marks, strict=True):
            if mark == "x":
                said[role].add(Permission(permission))
    assert len(lines) == len(Permission)
    assert {role: set(held) for role, held in PERMISSIONS.items()} == said


def let_in(function: Callable[..., Any], actor: Actor) -> bool:
    """Whether the declaration lets `actor` in; whatever the function does then fails on the unit."""
    try:
        function(Untouched(actor))
    except NotPermitted as refused:
        assert refused.exit_code == 3
        return False
    except (LookupError, TypeError):
        return True
    return True


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_each_function_lets_in_the_roles_that_hold_its_permission_and_no_other(name: str) -> None:
    function = DECLARED[name]
    needed: Permission = vars(function)["__needs__"]
    for role in Role:
        actor = Actor.with_roles(7, "Ann", frozenset({role}))
        assert let_in(function, actor) is (needed in PERMISSIONS[role]), role
    assert not let_in(function, Actor.with_roles(7, "Ann", frozenset()))
    assert let_in(function, SYSTEM)


def test_roles_add_up_and_an_actor_without_a_role_may_nothing() -> None:
    both = Actor.with_roles(7, "Ann", frozenset({Role.AGENT, Role.APPROVER}))
    assert both.permissions == PERMISSIONS[Role.AGENT] | PERMISSIONS[Role.APPROVER]
    assert Actor(staff_id=7, name="Ann").permissions == frozenset()
