"""A step that is written beside a change of the conversation, or without one: an offer, an assignment by the system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from crm_core.inbox.model import Verb
from crm_core.inbox.tables import Step
from crm_core.vault.fields import Field
from crm_core.work.units import WriteUnit

_ADD_STEP = insert(Step.__table__)  # type: ignore[arg-type]


def write_step(
    unit: WriteUnit,
    row: Mapping[str, Any],
    verb: Verb,
    *,
    actor_id: int,
    to_owner: int | None,
    reason: str | None,
    words: str | None,
) -> None:
    """Write it down where state, lane and version stay as the stored `row` has them."""
    step_id = unit.new_id("step")
    step = {
        "id": step_id,
        "conversation_id": row["id"],
        "at": unit.now,
        "actor_id": actor_id,
        "verb": verb,
        "from_state": row["state"],
        "to_state": row["state"],
        "from_lane": row["lane"],
        "to_lane": row["lane"],
        "from_owner": row["owner_id"],
        "to_owner": to_owner,
        "reason": reason,
        "words_sealed": unit.seal(Field.STEP_TEXT, step_id, words),
    }
    unit.execute(_ADD_STEP, [step])
