"""Every function that is handed a unit declares its permission, and each role gets what it should."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import crm_core
from crm_core.access.model import PERMISSIONS, SYSTEM, Actor, Permission, Role
from crm_core.errors import NotPermitted

WITHOUT = {"crm_core.access.guard.check_active"}
"""Every unit begins with it, whoever acts."""

ROOT = Path(crm_core.__file__).parents[1]

TABLE = """
                     agent nurse physician coordinator supervisor approver privacy admin
lane:read              x     x       x          x          x         .        .      x
conversation:read      x     x       x          x          x         .        .      .
conversation:work      x     x       x          x          x         .        .      .
conversation:assign    .     .       .          .          x         .        .      .
conversation:relink    .     x       .          .          x         .        .      .
danger:act             .     x       x          .          .         .        .      .
message:send           x     x       x          x          x         .        .      .
message:receive        .     .       .          .          .         .        .      x
outbox:read            x     x       x          x          x         .        .      .
outbox:deliver         .     .       .          .          .         .        .      x
outbox:resolve         .     .       .          .          x         .        .      .
timer:set              x     x       x          x          x         .        .      x
poller:read            x     x       x          x          x         .        .      x
consent:read           x     x       x          x          x         .        x      .
consent:record         x     x       x          x          x         .        x      .
notice:read            x     x       x          x          x         .        .      .
notice:plan            x     x       x          x          x         .        .      .
task:read              x     x       x          x          x         .        .      .
task:work              x     x       x          x          x         .        .      .
patient:read           x     x       x          x          x         .        .      .
patient:link           x     x       x          x          x         .        .      .
patient:import         .     .       .          .          .         .        .      x
template:read          x     x       x          x          x         x        .      x
template:write         .     x       .          x          x         .        .      x
template:approve       .     .       .          .          .         x        .      .
playbook:read          x     x       x          x          x         x        .      x
playbook:apply         .     .       .          .          .         .        .      x
playbook:rehearse      .     .       .          .          x         .        .      x
staff:read             x     x       x          x          x         .        x      x
staff:roster           .     .       .          .          x         .        .      x
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


def reached_by(source: str) -> set[str]:
    """The dotted names under crm_core that a module imports, or takes from a module it imports."""
    tree = ast.parse(source)
    local: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("crm_core"):
            local |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            local |= {
                alias.asname or alias.name: alias.name for alias in node.names if alias.name.startswith("crm_core")
            }
    taken = {
        f"{local[node.value.id]}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local
    }
    return taken | set(local.values())


def test_the_look_for_what_is_reached_sees_both_ways_of_importing() -> None:
    source = "from crm_core.inbox import take as t\nfrom crm_core.patients.briefs import briefs\nt.claim(unit, 1)"
    assert {"crm_core.inbox.take.claim", "crm_core.patients.briefs.briefs"} <= reached_by(source)


def test_every_public_function_of_a_service_or_query_module_declares_what_it_needs() -> None:
    doors = {name for name in FUNCTIONS if name.split(".")[-2].startswith(("service", "queries"))}
    assert len(doors) > 20
    assert doors - set(DECLARED) == set()


def test_whatever_the_console_and_the_command_line_hand_a_unit_to_declares_what_it_needs() -> None:
    """Parts of a room that its own services call may go without; the two faces never reach those."""
    reached = {name for file in (ROOT / "crm_tui").rglob("*.py") for name in reached_by(file.read_text("utf-8"))}
    handed = reached & set(FUNCTIONS)
    assert len(handed) > 20
    assert handed - set(DECLARED) == set()


def test_what_needs_no_permission_is_one_function() -> None:
    assert set(FUNCTIONS) - set(DECLARED) >= WITHOUT
    assert not any(name.startswith("crm_core.access") for name in set(FUNCTIONS) - set(DECLARED) - WITHOUT)


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


def test_every_permission_can_be_said_in_words() -> None:
    assert len({permission.phrase for permission in Permission}) == len(Permission)
