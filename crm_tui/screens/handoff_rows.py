"""What the hand-over panel lists, as rows: the next action has the room, the colleague the last column."""

from __future__ import annotations

from enum import Enum

from crm_tui.desk.handoff import Handed, Listed, Mine, Raised
from crm_tui.screens.showing import MINE_RAISED, UNKNOWN, first_name
from crm_tui.terminal import one_line
from crm_tui.widgets.queue_row import QueueRow


class Kind(Enum):
    """How a row came into the list."""

    HANDED = "handed to you"
    MINE = "yours"
    RAISED = MINE_RAISED


def rows_of(listed: Listed) -> list[QueueRow]:
    """Handed to me first, then mine without a next step, the rest of mine, what I escalated."""
    return [
        *(_handed(one) for one in listed.handed),
        *(_mine(one) for one in listed.mine),
        *(_raised(one) for one in listed.raised),
    ]


def kind_of(row: QueueRow) -> Kind:
    """What may be done with a row follows from it."""
    kind = row.key[0]
    assert isinstance(kind, Kind)
    return kind


def mine_of(row: QueueRow) -> Mine | None:
    """The desk's item behind one of mine; None for another."""
    return row.key[1] if isinstance(row.key[1], Mine) else None


def words_of(row: QueueRow) -> str:
    """What its giver says of a row that is handed to me, in full: a row may have no room for it; else empty."""
    return one_line(row.key[1].words or "") if isinstance(row.key[1], Handed) else ""


def _handed(one: Handed) -> QueueRow:
    words = f"“{one.words}” · " if one.words else ""
    return QueueRow(
        id=one.item.conversation_id,
        patient=f"HANDED TO YOU · {words}{one.next_action or ''}",
        category=one.item.patient_name or UNKNOWN,
        state=one.item.lane,
        owner=first_name(one.giver),
        due_at=one.item.due_at,
        key=(Kind.HANDED, one),
    )


def _mine(one: Mine) -> QueueRow:
    if one.offered_to:
        said = f"OFFERED to {first_name(one.offered_to)} · "
    elif one.declined_by:
        said = f"DECLINED by {first_name(one.declined_by)}: {one.words} · "
    else:
        said = "no next step · " if one.unfinished else ""
    return QueueRow(
        id=one.item.conversation_id,
        patient=f"{said}{one.next_action or ''}",
        category=one.item.patient_name or UNKNOWN,
        state=one.item.lane,
        owner="you",
        due_at=one.comes_back_at if one.comes_back_at and not one.unfinished else one.item.due_at,
        key=(Kind.MINE, one),
    )


def _raised(one: Raised) -> QueueRow:
    return QueueRow(
        id=one.conversation_id,
        patient=f"{MINE_RAISED}, not accepted yet",
        category="",
        state=one.lane,
        owner=first_name(one.owner) or "nobody",
        due_at=one.due_at,
        key=(Kind.RAISED, one),
    )
