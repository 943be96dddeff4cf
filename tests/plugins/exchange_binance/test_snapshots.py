"""Compiled snapshots are those of the slow decoder, and what is spelled otherwise is left to it."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import attrs
import numpy as np
import pytest
from tests.plugins.exchange_binance.adapters import BITCOIN, RECEIVED, Outcome, adapter
from tests.plugins.exchange_binance.binance_messages import SYMBOL, Fields, compact, depth, snapshot

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

URL = f"https://fapi.binance.com/fapi/v1/depth?symbol={SYMBOL}&limit=1000"


def without(*names: str) -> Fields:
    return {name: value for name, value in snapshot().items() if name not in names}


GOOD = (
    snapshot(),
    without("E", "T"),
    without("E"),
    without("T"),
    snapshot(bids=[]),
    snapshot(asks=[], bids=[]),
    snapshot(bids=[["61800.20", "0.000"]] * 50),
    snapshot(lastUpdateId=0, T=0),
)
OTHERS = (
    compact(snapshot(symbol=SYMBOL)),
    compact(snapshot(bids=[["61800.20", "1e1"]])),
    compact(snapshot(bids=[["0.00", "1"]])),
    compact(snapshot(T=9_223_372_036_855)),
    compact(snapshot(lastUpdateId=2**63)),
    compact(snapshot(lastUpdateId="1")),
    compact(snapshot(T="1")),
    compact(snapshot(more=1)),
    compact(snapshot())[:-1] + b',"bids":[]}',
    compact(snapshot()).replace(b"lastUpdateId", b"lastUpdated_"),
    compact({"lastUpdateId": 5, "T": 2, "E": 1, "bids": [], "asks": []}),
    compact({"lastUpdateId": 5, "asks": [], "bids": []}),
    json.dumps(snapshot()).encode(),
    compact(snapshot()) + b"x",
)


def made(data: bytes, *, slowly: bool) -> Outcome:
    """Return what a reply changes."""
    exchange, batch = adapter(), EventBatch(4)
    if slowly:
        exchange.subject = Symbol(SYMBOL)
        exchange.decode_carefully(data, RECEIVED, batch)
    else:
        exchange.decode_response(URL, data, RECEIVED, batch)
    return Outcome(
        batch.events.tobytes(),
        exchange.quarantined,
        tuple(message.reason for message in exchange.quarantine),
        tuple(item.symbol for item in exchange.instruments),
        None,
    )


@pytest.mark.parametrize("content", GOOD)
def test_snapshots_as_the_venue_spells_them_are_compiled(
    content: Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = made(compact(content) + b" \n", slowly=True)
    assert slow.quarantined == 0
    monkeypatch.setattr(BinanceExchange, "decode_carefully", None)
    assert made(compact(content) + b" \n", slowly=False) == slow


@pytest.mark.parametrize("data", OTHERS)
def test_other_spellings_mean_the_same(data: bytes) -> None:
    assert made(data, slowly=False) == made(data, slowly=True)


def test_cut_snapshots_are_quarantined() -> None:
    data = compact(snapshot())
    for length in range(len(data)):
        cut = made(data[:length], slowly=False)
        assert cut == made(data[:length], slowly=True)
        assert cut.quarantined == 1


def test_changed_bytes_mean_the_same() -> None:
    data = compact(snapshot())
    for place in range(len(data)):
        for byte in b'9."x':
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            assert made(changed, slowly=False) == made(changed, slowly=True)


def test_a_block_has_one_subject_and_leaves_none() -> None:
    other = attrs.evolve(BITCOIN, symbol=Symbol("ETHUSDT"))
    exchange = BinanceExchange(BinanceSettings(market="usdm"), (BITCOIN, other))
    data = compact(snapshot())
    buffer = np.frombuffer(data + compact(depth()), np.uint8)
    bounds = np.array([[0, len(data)], [len(data), buffer.size]])
    received = np.full(2, RECEIVED)
    batch = EventBatch(1)
    exchange.subject = Symbol("ETHUSDT")
    first = exchange.decode_block(buffer, bounds[:, 0].copy(), bounds[:, 1].copy(), received, batch)
    assert first == 1
    exchange.decode_block(buffer, bounds[:, 0].copy(), bounds[:, 1].copy(), received, batch, first)
    assert batch.events["instrument"].tolist() == [1] * 5 + [0] * 4
    exchange.subject = Symbol("")
    assert exchange.decode(data, RECEIVED, batch) == 0
    assert "names no symbol" in exchange.quarantine[-1].reason


def recorded_snapshots(path: Path) -> Iterator[bytes]:
    for block in open_messages(path).blocks():
        for number in range(len(block)):
            data = block.message(number)
            if b'"lastUpdateId"' in data[:40]:
                yield data


def test_recorded_snapshots_mean_the_same(recordings: Path) -> None:
    count = 0
    for path in sorted((recordings / "binance").glob("*20240808.gz")):
        market = path.name.partition("_")[0].replace("cm", "coinm")
        for data in islice(recorded_snapshots(path), 1):  # there is one, near the start
            fast, slow = (BinanceExchange(BinanceSettings(market=market)) for _ in range(2))
            one, two = EventBatch(), EventBatch()
            for exchange, batch in ((fast, one), (slow, two)):
                exchange.subject = Symbol("BTCUSDT")
                exchange.decode_carefully(data, RECEIVED, batch)
                batch.clear()
            fast.decode_response(URL, data, Nanoseconds(7), one)
            slow.decode_carefully(data, Nanoseconds(7), two)
            assert one.events.tobytes() == two.events.tobytes()
            assert one.count > 0
            count += 1
    assert count >= 3
