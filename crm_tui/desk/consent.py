"""What the console asks about consent: a patient's card, what somebody said, and numbers to decide about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import Actor, Permission
from crm_core.app import Crm
from crm_core.channels.consent import deciding, queries, service
from crm_core.channels.consent.deciding import HeldNumber
from crm_core.channels.consent.model import About, Decision, How
from crm_core.channels.consent.queries import ConsentCard, NumberLine
from crm_core.inbox.thread import conversation
from crm_core.patients import deaths, preferences, proxies, typed_contacts
from crm_core.patients.model import Relation
from crm_core.patients.proxies import ProxyView, SpokenFor
from crm_core.patients.queries import contact_value
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

__all__ = [
    "About",
    "Channel",
    "ConsentCard",
    "ConsentDesk",
    "Consents",
    "Decision",
    "HeldNumber",
    "How",
    "NumberLine",
    "ProxyView",
    "Relation",
    "SpokenFor",
]


@dataclass(frozen=True, kw_only=True)
class Consents:
    """What the record of a patient shows of consent, and who speaks for the patient."""

    card: ConsentCard
    proxies: tuple[ProxyView, ...]


class ConsentDesk:
    """Everything about what patients agreed to, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def wording(self, about: About, language: str | None) -> str | None:
        """What is to be read out before somebody agrees to it; None where there is nothing."""
        with self._crm.read(self._actor) as unit:
            return queries.wording(unit, about, language)[1]

    def record(
        self, patient_id: int, channel: Channel, about: About, *, decision: Decision, how: How, words: str
    ) -> None:
        """Write down what a patient said."""
        with self._crm.write(self._actor) as unit:
            service.record(unit, patient_id, channel=channel, about=about, decision=decision, how=how, evidence=words)

    def only(self, patient_id: int, channel: Channel, contact_point_id: int | None, words: str) -> None:
        """Keep that a patient is to be reached this way only."""
        with self._crm.write(self._actor) as unit:
            service.ask_for_confidence(
                unit, patient_id, channel=channel, contact_point_id=contact_point_id, words=words
            )

    def any_way(self, patient_id: int) -> None:
        """The patient may be reached any way again."""
        with self._crm.write(self._actor) as unit:
            service.end_confidence(unit, patient_id)

    def prefer(self, patient_id: int, channels: tuple[Channel, ...], contact_point_ids: tuple[int, ...]) -> None:
        """Keep a patient's own order."""
        with self._crm.write(self._actor) as unit:
            preferences.prefer(unit, patient_id, channels, contact_point_ids)

    def add_proxy(
        self, patient_id: int, name: str, relation: Relation, number: str, *, speaks: bool, receives: bool
    ) -> None:
        """Keep who may speak for a patient or receive for them; `number` may be empty."""
        with self._crm.write(self._actor) as unit:
            proxies.add_proxy(
                unit,
                patient_id,
                name=name,
                relation=relation,
                contact_point_id=typed_contacts.any_point(unit, number) if number else None,
                may_speak=speaks,
                may_receive=receives,
            )

    def end_proxy(self, patient_id: int, proxy_id: int) -> None:
        """From now on they may neither speak nor receive."""
        with self._crm.write(self._actor) as unit:
            proxies.end_proxy(unit, patient_id, proxy_id)

    def died(self, patient_id: int, died_at: datetime | None = None) -> None:
        """Keep that a patient has died."""
        with self._crm.write(self._actor) as unit:
            deaths.record_death(unit, patient_id, died_at)

    def held(self, conversation_id: int) -> HeldNumber | None:
        """The number of this conversation about which somebody must decide, if there is one."""
        with self._crm.read(self._actor) as unit:
            held = deciding.held_numbers(unit)
        return next((one for one in held if one.conversation_id == conversation_id), None)

    def decide(self, contact_point_id: int, *, stop: bool, words: str) -> int:
        """No more messages, or what waits goes on; how many messages that was."""
        with self._crm.write(self._actor) as unit:
            return deciding.decide(unit, contact_point_id, stop=stop, evidence=words, observers=self._crm.observers)

    def spoken_for(self, conversation_id: int) -> tuple[SpokenFor, ...]:
        """For whom somebody at the number that wrote may speak."""
        with self._crm.read(self._actor) as unit:
            point = conversation(unit, conversation_id).contact_point_id
            return () if point is None else proxies.spoken_for(unit, point)


def proxy_of(unit: ReadUnit, patient_id: int | None, contact_point_id: int | None) -> str:
    """Who is at that number in the patient's place, with what they are to them; "" where it is nobody."""
    if patient_id is None or contact_point_id is None:
        return ""
    found = proxies.proxy_at(unit, patient_id, contact_point_id)
    if found is None:
        return ""
    return f"{found.name} ({found.relation}{'' if found.may_receive else ', speaks only'})"


def only_of(unit: ReadUnit, patient_id: int | None) -> str:
    """The one way in which a patient asked to be reached; "" where any will do."""
    if patient_id is None or not unit.actor.may(Permission.CONSENT_READ):
        return ""
    asked = queries.only_way(unit, patient_id)
    if asked is None:
        return ""
    number = contact_value(unit, asked.contact_point_id)
    ends = f" ···{number[-4:]}" if number else ""
    return f"only by {asked.channel}{ends}"
