"""The chore of what was brought: by itself, at once, and past whatever else is due."""

from __future__ import annotations

import threading
from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.channels.incoming.chore import IncomingChore
from crm_core.channels.incoming.handling import IncomingHandler
from crm_core.channels.incoming.model import LISTENER
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Inbound
from crm_core.channels.tables import Message
from crm_core.store.feed import Topic
from crm_core.timers.polling import Poller
from crm_core.timers.service import NewTimer, set_timers
from crm_core.timers.tables import TimerRow
from crm_core.words import Channel
from tests.channels.incoming import count
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, Clinic

TEXT = Inbound(channel=Channel.SMS, sender=ANA, text="I have chest pain", at=MONDAY, provider_id="SM1")


def chore_of(clinic: Clinic) -> IncomingChore:
    return IncomingChore(clinic.crm.units, IncomingHandler(clinic.crm.receiver, clinic.crm.observers))


def test_thousands_of_other_timers_that_are_overdue_are_not_waited_for(clinic: Clinic) -> None:
    with clinic.crm.write(SYSTEM) as unit:
        long_ago = unit.now - timedelta(days=1)
        others = [
            NewTimer(kind="other", subject_id=each, run_at=long_ago, dedup_key=f"o-{each}") for each in range(3_000)
        ]
        set_timers(unit, others)
    with clinic.crm.write(LISTENER) as unit:
        take_in(unit, "twilio", TEXT)
    tally = chore_of(clinic).run(lambda: False)
    assert (tally.claimed, tally.done) == (1, 1)
    assert count(clinic.crm, Message) == 1
    assert count(clinic.crm, TimerRow, TimerRow.state == "waiting") == 3_000


def test_a_poller_handles_what_is_brought_at_the_feeds_word(clinic: Clinic) -> None:
    alarmed = threading.Event()
    stop = clinic.crm.store.feed.listen(lambda topics: alarmed.set() if Topic.ALARM in topics else None)
    poller = Poller(clinic.crm.units, [chore_of(clinic)])
    poller.start()
    try:
        with clinic.crm.write(LISTENER) as unit:
            take_in(unit, "twilio", TEXT)
        assert alarmed.wait(60)
    finally:
        poller.stop()
        assert poller.join()
        stop()
    assert count(clinic.crm, Incoming, Incoming.handled_at.is_(None)) == 0


def test_what_waits_is_told_for_as_long_as_the_chore_is_behind(clinic: Clinic) -> None:
    with clinic.crm.write(LISTENER) as unit:
        take_in(unit, "twilio", TEXT)
    clinic.at(MONDAY + timedelta(seconds=30))
    with clinic.crm.read(SYSTEM) as unit:
        assert chore_of(clinic).behind(unit) == timedelta(seconds=30)
