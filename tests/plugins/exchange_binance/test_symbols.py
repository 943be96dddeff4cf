"""What names tell without metadata, the plugin's description, and many symbols."""

import re
from decimal import Decimal

import pytest
from tests.plugins.exchange_binance.adapters import RECEIVED
from tests.plugins.exchange_binance.binance_messages import compact, quote

from bot4_core.domain_types.instruments import InstrumentKind, Settlement
from bot4_core.domain_types.records import ChainRule
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins import PluginHost
from bot4_plugins.exchange_binance import hooks
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.exchange_binance.requests import request_symbol, stream_plan, subscriptions
from bot4_plugins.exchange_binance.symbol_names import guess_listing
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.venue_toolkit import symbol_registry


@pytest.mark.parametrize(
    ("market", "symbol", "base", "quote", "kind", "settlement", "multiplier"),
    [
        ("spot", "BTCUSDT", "BTC", "USDT", "spot", "spot", 1),
        ("spot", "LRCBTC", "LRC", "BTC", "spot", "spot", 1),
        ("spot", "USDT", "USDT", "", "spot", "spot", 1),
        ("spot", "ABCXYZ", "ABCXYZ", "", "spot", "spot", 1),
        ("usdm", "ETHUSDC", "ETH", "USDC", "perpetual", "linear", 1),
        ("usdm", "BTCUSDT_260327", "BTC", "USDT", "future", "linear", 1),
        ("coinm", "BTCUSD_PERP", "BTC", "USD", "perpetual", "inverse", 100),
        ("coinm", "ETHUSD_260327", "ETH", "USD", "future", "inverse", 10),
    ],
)
def test_names_suggest_assets_and_form(
    market: str, symbol: str, base: str, quote: str, kind: str, settlement: str, multiplier: int
) -> None:
    guess = guess_listing(VENUES[market], symbol)
    assert (guess.base, guess.quote) == (base, quote)
    assert guess.kind is InstrumentKind(kind)
    assert guess.settlement is Settlement(settlement)
    assert guess.multiplier == Decimal(multiplier)


@pytest.mark.parametrize(
    ("market", "symbol"),
    [("coinm", "BTCUSDT"), ("usdm", "BTCUSD_PERP"), ("spot", "BTCUSDT_260327")],
)
def test_data_of_another_market_are_refused_and_say_so(market: str, symbol: str) -> None:
    exchange, batch = BinanceExchange(BinanceSettings(market=market, streams=())), EventBatch()
    assert exchange.decode(compact(quote(s=symbol)), RECEIVED, batch) == 0
    assert exchange.quarantined == 1
    assert f"{symbol} is no symbol of {market}" in exchange.quarantine[0].reason
    assert exchange.instruments == ()


def test_symbols_beyond_the_table_are_decoded_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbol_registry, "MOST_SYMBOLS", 1)
    exchange, batch = BinanceExchange(BinanceSettings(market="usdm")), EventBatch()
    for symbol in ("AUSDT", "BUSDT", "币安人生USDT", "A" * 30):
        for _ in range(2):
            assert exchange.decode(compact(quote(s=symbol)), RECEIVED, batch) == 1
    assert batch.events["instrument"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_every_market_has_facts_with_date_and_source() -> None:
    for name, facts in VENUES.items():
        assert facts.market == name
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", facts.as_of)
        assert facts.source
        assert set(facts.stream_hosts) >= {"depth", "bookTicker", "trade", "aggTrade", "kline"}
    assert VENUES["spot"].chain is ChainRule.RANGE
    assert VENUES["usdm"].chain is VENUES["coinm"].chain is ChainRule.LINK


def test_many_streams_are_spread_over_frames() -> None:
    symbols = [f"S{number}USDT" for number in range(250)]
    frames = subscriptions(stream_plan(VENUES["coinm"], symbols, ("depth", "markPrice"), "1m"))
    assert [frame.body.count(b"usdt@") for frame in frames] == [200, 200, 100]
    assert [frame.connection for frame in frames] == ["market", "market-2", "market-3"]
    assert [frame.tag for frame in frames] == ["subscribe 1", "subscribe 2", "subscribe 3"]
    assert b'"s249usdt@markPrice@1s"' in frames[-1].body


def test_request_tells_its_symbol() -> None:
    assert request_symbol("https://host/api/v3/depth?limit=5&symbol=NKNUSDT") == "NKNUSDT"
    assert request_symbol("/api/v3/exchangeInfo") == ""


def test_plugin_is_listed_and_loaded() -> None:
    host = PluginHost()
    host.register(hooks)
    assert host.load("exchange", "binance") is BinanceExchange
