"""Saying what a conversation is about, and how urgent, where the rules said otherwise."""

from __future__ import annotations

from typing import Any

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import NotPermitted, UsageError
from crm_core.inbox.complaints import COMPLAINT_CATEGORY
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import change, current, held_for_clinicians, next_action, still_open
from crm_core.inbox.rules import coded
from crm_core.words import Priority
from crm_core.work.units import WriteUnit


@needs(Permission.CONVERSATION_WORK)
def classify(
    unit: WriteUnit, conversation_id: int, *, category: str | None = None, priority: Priority | None = None
) -> None:
    """Give it another category or priority; its clocks follow, its lane stays.

    What has ever alarmed only a clinician makes less urgent; that a complaint is none a supervisor
    says, since it could then end without an answer. A person has read it, so nothing in
    it counts as unscreened any more. What nobody has worked on yet says the new category's first action.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "reclassify")
    if category is not None:
        coded(dict(conversation.rules.categories.category), category, "category")
    before = (conversation.row["category"], conversation.priority)
    after = (category or before[0], priority or before[1])
    if after == before:
        raise UsageError(
            problem=f"C-{conversation_id} is {before[0]}, {before[1]} already",
            remedy="give another category or priority",
        )
    if after[1].rank > before[1].rank:
        held_for_clinicians(unit, conversation, "make less urgent")
    if before[0] == COMPLAINT_CATEGORY != after[0] and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotPermitted(action="say that a complaint is none", permission=Permission.CONVERSATION_ASSIGN.value)
    values: dict[str, Any] = {"category": after[0], "priority": after[1]}
    if not conversation.danger:
        values["unscreened"] = False
    if conversation.state is State.NEW and after[0] != before[0]:
        values |= next_action(unit, conversation_id, conversation.rules.first_action(after[0]))
    said = "/".join(new for new, old in zip(after, before, strict=True) if new != old)
    change(unit, conversation, Verb.RECLASSIFIED, values, reason=said, undoable=True)
