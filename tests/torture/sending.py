"""Senders killed at random, and an account of every message afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm, open_crm
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import Posting, post
from crm_core.channels.tables import Outbox
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.patients.tables import LINK
from crm_core.settings import Settings
from crm_core.words import Channel
from tests.conftest import MASTER
from tests.torture.ledger import Ledger, LedgerGateway
from tests.torture.processes import Ahead, context, kill, say

SENDERS = 3
PATIENTS = 40
BATCH = 200
LEASE_AND_MORE = 61.0
"""Seconds by which the clock moves once nobody is alive to hold a lease."""
ALL_AT_ONCE = 0.3
"""The share of blows that kill every sender."""
LAST_ROUNDS = 40


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of every message of a campaign."""

    kills: int
    posted: int
    sent: int
    unknown: tuple[str, ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    unsettled: tuple[str, ...]
    hung_up: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.posted} messages: {self.sent} sent, {len(self.unknown)} unknown, "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.unsettled)} unsettled; "
            f"the provider hung up {self.hung_up} times"
        )


def send_until_killed(settings: Settings, address: tuple[str, int], ahead: Any) -> None:
    """A sender's life."""
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        courier = _courier(crm, address)
        while True:
            if courier.run_once().claimed == 0:
                time.sleep(0.01)


def _courier(crm: Crm, address: tuple[str, int]) -> Courier:
    gate = Gate(gateways={Channel.SMS: LedgerGateway(address)})
    return Courier(units=crm.units, gate=gate, observers=())


def campaign(settings: Settings, author: Actor, *, kills: int, seed: int) -> Account:
    """Kill senders `kills` times while they work, then let one finish, and compare with the ledger."""
    processes = context()
    ahead = processes.Value("d", 0.0, lock=False)
    ledger = Ledger(seed)
    chance = random.Random(seed)  # noqa: S311 - a campaign that can be repeated
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        posts = _Posts(crm, author)

        def start() -> Any:
            sender = processes.Process(target=send_until_killed, args=(settings, ledger.address, ahead), daemon=True)
            sender.start()
            return sender

        senders = [start() for _ in range(SENDERS)]
        done = 0
        try:
            while done < kills:
                posts.top_up()
                time.sleep(chance.uniform(0.05, 0.4))
                struck = senders if chance.random() < ALL_AT_ONCE else [chance.choice(senders)]
                everyone = len(struck) == SENDERS
                for sender in list(struck):
                    kill(sender)
                    senders.remove(sender)
                    done += 1
                if everyone:
                    # Only now: a sender that lives through such a leap would be one that slept for a minute.
                    ahead.value += LEASE_AND_MORE
                senders += [start() for _ in range(SENDERS - len(senders))]
                if done % 25 < len(struck):
                    say(f"{done} of {kills} kills, {posts.made} messages, {sum(ledger.arrived.values())} arrived")
        finally:
            for sender in senders:
                kill(sender)
        _finish(crm, ledger, ahead)
        account = _account(crm, ledger, done)
    ledger.close()
    return account


class _Posts:
    """Messages to patients with a number of their own."""

    def __init__(self, crm: Crm, author: Actor) -> None:
        self._crm = crm
        self._author = author
        self.made = 0
        drafts = [
            PatientDraft(
                given=f"Given{number}",
                family=f"Family{number}",
                birth_date="1970-01-31",
                identifiers=(DraftIdentifier(system="urn:torture", value=f"T{number}", kind="MR"),),
                contacts=(DraftContact(kind=ContactKind.PHONE, value=f"+1212555{1000 + number}"),),
            )
            for number in range(PATIENTS)
        ]
        with crm.write(SYSTEM) as unit:
            saved = save_many(unit, drafts)
            links = unit.execute(select(LINK.c.patient_id, LINK.c.contact_point_id))
            points = {int(link.patient_id): int(link.contact_point_id) for link in links}
        self._people = [(one.patient_id, points[one.patient_id]) for one in saved if one.patient_id is not None]

    def top_up(self) -> None:
        """Post so many more once little is left."""
        with self._crm.read(SYSTEM) as unit:
            left = unit.scalar(
                select(func.count()).select_from(Outbox).where(Outbox.state.in_((Delivery.QUEUED, Delivery.SENDING)))
            )
        if left > BATCH:
            return
        with self._crm.write(self._author) as unit:
            for number in range(BATCH):
                patient_id, point_id = self._people[number % len(self._people)]
                post(unit, self._crm.gate, self._posting(patient_id, point_id))
        self.made += BATCH

    def _posting(self, patient_id: int, point_id: int) -> Posting:
        return Posting(
            conversation_id=None,
            candidate=Candidate(
                channel=Channel.SMS,
                contact_point_id=point_id,
                patient_id=patient_id,
                text="Thank you for your message. Please call us.",
                first_name=None,
            ),
            author_id=self._author.staff_id,
        )


def _finish(crm: Crm, ledger: Ledger, ahead: Any) -> None:
    """One sender, alone, until nothing is on its way; the clock leaps over every pause."""
    courier = _courier(crm, ledger.address)
    for _ in range(LAST_ROUNDS):
        ahead.value += 3_700.0
        if courier.run_once().claimed == 0:
            return


def _account(crm: Crm, ledger: Ledger, kills: int) -> Account:
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(Outbox.dedup_key, Outbox.state)).all()
    states = {row.dedup_key: Delivery(row.state) for row in rows}
    sent = [key for key, state in states.items() if state is Delivery.SENT]
    stated = Counter(states.values())
    settled = {Delivery.SENT, Delivery.UNKNOWN}
    return Account(
        kills=kills,
        posted=len(states),
        sent=stated[Delivery.SENT],
        unknown=tuple(key for key, state in states.items() if state is Delivery.UNKNOWN),
        lost=tuple(key for key in sent if not ledger.arrived[key]),
        doubled=tuple(key for key, count in ledger.arrived.items() if count > 1),
        unsettled=tuple(f"{key}: {state}" for key, state in states.items() if state not in settled),
        hung_up=ledger.hung_up,
    )
