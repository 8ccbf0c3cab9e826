"""The inbox's small clinic, and a text provider of the outside world to send to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.vendors import add_vendor
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.answering.health_detail import HealthDetail
from crm_core.words import Channel
from tests.channels.provider import Provider, ProviderGateway, provider_running
from tests.inbox.conftest import Clinic, clinic, read_once

__all__ = ["Line", "clinic", "line", "provider", "read_once"]


class Line:
    """A clinic whose texts go to that provider, under an agreement in date."""

    def __init__(self, clinic: Clinic, provider: Provider) -> None:
        self.clinic = clinic
        self.provider = provider
        self.gateway = ProviderGateway(provider.port)
        self.use(self.gateway)
        with clinic.crm.write(SYSTEM) as unit:
            add_vendor(
                unit, name="Example Texts", gateway="sms", baa_from=date(2026, 1, 1), baa_until=date(2026, 12, 31)
            )

    def use(self, gateway: ProviderGateway) -> None:
        """Send by that gateway from now on."""
        self.gateway = gateway
        self.gate = Gate(gateways={Channel.SMS: gateway}, checks=(HealthDetail(),))
        self.courier = Courier(units=self.clinic.crm.units, gate=self.gate, observers=(InboxSendObserver(),))


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A text provider that listens."""
    with provider_running() as running:
        yield running


@pytest.fixture
def line(clinic: Clinic, provider: Provider) -> Line:
    """The clinic, connected."""
    return Line(clinic, provider)
