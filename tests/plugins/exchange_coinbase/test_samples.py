"""What each sample of other projects, and each error body, becomes; none is left out."""

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from tests.plugins.exchange_coinbase.coinbase_world import (
    BITCOIN,
    ED25519,
    ETHER,
    NOW,
    answered,
    intent,
    product,
    told,
    trader,
    working,
)

from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.instruments import InstrumentKind, InstrumentStatus, Settlement
from bot4_core.domain_types.records import EventKind as K
from bot4_core.errors import DecodeError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_coinbase.adapter import CoinbaseExchange
from bot4_plugins.exchange_coinbase.metadata import guess_product, read_products
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings
from bot4_plugins.exchange_coinbase.venue import VENUES

UNASKED = "a reply to a request that is never made"
METADATA = "instruments"
ACCOUNT = "part of the account"
LISTED = "orders"
FILLED = "fills"

SAMPLES: dict[str, list[K] | str] = {
    "http_accounts.json": ACCOUNT,
    "http_candles.json": UNASKED,
    "http_cfm_balance_summary.json": UNASKED,
    "http_cfm_position.json": UNASKED,
    "http_cfm_positions.json": ACCOUNT,
    "http_fills.json": FILLED,
    "http_order.json": UNASKED,
    "http_orders_list.json": LISTED,
    "http_product.json": METADATA,
    "http_product_book.json": UNASKED,
    "http_products.json": METADATA,
    "http_products_future.json": METADATA,
    "http_ticker.json": UNASKED,
    "ws_candles.json": [K.CANDLE],
    "ws_heartbeats.json": [],
    "ws_l2_data_snapshot.json": [K.BOOK_CLEAR, *[K.BOOK_SET] * 6, K.BOOK_END],
    "ws_l2_data_update.json": [K.BOOK_SET, K.BOOK_SET, K.BOOK_END],
    "ws_market_trades.json": [K.TRADE, K.TRADE],
    "ws_subscriptions.json": [],
    "ws_ticker.json": [K.QUOTE],
    "ws_user.json": [K.ORDER_ACCEPTED],
}


def sample(recordings: Path, name: str) -> bytes:
    return (recordings / "coinbase" / "samples" / name).read_bytes()


def test_the_table_names_every_sample(recordings: Path) -> None:
    files = {path.name for path in (recordings / "coinbase" / "samples").iterdir()}
    assert files == SAMPLES.keys()


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("ws_")])
def test_sample_of_a_socket(name: str, recordings: Path) -> None:
    exchange = trader()
    batch = told(exchange, sample(recordings, name))
    assert batch.events["kind"].tolist() == SAMPLES[name]
    assert exchange.quarantined == 0


@pytest.mark.parametrize("name", [name for name, into in SAMPLES.items() if into == UNASKED])
def test_unasked_reply_is_quarantined(name: str, recordings: Path) -> None:
    exchange = trader()
    assert told(exchange, sample(recordings, name)).count == 0
    assert exchange.quarantined == 1


def test_products_of_the_samples(recordings: Path) -> None:
    exchange = CoinbaseExchange(CoinbaseSettings(symbols=("BTC-USD", "BTC-USDC")))
    for name in ("http_product.json", "http_products.json"):
        told(exchange, sample(recordings, name))
    dollar, coin = exchange.instruments
    assert (dollar.price_exponent, dollar.size_exponent) == (-2, -8)
    assert (dollar.min_size, dollar.min_notional, coin.quote) == (1, Decimal(1), "USDC")
    assert exchange.refused_listings == ()


def test_contracts_of_the_samples(recordings: Path) -> None:
    content = json.loads(sample(recordings, "http_products_future.json"))
    catalogue = read_products(VENUES["futures"], content)
    forever = catalogue.instruments["BIP-20DEC30-CDE"]
    dated = catalogue.instruments["BIT-24APR26-CDE"]
    assert (forever.kind, forever.expiry) == (InstrumentKind.PERPETUAL, None)
    assert (forever.multiplier, forever.settlement) == (Decimal("0.01"), Settlement.LINEAR)
    assert (forever.tick, forever.price_exponent, forever.lot, forever.base) == (5, 0, 1, "BTC")
    assert dated.kind is InstrumentKind.FUTURE
    assert dated.expiry is not None
    assert read_products(VENUES["spot"], content).instruments == {}
    assert guess_product(VENUES["futures"], "BIP-20DEC30-CDE").kind is InstrumentKind.FUTURE


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"trading_disabled": True}, InstrumentStatus.HALTED),
        ({"cancel_only": True}, InstrumentStatus.CANCEL_ONLY),
        ({"post_only": True}, InstrumentStatus.POST_ONLY),
        ({"auction_mode": True}, InstrumentStatus.HALTED),
        ({}, InstrumentStatus.TRADING),
    ],
)
def test_state_of_a_product(
    fields: dict[str, object], status: InstrumentStatus, recordings: Path
) -> None:
    content = json.loads(sample(recordings, "http_product.json")) | fields
    (found,) = read_products(VENUES["spot"], content).instruments.values()
    assert found.status is status


def test_product_that_cannot_be_read_is_told_of_and_left_out(recordings: Path) -> None:
    good = json.loads(sample(recordings, "http_product.json"))
    content: dict[str, object] = {"products": [good | {"base_increment": "0"}, 7, good]}
    catalogue = read_products(VENUES["spot"], content)
    assert len(catalogue.instruments) == 1
    assert [name for name, _ in catalogue.refused] == ["BTC-USD", "?"]
    with pytest.raises(DecodeError):
        read_products(VENUES["spot"], {"products": 7})


def test_orders_and_fills_of_the_samples(recordings: Path) -> None:
    exchange = CoinbaseExchange(trader().settings, (BITCOIN, ETHER))
    exchange.authorise(Credentials(key=Secret("k"), secret=Secret(ED25519)))
    orders, fills = exchange.missed(NOW, NOW)
    batch = answered(exchange, orders, sample(recordings, "http_orders_list.json"))
    assert batch.events["kind"].tolist() == [K.ORDER_ACCEPTED, K.ORDER_ACCEPTED]
    batch = answered(exchange, fills, sample(recordings, "http_fills.json"))
    assert batch.events["kind"].tolist() == [K.ORDER_FILLED, K.ORDER_FILLED]
    assert batch.events["price"].tolist() == [4_512_345, 307_692]


def test_account_of_the_samples(recordings: Path) -> None:
    names = ("http_accounts", "http_orders_list", "http_fills", "http_products")
    bodies = [sample(recordings, f"{name}.json") for name in names]
    exchange = CoinbaseExchange(trader().settings, (BITCOIN, ETHER))
    account = exchange.read_account(bodies, NOW)
    assert sorted(account.balances) == ["BTC", "USD"]
    assert account.positions[InstrumentId(0)] == (123_956_789, 6_892_598)
    contract = product("BIP-20DEC30-CDE", (0, 0))
    linear = attrs.evolve(contract, settlement=Settlement.LINEAR)
    futures = CoinbaseExchange(CoinbaseSettings(market="futures"), (linear, ETHER))
    bodies[-1] = sample(recordings, "http_cfm_positions.json")
    assert futures.read_account(bodies, NOW).positions == {InstrumentId(0): (2, 49_000)}


ERRORS = {
    "order_rejected_200": K.ORDER_REJECTED,
    "cancel_item_failed": K.CANCEL_REJECTED,
    "edit_failed": K.CANCEL_REJECTED,
    "rate_limit": K.ORDER_REJECTED,
}


def test_every_error_becomes_what_the_table_says(recordings: Path) -> None:
    known = json.loads((recordings / "error_bodies.json").read_text())["errors"]
    ours = [each for each in known if each["exchange"] == "coinbase"]
    assert {each["kind"] for each in ours} == ERRORS.keys()
    for each in ours:
        exchange = trader()
        request = exchange.place(intent(), NOW)
        if ERRORS[each["kind"]] is K.CANCEL_REJECTED:
            taken = {"success": True, "success_response": {"order_id": "venue-2"}}
            answered(exchange, request, taken)
            request = exchange.cancel(working(), NOW)
        batch = answered(exchange, request, each["body"], status=each["http_status"])
        assert batch.events["kind"].tolist() == [ERRORS[each["kind"]]], each["kind"]
