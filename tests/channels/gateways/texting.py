"""A clinic whose texts go by Twilio, and a Twilio of the outside world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.texts import TextsChore
from crm_core.channels.gateways.twilio import TwilioGateway
from crm_core.channels.model import Direction
from crm_core.channels.tables import Message
from crm_core.channels.vendors import add_vendor
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from crm_core.words import Channel
from tests.channels.gateways.fake_twilio import FakeTwilio, fake_twilio
from tests.channels.gateways.test_twilio import table
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import outbox_rows

ANA_AT_TWILIO, BO_AT_TWILIO = "+12125550101", "+12125550102"
BILL, ANSWER = "How much is my bill?", "It is 20 dollars."


class Line:
    """The clinic, its Twilio, and the poller's part of it."""

    def __init__(
        self, clinic: Clinic, twilio: FakeTwilio, folder: Path, channel: Channel = Channel.SMS, **changes: Any
    ):
        self.clinic, self.twilio, self.channel = clinic, twilio, channel
        self.table = table(twilio.url, folder, **changes)
        self.gateway = TwilioGateway(channel, self.table)
        self.gate = Gate(gateways={channel: self.gateway})
        self.courier = Courier(units=clinic.crm.units, gate=self.gate, observers=(InboxSendObserver(),))
        self.chore = self.another_chore()
        with clinic.crm.write(SYSTEM) as unit:
            add_vendor(unit, name="Twilio", gateway=channel, baa_from=date(2026, 1, 1), baa_until=date(2026, 12, 31))

    def another_chore(self) -> TextsChore:
        """As another poller, or this one after a crash, has it."""
        return TextsChore(self.clinic.crm.units, {self.channel: self.table}, (InboxSendObserver(),))

    def answered(self, text: str = ANSWER, sender: str = ANA) -> int:
        """A conversation with an answer queued; its id."""
        number = self.clinic.text(BILL, sender).conversation_id
        assert number is not None
        self.clinic.do(self.clinic.agent, reply, self.gate, number, text)
        return number

    def poll(self, chore: TextsChore | None = None) -> Tally:
        """One run of the chore, and of what it set off."""
        tally = (chore or self.chore).run(lambda: False)
        TimersChore(self.clinic.crm.units, self.clinic.crm.timer_handlers).run(lambda: False)
        return tally

    def later(self, by: timedelta) -> None:
        """Let that much time pass."""
        self.clinic.at(self.clinic.crm.clock.now() + by)

    def received(self) -> list[str]:
        """What was said to us, in the order in which it was taken in."""
        with self.clinic.crm.read(SYSTEM) as unit:
            rows = unit.scalars(select(Message.body).where(Message.direction == Direction.IN).order_by(Message.id))
            return [str(unit.open(body)) for body in rows]

    def close(self) -> None:
        self.gateway.close()
        self.chore.close()


@pytest.fixture
def twilio(clinic: Clinic) -> Iterator[FakeTwilio]:
    with fake_twilio(clinic.crm.clock.now) as running:
        yield running


@pytest.fixture
def line(clinic: Clinic, twilio: FakeTwilio, tmp_path: Path) -> Iterator[Line]:
    made = Line(clinic, twilio, tmp_path)
    yield made
    made.close()


def row(line: Line) -> Any:
    return outbox_rows(line.clinic.crm)[-1]
