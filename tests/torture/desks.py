"""Scripted desks: people at work on one store, as the console would have them work."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm, open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.errors import CrmError
from crm_core.inbox.answers import note, reply
from crm_core.inbox.handling import close, snooze
from crm_core.inbox.queries import lanes, queue
from crm_core.inbox.take import claim, release, take_next
from crm_core.inbox.thread import conversation
from crm_core.inbox.undo import undo_last
from crm_core.settings import Settings
from crm_core.words import Channel
from tests.conftest import MASTER
from tests.torture.processes import Ahead

TEXTS = ("How much is my bill?", "I want to book a visit please", "Can you send me my records?", "thanks", "ok")


class Desk:
    """One person: takes, reads, does something, and counts what was said to be done."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self.crm = crm
        self.actor = actor
        self.done: Counter[str] = Counter()
        self.chance = random.Random(actor.staff_id)  # noqa: S311 - a script that can be repeated

    def step(self) -> None:
        """One item from taking to letting go."""
        taken = self._do("taken", take_next)
        if taken is None:
            taken = self._someone_elses()
            if taken is None:
                time.sleep(0.02)
                return
        with self.crm.read(self.actor) as unit:
            seen = conversation(unit, taken).newest_message_id
        action = self.chance.choice(("reply", "reply", "reply", "close", "note", "snooze", "release", "undo"))
        if action == "reply":
            self._do("replied", reply, self.crm.gate, taken, "Thank you, we will see to it.",
                     hold=timedelta(seconds=self.chance.choice((0, 2))), seen_message_id=seen)  # fmt: skip
        elif action == "close":
            self._do("closed", close, taken, outcome="resolved")
        elif action == "snooze":
            until = self.crm.clock.now() + timedelta(seconds=self.chance.uniform(1, 5))
            self._do("snoozed", snooze, taken, until=until)
        elif action == "note":
            self._do("noted", note, taken, "Looked into it.")
        elif action == "undo":
            self._do("undone", undo_last, taken)
        self.let_go(taken)

    def _someone_elses(self) -> int | None:
        """Claim something out of a lane's first lines, as a person who looks over the list does."""
        with self.crm.read(self.actor) as unit:
            lane = self.chance.choice([each.lane for each in lanes(unit)])
            items = queue(unit, lane, limit=20).items
        if not items:
            return None
        chosen = self.chance.choice(items).conversation_id
        return chosen if self._do("taken", claim, chosen) is not _REFUSED else None

    def let_go(self, conversation_id: int) -> None:
        """Put down what is still in hand."""
        with self.crm.read(self.actor) as unit:
            found = conversation(unit, conversation_id)
        if found.owner_id == self.actor.staff_id and found.state == "open":
            self._do("released", release, conversation_id)

    def _do(self, verb: str, service: Any, *args: Any, **more: Any) -> Any:
        try:
            with self.crm.write(self.actor) as unit:
                answer = service(unit, *args, **more)
        except CrmError as error:
            self.done[f"refused {type(error).__name__}"] += 1
            return _REFUSED if verb != "taken" or service is claim else None
        if answer is not None or service is not take_next:
            self.done[verb] += 1
        return answer


_REFUSED = object()


def work(settings: Settings, actor: Actor, seconds: float, ahead: Any, results: Any) -> None:
    """A desk's day."""
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        desk = Desk(crm, actor)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            desk.step()
        results.put((actor.staff_id, dict(desk.done)))


def write_in(settings: Settings, numbers: list[str], seconds: float, ahead: Any, results: Any) -> None:
    """The patients' day: texts that open, answer and reopen."""
    chance = random.Random(5)  # noqa: S311 - a script that can be repeated
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        end = time.monotonic() + seconds
        count = 0
        while time.monotonic() < end:
            count += 1
            inbound = Inbound(
                channel=Channel.SMS,
                sender=chance.choice(numbers),
                text=chance.choice(TEXTS),
                at=crm.clock.now(),
                provider_id=f"in-{count}",
            )
            with crm.write(SYSTEM) as unit:
                receive(unit, crm.receiver, inbound)
            time.sleep(0.02)
        results.put((0, {"received": count}))


def deliver(settings: Settings, seconds: float, ahead: Any, results: Any) -> None:
    """A poller's day."""
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        sent = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent += crm.courier.run_once().sent
            time.sleep(0.05)
        results.put((-1, {"sent": sent}))
