"""Who works here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from crm_core.access.logins import fold_login
from crm_core.access.model import Actor, Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import STAFF, STAFF_ABSENCE, STAFF_LANE, STAFF_ROLE
from crm_core.access.units import Reading
from crm_core.errors import CrmError, NotFound


class NoAccount(CrmError):
    """No active account belongs to the system user {os_user}; ask for `crm staff os-user`, or use --as."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class AbsenceView:
    """A time when somebody does not work; `substitute` is a login."""

    starts_at: datetime
    ends_at: datetime
    substitute_id: int | None
    substitute: str | None


@dataclass(frozen=True, kw_only=True)
class StaffView:
    """One account as it may be shown; `lanes` None means every lane its roles may see.

    `capacity` None is any number of open conversations; `absences` are those not yet over.
    """

    id: int
    login: str
    name: str
    os_user: str | None
    active: bool
    has_password: bool
    roles: tuple[Role, ...]
    lanes: tuple[str, ...] | None
    epoch: int
    created_at: datetime
    last_signed_in_at: datetime | None
    capacity: int | None
    absences: tuple[AbsenceView, ...]

    def as_actor(self) -> Actor:
        """This account, acting."""
        lanes = None if self.lanes is None else frozenset(self.lanes)
        return Actor.with_roles(self.id, self.name, frozenset(self.roles), lanes, self.epoch)


@needs(Permission.STAFF_READ)
def staff(unit: Reading) -> list[StaffView]:
    """Every account, by login. Four statements."""
    return _views(unit)


@needs(Permission.STAFF_READ)
def by_login(unit: Reading, login: str) -> StaffView:
    """The account called `login`, in any case; NotFound."""
    found = _views(unit, STAFF.c.login == fold_login(login))
    if not found:
        raise NotFound(kind="account", id=fold_login(login))
    return found[0]


@needs(Permission.SESSION_OPEN)
def for_os_user(unit: Reading, os_user: str) -> StaffView:
    """The active account that an operating-system user is mapped to; NoAccount."""
    found = _views(unit, STAFF.c.os_user == os_user, STAFF.c.active)
    if not found:
        raise NoAccount(os_user=os_user)
    return found[0]


@needs(Permission.SESSION_OPEN)
def actor_for_os_user(unit: Reading, os_user: str) -> Actor:
    """`for_os_user`, acting."""
    return for_os_user(unit, os_user).as_actor()


def _views(unit: Reading, *where: ColumnElement[bool]) -> list[StaffView]:
    rows = unit.execute(select(STAFF).where(*where).order_by(STAFF.c.login)).mappings().all()
    ids = [row["id"] for row in rows] if where else None
    roles = _of(unit, STAFF_ROLE.c.role, ids)
    lanes = _of(unit, STAFF_LANE.c.lane, ids)
    absences = _absences(unit, ids)
    return [
        StaffView(
            id=row["id"],
            login=row["login"],
            name=row["name"],
            os_user=row["os_user"],
            active=row["active"],
            has_password=row["password_hash"] is not None,
            roles=tuple(sorted(roles[row["id"]], key=list(Role).index)),
            lanes=tuple(sorted(lanes[row["id"]])) if row["id"] in lanes else None,
            epoch=row["epoch"],
            created_at=row["created_at"],
            last_signed_in_at=row["last_signed_in_at"],
            capacity=row["capacity"],
            absences=tuple(absences[row["id"]]),
        )
        for row in rows
    ]


def _of(unit: Reading, column: Any, ids: Sequence[int] | None) -> defaultdict[int, list[Any]]:
    statement = select(column.table.c.staff_id, column)
    if ids is not None:
        statement = statement.where(column.table.c.staff_id.in_(ids))
    held: defaultdict[int, list[Any]] = defaultdict(list)
    for row in unit.execute(statement).mappings():
        held[row["staff_id"]].append(row[column.name])
    return held


def _absences(unit: Reading, ids: Sequence[int] | None) -> defaultdict[int, list[AbsenceView]]:
    absent = STAFF_ABSENCE.c
    statement = (
        select(absent.staff_id, absent.starts_at, absent.ends_at, absent.substitute_id, STAFF.c.login)
        .outerjoin(STAFF, STAFF.c.id == absent.substitute_id)
        .where(absent.ends_at > unit.now)
        .order_by(absent.starts_at)
    )
    if ids is not None:
        statement = statement.where(absent.staff_id.in_(ids))
    planned: defaultdict[int, list[AbsenceView]] = defaultdict(list)
    for row in unit.execute(statement):
        view = AbsenceView(
            starts_at=row.starts_at, ends_at=row.ends_at, substitute_id=row.substitute_id, substitute=row.login
        )
        planned[row.staff_id].append(view)
    return planned
