"""Texts taken in by `receive` on a real store, as a gateway would bring them: each from a sender of its own."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from crm_core.access.model import SYSTEM
from crm_core.app import Crm, found
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound, Received
from crm_core.clock import ShiftedClock
from crm_core.words import Channel
from tests.conftest import MASTER, MONDAY, settings_in

_AT_ONCE = 100
"""Texts of one unit: a commit of each would cost more than all the rest."""


def received_on_a_store(texts: Sequence[str], channel: Channel = Channel.SMS) -> Sequence[Received]:
    """What became of each text, in a new SQLCipher store with the playbook that ships; once in a process."""
    return _once(tuple(texts), channel)


@functools.cache
def _once(texts: tuple[str, ...], channel: Channel) -> Sequence[Received]:
    with (
        tempfile.TemporaryDirectory(prefix="crm-routing-") as home,
        found(settings_in(Path(home)), MASTER, ShiftedClock(MONDAY)) as crm,
    ):
        return list(_received(crm, texts, channel))


def _received(crm: Crm, texts: Sequence[str], channel: Channel) -> Iterator[Received]:
    numbered = iter(enumerate(texts))
    while batch := list(islice(numbered, _AT_ONCE)):
        with crm.write(SYSTEM) as unit:
            for number, text in batch:
                sender = f"+1646{2_000_000 + number}"
                inbound = Inbound(channel=channel, sender=sender, text=text, at=crm.clock.now())
                yield receive(unit, crm.receiver, inbound)
