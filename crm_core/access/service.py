"""Accounts: made, changed, ended. Whatever changes an account ends its sessions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, insert, select, update

from crm_core.access.logins import checked_login, checked_name
from crm_core.access.model import PERMISSIONS, Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import STAFF, STAFF_LANE, STAFF_ROLE
from crm_core.access.units import Writing
from crm_core.audit.tags import Tag
from crm_core.errors import AlreadyInUse, NotFound, Refused, UsageError

_MANAGERS = tuple(role for role, held in PERMISSIONS.items() if Permission.STAFF_MANAGE in held)


class LastAdministrator(Refused):
    """Nobody else could manage accounts; give another active account the role admin first."""


@needs(Permission.STAFF_MANAGE)
def create_staff(
    unit: Writing,
    *,
    login: str,
    name: str,
    roles: Collection[Role],
    lanes: Collection[str] | None = None,
    os_user: str | None = None,
    password_hash: str | None = None,
) -> int:
    """Make an account and return its id; `password_hash` comes from `passwords.hash_password`.

    Raises BadLogin, BadName, AlreadyInUse (login or operating-system user).
    """
    login, name = checked_login(login), checked_name(name)
    _refuse_taken(unit, STAFF.c.login == login, "login")
    if os_user is not None:
        _refuse_taken(unit, STAFF.c.os_user == os_user, "operating-system user")
    staff_id = unit.new_id("staff")
    values = {"id": staff_id, "login": login, "name": name, "os_user": os_user, "password_hash": password_hash}
    unit.execute(insert(STAFF).values(**values, active=True, epoch=1, failed_attempts=0, created_at=unit.now))
    _put_roles(unit, staff_id, roles)
    _put_lanes(unit, staff_id, lanes)
    unit.audit(Tag.STAFF_CREATED, staff_id, why=_words(roles))
    return staff_id


@needs(Permission.STAFF_MANAGE)
def set_roles(unit: Writing, staff_id: int, roles: Collection[Role]) -> None:
    """Replace the account's roles; refuses to leave nobody who may manage accounts."""
    if not set(roles) & set(_MANAGERS):
        _refuse_last_manager(unit, staff_id)
    _touch(unit, staff_id)
    unit.execute(delete(STAFF_ROLE).where(STAFF_ROLE.c.staff_id == staff_id))
    _put_roles(unit, staff_id, roles)
    unit.audit(Tag.STAFF_ROLES_SET, staff_id, why=_words(roles))


@needs(Permission.STAFF_MANAGE)
def set_lanes(unit: Writing, staff_id: int, lanes: Collection[str] | None) -> None:
    """Replace the lanes the account works; None or empty: every lane its roles may see."""
    _touch(unit, staff_id)
    unit.execute(delete(STAFF_LANE).where(STAFF_LANE.c.staff_id == staff_id))
    _put_lanes(unit, staff_id, lanes)
    unit.audit(Tag.STAFF_LANES_SET, staff_id, why=_words(lanes or ["all"]))


@needs(Permission.STAFF_MANAGE)
def set_password(unit: Writing, staff_id: int, password_hash: str) -> None:
    """Give the account a new password, hashed beforehand; forgets the delays of failed attempts."""
    _touch(unit, staff_id, password_hash=password_hash, failed_attempts=0, next_attempt_at=None)
    unit.audit(Tag.STAFF_PASSWORD_SET, staff_id)


@needs(Permission.STAFF_MANAGE)
def disable(unit: Writing, staff_id: int) -> None:
    """Stop the account at its next call; its work and history stay. Refused for the last administrator."""
    _refuse_last_manager(unit, staff_id)
    _touch(unit, staff_id, active=False)
    unit.audit(Tag.STAFF_DISABLED, staff_id)


@needs(Permission.STAFF_MANAGE)
def enable(unit: Writing, staff_id: int) -> None:
    """Let the account sign in again."""
    _touch(unit, staff_id, active=True)
    unit.audit(Tag.STAFF_ENABLED, staff_id)


@needs(Permission.STAFF_MANAGE)
def map_os_user(unit: Writing, staff_id: int, os_user: str | None) -> None:
    """Say which operating-system user the account is; None unmaps. AlreadyInUse."""
    if os_user is not None:
        _refuse_taken(unit, (STAFF.c.os_user == os_user) & (STAFF.c.id != staff_id), "operating-system user")
    _touch(unit, staff_id, os_user=os_user)
    unit.audit(Tag.STAFF_OS_USER_UNMAPPED if os_user is None else Tag.STAFF_OS_USER_MAPPED, staff_id)


def _touch(unit: Writing, staff_id: int, **values: object) -> None:
    changed = unit.execute(update(STAFF).where(STAFF.c.id == staff_id).values(epoch=STAFF.c.epoch + 1, **values))
    if not changed.rowcount:
        raise NotFound(kind="account", id=staff_id)


def _refuse_taken(unit: Writing, where: ColumnElement[bool], what: str) -> None:
    # The unique constraints settle a race; this look only words the common case.
    if unit.scalar(select(STAFF.c.id).where(where)) is not None:
        raise AlreadyInUse(what=what)


def _refuse_last_manager(unit: Writing, staff_id: int) -> None:
    # Two administrators who end each other at once must not both succeed: the accounts are locked,
    # in id order, and then looked at again by a statement that sees what the other committed.
    managing = select(STAFF_ROLE.c.staff_id).where(STAFF_ROLE.c.role.in_(_MANAGERS))
    managers = select(STAFF.c.id).where(STAFF.c.active, STAFF.c.id.in_(managing)).order_by(STAFF.c.id)
    unit.execute(managers.with_for_update())
    if set(unit.execute(managers).scalars()) == {staff_id}:
        raise LastAdministrator


def _put_roles(unit: Writing, staff_id: int, roles: Collection[Role]) -> None:
    if not roles:
        raise UsageError(problem="An account needs at least one role", remedy="name one, for instance agent")
    rows = [{"staff_id": staff_id, "role": role} for role in sorted(set(roles))]
    unit.execute(insert(STAFF_ROLE), rows)


def _put_lanes(unit: Writing, staff_id: int, lanes: Collection[str] | None) -> None:
    if lanes:
        unit.execute(insert(STAFF_LANE), [{"staff_id": staff_id, "lane": lane} for lane in sorted(set(lanes))])


def _words(words: Collection[str]) -> str:
    return ",".join(sorted(words))
