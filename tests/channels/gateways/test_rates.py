"""A gateway's rate holds for every process of a host, and nobody waits long with a message in hand."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from crm_core.channels.gateways import build_gateways
from crm_core.channels.gateways.base import Temporary
from crm_core.channels.gateways.rates import LONGEST_WAIT, Pace, Paced
from crm_core.channels.gateways.segments import segments
from crm_core.channels.gateways.spool import SpoolGateway
from crm_core.settings import BadSettings, Settings, SpoolTable
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel
from tests.channels.gateways.test_spool import text
from tests.channels.gateways.test_twilio import table
from tests.conftest import settings_in


@dataclass
class Time:
    """A monotonic clock that stands still until somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def having(folder: Path, **gateways: TwilioTable | SpoolTable) -> Settings:
    """Settings with these gateways."""
    return replace(settings_in(folder), gateways=gateways)


def paced(folder: Path, time: Time, per_second: float) -> Paced:
    pace = Pace(folder / "gateway-sms.pace", per_second, time.read)
    spool = SpoolGateway(Channel.SMS, folder / "sms.jsonl")
    return Paced(spool, pace, weight=lambda outgoing: segments(outgoing.body), sleep=time.sleep)


def test_a_seconds_worth_goes_at_once_and_then_each_waits_for_its_turn(tmp_path: Path) -> None:
    time = Time()
    gateway = paced(tmp_path, time, per_second=4)
    for number in range(4):
        gateway.send(text(f"a{number}", "short"))
    assert time.slept == []
    for number in range(4, 12):
        gateway.send(text(f"a{number}", "short"))
    assert time.slept == pytest.approx([0.25] * 8)


def test_a_text_of_many_parts_costs_as_many_turns(tmp_path: Path) -> None:
    time = Time()
    gateway = paced(tmp_path, time, per_second=2)
    gateway.send(text("a1", "x" * 300))
    gateway.send(text("a2", "x" * 300))
    assert time.slept == pytest.approx([1.0])


def test_one_whose_turn_is_far_off_goes_back_untried_and_takes_no_turn(tmp_path: Path) -> None:
    time = Time()
    gateway = paced(tmp_path, time, per_second=0.1)
    gateway.send(text("a1", "short"))
    for _ in range(3):
        with pytest.raises(Temporary) as caught:
            gateway.send(text("a2", "short"))
        assert (caught.value.wait, caught.value.tried) == (timedelta(seconds=10), False)
    assert time.slept == []
    time.now += 10 - LONGEST_WAIT
    gateway.send(text("a2", "short"))
    assert time.slept == pytest.approx([LONGEST_WAIT])


def test_a_clock_that_began_anew_with_the_host_stops_nobody(tmp_path: Path) -> None:
    paced(tmp_path, Time(now=9_000_000.0), per_second=1).send(text("a1", "short"))
    time = Time(now=5.0)
    paced(tmp_path, time, per_second=1).send(text("a2", "short"))
    assert time.slept == []


def test_a_file_that_is_cut_short_or_nonsense_begins_anew(tmp_path: Path) -> None:
    for content in (b"", b"abc", b"\xff" * 8, b"\x00" * 100):
        (tmp_path / "gateway-sms.pace").write_bytes(content)
        assert Pace(tmp_path / "gateway-sms.pace", 1, Time().read).take() == 0


def test_a_pace_that_cannot_be_kept_stops_the_sending_and_not_the_poller(tmp_path: Path) -> None:
    gateway = Paced(SpoolGateway(Channel.SMS, tmp_path / "x"), Pace(tmp_path / "missing" / "pace", 1))
    with pytest.raises(Temporary, match="pace file"):
        gateway.send(text("a1"))


def take_many(path: Path, waits: multiprocessing.Queue[list[float]]) -> None:
    pace = Pace(path, 100, lambda: 1000.0)
    waits.put([pace.take() for _ in range(100)])


def test_processes_draw_from_one_bucket(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    waits: multiprocessing.Queue[list[float]] = context.Queue()
    path = tmp_path / "gateway-sms.pace"
    drawing = [context.Process(target=take_many, args=(path, waits)) for _ in range(3)]
    for each in drawing:
        each.start()
    drawn = sorted(wait for _ in drawing for wait in waits.get(timeout=60))
    for each in drawing:
        each.join()
    # A second's worth at once, and from then on one every hundredth, whoever asks.
    assert drawn == pytest.approx([max(0.0, (number - 99) / 100) for number in range(300)], abs=1e-6)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_crm_toml_says_of_a_rate_is_kept_beside_it(tmp_path: Path) -> None:
    twilio = table("http://127.0.0.1:9", tmp_path, per_second=5)
    gateway = build_gateways(having(tmp_path, sms=twilio))[Channel.SMS]
    assert (gateway.name, gateway.real, gateway.vendor) == ("twilio", True, "Twilio")
    with pytest.raises(Temporary):
        gateway.send(text("a1"))
    assert (tmp_path / "gateway-sms.pace").exists()


@pytest.mark.parametrize("name", ["email", "fax"])
def test_a_channel_that_a_gateway_does_not_carry_is_a_mistake_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSettings, match=f'gateway.{name}: kind "twilio" carries sms, whatsapp'):
        build_gateways(having(tmp_path, **{name: table("http://127.0.0.1:9", tmp_path)}))


def test_a_spool_carries_any_channel(tmp_path: Path) -> None:
    spool = SpoolTable(kind="spool", path=tmp_path / "x.jsonl")
    assert set(build_gateways(having(tmp_path, sms=spool, portal=spool))) == {Channel.SMS, Channel.PORTAL}
