"""The declaration every service function carries: which permission it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from crm_core.access.model import Actor, Permission
from crm_core.errors import NotPermitted

P = ParamSpec("P")
R = TypeVar("R")


class HasActor(Protocol):
    """A unit of work, as far as a permission check is concerned."""

    @property
    def actor(self) -> Actor: ...


U = TypeVar("U", bound=HasActor)


def needs(permission: Permission) -> Callable[[Callable[Concatenate[U, P], R]], Callable[Concatenate[U, P], R]]:
    """Refuse the call unless the unit's actor holds `permission`.

    The unit of work audits the refusal when it is left by `NotPermitted`. A test enumerates
    the public functions of every service and query module and fails on one without this.
    """

    def declare(function: Callable[Concatenate[U, P], R]) -> Callable[Concatenate[U, P], R]:
        @functools.wraps(function)
        def checked(unit: U, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not unit.actor.may(permission):
                raise NotPermitted(action=permission.phrase, permission=permission.value)
            return function(unit, *args, **kwargs)

        checked.__needs__ = permission  # type: ignore[attr-defined]
        return checked

    return declare
