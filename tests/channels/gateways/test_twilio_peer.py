"""What we ask of Twilio is as Twilio's own API file says: Prism, strict, answers from it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_core.channels.gateways.base import Permanent
from crm_core.channels.gateways.twilio import VISIBLE_AFTER, TwilioGateway
from crm_core.channels.gateways.twilio_api import TwilioApi
from crm_core.words import Channel
from tests.channels.gateways.fake_twilio import SERVICE
from tests.channels.gateways.test_twilio import WORDS, sought, table

PEER = Path(__file__).resolve().parents[4] / "shared" / "peers" / "prism"
SID = "SM" + "1" * 32


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prism that lies beside the project."""
    if not (PEER / "start.sh").is_file():
        pytest.skip(f"Prism with Twilio's API file is not here ({PEER})")
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    run = tmp_path_factory.mktemp("prism")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PRISM_PORT": str(port)}
    started = subprocess.run([PEER / "start.sh", run], env=environment, capture_output=True, check=False, timeout=240)
    if started.returncode != 0:
        pytest.skip("Prism beside the project does not start here")
    yield f"http://127.0.0.1:{port}"
    subprocess.run([PEER / "stop.sh", run], capture_output=True, check=False, timeout=60)


def test_every_request_of_ours_is_one_that_twilio_describes(prism: str, tmp_path: Path) -> None:
    settings = table(prism, tmp_path)
    gateway = TwilioGateway(Channel.SMS, settings)
    sid = gateway.send(WORDS).provider_id
    assert sid is not None
    assert (sid[:2], len(sid)) in {("SM", 34), ("MM", 34)}
    # Prism keeps nothing: what it lists is the file's example.
    gateway.find(sought(VISIBLE_AFTER, taken=frozenset({sid})))
    assert gateway.probe() == "account active"
    gateway.close()

    whatsapp = TwilioGateway(Channel.WHATSAPP, table(prism, tmp_path, **{"from": None}, messaging_service=SERVICE))
    assert whatsapp.send(WORDS).provider_id
    whatsapp.close()

    api = TwilioApi(settings)
    assert api.text(SID) is not None
    filters = {"DateSent>": "2026-11-23T14:50:00Z", "To": str(settings.sender)}
    assert next(iter(api.texts(filters, page_size=200)))
    assert api.media("MM" + "1" * 32)
    with pytest.raises(Permanent, match="422"):  # Prism does look
        api.post({"Body": "to nobody"})
    api.close()
