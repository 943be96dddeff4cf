"""The compiled decoder and the slow one say the same of every message."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.exchange_binance.adapters import adapter, outcome
from tests.plugins.exchange_binance.binance_messages import (
    EVENTS,
    Fields,
    compact,
    depth,
    enveloped,
    quote,
    trade,
    wire_messages,
)

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import PrecisionGrew
from bot4_core.jit import is_compiling
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import Channel, open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.exchange_binance.requests import request_symbol

RECORDINGS = (
    "cf_coinm_20210722.jsonl.gz",
    "cf_spot_20211012.jsonl.gz",
    "cf_usdm_20210722.jsonl.gz",
    "cm_btcusd_perp_20240808.gz",
    "cm_btcusd_perp_20240809.gz",
    "spot_btcusdt_20240808.gz",
    "spot_btcusdt_20240809.gz",
    "usdm_btcusdt_20230404.dat.gz",
    "usdm_btcusdt_20230405.dat.gz",
    "usdm_btcusdt_20240808.gz",
    "usdm_ethusdt_20240808.gz",
)
MARKETS = {"cf_coinm": "coinm", "cm": "coinm", "cf_spot": "spot", "spot": "spot"}

LEVEL = b'{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"a":[],"b":[["%s","1"]]}'

ODD_MESSAGES = (
    LEVEL.replace(b'"a":[]', b'"a":[["3","2"],["4","5"]]') % b"1",
    compact({"s": "BTCUSDT", "p": "1.00"}),
    compact({"s": "BTCUSDT", "e": 5}),
    b'{"s":"BTCUSDT","e":1.5,"x":2.5}',
    b'{"e":"trade","x":NaN}',
    compact(depth(ps="BTCUSDT", st=1)),
    compact({"a": [["1", "1"]], "b": [["2", "x"]]} | depth(b=[["2", "x"]])),
    compact({"a": [["1", "-1"]]} | depth(a=[["1", "-1"]])),
    compact({"a": [["3", "1"]], "b": [["2", "1"]]} | depth(a=[["3", "1"]], b=[["2", "1"]])),
    LEVEL % b"1",
    LEVEL % b"1e3",
    LEVEL % b"-1",
    LEVEL % b"0",
    LEVEL % b"0.00",
    LEVEL % b"NaN",
    LEVEL % b"123456789012345678901234567890",
    LEVEL % b"92233720368547758.07",
    LEVEL % b"92233720368547758.08",
    LEVEL % b"1.005",
    LEVEL % (b"0" * 63 + b"1"),
    LEVEL % (b"0" * 64 + b"1"),
    LEVEL % b"1\xff",
    LEVEL % b"\\u0031",
    LEVEL.replace(b'"u":2', b'"u":2,"u":3') % b"1",
    LEVEL.replace(b'"u":2', b'"u":2,"x":1,"x":1') % b"1",
    LEVEL.replace(b'"u":2', b'"u":2,"zz":1,"zy":1') % b"1",
    LEVEL.replace(b'"u":2', b'"u":2,"x":{"y":1,"y":1}') % b"1",
    LEVEL.replace(b'"u":2', b'"u":0') % b"1",
    LEVEL.replace(b'"u":2', b'"u":2.0') % b"1",
    LEVEL.replace(b'"u":2', b'"u":02') % b"1",
    LEVEL.replace(b'"u":2', b'"u":9223372036854775807') % b"1",
    LEVEL.replace(b'"u":2', b'"u":9223372036854775808') % b"1",
    LEVEL.replace(b'"pu":0,', b"") % b"1",
    LEVEL.replace(b'"a":[]', b'"a":[["1","2"],]') % b"1",
    LEVEL.replace(b'"a":[]', b'"a":[["1","2","3"]]') % b"1",
    LEVEL.replace(b'"a":[]', b'"a":[["1"]]') % b"1",
    LEVEL.replace(b'"a":[]', b'"a":[[]]') % b"1",
    LEVEL.replace(b"BTCUSDT", b"BTC\\u0055SDT") % b"1",
    LEVEL.replace(b"BTCUSDT", "币安人生USDT".encode()) % b"1",
    LEVEL.replace(b"BTCUSDT", b"") % b"1",
    LEVEL.replace(b"BTCUSDT", b"A" * 65) % b"1",
    compact(quote(b="0.00", B="0.0", a="1", A="2")),
    compact(quote(b="0.00", B="0.1")),
    compact(quote(a="0.00", A="0.1")),
    compact({key: value for key, value in quote().items() if key != "e"}),
    compact(quote(T=9_223_372_036_854)),
    compact(quote(T=9_223_372_036_855)),
    compact(quote(E="x")),
    compact(trade(a=7, b=8)),
    compact(trade(a=7)),
    compact(trade(a="7", b=8)),
    compact(enveloped(enveloped(trade()))),
    b'{"data":1,"stream":"x"}',
    b'{"data":{},"stream":"x"}',
    b"[" * 100_000,
    b"",
)


def check_agreement(data: bytes, market: str, *, from_data: bool) -> None:
    fast = outcome(adapter(market, from_data=from_data), data, slowly=False)
    slow = outcome(adapter(market, from_data=from_data), data, slowly=True)
    assert fast == slow


@given(wire_messages(), st.sampled_from(["usdm", "spot"]), st.booleans())
def test_generated_messages(data: bytes, market: str, from_data: bool) -> None:
    check_agreement(data, market, from_data=from_data)


@pytest.mark.parametrize("market", ["usdm", "spot"])
@pytest.mark.parametrize("data", ODD_MESSAGES)
def test_odd_messages(data: bytes, market: str) -> None:
    check_agreement(data, market, from_data=False)
    check_agreement(data, market, from_data=True)


PRICES = ("61800.30", "61800.35", "9000.00", "0.00", "61800.3", "61800", "123456.70", "1.5", "1e3")
SIZES = ("0.006", "606.675", "0.000", "12", "1234.567", "12345.678", "0.0015", "", "x", "1.5 ")
LEVELS = st.lists(st.tuples(st.sampled_from(PRICES), st.sampled_from(SIZES)), max_size=6)


@given(LEVELS, LEVELS, st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_levels_of_mixed_layouts(
    bids: list[tuple[str, str]],
    asks: list[tuple[str, str]],
    separators: tuple[str, str],
    from_data: bool,
) -> None:
    fields = depth(b=[list(level) for level in bids], a=[list(level) for level in asks])
    data = json.dumps(fields, separators=separators).encode()
    check_agreement(data, "usdm", from_data=from_data)


@pytest.mark.parametrize("odd", ['"6180x.30","1.500"', '"61800.40","1.500x', '"61800.40" ,"1.500"'])
def test_level_unlike_those_before_it(odd: str) -> None:
    plain = '["61800.30","0.006"]'
    text = compact(depth(b=[], a=[])).decode()
    levels = ",".join([plain, plain, f"[{odd}]", plain, plain])
    check_agreement(text.replace('"b":[]', f'"b":[{levels}]').encode(), "usdm", from_data=False)


@pytest.mark.parametrize("market", ["usdm", "spot", "coinm"])
@pytest.mark.parametrize("builder", EVENTS[:-1])
def test_every_cut_of_every_message(builder: Callable[[], Fields], market: str) -> None:
    data = compact(enveloped(builder()))
    fast, slow = adapter(market), adapter(market)
    for stop in range(len(data) + 1):
        assert outcome(fast, data[:stop], slowly=False) == outcome(slow, data[:stop], slowly=True)
    assert fast.quarantined == len(data)


SPOILING = b'"0\\}9 ' if is_compiling() else b'"0'


@pytest.mark.parametrize("builder", EVENTS)
def test_every_byte_changed(builder: Callable[[], Fields]) -> None:
    data = compact(builder())
    fast, slow = adapter(), adapter()
    for at in range(len(data)):
        for byte in SPOILING:
            spoiled = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(fast, spoiled, slowly=False) == outcome(slow, spoiled, slowly=True)


def test_samples_of_other_projects(recordings: Path) -> None:
    files = sorted((recordings / "binance" / "samples").rglob("*.json"))
    assert len(files) > 100
    for file in files:
        for market in ("spot", "usdm", "coinm"):
            check_agreement(file.read_bytes(), market, from_data=True)


def messages_of(path: Path) -> Iterator[tuple[bytes, Nanoseconds, str]]:
    """Give every message of a recording, its receive time, and the request it answers."""
    file = open_messages(path)
    for block in file.blocks():
        for number in range(len(block)):
            origin = file.origins[int(block.origins[number])]
            url = origin.url if origin.channel is Channel.RESPONSE else ""
            yield block.message(number), Nanoseconds(int(block.received[number])), url


def _finer(instruments: Sequence[Instrument], grown: PrecisionGrew) -> list[Instrument]:
    return [
        attrs.evolve(item, price_exponent=grown.price_exponent, size_exponent=grown.size_exponent)
        if item.symbol == grown.symbol
        else item
        for item in instruments
    ]


def agree_on(messages: Iterator[tuple[bytes, Nanoseconds, str]], market: str) -> BinanceExchange:
    """Decode with both decoders, one message at a time."""
    settings = BinanceSettings(market=market)
    fast, slow = BinanceExchange(settings), BinanceExchange(settings)
    fast_batch, slow_batch = EventBatch(), EventBatch()
    for data, received, url in messages:
        fast_batch.clear()
        slow_batch.clear()
        while True:
            try:
                fast.subject = slow.subject = Symbol(request_symbol(url))
                fast.decode(data, received, fast_batch)
                slow.decode_carefully(data, received, slow_batch)
            except PrecisionGrew as grown:
                fast = BinanceExchange(settings, _finer(fast.instruments, grown))
                slow = BinanceExchange(settings, fast.instruments)
            else:
                break
        assert fast_batch.events.tobytes() == slow_batch.events.tobytes(), data
        assert fast.instruments == slow.instruments
    assert slow.quarantined == 0
    return fast


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_messages(name: str, recordings: Path) -> None:
    """Every message with ``BOT4_EVERY_MESSAGE=1``, else the first ones and some of the others."""
    market = MARKETS.get(name.rpartition("_btc")[0] or name.rpartition("_2")[0], "usdm")
    messages = messages_of(recordings / "binance" / name)
    if not os.environ.get("BOT4_EVERY_MESSAGE"):
        step, most = (40, None) if is_compiling() else (300, 3_000)
        messages = (
            item
            for at, item in enumerate(islice(messages, most))
            if at < 60 or at % step == 0 or item[2]
        )
    exchange = agree_on(messages, market)
    assert exchange.quarantined == 0


def test_seen_shapes_are_compiled(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushed messages of recordings never need the slow decoder once their symbol is known."""
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    messages = messages_of(recordings / "binance" / "usdm_btcusdt_20240808.gz")
    batch = EventBatch()
    needed = []
    careful = exchange.decode_carefully

    def counted(data: bytes, received: Nanoseconds, into: EventBatch) -> int:
        needed.append(data)
        return careful(data, received, into)

    monkeypatch.setattr(exchange, "decode_carefully", counted)
    for data, received, _ in islice(messages, 2_000):
        exchange.decode(data, received, batch)
    assert ["lastUpdateId" in json.loads(data) for data in needed[1:]] == [True]


def test_depth_message_in_the_order_of_the_venue_is_compiled() -> None:
    assert adapter().decode(compact(enveloped(depth())), Nanoseconds(1), EventBatch()) == 4
