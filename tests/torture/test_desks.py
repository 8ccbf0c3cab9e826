"""Ten desks, the patients and two pollers on one store: no lost update, no double send, no stuck claim."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm, open_crm
from crm_core.channels.model import Delivery
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.tables import Conversation, Step
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.settings import Settings
from tests.conftest import MASTER, StaffFactory
from tests.torture.desks import deliver, work, write_in
from tests.torture.processes import Ahead, context, number_from, say

SECONDS = number_from("TORTURE_SECONDS", 60)
DESKS = 10
PEOPLE = 60
VERBS = ("taken", "replied", "closed", "noted", "snoozed", "released", "undone")


def test_ten_desks_lose_nothing_double_nothing_and_hold_on_to_nothing(
    crm: Crm, settings: Settings, staff: StaffFactory
) -> None:
    numbers = [f"+1212555{2000 + number}" for number in range(PEOPLE)]
    _people(crm, numbers)
    actors = [staff(Role.AGENT if number % 3 else Role.SUPERVISOR) for number in range(DESKS)]
    processes = context()
    results, ahead = processes.Queue(), processes.Value("d", 0.0, lock=False)
    jobs = [(work, (settings, actor, SECONDS, ahead, results)) for actor in actors]
    jobs += [(write_in, (settings, numbers, SECONDS * 0.8, ahead, results))]  # type: ignore[list-item]
    jobs += [(deliver, (settings, SECONDS + 1, ahead, results))] * 2  # type: ignore[list-item]
    started = [processes.Process(target=target, args=args, daemon=True) for target, args in jobs]
    for process in started:
        process.start()
    told = [results.get(timeout=SECONDS + 120) for _ in started]
    for process in started:
        process.join(timeout=60)
        assert process.exitcode == 0

    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as after:
        ahead.value += timedelta(hours=1).total_seconds()
        after.courier.run_once()
        say(f"{crm.store.dialect}: {_sum(told)}")
        _no_lost_update(after, {who: done for who, done in told if who > 0})
        _no_double_send(after, settings, _sum(told)["replied"])
        _no_stuck_claim(after)


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


def _sum(told: list[tuple[int, dict[str, int]]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for _, done in told:
        total.update(done)
    return total


def _no_lost_update(crm: Crm, told: dict[int, dict[str, int]]) -> None:
    """Every verb that was said to be done is a step of that person's; each raised the version by one, from 1."""
    with crm.read(SYSTEM) as unit:
        done_by = Counter((row.actor_id, str(row.verb)) for row in unit.execute(select(Step.actor_id, Step.verb)))
        steps = Counter(unit.scalars(select(Step.conversation_id)))
        versions = {row.id: row.version for row in unit.execute(select(Conversation.id, Conversation.version))}
    for who, done in told.items():
        assert {verb: done_by[who, verb] for verb in VERBS} == {verb: done.get(verb, 0) for verb in VERBS}
    assert {number: count + 1 for number, count in steps.items()} == versions


def _no_double_send(crm: Crm, settings: Settings, replies: int) -> None:
    lines = settings.home.joinpath("spool.jsonl").read_text(encoding="utf-8").splitlines()
    left = [json.loads(line)["attempt"] for line in lines]
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(Outbox.dedup_key, Outbox.state)).all()
        written = unit.scalar(select(func.count()).select_from(Message).where(Message.author_id.is_not(None)))
    states = Counter(Delivery(row.state) for row in rows)
    assert len(set(left)) == len(left)
    assert set(left) == {row.dedup_key for row in rows if row.state == Delivery.SENT}
    assert set(states) <= {Delivery.SENT, Delivery.TAKEN_BACK, Delivery.SUPPRESSED}
    assert written == replies


def _no_stuck_claim(crm: Crm) -> None:
    with crm.read(SYSTEM) as unit:
        held = unit.scalars(
            select(Conversation.id).where(Conversation.taken_at.is_not(None), Conversation.state.in_(("new", "open")))
        )
    assert held == []
