"""A receiver that really listens, with everybody in it who may bring something."""

from __future__ import annotations

import base64
import fcntl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from crm_core.app import Crm
from crm_core.listen_settings import FormTable, HookTable, ListenTable, PhoneTable, TwilioListenTable
from crm_core.settings import Settings, write_private
from crm_tui.listening.server import Listener
from tests.conftest import settings as on_each_store
from tests.inbox.conftest import clinic, read_once
from tests.listening.signing import ACCOUNT, TOKEN

__all__ = ["clinic", "on_each_store", "read_once"]

PUBLIC = "https://crm.example.org/in"
PEERS = Path(__file__).resolve().parents[3] / "shared" / "peers"


def secret_of(name: str) -> bytes:
    """Each sender's secret: 32 bytes of its own."""
    return name.encode().ljust(32, b"-")


def listen_table(home: Path) -> ListenTable:
    """Everybody's table; a port that is free."""
    write_private(home / "twilio-token", TOKEN + "\n")
    for name in ("portal", "chat", "website", "reception"):
        write_private(home / name, "whsec_" + base64.b64encode(secret_of(name)).decode() + "\n")
    return ListenTable(
        port=0,
        public_url=PUBLIC,
        largest_body=20_000,
        twilio=TwilioListenTable(account=ACCOUNT, token_file=home / "twilio-token"),
        hook={
            "portal": HookTable(channel="portal", secret_file=home / "portal"),
            "chat": HookTable(channel="chat", secret_file=home / "chat"),
        },
        form={"website": FormTable(secret_file=home / "website", origins=("https://www.example.org",), per_minute=3)},
        phone={"reception": PhoneTable(secret_file=home / "reception")},
    )


@pytest.fixture
def settings(on_each_store: Settings) -> Settings:
    """A home that listens, on each store."""
    return replace(on_each_store, listen=listen_table(on_each_store.home))


def listening(listener: Listener) -> tuple[str, threading.Thread]:
    """Start it; its address, and the thread that ends once it is stopped."""
    addresses: list[str] = []
    started = threading.Event()

    def told(address: str) -> None:
        addresses.append(address)
        started.set()

    thread = threading.Thread(target=listener.run, args=(told,))
    thread.start()
    assert started.wait(60)
    return addresses[0], thread


@pytest.fixture
def url(crm: Crm) -> Iterator[str]:
    """The address of a receiver that listens."""
    listener = Listener(crm, lambda _: None)
    address, thread = listening(listener)
    yield address
    listener.stop()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def web(url: str) -> Iterator[httpx.Client]:
    """A client of it."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def twilio_library() -> Path:
    """The python of a venv with Twilio's own library, made at the first use."""
    setup = PEERS / "twilio-webhook" / "setup.sh"
    if not setup.is_file():
        pytest.skip(f"the peers are not here ({PEERS})")
    run = Path(tempfile.gettempdir()) / "crm-peers" / "twilio-webhook"
    run.mkdir(parents=True, exist_ok=True)
    with (run.parent / "twilio-webhook.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "venv" / "bin" / "python").exists():
            made = subprocess.run(["bash", setup, run], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                pytest.skip(f"Twilio's library cannot be installed here: {made.stderr[-200:]}")
    return run / "venv" / "bin" / "python"
