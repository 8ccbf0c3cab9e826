"""One base for every error a user may see; the docstring of a class is its message.

A message is one sentence that says what happened and what to do next. It names ids and
settings, never a patient: facts are keyword attributes and are formatted into the docstring.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CrmError(Exception):
    """Something went wrong; run `crm doctor` to see what."""

    exit_code: ClassVar[int] = 1

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The docstring's first paragraph on one line, with the facts filled in."""
        first = (type(self).__doc__ or CrmError.__doc__ or "").strip().split("\n\n")[0]
        return " ".join(first.split()).format_map(self.facts)

    def __str__(self) -> str:
        return self.message


class UsageError(CrmError):
    """{problem}; {remedy}."""

    exit_code = 2


class Refused(CrmError):
    """{why}; {remedy}."""


class NotPermitted(CrmError):
    """You may not {action}; ask an administrator for the permission {permission}."""

    exit_code = 3


class NotFound(CrmError):
    """No {kind} {id} that you may see; check what was typed."""


class AlreadyInUse(CrmError):
    """This {what} is already in use; choose another."""


class Stale(CrmError):
    """{id} was changed by someone else meanwhile; look at it again and repeat."""


class Unavailable(CrmError):
    """{what} is not available; {remedy}."""

    exit_code = 4


class WrongKey(Unavailable):
    """The store does not open with this key; restore the right key with `crm keys recover`."""


class StoreMissing(Unavailable):
    """There is no store in {home}; run `crm init` first."""
