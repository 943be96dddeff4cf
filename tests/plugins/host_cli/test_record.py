"""``bot4 record`` against a Binance that is on this machine."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.plugins.host_cli.shell import COMMAND, called, environment
from tests.plugins.venue_toolkit.test_binance_loopback import METADATA

from bot4_core.market.recordings import Recording
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.host_cli.live import HOSTS, stand_ins
from bot4_plugins.venue_toolkit.loopback.binance_protocol import BinanceProtocol
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.threaded_venue import ThreadedVenue

ORIGINS = sorted({"/".join(url.split("/")[:3]) for url in VENUES["spot"].hosts.values()})


@pytest.fixture
def hosts() -> Iterator[str]:
    """Serve a moving book; what ``BOT4_HOSTS`` is to be."""
    protocol = BinanceProtocol("/api/v3", METADATA, linked=False)

    async def move() -> None:
        step = 0
        while True:
            protocol.change("BTCUSDT", [(f"{60_000 - step % 7}.00", f"{1 + step % 3}.000")])
            step += 1
            await asyncio.sleep(0.002)

    with ThreadedVenue(LoopbackVenue(protocol), move) as served:
        yield ",".join(f"{at}={to}" for at, to in served.venue.hosts(*ORIGINS).items())


def test_what_was_recorded_is_told_and_can_be_replayed(
    tmp_path: Path, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOSTS, hosts)
    path = tmp_path / "a.b4r"
    answer = called("record", "binance", "BTCUSDT", "-o", str(path), "--seconds", "0.6", "--json")
    assert answer.code == 0, answer.complaint
    told = json.loads(answer.out)
    assert told["instruments"] == ["BTCUSDT"]
    assert told["counts"]["messages"] > 0
    assert (told["counts"]["quarantined"], told["lost"]) == (0, 0)
    replayed = json.loads(called("replay", str(path), "--json").out)
    assert replayed["instruments"]["BTCUSDT"]["state"] == "LIVE"
    assert called("record", "binance", "BTCUSDT", "-o", str(path)).code == 1


def test_ctrl_c_ends_a_recording_whole(tmp_path: Path, hosts: str) -> None:
    path = tmp_path / "a.b4r"
    command = [*COMMAND, "-q", "record", "binance", "BTCUSDT", "-o", str(path)]
    process = subprocess.Popen(
        command, env=environment({HOSTS: hosts}), stdout=subprocess.PIPE, text=True
    )
    while process.poll() is None and (not path.exists() or path.stat().st_size < 3000):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "messages and" in said
    Recording(path).check_digest()


def test_a_market_that_is_not_there_and_hosts_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = called("record", "binance", "BTCUSDT", "--market", "moon")
    assert wrong.code == 2
    assert "no market 'moon'" in wrong.complaint
    monkeypatch.setenv(HOSTS, "wss://a")
    path = str(tmp_path / "a.b4r")
    assert "no list of origin=address" in called("record", "binance", "B", "-o", path).complaint
    assert stand_ins(" a=b , c=d ") == {"a": "b", "c": "d"}
    assert stand_ins("") == {}


def test_a_venue_that_says_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = (
        "https://api.binance.com=http://127.0.0.1:9",
        "wss://stream.binance.com:9443=ws://127.0.0.1:9",
    )
    monkeypatch.setenv("BOT4_HOSTS", ",".join(nobody))
    path = tmp_path / "nothing.b4r"
    answer = called("record", "binance", "BTCUSDT", "-o", str(path), "--seconds", "0.3")
    assert answer.code == 5
    assert "nothing came from binance" in answer.err
