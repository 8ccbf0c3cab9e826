"""Who escalates keeps "mine, escalated" until somebody has accepted it; and what is put to a physician is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.errors import CrmError
from crm_core.inbox.model import State
from crm_core.inbox.record import Current
from crm_core.inbox.rules import DANGER_LANE, PHYSICIAN_LANE, inbox_rules
from crm_core.inbox.tables import RAISED, Conversation
from crm_core.work.units import ReadUnit


class ForPhysicians(CrmError):
    """C-{conversation_id} is put to a physician; add a note, answer it, or move it back to clinical triage."""


@dataclass(frozen=True, kw_only=True)
class Raised:
    """A conversation that I have escalated and nobody has accepted: no patient in it.

    `may_open` is False where it has gone to a lane that I do not see.
    """

    conversation_id: int
    lane: str
    lane_title: str
    state: State
    owner: str | None
    due_at: datetime | None
    may_open: bool


def accepted(unit: ReadUnit, row: Mapping[str, Any], new_owner: int | None) -> dict[str, datetime]:
    """The column that says that it was accepted, where it passes to someone to whom it was raised."""
    raised = row["escalated_by"] is not None and row["accepted_at"] is None
    return {"accepted_at": unit.now} if raised and new_owner not in (None, row["escalated_by"]) else {}


def for_physicians(unit: ReadUnit, conversation: Current) -> None:
    """Refuse everyone but a physician what would make a question to physicians the actor's own."""
    if conversation.lane == PHYSICIAN_LANE and Role.PHYSICIAN not in unit.actor.roles:
        raise ForPhysicians(conversation_id=conversation.id)


def to_who_asked(conversation: Current) -> dict[str, Any]:
    """The columns by which what lay with physicians is the nurse's again who asked; none for anything else."""
    if conversation.lane != PHYSICIAN_LANE:
        return {}
    return {"lane": DANGER_LANE, "owner_id": conversation.row["escalated_by"], "taken_at": None}


def is_raised_by(staff_id: int, row: Any) -> bool:
    """Whether this person escalated it and still waits for somebody to accept it."""
    return bool(
        row.escalated_by == staff_id
        and row.accepted_at is None
        and row.owner_id != staff_id
        and row.state is not State.CLOSED
    )


@needs(Permission.LANE_READ)
def escalated_by_me(unit: ReadUnit) -> list[Raised]:
    """What I have escalated and nobody has accepted yet, oldest first, whatever lane it is in now."""
    rules = inbox_rules(unit)
    visible = rules.visible(unit.actor)
    rows = unit.execute(
        select(Conversation.id, Conversation.lane, Conversation.state, Conversation.due_at, Staff.name.label("owner"))
        .outerjoin(Staff, Staff.id == Conversation.owner_id)
        .where(RAISED, Conversation.escalated_by == unit.actor.staff_id)
        .where(Conversation.owner_id.is_distinct_from(unit.actor.staff_id))
        .order_by(Conversation.waiting_since, Conversation.id)
    )
    titles = {key: lane.title for key, lane in rules.lanes.lane.items()}
    return [
        Raised(
            conversation_id=row.id,
            lane=row.lane,
            lane_title=titles.get(row.lane, row.lane),
            state=row.state,
            owner=row.owner,
            due_at=row.due_at,
            may_open=row.lane in visible,
        )
        for row in rows
    ]
