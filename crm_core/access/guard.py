"""The look at the account that every unit of work begins with."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from crm_core.access.tables import STAFF
from crm_core.access.units import Reading
from crm_core.errors import CrmError

_EPOCH = select(STAFF.c.epoch).where(STAFF.c.id == bindparam("staff_id"), STAFF.c.active)


class CutOff(CrmError):
    """Your account was disabled or changed since you signed in; sign in again."""

    exit_code = 3


def check_active(unit: Reading) -> None:
    """Refuse the unit, by one statement, when its actor was disabled or changed meanwhile.

    New roles and lanes therefore count from the next sign-in, and removed ones at the next call.
    """
    epoch = unit.execute(_EPOCH, {"staff_id": unit.actor.staff_id}).scalar()
    if epoch is None or unit.actor.epoch not in (None, epoch):
        raise CutOff
