"""Coming in: who sits here, signing in, and unlocking again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import SYSTEM, Actor
from crm_core.access.queries import by_login, for_os_user
from crm_core.access.signin import sign_in
from crm_core.app import Crm
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError

__all__ = ["CrmError", "Doorway", "Entrance", "Entered"]


@dataclass(frozen=True, kw_only=True)
class Doorway:
    """Who the operating system says is here; `needs_password` where the account has one."""

    login: str
    name: str
    needs_password: bool


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A person who has signed in; what happened at their account since last time."""

    actor: Actor
    last_signed_in_at: datetime | None
    failed_since: int


class Entrance:
    """Sign-in for one console."""

    def __init__(self, crm: Crm, os_user: str) -> None:
        self._crm = crm
        self._os_user = os_user

    def doorway(self) -> Doorway:
        """The account of this system user; CrmError where there is none."""
        with self._crm.read(SYSTEM) as unit:
            account = for_os_user(unit, self._os_user)
        return Doorway(login=account.login, name=account.name, needs_password=account.has_password)

    def enter(self, login: str, password: str | None) -> Entered:
        """Sign in. Without a password only as the system user's own account, if that has none."""
        if password:
            done = sign_in(self._crm.units, login, password)
            return Entered(actor=done.actor, last_signed_in_at=done.last_signed_in_at, failed_since=done.failed_since)
        with self._crm.write(SYSTEM) as unit:
            account = by_login(unit, login)
            own = for_os_user(unit, self._os_user)
            if account.id != own.id or account.has_password:
                raise PasswordNeeded
            unit.audit(Tag.SESSION_SIGNED_IN, account.id, why="system user")
        return Entered(actor=account.as_actor(), last_signed_in_at=account.last_signed_in_at, failed_since=0)

    def locked(self, actor: Actor) -> None:
        """Note that this console was locked."""
        with self._crm.write(SYSTEM) as unit:
            unit.audit(Tag.SESSION_LOCKED, actor.staff_id)

    def left(self, actor: Actor) -> None:
        """Note that this session ended."""
        with self._crm.write(SYSTEM) as unit:
            unit.audit(Tag.SESSION_ENDED, actor.staff_id)


class PasswordNeeded(CrmError):
    """This account signs in with its password; type it and press enter."""
