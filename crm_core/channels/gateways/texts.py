"""The chore `texts`: what became of the texts that were sent, and what came in, asked of Twilio again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.channels.asking import Unreported, ask_again, ask_no_more, claim_unreported, longest_unasked
from crm_core.channels.gateways.base import Temporary
from crm_core.channels.gateways.twilio_api import TwilioApi
from crm_core.channels.gateways.twilio_inbound import InboundTexts
from crm_core.channels.gateways.twilio_reports import SOURCE, reported
from crm_core.channels.model import Report
from crm_core.channels.outbox import SendObserver
from crm_core.channels.reports import Reported, report
from crm_core.timers.model import Tally
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, Units

BATCH = 50
"""Messages asked about before the answers are written down."""


class TextsChore:
    """Polls every Twilio account of crm.toml, by connections of its own."""

    kind = "texts"

    def __init__(self, units: Units, tables: dict[Channel, TwilioTable], observers: Sequence[SendObserver]) -> None:
        self.every = timedelta(seconds=min(table.every for table in tables.values()))
        self._units = units
        self._observers = observers
        self._accounts = [_Account(units, channel, table) for channel, table in tables.items()]

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Ask each account; one that cannot be asked keeps none of the others waiting, and is told of at the end."""
        tally, failed = Tally(), None
        for account in self._accounts:
            try:
                more = True
                while more and not stopped():
                    # What patients write comes first, and again between two batches of questions.
                    taken = account.inbound.read(stopped)
                    tally.add(Tally(claimed=taken, done=taken))
                    more = self._ask(account, stopped, tally)
            except Temporary as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return tally

    def behind(self, unit: ReadUnit) -> timedelta | None:
        """How much longer than the pause the oldest question has waited; what came in lies with Twilio meanwhile."""
        waits = longest_unasked(unit, SOURCE)
        return waits - self.every if waits is not None and waits > self.every else None

    def close(self) -> None:
        """End the connections; running again opens new ones."""
        for account in self._accounts:
            account.api.close()

    def _ask(self, account: _Account, stopped: Callable[[], bool], tally: Tally) -> bool:
        """Ask about one batch; whether there may be more."""
        with self._units.write(SYSTEM) as unit:
            asked = claim_unreported(unit, SOURCE, account.channel, BATCH)
        final: list[Reported] = []
        undecided: list[Unreported] = []
        forgotten: list[Unreported] = []
        failures: list[Temporary] = []
        try:
            for one in asked:
                if stopped() or len(failures) > 1:
                    undecided.append(one)
                    continue
                try:
                    text = account.api.text(one.provider_id)
                except Temporary as error:
                    # One that cannot be read holds up no other; two are a Twilio that is away.
                    failures.append(error)
                    undecided.append(one)
                    continue
                if text is None:
                    forgotten.append(one)
                    continue
                said = reported(
                    sid=text.sid,
                    status=text.status,
                    code=text.code,
                    whatsapp=account.channel is Channel.WHATSAPP,
                    at=self._units.clock.now(),
                )
                if said is None:
                    undecided.append(one)
                else:
                    final.append(said)
        finally:
            self._settle(final, undecided, forgotten, tally)
        if failures:
            raise failures[0]
        return len(asked) == BATCH

    def _settle(
        self, final: list[Reported], undecided: list[Unreported], forgotten: list[Unreported], tally: Tally
    ) -> None:
        if not (final or undecided or forgotten):
            return
        with self._units.write(SYSTEM) as unit:
            ask_again(unit, undecided)
            ask_no_more(unit, forgotten)
            for said in final:
                report(unit, said, self._observers)
        failed = sum(said.fate is Report.FAILED for said in final)
        tally.add(Tally(claimed=len(final), done=len(final), failed=failed))


class _Account:
    """One channel by one account, with a connection of its own."""

    def __init__(self, units: Units, channel: Channel, table: TwilioTable) -> None:
        self.channel = channel
        self.api = TwilioApi(table)
        self.inbound = InboundTexts(units, channel, table, self.api)
