"""Takers killed at random, and an account of every item afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm, open_crm
from crm_core.inbox.model import Verb
from crm_core.inbox.tables import Conversation, Step
from crm_core.inbox.take import take_next
from crm_core.settings import Settings
from tests.conftest import MASTER
from tests.torture.processes import context, kill, say

LONGEST = 900.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of every item of a race."""

    items: int
    kills: int
    taken: int
    twice: tuple[int, ...]
    left: int
    told: int
    told_twice: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"{self.items} items, {self.kills} kills: {self.taken} taken ({self.told} told of), "
            f"{len(self.twice)} twice, {self.left} left behind"
        )


def take_until_empty(settings: Settings, actor: Actor, out: Path) -> None:
    """A taker's life: what it was handed goes into its file, a line each, after the commit."""
    with open_crm(settings, master=MASTER) as crm, out.open("a", encoding="ascii") as told:
        while True:
            with crm.write(actor) as unit:
                found = take_next(unit, "front_desk")
            if found is None:
                return
            told.write(f"{found}\n")
            told.flush()


def race(crm: Crm, settings: Settings, actors: list[Actor], folder: Path, *, kills: int, seed: int) -> Account:
    """Takers empty a lane while they are killed and replaced, `kills` times."""
    processes = context()
    chance = random.Random(seed)  # noqa: S311 - a race that can be repeated
    started = 0

    def start() -> Any:
        nonlocal started
        started += 1
        out = folder / f"taken-{started}"
        taker = processes.Process(
            target=take_until_empty, args=(settings, actors[started % len(actors)], out), daemon=True
        )
        taker.start()
        return taker

    takers = [start() for _ in actors]
    done = 0
    end = time.monotonic() + LONGEST
    while any(taker.is_alive() for taker in takers):
        assert time.monotonic() < end, "the takers never emptied the lane"
        time.sleep(chance.uniform(0.02, 0.15))
        if done < kills:
            struck = chance.randrange(len(takers))
            if takers[struck].is_alive():
                kill(takers[struck])
                takers[struck] = start()
                done += 1
                if done % 25 == 0:
                    say(f"{done} of {kills} kills, {_count(crm, Conversation.taken_at.is_not(None))} taken")
    told = [int(line) for path in folder.glob("taken-*") for line in path.read_text(encoding="ascii").split()]
    return _account(crm, done, told)


def _account(crm: Crm, kills: int, told: list[int]) -> Account:
    with crm.read(SYSTEM) as unit:
        taken = Counter(unit.scalars(select(Step.conversation_id).where(Step.verb == Verb.TAKEN)))
    return Account(
        items=_count(crm, Conversation.id.is_not(None)),
        kills=kills,
        taken=len(taken),
        twice=tuple(number for number, count in taken.items() if count > 1),
        left=_count(crm, Conversation.taken_at.is_(None)),
        told=len(told),
        told_twice=tuple(number for number, count in Counter(told).items() if count > 1),
    )


def _count(crm: Crm, where: Any) -> int:
    with crm.read(SYSTEM) as unit:
        return int(unit.scalar(select(func.count()).select_from(Conversation).where(where)))
