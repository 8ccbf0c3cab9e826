"""Which conversation a letter answers, by the Message-IDs that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from crm_core.channels.inbound import Arrival
from crm_core.channels.letters import conversations_answered
from crm_core.inbox.model import State
from crm_core.inbox.rules import InboxRules
from crm_core.inbox.tables import Conversation
from crm_core.work.units import ReadUnit

MOST_MERGES = 5
"""Merges that are followed from a letter's conversation to where its thread is now."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A conversation that is open, or closed so lately that a new text reopens it."""

    id: int
    is_open: bool


def answered_conversation(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> Answered | None:
    """The conversation of the letter that was answered, where it is the sender's own.

    Anyone can write any Message-ID into a letter: it joins a thread only where the address is
    on that patient's record, or, while nobody knows whose the thread is, is the one it is with.
    """
    for number in conversations_answered(unit, arrival.answers):
        row = _where_it_is_now(unit, number)
        if row is None or not _is_senders(arrival, row):
            continue
        if row.state != State.CLOSED:
            return Answered(id=row.id, is_open=True)
        if arrival.at <= rules.reopens_until(row.lane, row.closed_at):
            return Answered(id=row.id, is_open=False)
    return None


def _where_it_is_now(unit: ReadUnit, conversation_id: int) -> Any:
    row = None
    for _ in range(MOST_MERGES):
        row = unit.execute(
            select(
                Conversation.id, Conversation.patient_id, Conversation.contact_point_id, Conversation.state,
                Conversation.lane, Conversation.closed_at, Conversation.merged_into_id,
            ).where(Conversation.id == conversation_id)
        ).one_or_none()  # fmt: skip
        if row is None or row.merged_into_id is None:
            return row
        conversation_id = row.merged_into_id
    return row


def _is_senders(arrival: Arrival, row: Any) -> bool:
    if row.patient_id is not None:
        return row.patient_id in arrival.contact.patient_ids
    point = arrival.contact.contact_point_id
    return point is not None and row.contact_point_id == point
