"""What we say back to a reply: once, at any hour, as the patient has just written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import insert

from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.inbound import Arrival
from crm_core.channels.notices.people import Person, people
from crm_core.channels.outbox import NotSendable, Posting, post
from crm_core.channels.prompts.model import KIND, Answer, PromptKind, PromptState
from crm_core.channels.prompts.section import OPTIONS, PromptsSection
from crm_core.channels.prompts.voiding import PROMPT
from crm_core.dedup import prompt_answer_key, prompt_timer_key
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.timers.service import NewTimer, set_timers
from crm_core.words import Channel, Purpose
from crm_core.work.units import WriteUnit

WHICH_OPEN_FOR = timedelta(days=1)
"""How long somebody may say which of those who share a number it was."""


class Answering:
    """Our answer to one arrival."""

    def __init__(self, unit: WriteUnit, gate: Gate, arrival: Arrival) -> None:
        self._unit = unit
        self._gate = gate
        self._arrival = arrival
        self._texts = in_force(unit).section(PromptsSection)
        self._clinic = in_force(unit).section(ClinicSection)

    def tell(self, patient_id: int, *names: str) -> None:
        """Say these texts to the patient; with the first name before them where the number is shared.

        Where the gate lets nothing go, what was answered stands without it.
        """
        person = self._people([patient_id])[patient_id]
        texts = self._texts.texts(self._language(person))
        said = " ".join(getattr(texts, name) for name in names)
        shared = len(self._arrival.contact.patient_ids) > 1
        self._post(person, f"{person.first_name}: {said}" if shared and person.first_name else said)

    def ask_which(self, patient_ids: Sequence[int], meant: Answer) -> bool:
        """Ask which of these patients a reply is about, by first name, and keep the question.

        False where the gate lets it go to any one of them not, or a name does not tell two apart.
        """
        found = self._people(patient_ids)
        whom = [found[patient_id] for patient_id in patient_ids]
        names = [one.first_name.casefold() for one in whom if one.first_name]
        if len(set(names)) < len(whom):
            return False
        languages = {self._language(one) for one in whom}
        texts = self._texts.texts(languages.pop() if len(languages) == 1 else "en")
        options = ", ".join(f"{at} {texts.option} {one.first_name}" for at, one in enumerate(whom, 1))
        text = texts.which.replace(OPTIONS, options)
        verdicts = self._gate.judge_all(self._unit, [self._candidate(one, text) for one in whom])
        if not all(verdict.allowed for verdict in verdicts):
            return False
        message_id = self._post(whom[0], text)
        if message_id is not None:
            self._keep(message_id, patient_ids, meant)
        return message_id is not None

    def _keep(self, message_id: int, patient_ids: Sequence[int], meant: Answer) -> None:
        unit, number = self._unit, self._unit.new_id("prompt")
        ends = unit.now + WHICH_OPEN_FOR
        row = {
            "id": number,
            "kind": PromptKind.WHICH,
            "message_id": message_id,
            "contact_point_id": self._arrival.contact.contact_point_id,
            "state": PromptState.PENDING,
            "asked_at": unit.now,
            "expires_at": ends,
            "options": " ".join(str(patient_id) for patient_id in patient_ids),
            "meant": meant,
        }
        unit.execute(insert(PROMPT).values(row))
        key = prompt_timer_key(number)
        set_timers(unit, [NewTimer(kind=KIND, subject_id=number, run_at=ends, dedup_key=key)])

    def _post(self, person: Person, text: str) -> int | None:
        posting = Posting(
            conversation_id=None,
            candidate=self._candidate(person, text),
            author_id=None,
            dedup_key=prompt_answer_key(self._arrival.message_id),
        )
        try:
            return post(self._unit, self._gate, posting)
        except NotSendable:
            return None

    def _candidate(self, person: Person, text: str) -> Candidate:
        return Candidate(
            channel=self._arrival.channel,
            contact_point_id=self._arrival.contact.contact_point_id,
            patient_id=person.patient_id,
            text=text,
            first_name=person.first_name,
            subject=self._clinic.name if self._arrival.channel is Channel.EMAIL else None,
            purpose=Purpose.ANSWER,
            automatic=True,
            answers=True,
        )

    def _people(self, patient_ids: Sequence[int]) -> Mapping[int, Person]:
        with self._unit.listing("prompt", "answer"):
            return people(self._unit, patient_ids)

    def _language(self, person: Person) -> str:
        return (person.language or self._clinic.language).split("-")[0].casefold()
