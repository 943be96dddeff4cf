"""``exchangeInfo`` of three markets, of 2021 and today, and what becomes of it in a session."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.plugins.exchange_binance.adapters import BITCOIN, RECEIVED
from tests.plugins.exchange_binance.binance_messages import Fields, compact, quote

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import (
    Instrument,
    InstrumentKind,
    InstrumentStatus,
    Settlement,
)
from bot4_core.domain_types.records import ChainRule
from bot4_core.domain_types.validation import validate
from bot4_core.errors import DecodeError, PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.exchange_binance.metadata import read_metadata
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.venue_toolkit.listings import Catalogue


def listing(**changes: Any) -> Fields:
    """Return a USD-M listing as of 2026."""
    fields = {
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "status": "TRADING",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "556.80", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "maxQty": "1000", "minQty": "0.001", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
    }
    return fields | changes


def steps(tick: str, lot: str) -> list[Fields]:
    return [
        {"filterType": "PRICE_FILTER", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "100", "stepSize": lot},
    ]


def body(*listings: object) -> Fields:
    return {"timezone": "UTC", "exchangeFilters": [], "symbols": list(listings)}


def read(market: str, *listings: object) -> Catalogue:
    return read_metadata(VENUES[market], body(*listings))


def recorded(recordings: Path, name: str, market: str) -> Catalogue:
    for block in open_messages(recordings / "binance" / name).blocks():
        for number in range(len(block)):
            content = json.loads(block.message(number))
            if "symbols" in content:
                return read_metadata(VENUES[market], content)
    raise AssertionError(f"{name} has no metadata")


def test_perpetual_is_read_whole() -> None:
    catalogue = read("usdm", listing())
    assert catalogue.refused == []
    assert catalogue.instruments["BTCUSDT"] == attrs.evolve(
        BITCOIN,
        min_size=1,
        max_size=1_000_000,
        min_notional=Decimal(100),
        settlement_asset="USDT",
        fees=VENUES["usdm"].default_fees,
    )


@pytest.mark.parametrize(
    ("name", "market", "count", "symbol", "expected"),
    [
        (
            "cf_spot_20211012.jsonl.gz",
            "spot",
            1695,
            "NKNUSDT",
            {"tick": 10_000, "price_exponent": -8, "lot": 10**8, "size_exponent": -8},
        ),
        (
            "cf_usdm_20210722.jsonl.gz",
            "usdm",
            122,
            "CTKUSDT",
            {"tick": 100, "price_exponent": -5, "lot": 1, "size_exponent": 0},
        ),
        (
            "cf_coinm_20210722.jsonl.gz",
            "coinm",
            36,
            "BTCUSD_PERP",
            {"tick": 1, "price_exponent": -1, "multiplier": Decimal(100), "base": "BTC"},
        ),
    ],
)
def test_recorded_metadata_of_2021(
    name: str, market: str, count: int, symbol: str, expected: Fields, recordings: Path
) -> None:
    catalogue = recorded(recordings, name, market)
    assert catalogue.refused == []
    assert len(catalogue.instruments) == count
    instrument = catalogue.instruments[symbol]
    assert {name: getattr(instrument, name) for name in expected} == expected
    assert (instrument.market, instrument.chain) == (market, VENUES[market].chain)
    for each in catalogue.instruments.values():
        validate(each)


def test_inverse_future_settles_in_its_base_and_expires(recordings: Path) -> None:
    catalogue = recorded(recordings, "cf_coinm_20210722.jsonl.gz", "coinm")
    future = catalogue.instruments["BCHUSD_210924"]
    assert (future.kind, future.settlement) == (InstrumentKind.FUTURE, Settlement.INVERSE)
    assert (future.settled_in, future.multiplier) == ("BCH", Decimal(10))
    assert future.expiry == Nanoseconds(1_632_470_400_000_000_000)
    assert catalogue.instruments["BCHUSD_PERP"].expiry is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("TRADING", InstrumentStatus.TRADING),
        ("BREAK", InstrumentStatus.HALTED),
        ("CANCEL_ONLY", InstrumentStatus.CANCEL_ONLY),
        ("CLOSE", InstrumentStatus.DELISTED),
        ("SOMETHING_NEW", InstrumentStatus.UNKNOWN),
    ],
)
def test_status_words(word: str, status: InstrumentStatus) -> None:
    assert read("usdm", listing(status=word)).instruments["BTCUSDT"].status is status
    coinm = listing(status="", contractStatus=word)
    assert read("coinm", coinm).instruments["BTCUSDT"].status is status


@pytest.mark.parametrize(
    "wrong",
    [
        listing(filters=[]),
        listing(filters=steps("0", "1")),
        listing(filters=steps("x", "1")),
        listing(filters=steps("0.1", "NaN")),
        listing(symbol=5),
        "text",
    ],
)
def test_unreadable_listing_is_told_of_and_the_others_are_read(wrong: object) -> None:
    catalogue = read("usdm", wrong, listing(symbol="ETHUSDT"))
    assert list(catalogue.instruments) == ["ETHUSDT"]
    ((_, reason),) = catalogue.refused
    assert reason


def test_metadata_without_listings_is_refused() -> None:
    with pytest.raises(DecodeError):
        read_metadata(VENUES["spot"], {"symbols": {}})


def session(**settings: Any) -> tuple[BinanceExchange, EventBatch]:
    return BinanceExchange(BinanceSettings(market="usdm", **settings)), EventBatch()


def learn(exchange: BinanceExchange, *listings: Fields) -> None:
    assert exchange.decode(compact(body(*listings)), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 0


def only(exchange: BinanceExchange) -> Instrument:
    (instrument,) = exchange.instruments
    return instrument


def test_wanted_symbols_become_instruments_in_the_order_wanted() -> None:
    exchange, _ = session(symbols=("ETHUSDT", "BTCUSDT"))
    learn(exchange, listing(), listing(symbol="XRPUSDT"), listing(symbol="ETHUSDT"))
    assert [item.symbol for item in exchange.instruments] == ["ETHUSDT", "BTCUSDT"]
    assert exchange.table["chain"].tolist() == [ChainRule.LINK, ChainRule.LINK]


def test_listed_symbol_becomes_an_instrument_when_its_data_comes() -> None:
    exchange, batch = session()
    learn(exchange, listing())
    assert exchange.instruments == ()
    exchange.decode(compact(quote()), RECEIVED, batch)
    assert not only(exchange).from_data
    assert only(exchange).tick == 10


def test_metadata_after_the_data_keeps_the_exponents() -> None:
    exchange, batch = session()
    exchange.decode(compact(quote(b="61800.123", a="61800.301")), RECEIVED, batch)
    assert only(exchange).from_data
    learn(exchange, listing())
    instrument = only(exchange)
    assert (instrument.price_exponent, instrument.tick) == (-3, 100)
    assert (instrument.version, instrument.from_data) == (2, False)
    learn(exchange, listing())
    assert only(exchange).version == 2


def test_new_tick_makes_a_new_version() -> None:
    exchange, _ = session(symbols=("BTCUSDT",))
    learn(exchange, listing())
    learn(exchange, listing(filters=steps("0.50", "0.002")))
    assert (only(exchange).tick, only(exchange).lot, only(exchange).version) == (50, 2, 2)


def test_finer_tick_than_the_exponents_hold_asks_for_a_new_start() -> None:
    exchange, _ = session(symbols=("BTCUSDT",))
    learn(exchange, listing())
    with pytest.raises(PrecisionGrew) as grown:
        learn(exchange, listing(filters=steps("0.001", "0.001")))
    assert (grown.value.price_exponent, grown.value.size_exponent) == (-3, -3)


def test_refused_listings_are_kept() -> None:
    exchange, _ = session()
    learn(exchange, listing(symbol="BAD", filters=[]))
    assert exchange.refused_listings[0][0] == "BAD"
