"""The receiver as a service: over TLS, and when nobody handles what it takes in."""

from __future__ import annotations

import ssl
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from crm_core.app import Crm
from crm_core.channels.incoming.model import LISTENER
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.ringing.model import Ringing
from crm_core.clock import ShiftedClock
from crm_core.errors import Unavailable
from crm_tui.listening import server
from crm_tui.listening.server import Listener
from tests.channels.gateways.mail_server import make_certificate
from tests.channels.incoming import handle
from tests.conftest import MONDAY
from tests.listening.conftest import listening


def test_it_listens_over_tls_with_a_certificate_and_is_not_started_with_another_file(crm: Crm, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    table = crm.settings.listen
    crm.settings = replace(crm.settings, listen=table.model_copy(update={"certificate": certificate, "key": key}))
    listener = Listener(crm, lambda _: None)
    address, thread = listening(listener)
    try:
        assert address.startswith("https://")
        trust = ssl.create_default_context(cafile=certificate)
        with httpx.Client(base_url=address, verify=trust, trust_env=False, timeout=60) as web:
            assert web.get("/health").json()["ok"] is True
    finally:
        listener.stop()
        thread.join(60)
    certificate.write_text("no certificate", "utf-8")
    with pytest.raises(Unavailable, match="certificate"):
        Listener(crm, lambda _: None).run(lambda _: None)


def test_it_says_when_nobody_handles_what_it_takes_in_and_when_somebody_does_again(
    crm: Crm, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOOKS_EVERY", 0.05)
    told: list[str] = []
    spoke = threading.Condition()

    def say(words: str) -> None:
        with spoke:
            told.append(words)
            spoke.notify_all()

    with crm.write(LISTENER) as unit:
        take_in(unit, "phone.reception", Ringing(call_id="1", number="+12125550101", at=MONDAY))
    clock.set(MONDAY.replace(minute=1))
    listener = Listener(crm, say)
    _, thread = listening(listener)
    try:
        with spoke:
            assert spoke.wait_for(lambda: len(told) == 1, timeout=60)
        assert told[0].startswith("1 taken in and not handled for 60 s: danger in them is not seen")
        handle(crm)
        with spoke:
            assert spoke.wait_for(lambda: len(told) == 2, timeout=60)
        assert told[1] == "What was taken in is handled again."
    finally:
        listener.stop()
        thread.join(60)
