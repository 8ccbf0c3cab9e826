"""Keeping questions: asking, and what voids one. How a reply is read is in replies.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.prompts.model import KIND, NewPrompt, PromptKind, PromptState
from crm_core.channels.prompts.tables import STILL_PENDING
from crm_core.channels.prompts.voiding import PROMPT, SUBJECT, void
from crm_core.dedup import prompt_timer_key
from crm_core.timers.service import NewTimer, set_timers
from crm_core.work.units import WriteUnit

OPEN_FOR = timedelta(days=3)
"""How long a question may be answered that is about nothing with a time of its own."""


@needs(Permission.NOTICE_PLAN)
def ask(unit: WriteUnit, prompts: Sequence[NewPrompt]) -> None:
    """Keep what these messages ask; three statements for any number.

    A question is open until what it asks about takes place, at least an hour, or for OPEN_FOR. What
    was asked before about the same things is superseded: a reply answers the latest.
    """
    if not prompts:
        return
    ids = unit.new_ids("prompt", len(prompts))
    ends = [_ends(unit.now, prompt) for prompt in prompts]
    subjects = [
        {"prompt_id": number, "position": at, "code": one.code, "at": one.at, "notice_id": one.notice_id}
        for number, prompt in zip(ids, prompts, strict=True)
        for at, one in enumerate(prompt.about)
    ]
    _supersede(unit, [one.code for prompt in prompts for one in prompt.about])
    rows = [
        {
            "id": number,
            "kind": PromptKind.CONFIRMATION,
            "message_id": prompt.message_id,
            "patient_id": prompt.patient_id,
            "contact_point_id": prompt.contact_point_id,
            "state": PromptState.PENDING,
            "asked_at": unit.now,
            "expires_at": end,
        }
        for number, prompt, end in zip(ids, prompts, ends, strict=True)
    ]
    unit.execute(insert(PROMPT), rows)
    unit.execute(insert(SUBJECT), subjects)
    set_timers(
        unit,
        [
            NewTimer(kind=KIND, subject_id=number, run_at=end, dedup_key=prompt_timer_key(number))
            for number, end in zip(ids, ends, strict=True)
        ],
    )


@needs(Permission.NOTICE_PLAN)
def subjects_changed(unit: WriteUnit, codes: Sequence[str]) -> int:
    """What these things were when they were asked about is no longer true; how many open questions that voids."""
    return void(unit, SUBJECT.c.code.in_(codes))


def _supersede(unit: WriteUnit, codes: Sequence[str]) -> None:
    """Close the open questions that ask about nothing but these, asked anew now."""
    others = select(SUBJECT.c.prompt_id).where(SUBJECT.c.code.not_in(codes))
    theirs = select(SUBJECT.c.prompt_id).where(SUBJECT.c.code.in_(codes))
    unit.execute(
        update(PROMPT)
        .where(STILL_PENDING, PROMPT.c.id.in_(theirs), PROMPT.c.id.not_in(others))
        .values(state=PromptState.SUPERSEDED, settled_at=unit.now)
    )


def _ends(now: datetime, prompt: NewPrompt) -> datetime:
    times = [one.at for one in prompt.about if one.at is not None]
    return max(min(times), now + timedelta(hours=1)) if times else now + OPEN_FOR
