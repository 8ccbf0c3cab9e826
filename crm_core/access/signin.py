"""Signing in by name and password.

An attempt is claimed before it is tried: it counts as failed, and sets the time of the next
one, in a unit that commits before the password is looked at. So guesses made side by side,
or by a process killed after each, wait like any others, and the slow hash runs outside every
unit. Delays are 1, 2, 4 … 900 s and live in the store; an account is never locked for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from crm_core.access import passwords
from crm_core.access.logins import fold_login
from crm_core.access.model import SYSTEM, Actor, Permission
from crm_core.access.needs import needs
from crm_core.access.queries import by_login, for_os_user
from crm_core.access.tables import STAFF
from crm_core.access.units import OpensUnits, Writing
from crm_core.audit.tags import Outcome, Tag
from crm_core.errors import CrmError

LONGEST_DELAY = timedelta(seconds=900)


class SignInRefused(CrmError):
    """This name and password do not fit an active account; try again or ask an administrator."""

    exit_code = 3


class TooSoon(CrmError):
    """The last attempts failed, so the next one must wait {seconds} s; wait and try again."""

    exit_code = 3


class PasswordNeeded(CrmError):
    """This account signs in with its password; type it and press enter."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A signed-in person, and what the screen tells at sign-in.

    `failed_since` counts attempts that failed since `last_signed_in_at`, which is None at the first.
    """

    actor: Actor
    last_signed_in_at: datetime | None
    failed_since: int


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A claimed attempt; `staff_id` is None where no active account has the login."""

    staff_id: int | None
    password_hash: str | None
    epoch: int
    failed_before: int
    last_signed_in_at: datetime | None


_NOBODY = Attempt(staff_id=None, password_hash=None, epoch=0, failed_before=0, last_signed_in_at=None)


def sign_in(units: OpensUnits, login: str, password: str) -> SignIn:
    """Sign a person in; two short write units with the hash between them (about 0.1 s).

    Raises SignInRefused, TooSoon. Every outcome is audited.
    """
    with units.write(SYSTEM) as unit:
        attempt = claim_attempt(unit, login)
    fits = passwords.fits(password, attempt.password_hash)
    with units.write(SYSTEM) as unit:
        done = settle_attempt(unit, login, attempt, fits)
    if done is None:
        raise SignInRefused
    return done


@needs(Permission.SESSION_OPEN)
def sign_in_system_user(unit: Writing, os_user: str) -> SignIn:
    """Sign in the account of an operating-system user that has no password; PasswordNeeded for one that has."""
    account = for_os_user(unit, os_user)
    if account.has_password:
        raise PasswordNeeded
    unit.execute(update(STAFF).where(STAFF.c.id == account.id).values(last_signed_in_at=unit.now))
    unit.audit(Tag.SESSION_SIGNED_IN, account.id, why="system user")
    return SignIn(actor=account.as_actor(), last_signed_in_at=account.last_signed_in_at, failed_since=0)


def delay_after(failures: int) -> timedelta:
    """How long after the nth failure in a row (1, 2, …) the next attempt must wait."""
    return min(timedelta(seconds=1 << min(failures - 1, 10)), LONGEST_DELAY)


@needs(Permission.SESSION_OPEN)
def claim_attempt(unit: Writing, login: str) -> Attempt:
    """Count an attempt as failed until it is settled; TooSoon while the last failure's delay runs."""
    row = unit.execute(select(STAFF).where(STAFF.c.login == fold_login(login), STAFF.c.active)).mappings().first()
    if row is None:
        return _NOBODY
    failures = row["failed_attempts"]
    due = row["next_attempt_at"]
    if due is not None and due > unit.now:
        raise TooSoon(seconds=-(-(due - unit.now) // timedelta(seconds=1)))
    claimed = unit.execute(
        update(STAFF)
        .where(STAFF.c.id == row["id"], STAFF.c.failed_attempts == failures)
        .where(or_(STAFF.c.next_attempt_at.is_(None), STAFF.c.next_attempt_at <= unit.now))
        .values(failed_attempts=failures + 1, next_attempt_at=unit.now + delay_after(failures + 1))
    )
    if not claimed.rowcount:
        raise TooSoon(seconds=int(delay_after(failures + 1).total_seconds()))
    return Attempt(
        staff_id=row["id"],
        password_hash=row["password_hash"],
        epoch=row["epoch"],
        failed_before=failures,
        last_signed_in_at=row["last_signed_in_at"],
    )


@needs(Permission.SESSION_OPEN)
def settle_attempt(unit: Writing, login: str, attempt: Attempt, fits: bool) -> SignIn | None:
    """Sign the claimed attempt in where its password fits and the account still stands; else None."""
    if fits and attempt.staff_id is not None:
        settled = unit.execute(
            update(STAFF)
            .where(STAFF.c.id == attempt.staff_id, STAFF.c.active, STAFF.c.epoch == attempt.epoch)
            .values(failed_attempts=0, next_attempt_at=None, last_signed_in_at=unit.now)
        )
        if settled.rowcount:
            unit.audit(Tag.SESSION_SIGNED_IN, attempt.staff_id)
            actor = by_login(unit, login).as_actor()
            return SignIn(actor=actor, last_signed_in_at=attempt.last_signed_in_at, failed_since=attempt.failed_before)
    ids = () if attempt.staff_id is None else (attempt.staff_id,)
    unit.audit(Tag.SESSION_REFUSED, *ids, outcome=Outcome.DENIED)
    return None
