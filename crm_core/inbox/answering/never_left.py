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
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import Current, change, stored
from crm_core.inbox.tables import Step, Undo
from crm_core.inbox.timing.clocks import Life
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
    them. Where no step says any more since when the patient waits, this one does; where none of
    them had answered, they ask now, but for an undo.
    """
    steps = _steps_of(unit, message_ids)
    for step_id, lies_in in steps:
        if step_id != _last(steps, lies_in):
            change(unit, stored(unit, lies_in), Verb.UNDONE, {}, undoes=step_id)
    owed = owed_without(unit, conversation, message_ids) if steps else None
    for lies_in in sorted({lies_in for _, lies_in in steps} - {conversation.id}):
        change(unit, stored(unit, lies_in), Verb.UNDONE, {}, undoes=_last(steps, lies_in))
    if len(steps) > 1:
        conversation = stored(unit, conversation.id)
    undoes = _last(steps, conversation.id)
    life = life_of(unit, conversation.id, conversation.row["opened_at"], without=undoes)
    asked_at = owed if owed != life.owed_since else None
    if owed is None and verb is not Verb.UNDONE:
        asked_at = unit.now
    told: dict[str, Any] = {}
    if undoes is not None:
        answered = (event.turn_at for event in life.events if event.turn is Turn.ANSWERED)
        told["first_response_at"] = next(answered, None)
    if owed is not None:
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


def owed_without(unit: ReadUnit, conversation: Current, message_ids: Sequence[int]) -> datetime | None:
    """Since when the patient waits in a conversation if these messages never left; None where nobody does.

    That it was closed or merged since has answered nobody.
    """
    steps = _steps_of(unit, message_ids)
    lying_in = {lies_in for _, lies_in in steps} | {conversation.id}
    waited = (_owed_in(unit, stored(unit, lies_in), _last(steps, lies_in)) for lies_in in lying_in)
    return min((since for since in waited if since is not None), default=None)


def _owed_in(unit: ReadUnit, conversation: Current, without: int | None) -> datetime | None:
    life = life_of(unit, conversation.id, conversation.row["opened_at"], without=without)
    events = list(life.events)
    while events and events[-1].state is State.CLOSED:
        events.pop()
    return Life(opened_at=life.opened_at, events=tuple(events)).owed_since


def _last(steps: Sequence[tuple[int, int]], conversation_id: int) -> int | None:
    return next((step_id for step_id, lies_in in reversed(steps) if lies_in == conversation_id), None)


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
