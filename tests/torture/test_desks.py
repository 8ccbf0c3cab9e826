"""Ten desks, the patients and two pollers on one store: no lost update, no double send, no stuck claim."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm, open_crm
from crm_core.channels.model import Delivery, MessageKind
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.tables import Conversation, Step
from crm_core.inbox.take import put_down
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.settings import Settings
from tests.conftest import MASTER, StaffFactory
from tests.torture.desks import deliver, told_in, work, write_in
from tests.torture.processes import Ahead, context, kill, number_from, say

SECONDS = number_from("TORTURE_SECONDS", 120)
KILLS = number_from("TORTURE_DESK_KILLS", 30)
DESKS = 10
PEOPLE = 60
VERBS = (
    "taken", "replied", "closed", "noted", "snoozed", "released", "undone", "called", "moved", "escalated",
)  # fmt: skip


def test_ten_desks_that_are_killed_now_and_then_lose_nothing_double_nothing_and_hold_on_to_nothing(
    crm: Crm, settings: Settings, staff: StaffFactory, tmp_path: Path
) -> None:
    numbers = [f"+1212555{2000 + number}" for number in range(PEOPLE)]
    _people(crm, numbers)
    actors = [staff(Role.AGENT if number % 3 else Role.SUPERVISOR) for number in range(DESKS)]
    folder = tmp_path / "told"
    folder.mkdir()
    killed, ahead = _a_day(settings, actors, numbers, folder)

    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as after:
        ahead.value += timedelta(hours=1).total_seconds()
        after.courier.run_once()
        for actor in actors:
            with after.write(actor) as unit:
                put_down(unit)
        told = {actor.staff_id: told_in(folder, actor) for actor in actors}
        total = sum(told.values(), Counter[str]())
        say(f"{crm.store.dialect}: {sum(killed.values())} kills, {dict(total)}")
        assert total["replied"] > 0
        _no_lost_update(after, told, killed)
        _no_double_send(after, settings, total["replied"], sum(killed.values()))
        _no_stuck_claim(after)


def _a_day(settings: Settings, actors: list[Actor], numbers: list[str], folder: Path) -> tuple[Counter[int], Any]:
    """Ten desks, the patients, two pollers; now and then a desk is killed and begun again. Returns kills by person."""
    processes = context()
    results, ahead = processes.Queue(), processes.Value("d", 0.0, lock=False)
    chance = random.Random(11)  # noqa: S311 - a campaign that can be repeated
    end = time.monotonic() + SECONDS
    killed: Counter[int] = Counter()

    def desk(actor: Actor) -> Any:
        out = folder / f"{actor.staff_id}-{killed[actor.staff_id]}"
        left = max(end - time.monotonic(), 0.5)
        return started(work, settings, actor, left, ahead, out)

    def started(target: Any, *args: Any) -> Any:
        process = processes.Process(target=target, args=args, daemon=True)
        process.start()
        return process

    others = [started(write_in, settings, numbers, SECONDS * 0.8, ahead, results)]
    others += [started(deliver, settings, SECONDS + 1, ahead, results) for _ in range(2)]
    desks = [desk(actor) for actor in actors]
    while time.monotonic() < end - 2:
        time.sleep(min(SECONDS / (KILLS + 1), max(end - 2 - time.monotonic(), 0)))
        struck = chance.randrange(DESKS)
        if sum(killed.values()) < KILLS and desks[struck].is_alive():
            kill(desks[struck])
            killed[actors[struck].staff_id] += 1
            desks[struck] = desk(actors[struck])
    for process in (*desks, *others):
        process.join(timeout=SECONDS + 120)
        assert process.exitcode == 0
    return killed, ahead


def _people(crm: Crm, numbers: list[str]) -> None:
    drafts = [
        PatientDraft(
            given=f"Given{index}",
            family=f"Family{index}",
            birth_date="1970-01-31",
            identifiers=(DraftIdentifier(system="urn:torture", value=f"D{index}", kind="MR"),),
            contacts=(DraftContact(kind=ContactKind.PHONE, value=number),),
        )
        for index, number in enumerate(numbers)
    ]
    with crm.write(SYSTEM) as unit:
        save_many(unit, drafts)


def _no_lost_update(crm: Crm, told: dict[int, Counter[str]], killed: Counter[int]) -> None:
    """Every verb that was said to be done is a step of that person's; each raised the version by one, from 1.

    A kill between a commit and its line in the file leaves one step that was not told of, never the other way.
    """
    with crm.read(SYSTEM) as unit:
        done_by = Counter((row.actor_id, str(row.verb)) for row in unit.execute(select(Step.actor_id, Step.verb)))
        steps = Counter(unit.scalars(select(Step.conversation_id)))
        versions = {row.id: row.version for row in unit.execute(select(Conversation.id, Conversation.version))}
    for who, lines in told.items():
        untold = {verb: done_by[who, verb] - lines[verb] for verb in VERBS}
        assert min(untold.values()) >= 0, untold
        assert sum(untold.values()) <= killed[who], untold
    assert {number: steps[number] + 1 for number in versions} == versions


def _no_double_send(crm: Crm, settings: Settings, replies: int, kills: int) -> None:
    lines = settings.home.joinpath("spool.jsonl").read_text(encoding="utf-8").splitlines()
    left = [json.loads(line)["attempt"] for line in lines]
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(Outbox.dedup_key, Outbox.state)).all()
        by_people = (Message.author_id.is_not(None), Message.kind == MessageKind.TEXT)
        written = unit.scalar(select(func.count()).select_from(Message).where(*by_people))
    states = Counter(Delivery(row.state) for row in rows)
    assert len(set(left)) == len(left)
    assert set(left) == {row.dedup_key for row in rows if row.state == Delivery.SENT}
    assert set(states) <= {Delivery.SENT, Delivery.TAKEN_BACK, Delivery.SUPPRESSED}
    assert replies <= written <= replies + kills


def _no_stuck_claim(crm: Crm) -> None:
    with crm.read(SYSTEM) as unit:
        held = unit.scalars(
            select(Conversation.id).where(Conversation.taken_at.is_not(None), Conversation.state.in_(("new", "open")))
        )
    assert held == []
