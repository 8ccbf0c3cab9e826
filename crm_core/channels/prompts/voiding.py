"""Voiding questions whose things have changed, whoever changed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import ColumnElement, Table, select, update

from crm_core.channels.prompts.model import PromptKind, PromptState
from crm_core.channels.prompts.tables import STILL_PENDING, Prompt, PromptSubject
from crm_core.work.units import WriteUnit

PROMPT = cast("Table", Prompt.__table__)
SUBJECT = cast("Table", PromptSubject.__table__)


def void(unit: WriteUnit, which: ColumnElement[bool]) -> int:
    """What `which`, a condition on `SUBJECT`, finds is not what was asked about any more; how many open questions.

    The question stays where it is, so that a "C" to it is known, confirms nothing of this, and is told so.
    """
    open_ones = select(PROMPT.c.id).where(STILL_PENDING, PROMPT.c.kind == PromptKind.CONFIRMATION)
    changed = unit.execute(
        update(SUBJECT)
        .where(which, SUBJECT.c.changed_at.is_(None), SUBJECT.c.prompt_id.in_(open_ones))
        .values(changed_at=unit.now)
        .returning(SUBJECT.c.prompt_id)
    ).scalars()
    return len(set(changed))


def withdraw(unit: WriteUnit, which: ColumnElement[bool]) -> list[int]:
    """Close the open questions that answer to `which`, a condition on `PROMPT`: nobody is asked any more."""
    gone = unit.execute(
        update(PROMPT)
        .where(PROMPT.c.state == PromptState.PENDING, which)
        .values(state=PromptState.WITHDRAWN, settled_at=unit.now)
        .returning(PROMPT.c.id)
    ).scalars()
    return sorted(gone)


def withdraw_unsent(unit: WriteUnit, message_ids: Sequence[int]) -> list[int]:
    """Close what these messages were to ask, which did not arrive."""
    return withdraw(unit, PROMPT.c.message_id.in_(message_ids))
