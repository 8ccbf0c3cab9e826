"""Scripted desks: people at work on one store, as the console would have them work."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm, open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.errors import CrmError
from crm_core.inbox.handling import PassedToAndFro
from crm_core.inbox.take import put_down
from crm_core.settings import Settings
from crm_core.words import Channel
from crm_tui.desk.acts import ActsDesk
from crm_tui.desk.lanes import LanesDesk
from tests.conftest import MASTER
from tests.torture.processes import Ahead

TEXTS = ("How much is my bill?", "I want to book a visit please", "Can you send me my records?", "thanks", "ok")


class Teller:
    """What a desk was told is done, a line each after the commit, in a file that a kill leaves whole."""

    def __init__(self, out: Path) -> None:
        self._out = out.open("a", encoding="ascii")

    def __call__(self, verb: str) -> None:
        self._out.write(f"{verb}\n")
        self._out.flush()


def told_in(folder: Path, actor: Actor) -> Counter[str]:
    """What that person's desks, killed ones too, were told is done."""
    lines = [line for out in folder.glob(f"{actor.staff_id}-*") for line in out.read_text("ascii").splitlines()]
    return Counter(lines)


class Desk:
    """One person at a console: every call goes through the console's own desk, as its keys would make it."""

    def __init__(self, crm: Crm, actor: Actor, tell: Teller, seed: int) -> None:
        self.desk = LanesDesk(crm, actor)
        self.acts = ActsDesk(crm, actor)
        self.actor = actor
        self.tell = tell
        self.chance = random.Random(seed)  # noqa: S311 - a script that can be repeated

    def step(self) -> None:
        """One item from taking to letting go."""
        taken = self._try("taken", self.desk.take_next) or self._someone_elses()
        if taken is None:
            time.sleep(0.02)
            return
        action = self.chance.choice((*("reply",) * 4, "close", "note", "snooze", "call", "move", "escalate", "undo"))
        try:
            seen = self.desk.open(taken).seen_message_id
        except CrmError:
            return
        getattr(self, f"_{action}")(taken, seen)
        self._let_go(taken)

    def _reply(self, number: int, seen: int | None) -> None:
        self._try("draft", lambda: self.desk.save_draft(number, "Thank you, we", internal=False), counts=False)
        self._try(
            "replied",
            lambda: self.desk.send(number, "Thank you, we will see to it.", seen_message_id=seen, seen_patient_id=None),
        )

    def _close(self, number: int, _: int | None) -> None:
        self._try("closed", lambda: self.desk.close(number, "resolved", None))

    def _note(self, number: int, _: int | None) -> None:
        self._try("noted", lambda: self.desk.note(number, "Looked into it."))

    def _snooze(self, number: int, _: int | None) -> None:
        until = self.desk.now() + timedelta(seconds=self.chance.uniform(1, 5))
        self._try("snoozed", lambda: self.desk.snooze(number, until, None))

    def _call(self, number: int, _: int | None) -> None:
        outcome = self.chance.choice(("reached", "no_answer"))
        self._try("called", lambda: self.desk.log_call(number, outcome, None))

    def _move(self, number: int, _: int | None) -> None:
        lane = self.chance.choice(("billing", "records", "front_desk"))
        self._try("moved", lambda: self.desk.move(number, lane, "wrong_lane", None))

    def _escalate(self, number: int, _: int | None) -> None:
        self._try("escalated", lambda: self.desk.escalate(number, "supervisor", "policy", "May I?"))

    def _undo(self, number: int, _: int | None) -> None:
        self._try("undone", lambda: self.acts.take_back(None, number, lambda *_: None))

    def _someone_elses(self) -> int | None:
        """Claim something out of a lane's first lines, as a person who looks over the list does."""
        lane = self.chance.choice([each.lane for each in self.desk.lanes()])
        items = self.desk.page(lane, limit=20).items
        if not items:
            return None
        chosen = self.chance.choice(items).conversation_id
        claimed = self._try("taken", lambda: self.desk.claim_or_release(chosen, mine=False), gives=chosen)
        return None if claimed is None else chosen

    def _let_go(self, number: int) -> None:
        """Put down what is still in hand."""
        try:
            found = self.desk.open(number).conversation
        except CrmError:
            return
        if found.owner_id == self.actor.staff_id and found.state == "open":
            self._try("released", lambda: self.desk.claim_or_release(number, mine=True))

    def _try(self, verb: str, act: Callable[[], Any], *, gives: int | None = None, counts: bool = True) -> Any:
        """Do it and write down that it is done; None where it was refused, or nothing was there."""
        try:
            answer = act()
        except PassedToAndFro:
            self.tell("escalated")
            return None
        except CrmError as error:
            self.tell(f"refused-{type(error).__name__}")
            return None
        if verb == "taken" and answer is None and gives is None:
            return None
        if counts:
            self.tell(verb)
        return answer if gives is None else gives


def work(settings: Settings, actor: Actor, seconds: float, ahead: Any, out: Path) -> None:
    """A desk's day, or what is left of it: it begins as a sign-in does."""
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        with crm.write(actor) as unit:
            put_down(unit)
        desk = Desk(crm, actor, Teller(out), seed=hash(out.name))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            desk.step()


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
