"""Replies to questions: who confirmed or declined what, and whom to ask where that is not certain.

A reply answers the latest open question alone. Of a number that several share, a question to one
of them makes the reply theirs; with questions to two, they are asked which of them it is, once,
and nothing is confirmed until that is answered. Whatever raised an alarm is left to a person.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from crm_core.access.model import Role
from crm_core.audit.tags import Tag
from crm_core.channels.danger import Verdict
from crm_core.channels.gate import Gate
from crm_core.channels.inbound import Arrival, Reply
from crm_core.channels.model import Handled
from crm_core.channels.prompts.answering import Answering
from crm_core.channels.prompts.model import Answer, PromptKind, PromptObserver, PromptState
from crm_core.channels.prompts.pending import Open, open_prompts
from crm_core.channels.prompts.voiding import PROMPT
from crm_core.channels.prompts.wording import read_answer, read_number
from crm_core.dedup import prompt_task_key
from crm_core.patients.roots import present
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

DECLINED = "Said no to what was asked: call to find another time"
CANNOT_ASK_WHICH = "A reply from a shared number may be this patient's: call and ask what was meant"
_HANDLED = {Answer.CONFIRM: Handled.CONFIRMATION, Answer.DECLINE: Handled.DECLINE}


class PromptHandler:
    """The handler of replies to questions of ours, after the opt-out words and before any conversation."""

    def __init__(self, gate: Gate, observers: Sequence[PromptObserver] = ()) -> None:
        self._gate = gate
        self._observers = observers

    def handle(self, unit: WriteUnit, arrival: Arrival) -> Reply | None:
        """None for what answers no open question, or says anything more than an answer."""
        point = arrival.contact.contact_point_id
        answer, number = read_answer(arrival.said), read_number(arrival.said)
        if point is None or (answer is None and number is None) or not _may_be_read(arrival):
            return None
        prompts = open_prompts(unit, point, arrival.at)
        which = next((one for one in prompts if one.kind is PromptKind.WHICH), None)
        asked = [one for one in prompts if one.kind is PromptKind.CONFIRMATION]
        if number is not None:
            return self._which(unit, arrival, which, number, asked) if which is not None else None
        if answer is None or not asked:
            return None
        patients = sorted({one.patient_id for one in asked if one.patient_id is not None})
        if len(patients) == 1:
            return self._answered(unit, arrival, asked[0], answer)
        if which is not None:
            return Reply(by=_HANDLED[answer], why=("whom it is about was asked before: nothing is confirmed yet",))
        return self._ask_which(unit, arrival, patients, answer)

    def _which(
        self, unit: WriteUnit, arrival: Arrival, which: Open, number: int, asked: Sequence[Open]
    ) -> Reply | None:
        """Somebody said which of them it is: the reply before it is theirs. None for a number that was not offered."""
        if number > len(which.options) or which.meant is None:
            return None
        patient_id = present(unit, which.options[number - 1])
        _settle(unit, which, PromptState.ANSWERED, arrival)
        theirs = next((one for one in asked if one.patient_id == patient_id), None)
        if theirs is None:
            return Reply(by=_HANDLED[which.meant], why=("their question is no longer open: nothing is confirmed",))
        return self._answered(unit, arrival, theirs, which.meant)

    def _answered(self, unit: WriteUnit, arrival: Arrival, prompt: Open, answer: Answer) -> Reply:
        """Take the answer for what has not changed since it was asked, and say so to the patient, once."""
        assert prompt.patient_id is not None
        answering = Answering(unit, self._gate, arrival)
        if not prompt.codes:
            _settle(unit, prompt, PromptState.SUPERSEDED, arrival)
            answering.tell(prompt.patient_id, "changed")
            return _reply(prompt, answer, "what was asked has changed since: nothing is confirmed")
        confirmed = answer is Answer.CONFIRM
        _settle(unit, prompt, PromptState.CONFIRMED if confirmed else PromptState.DECLINED, arrival)
        for observer in self._observers:
            observer.answered(unit, prompt.patient_id, prompt.codes, answer)
        if not confirmed:
            _call(unit, arrival, prompt.patient_id, DECLINED)
        changed = confirmed and bool(prompt.changed)
        answering.tell(prompt.patient_id, *(["confirmed"] if confirmed else ["declined"]), *(["changed"] * changed))
        what = f"{'confirms' if confirmed else 'declines'} {', '.join(prompt.codes)}"
        left = f"; {', '.join(prompt.changed)} has changed since" if prompt.changed else ""
        return _reply(prompt, answer, f"{what}{left}")

    def _ask_which(self, unit: WriteUnit, arrival: Arrival, patients: Sequence[int], answer: Answer) -> Reply:
        """Ask which of them it is, by first name; where that may not be said, a person calls each."""
        if Answering(unit, self._gate, arrival).ask_which(patients, answer):
            why = f"{len(patients)} who share the number were asked: which of them it is was asked back"
            return Reply(by=_HANDLED[answer], why=(why,))
        for patient_id in patients:
            _call(unit, arrival, patient_id, CANNOT_ASK_WHICH)
        return Reply(by=_HANDLED[answer], why=("which of those who share the number it is may not be asked: call",))


def _reply(prompt: Open, answer: Answer, why: str) -> Reply:
    return Reply(by=_HANDLED[answer], why=(why,), patient_id=prompt.patient_id)


def _may_be_read(arrival: Arrival) -> bool:
    """Whether it is a person's text and nothing else: an alarm, a picture or a voice is for a person to judge."""
    if arrival.automatic or arrival.attachments or arrival.channel is Channel.VOICE:
        return False
    return arrival.screening.verdict is not Verdict.ALARM


def _settle(unit: WriteUnit, prompt: Open, state: PromptState, arrival: Arrival) -> None:
    unit.execute(
        update(PROMPT)
        .where(PROMPT.c.id == prompt.id)
        .values(state=state, settled_at=unit.now, answered_by=arrival.message_id)
    )
    unit.audit(Tag.PROMPT_ANSWERED, prompt.id, why=f"{state} by M-{arrival.message_id}")


def _call(unit: WriteUnit, arrival: Arrival, patient_id: int, title: str) -> None:
    task = NewTask(
        kind=TaskKind.CALL_BACK,
        title=title,
        patient_id=patient_id,
        role=Role.AGENT,
        dedup_key=prompt_task_key(arrival.message_id, patient_id),
    )
    add_task(unit, task)
