"""What a person does to several at once, and what of all they did can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import Actor, Role
from crm_core.app import Crm
from crm_core.inbox import handling, journal, take
from crm_core.inbox.journal import Act, TakenBack
from crm_core.inbox.lists import bulk
from crm_core.inbox.lists.bulk import IN_ONE_UNIT, Bulk, Weighed, in_units
from crm_core.inbox.model import Verb
from crm_core.work.units import WriteUnit

__all__ = ["IN_ONE_UNIT", "Act", "ActsDesk", "Bulk", "TakenBack", "Tally", "Weighed"]

Tell = Callable[[int, int], None]
"""Is told how many of how many are through; from the thread that does them."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of a verb over several: `act` names it to an undo; `refused` are sentences."""

    act: int | None
    done: tuple[int, ...]
    refused: tuple[str, ...]
    stopped: bool


class ActsDesk:
    """Verbs over several conversations, and the undo journal, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def weigh(self, numbers: Sequence[int], what: Bulk) -> Weighed:
        """To whom of these it may be done, and why not to the others."""
        with self._crm.read(self._actor) as unit:
            return bulk.weigh(unit, numbers, what)

    def do(self, numbers: Sequence[int], what: Bulk, tell: Tell, stopped: Callable[[], bool]) -> Tally:
        """Do it in units of fifty, telling how far it is; between two units it may be stopped."""
        act: int | None = None
        done: list[int] = []
        refused: list[str] = []
        tell(0, len(numbers))
        for some in in_units(numbers):
            if stopped():
                break
            with self._crm.write(self._actor) as unit:
                part = bulk.do_to_all(unit, some, what, batch_id=act)
            act = part.batch_id
            done += part.done
            refused += [why for _, why in part.refused]
            tell(len(done) + len(refused), len(numbers))
        through = len(done) + len(refused)
        return Tally(act=act, done=tuple(done), refused=tuple(refused), stopped=through < len(numbers))

    def journal(self) -> list[Act]:
        """My last acts, newest first, and what stands against taking back each."""
        with self._crm.read(self._actor) as unit:
            return journal.journal(unit)

    def take_back(self, act: int | None, conversation_id: int | None, tell: Tell) -> TakenBack:
        """Take back one act, or the last in a conversation, or the last anywhere."""
        with self._crm.read(self._actor) as unit:
            rows = journal.rows_of(unit, act) if act is not None else journal.rows_of_last(unit, conversation_id)
        done: list[int] = []
        left: list[tuple[int, str]] = []
        tell(0, len(rows))
        for some in in_units(rows):
            with self._crm.write(self._actor) as unit:
                part = journal.take_back(unit, some, alone=len(rows) == 1)
            done += part.done
            left += part.left
            tell(len(done) + len(left), len(rows))
        return TakenBack(verb=part.verb, done=tuple(done), left=tuple(left))

    # The verbs

    @staticmethod
    def claiming(mine: Mapping[int, bool]) -> Bulk:
        """Release what is mine, claim the rest."""

        def act(unit: WriteUnit, number: int) -> None:
            (take.release if mine[number] else take.claim)(unit, number)

        return Bulk(verb=Verb.RELEASED if all(mine.values()) else Verb.TAKEN, act=act)

    @staticmethod
    def assigning(staff_id: int) -> Bulk:
        """Give them to a person."""
        return Bulk(
            verb=Verb.ASSIGNED, act=lambda unit, number: handling.assign(unit, number, staff_id), staff_id=staff_id
        )

    @staticmethod
    def moving(lane: str, reason: str) -> Bulk:
        """Move them to a lane."""
        return bulk.moving(lane, reason)

    @staticmethod
    def escalating(to: str, reason: str, question: str) -> Bulk:
        """Raise them, with one question."""

        def act(unit: WriteUnit, number: int) -> None:
            handling.escalate(unit, number, to=Role(to), reason=reason, question=question)

        return Bulk(verb=Verb.ESCALATED, act=act)

    @staticmethod
    def snoozing(until: datetime | None, *, even_if_reply: bool = False) -> Bulk:
        """Put them off until a time or a reply, until a reply, or until a time even if they reply."""
        return Bulk(
            verb=Verb.SNOOZED,
            act=lambda unit, number: handling.snooze(unit, number, until=until, even_if_reply=even_if_reply),
        )

    @staticmethod
    def closing(outcome: str) -> Bulk:
        """End them with an outcome."""
        return Bulk(verb=Verb.CLOSED, act=lambda unit, number: handling.close(unit, number, outcome=outcome))
