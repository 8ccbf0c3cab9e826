"""Coming in: who sits here, signing in, unlocking again; and what may be seen before that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from crm_core.access.guard import CutOff
from crm_core.access.model import SYSTEM, Actor, Permission
from crm_core.access.queries import by_login, for_os_user
from crm_core.access.signin import PasswordNeeded, sign_in, sign_in_system_user
from crm_core.app import Crm
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError
from crm_core.inbox import alarms
from crm_core.inbox.model import AlarmView
from crm_core.inbox.take import put_down
from crm_core.store.feed import Topic

__all__ = ["Actor", "AlarmView", "CrmError", "CutOff", "Doorway", "Entered", "Entrance", "PasswordNeeded"]


@dataclass(frozen=True, kw_only=True)
class Doorway:
    """Whose console this is to be; `needs_password` where the account has one, or must have."""

    login: str
    name: str
    needs_password: bool


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A person who has signed in; what happened at their account since last time."""

    actor: Actor
    last_signed_in_at: datetime | None
    failed_since: int
    with_password: bool


class Entrance:
    """Sign-in for one console.

    `login` names another account than the operating-system user's. `served` is a session
    that somebody else's account runs: then a password comes on top of the system user.
    """

    def __init__(self, crm: Crm, os_user: str, *, login: str | None = None, served: bool = False) -> None:
        self._crm = crm
        self._os_user = os_user
        self._login = login
        self._served = served

    def now(self) -> datetime:
        """The core's time, aware UTC."""
        return self._crm.clock.now()

    def listen(self, listener: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Call `listener` from a thread when something changes; returns how to stop that."""
        return self._crm.store.feed.listen(listener)

    def alarms(self) -> list[AlarmView]:
        """Every unacknowledged danger, with no patient in it: a locked console shows their number, too."""
        with self._crm.read(SYSTEM) as unit:
            return alarms.alarms(unit)

    def doorway(self) -> Doorway:
        """The account to sign in; CrmError where this system user has none."""
        with self._crm.read(SYSTEM) as unit:
            account = for_os_user(unit, self._os_user) if self._login is None else by_login(unit, self._login)
        needs_password = account.has_password or self._served or self._login is not None
        return Doorway(login=account.login, name=account.name, needs_password=needs_password)

    def enter(self, login: str, password: str | None) -> Entered:
        """Sign in. Without a password only as the system user's own account, if that has none.

        What a console that was killed left in this person's hands is put down.
        """
        entered = self._let_in(login, password)
        with self._crm.write(entered.actor) as unit:
            if entered.actor.may(Permission.CONVERSATION_WORK):
                put_down(unit)
        return entered

    def _let_in(self, login: str, password: str | None) -> Entered:
        if password:
            done = sign_in(self._crm.units, login, password)
        elif self._served:
            raise PasswordNeeded
        else:
            with self._crm.write(SYSTEM) as unit:
                if for_os_user(unit, self._os_user).login != by_login(unit, login).login:
                    raise PasswordNeeded
                done = sign_in_system_user(unit, self._os_user)
        return Entered(
            actor=done.actor,
            last_signed_in_at=done.last_signed_in_at,
            failed_since=done.failed_since,
            with_password=bool(password),
        )

    def locked(self, actor: Actor) -> None:
        """Note that this console was locked."""
        with self._crm.write(SYSTEM) as unit:
            unit.audit(Tag.SESSION_LOCKED, actor.staff_id)

    def unlock(self, login: str, password: str | None) -> Entered:
        """Open a locked console again, for the person who locked it."""
        entered = self._let_in(login, password)
        with self._crm.write(SYSTEM) as unit:
            unit.audit(Tag.SESSION_UNLOCKED, entered.actor.staff_id)
        return entered

    def left(self, actor: Actor) -> None:
        """Note that this session ended."""
        with self._crm.write(SYSTEM) as unit:
            unit.audit(Tag.SESSION_ENDED, actor.staff_id)
