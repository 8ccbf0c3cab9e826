"""Contact points in bulk: one row for each number or address, whoever uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from crm_core.patients.model import ContactKind
from crm_core.patients.preparing import PreparedContact
from crm_core.patients.tables import LINK, PATIENT, POINT, ROOT
from crm_core.store.dialect import insert_or_ignore
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

Key = tuple[ContactKind, int]
CHUNK = 10_000
"""Values in one IN list; both stores take more, their planners do not enjoy it."""


def known_points(unit: ReadUnit, keys: Iterable[Key]) -> dict[Key, int]:
    """The ids of those contact points that exist."""
    wanted = sorted({token for _, token in keys})
    found: dict[Key, int] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = unit.execute(
            select(POINT.c.kind, POINT.c.value_token, POINT.c.id).where(
                POINT.c.value_token.in_(wanted[start : start + CHUNK])
            )
        )
        found.update({(row.kind, row.value_token): row.id for row in rows})
    return found


def ensure_points(unit: WriteUnit, contacts: Sequence[PreparedContact]) -> dict[Key, int]:
    """The ids of all these contact points, made where they were missing; at most three statements.

    Another process may make the same row at the same time: the store keeps one, and both use it.
    """
    by_key = {contact.key: contact for contact in contacts}
    found = known_points(unit, by_key)
    missing = [contact for key, contact in by_key.items() if key not in found]
    if not missing:
        return found
    ids = unit.new_ids("contact_point", len(missing))
    unit.execute(
        insert_or_ignore(unit.dialect, POINT, ("value_token", "kind")),
        [
            {
                "id": point_id,
                "kind": contact.normal.kind,
                "value_sealed": unit.seal(Field.CONTACT_VALUE, point_id, contact.normal.value),
                "value_token": contact.token,
                "last_four_token": contact.last_four_token,
                "invalid_at": unit.now if contact.normal.problem else None,
                "invalid_reason": contact.normal.problem,
                "created_at": unit.now,
            }
            for point_id, contact in sorted(zip(ids, missing, strict=True), key=lambda pair: pair[1].token)
        ],
    )
    return found | known_points(unit, [contact.key for contact in missing])


def users_of(unit: ReadUnit, contact_point_id: int) -> tuple[int, ...]:
    """The patients who use a contact point, by id; records merged into one patient are one."""
    of_point = LINK.c.contact_point_id == contact_point_id
    users = select(ROOT).join(LINK, LINK.c.patient_id == PATIENT.c.id).where(of_point)
    return tuple(sorted(set(unit.scalars(users))))
