"""Noting that a call rings, was answered, or ended."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.ringing.model import NUMBER_KEPT_FOR, Ringing, RingState
from crm_core.channels.ringing.tables import NUMBERED, Ring
from crm_core.cleaning import single_line
from crm_core.patients.contact_points import known_points
from crm_core.patients.model import ContactKind
from crm_core.patients.preparing import prepare_contact
from crm_core.patients.region import clinic_region
from crm_core.store.dialect import insert_or_ignore
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_LINE = 40
_TABLE = cast("Table", Ring.__table__)


@needs(Permission.MESSAGE_RECEIVE)
def offer(unit: WriteUnit, ringing: Ringing) -> bool:
    """Note a call, or where a known one is by now; returns whether it is new.

    An unknown number is kept with the ring alone, and no number for longer than a day.
    """
    token = unit.vault.token("call", ringing.call_id)
    number, contact_point_id = _caller(unit, ringing.number)
    row_id = unit.new_id(_TABLE.name)
    row = {
        "id": row_id,
        "call_token": token,
        "line": single_line(ringing.line)[:LONGEST_LINE],
        "state": ringing.state,
        "contact_point_id": contact_point_id,
        "rang_at": min(ringing.at, unit.now),
        "changed_at": unit.now,
        "number_sealed": unit.seal(Field.RING_NUMBER, row_id, number),
    }
    unit.changed(Topic.RINGING)
    new = insert_or_ignore(unit.dialect, _TABLE, ["call_token"]).values(row).returning(_TABLE.c.id)
    if unit.scalar(new) is not None:
        _forget_old_numbers(unit)
        return True
    before = [state for state in RingState if state.rank < ringing.state.rank]
    unit.execute(
        update(_TABLE)
        .where(_TABLE.c.call_token == token, _TABLE.c.state.in_(before))
        .values(state=ringing.state, changed_at=unit.now)
    )
    return False


def _caller(unit: ReadUnit, given: str) -> tuple[str | None, int | None]:
    """The number in the form in which it is dialled, and its contact point where there is one."""
    number = single_line(given)
    prepared = prepare_contact(unit.vault, ContactKind.PHONE, number, clinic_region(unit)) if number else None
    if prepared is None or not any(sign.isdecimal() for sign in number):
        return None, None
    return prepared.normal.value, known_points(unit, [prepared.key]).get(prepared.key)


def _forget_old_numbers(unit: WriteUnit) -> None:
    old = (NUMBERED, _TABLE.c.rang_at < unit.now - NUMBER_KEPT_FOR)
    unit.execute(update(_TABLE).where(*old).values(number_sealed=None))
