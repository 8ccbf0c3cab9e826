"""Calls that ring, as the console sees them."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.access.model import SYSTEM, Actor, Permission
from crm_core.app import Crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Handled, Inbound
from crm_core.channels.ringing.model import RingView
from crm_core.channels.ringing.queries import RingCard, callers, ring_card, rings
from crm_core.errors import NotPermitted, UsageError
from crm_core.inbox import handling
from crm_core.inbox.model import State
from crm_core.inbox.queries import of_patient
from crm_core.words import Channel

__all__ = ["RingCard", "RingView", "RingingDesk"]


class RingingDesk:
    """What rings, whom it may be, and beginning the record of a call that is answered."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    @property
    def may_see(self) -> bool:
        """Whether this person is shown who calls at all."""
        return self._actor.may(Permission.PATIENT_READ)

    def rings(self) -> tuple[RingView, ...]:
        """What rings now; opens nothing."""
        with self._crm.read(self._actor) as unit:
            return rings(unit)

    def callers(self, ring_ids: Sequence[int]) -> dict[int, str]:
        """The last four digits of these; audited."""
        with self._crm.read(self._actor) as unit:
            return callers(unit, ring_ids)

    def cards(self) -> tuple[RingCard, ...]:
        """Everything that rings now with whom it may be; audited."""
        with self._crm.read(self._actor) as unit:
            return tuple(ring_card(unit, one.ring_id) for one in rings(unit))

    def call_with(self, ring_id: int, patient_id: int | None) -> int:
        """The conversation in which this call is logged: that patient's open one, or one that the call begins.

        A call is taken in as any other, once; what it begins is linked to whom the person at the
        desk has chosen of several who share the number.
        """
        if not self._actor.may(Permission.CONVERSATION_WORK):
            work = Permission.CONVERSATION_WORK
            raise NotPermitted(action=work.phrase, permission=work.value)
        with self._crm.read(self._actor) as unit:
            past = of_patient(unit, patient_id) if patient_id is not None else []
            number = ring_card(unit, ring_id).number
        for conversation_id, _lane, state, _at, mine in past:
            if mine and state is not State.CLOSED:
                return conversation_id
        if number is None:
            raise UsageError(
                problem="The number of this call is not known", remedy="find the patient with ctrl+f, and log it there"
            )
        return self._begun(ring_id, str(number), patient_id)

    def _begun(self, ring_id: int, number: str, patient_id: int | None) -> int:
        call = Inbound(
            channel=Channel.VOICE,
            sender=number,
            text="",
            at=self._crm.clock.now(),
            provider_id=f"ring-{ring_id}",
            is_call=True,
        )
        # Who answers the telephone takes in this one call as a gateway would (as `crm call --from` does).
        with self._crm.write(SYSTEM) as unit:
            received = receive(unit, self._crm.receiver, call)
        begun = received.conversation_id
        assert begun is not None
        if patient_id is not None and received.patient_id is None and received.handled_by is Handled.ROUTING:
            # What was there before may be another's who shares the number: a person links that.
            with self._crm.write(self._actor) as unit:
                handling.link(unit, begun, patient_id)
        return begun
