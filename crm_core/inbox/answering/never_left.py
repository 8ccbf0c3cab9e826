"""An answer that never left has answered nobody: its step is undone, and the clock runs from the patient's question.

docs/decisions/clocks-are-counted-from-steps.md says which answers these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.model import Turn, Verb
from crm_core.inbox.record import Current, change, stored
from crm_core.inbox.tables import Step, Undo
from crm_core.inbox.threads.parting import owed_since, said_in
from crm_core.inbox.timing.counting import life_of
from crm_core.work.units import ReadUnit, WriteUnit


@needs(Permission.CONVERSATION_WORK)
def ask_again(
    unit: WriteUnit,
    conversation: Current,
    verb: Verb,
    values: Mapping[str, Any],
    message_ids: Sequence[int],
    *,
    reason: str | None,
    words: str | None = None,
    undoable: bool = False,
    also: Mapping[str, Any] | None = None,
) -> None:
    """Change a conversation in which these messages never left, otherwise as `change` does.

    Their steps are undone wherever they lie by now, and `first_response_at` is what it is without
    them. Where no step says any more that the patient asked, this one says since when; where
    nobody can tell, they ask now, but for an undo.
    """
    here: list[int] = []
    for step_id, lies_in in _steps_of(unit, message_ids):
        if lies_in == conversation.id:
            here.append(step_id)
        else:
            change(unit, stored(unit, lies_in), Verb.UNDONE, {}, undoes=step_id)
    for step_id in here[:-1]:
        change(unit, stored(unit, conversation.id), Verb.UNDONE, {}, undoes=step_id)
    if here[:-1]:
        conversation = stored(unit, conversation.id)
    undoes = here[-1] if here else None
    life = life_of(unit, conversation.id, conversation.row["opened_at"], without=undoes)
    owed, asked_at = life.owed_since, None
    if not message_ids:
        asked_at = unit.now
    elif owed is None:
        owed = asked_at = owed_since(said_in(unit, conversation.id))
        asked_at = asked_at or (None if verb is Verb.UNDONE else unit.now)
    told: dict[str, Any] = {}
    if undoes is not None:
        answered = (event.turn_at for event in life.events if event.turn is Turn.ANSWERED)
        told["first_response_at"] = next(answered, None)
    if owed is not None and message_ids:
        told["waiting_since"] = owed
    turn = Turn.ASKED if asked_at is not None else None
    change(
        unit,
        conversation,
        verb,
        {**values, **told},
        turn=turn,
        turn_at=asked_at,
        undoes=undoes,
        reason=reason,
        words=words,
        undoable=undoable,
        also=also,
    )


def is_owed(unit: ReadUnit, conversation: Current) -> bool:
    """Whether the patient waits for an answer by the messages that lie in the conversation."""
    return owed_since(said_in(unit, conversation.id)) is not None


def later_verbs(unit: ReadUnit, conversation: Current, step_id: int | None) -> frozenset[Verb] | None:
    """What was done to it since that step; None where the step does not lie in it."""
    step = unit.execute(select(Step.at, Step.conversation_id).where(Step.id == step_id)).one_or_none()
    if step is None or step.conversation_id != conversation.id:
        return None
    rows = unit.execute(select(Step.id, Step.at, Step.verb).where(Step.conversation_id == conversation.id))
    since: tuple[datetime, int] = (step.at, step_id or 0)
    return frozenset(row.verb for row in rows if (row.at, row.id) > since)


def _steps_of(unit: ReadUnit, message_ids: Sequence[int]) -> list[tuple[int, int]]:
    """The steps by which these messages answered and that still count, the first first, with where each lies."""
    undone = select(Step.undoes_id).where(Step.undoes_id.is_not(None))
    found = unit.execute(
        select(Step.id, Step.conversation_id)
        .join(Undo, Undo.step_id == Step.id)
        .where(Undo.message_id.in_(message_ids), Step.turn == Turn.ANSWERED, Step.id.not_in(undone))
        .order_by(Step.at, Step.id)
    )
    return [(row.id, row.conversation_id) for row in found]
