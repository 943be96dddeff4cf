"""What each sample of other projects, and each error body, becomes; none is left out."""

import gzip
import json
from pathlib import Path

import pytest
from tests.plugins.exchange_kraken.kraken_world import (
    BITCOIN,
    NOW,
    adapter,
    answered,
    intent,
    told,
    trader,
)

from bot4_core.domain_types.instruments import InstrumentKind, InstrumentStatus, Settlement
from bot4_core.domain_types.records import EventKind as K
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Reply
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.metadata import read_asset_pairs, read_contracts
from bot4_plugins.exchange_kraken.rest_replies import order_rows, result_of, trade_rows
from bot4_plugins.exchange_kraken.settings import KrakenSettings
from bot4_plugins.exchange_kraken.venue import VENUES
from bot4_plugins.venue_toolkit.strict_json import plain_object

NOTHING: list[K] = []
OLD = "of the derivatives' interface that ends in March 2027"
REQUEST = "a request, not something that the venue sends"
UNASKED = "a reply to a request that is never made"
METADATA = "instruments"
ORDERS = "orders"
TRADES = "trades"
ACCOUNT = "balances"

SAMPLES: dict[str, list[K] | str] = {
    "http_add_order_spot.json": [K.ORDER_ACCEPTED],
    "http_asset_pairs.json": METADATA,
    "http_asset_pairs_tokenized.json": METADATA,
    "http_cancel_order_futures.json": OLD,
    "http_cancel_order_spot.json": NOTHING,
    "http_closed_orders.json": ORDERS,
    "http_futures_candles_mark.json": OLD,
    "http_futures_candles_spot.json": OLD,
    "http_futures_candles_trade.json": OLD,
    "http_futures_fills.json": OLD,
    "http_futures_historical_funding_rates.json": OLD,
    "http_futures_instrument_no_fee_schedule.json": METADATA,
    "http_futures_instruments.json": METADATA,
    "http_futures_open_orders.json": OLD,
    "http_futures_open_positions.json": OLD,
    "http_futures_order_events.json": OLD,
    "http_futures_order_events_unknown.json": OLD,
    "http_futures_orderbook.json": OLD,
    "http_futures_public_executions.json": OLD,
    "http_futures_tickers.json": OLD,
    "http_ohlc.json": UNASKED,
    "http_open_orders.json": ORDERS,
    "http_order_book.json": UNASKED,
    "http_send_order_futures.json": OLD,
    "http_send_order_futures_unknown_trigger.json": OLD,
    "http_server_time.json": UNASKED,
    "http_spot_balance.json": ACCOUNT,
    "http_spot_open_positions.json": UNASKED,
    "http_spot_trade_balance.json": UNASKED,
    "http_system_status.json": UNASKED,
    "http_ticker.json": ACCOUNT,
    "http_trades.json": UNASKED,
    "http_trades_history.json": TRADES,
    "ws_add_order_request.json": REQUEST,
    "ws_add_order_response_failure.json": [K.ORDER_REJECTED],
    "ws_add_order_response_success.json": [K.ORDER_ACCEPTED],
    "ws_amend_order_request.json": REQUEST,
    "ws_batch_add_request.json": REQUEST,
    "ws_batch_add_response_partial.json": NOTHING,
    "ws_book_snapshot.json": [K.BOOK_CLEAR, *[K.BOOK_SET] * 6, K.BOOK_END],
    "ws_book_update.json": [K.BOOK_SET, K.BOOK_END],
    "ws_cancel_order_request.json": REQUEST,
    "ws_futures_book_delta.json": OLD,
    "ws_futures_book_snapshot.json": OLD,
    "ws_futures_book_snapshot_with_zero_qty.json": OLD,
    "ws_futures_fills_delta.json": OLD,
    "ws_futures_fills_snapshot.json": OLD,
    "ws_futures_open_orders_cancel.json": OLD,
    "ws_futures_open_orders_cancel_post_only.json": OLD,
    "ws_futures_open_orders_delta.json": OLD,
    "ws_futures_open_orders_delta_full_fill.json": OLD,
    "ws_futures_open_orders_snapshot.json": OLD,
    "ws_futures_ticker.json": OLD,
    "ws_futures_trade.json": OLD,
    "ws_futures_trade_snapshot.json": OLD,
    "ws_l3_snapshot.json": UNASKED,
    "ws_l3_update_add.json": UNASKED,
    "ws_l3_update_delete.json": UNASKED,
    "ws_l3_update_modify_price.json": UNASKED,
    "ws_l3_update_modify_qty.json": UNASKED,
    "ws_ohlc_update.json": [K.CANDLE],
    "ws_pong.json": NOTHING,
    "ws_subscribe_response.json": NOTHING,
    "ws_ticker_snapshot.json": [K.QUOTE],
    "ws_trade_update.json": [K.TRADE, K.TRADE],
}


def placed(number: int) -> KrakenExchange:
    """Return an adapter that sent an order of this number."""
    exchange = trader()
    exchange.place(intent(number=number), NOW)
    return exchange


def test_the_table_names_every_sample(recordings: Path) -> None:
    files = {path.name for path in (recordings / "kraken" / "samples").iterdir()}
    assert files == SAMPLES.keys()


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("ws_")])
def test_sample_of_a_socket(name: str, recordings: Path) -> None:
    data = (recordings / "kraken" / "samples" / name).read_bytes()
    number = json.loads(data).get("req_id", 7)
    exchange, expected = placed(number), SAMPLES[name]
    batch = told(exchange, data)
    if expected in (OLD, UNASKED):
        assert exchange.quarantined == 1
    elif expected == REQUEST:
        assert batch.count == 0
    else:
        assert batch.events["kind"].tolist() == expected
        assert exchange.quarantined == 0


@pytest.mark.parametrize("name", [name for name, into in SAMPLES.items() if into == OLD])
def test_sample_of_the_older_interface_is_quarantined(name: str, recordings: Path) -> None:
    exchange = adapter()
    told(exchange, (recordings / "kraken" / "samples" / name).read_bytes())
    assert exchange.quarantined == 1


def sample(recordings: Path, name: str) -> bytes:
    return (recordings / "kraken" / "samples" / name).read_bytes()


@pytest.mark.parametrize("name", [name for name, into in SAMPLES.items() if into == METADATA])
def test_sample_of_metadata(name: str, recordings: Path) -> None:
    data = sample(recordings, name)
    if "futures" in name:
        rows = plain_object(data, integers_as_text=True)["instruments"]
        catalogue = read_contracts(VENUES["derivatives"], rows, 10)
    else:
        catalogue = read_asset_pairs(VENUES["spot"], result_of(data)[0], 10)
    assert catalogue.refused == []
    assert len(catalogue.instruments) >= 1


def test_contracts_of_the_samples(recordings: Path) -> None:
    data = sample(recordings, "http_futures_instruments.json")
    rows = plain_object(data, integers_as_text=True)["instruments"]
    found = read_contracts(VENUES["derivatives"], rows, 10).instruments
    inverse, ether, pepe = found["PI_XBTUSD"], found["PF_ETHUSD"], found["PF_PEPEUSD"]
    assert (inverse.settlement, inverse.kind) == (Settlement.INVERSE, InstrumentKind.PERPETUAL)
    assert (inverse.price_exponent, inverse.tick, inverse.lot) == (-1, 5, 1)
    assert (ether.settlement, ether.size_exponent) == (Settlement.LINEAR, -3)
    assert (pepe.price_exponent, pepe.tick, pepe.size_exponent, pepe.lot) == (-10, 1, 0, 1000)


def test_pairs_of_the_samples_and_of_2021(recordings: Path) -> None:
    facts = VENUES["spot"]
    rows = result_of(sample(recordings, "http_asset_pairs.json"))[0]
    catalogue = read_asset_pairs(facts, rows, 10)
    pair = catalogue.instruments["BTC/USDT"]
    assert (pair.price_exponent, pair.size_exponent, pair.tick) == (-1, -8, 1)
    assert (pair.min_size, str(pair.min_notional)) == (5_000, "0.5")
    assert (str(pair.fees.maker), str(pair.fees.taker)) == ("0.0025", "0.004")
    assert catalogue.names["BTC/USDT"] == "XBTUSDT"
    assert pair.status is InstrumentStatus.TRADING
    with gzip.open(recordings / "kraken/rest_AssetPairs_20210417.json.gz") as file:
        old = read_asset_pairs(facts, result_of(file.read())[0], 10)
    assert len(old.instruments) + len(old.refused) == 304
    assert old.instruments["DOGE/USD"].base == "DOGE"
    assert all("not on the WebSocket" in fault for _, fault in old.refused)


def test_replies_of_the_samples(recordings: Path) -> None:
    request = trader(token=False)
    made = request.place(intent(), NOW)
    batch = answered(request, made, sample(recordings, "http_add_order_spot.json"))
    assert batch.events["kind"].tolist() == SAMPLES["http_add_order_spot.json"]
    for name, into in SAMPLES.items():
        result = result_of(sample(recordings, name))[0] if into in (ORDERS, TRADES) else {}
        if into == ORDERS:
            assert len(order_rows(result)) == 2
        if into == TRADES:
            assert len(trade_rows(result)) == 2


def test_balances_and_prices_of_the_samples_are_read(recordings: Path) -> None:
    bodies = [
        sample(recordings, name)
        for name in (
            "http_spot_balance.json",
            "http_open_orders.json",
            "http_trades_history.json",
            "http_ticker.json",
        )
    ]
    account = trader().read_account(bodies, NOW)
    assert sorted(account.balances) == ["BTC", "ETH", "USD"]
    assert account.orders == ()


LITERALS: dict[str, list[K] | str] = {
    "get_order_amends_json": UNASKED,
    "get_closed_orders_page_3_json": UNASKED,
    "test_deserializing_extended_balance_full": UNASKED,
    "test_deserializing_extended_balance_some_none": UNASKED,
    "test_deserializing_extended_balance_some_gibberish": UNASKED,
    "get_pong": NOTHING,
    "get_execution_subscription_response": NOTHING,
    "get_balances_subscription_response": NOTHING,
    "get_ticker_subscription_response": NOTHING,
    "get_book_subscription_response": NOTHING,
    "get_l3_subscription_response": NOTHING,
    "get_ohlc_subscription_response": NOTHING,
    "get_trade_subscription_response": NOTHING,
    "get_instruments_subscription_response": NOTHING,
    "test_ticker_snapshot": [K.QUOTE],
    "test_ticker_update": [K.QUOTE],
    "test_book_snapshot": [K.BOOK_CLEAR, *[K.BOOK_SET] * 10, K.BOOK_END],
    "test_book_update": [*[K.BOOK_SET] * 3, K.BOOK_END],
    "test_l3_snapshot": UNASKED,
    "test_l3_update": UNASKED,
    "test_candles_snapshot": [K.CANDLE, K.CANDLE],
    "test_trade_snapshot": [K.TRADE, K.TRADE],
    "test_trade_update": [K.TRADE, K.TRADE],
    "test_instruments_snapshot": NOTHING,
    "test_add_order": [K.ORDER_ACCEPTED],
    "test_amend_order": NOTHING,
    "test_amend_order_string": REQUEST,
    "test_amend_order_error_response": [K.CANCEL_REJECTED],
    "test_edit_order": NOTHING,
    "test_cancel_order": NOTHING,
    "test_cancel_order_by_client_order_id": NOTHING,
    "test_cancel_all_orders": NOTHING,
    "test_cancel_on_disconnect": NOTHING,
    "test_batch_add": NOTHING,
    "test_batch_cancel": NOTHING,
    "test_execution_trades_snapshot": [K.ORDER_FILLED],  # one is of a pair that is followed
    "test_execution_order_update_cancelled": "foreign",
    "test_execution_limit_order_update_pending": "foreign",
    "test_execution_stop_loss_limit_order_update_pending": "foreign",
    "test_execution_order_update_new": "foreign",
    "test_execution_order_amended": "foreign",
    "test_balances_snapshot": NOTHING,
    "test_balances_updates": NOTHING,
    "test_deserialize_status_update": UNASKED,
    "test_deserializing_status_update": [K.STATUS],
    "test_deserializing_maintenance_status_update": [K.STATUS],
    "test_deserializing_l2_update": [K.BOOK_SET, K.BOOK_END],
    "test_deserializing_error_message": NOTHING,
    "test_deserializing_subscribe_error_message": NOTHING,
    "test_deserialize_asset": UNASKED,
    "test_deserialize_pair": UNASKED,
    "test_deserialize_bid_ask_precision": UNASKED,
    "test_deserializing_execution_trade": UNASKED,
    "test_deserializing_execution_new_update": UNASKED,
}
ANSWER_ERRORS = {
    "Unsupported field: 'params' for the given msg type: ping": NOTHING,
    "Unsupported event": NOTHING,
    "EGeneral:Invalid arguments:no_mpp order option is only available when ordertype = market": [
        K.ORDER_REJECTED
    ],
    "Cash_order_qty field must be a number_float": [K.ORDER_IN_DOUBT],
    "EGeneral:Permission denied": [K.ORDER_REJECTED],
    "Token(s) not found": [K.CANCEL_REJECTED],
}
REPLY_ERRORS = {
    "EAPI:Bad request": K.ORDER_REJECTED,
    "EAPI:Feature disabled": K.ORDER_REJECTED,
    "EAPI:Invalid key": K.ORDER_REJECTED,
    "EAPI:Invalid nonce": K.ORDER_REJECTED,
    "EAPI:Invalid signature": K.ORDER_REJECTED,
    "EAPI:Rate limit exceeded": K.ORDER_REJECTED,
    "EGeneral:Internal error": K.ORDER_IN_DOUBT,
    "EGeneral:Invalid arguments:type": K.ORDER_REJECTED,
    "EGeneral:Permission denied": K.ORDER_REJECTED,
    "EGeneral:Temporary lockout": K.ORDER_REJECTED,
    "EGeneral:Unknown Method": K.ORDER_REJECTED,
    "EOrder:Insufficient funds": K.ORDER_REJECTED,
    "EOrder:Invalid price": K.ORDER_REJECTED,
    "EOrder:Post only order": K.ORDER_REJECTED,
    "EOrder:Rate limit exceeded": K.ORDER_REJECTED,
    "EOrder:Unknown order": K.ORDER_IN_DOUBT,  # no answer to a new order
    "EQuery:Unknown asset pair": K.ORDER_REJECTED,
    "EService:Busy": K.ORDER_IN_DOUBT,
    "EService:Unavailable": K.ORDER_IN_DOUBT,
    "ESession:Invalid session": K.ORDER_REJECTED,
    "ETrade:Locked": K.ORDER_REJECTED,
}


def literals(recordings: Path) -> list[tuple[str, str]]:
    file = recordings / "kraken" / "samples_ws_v2_private_errors.json"
    return [(each["name"], each["text"]) for each in json.loads(file.read_text())]


def test_every_message_of_the_private_samples_becomes_what_the_table_says(
    recordings: Path,
) -> None:
    seen = set()
    for name, text in literals(recordings):
        exchange = placed(json.loads(text).get("req_id", 0))
        if name.startswith("ERROR_"):
            continue
        if name in ("test_admin_messages", "test_error_messages"):
            expected = ANSWER_ERRORS.get(json.loads(text).get("error", ""), NOTHING)
            if "status" in text:
                expected = [K.STATUS]
            assert told(exchange, text).events["kind"].tolist() == expected
            continue
        seen.add(name)
        into = LITERALS[name]
        kinds = told(exchange, text).events["kind"].tolist()
        if into == UNASKED:
            assert exchange.quarantined == 1, name
        elif into == "foreign":
            assert (kinds, exchange.foreign, exchange.quarantined) == ([], 1, 0), name
        elif into == REQUEST:
            assert kinds == []
        else:
            assert (kinds, exchange.quarantined) == (into, 0), name
    assert seen == LITERALS.keys()


def test_every_error_becomes_what_the_table_says(recordings: Path) -> None:
    bodies = [text for name, text in literals(recordings) if name.startswith("ERROR_")]
    known = json.loads((recordings / "error_bodies.json").read_text())["errors"]
    ours = [each["body"] for each in known if each["exchange"] == "kraken"]
    bodies += [json.dumps(body) for body in ours if "method" not in body]
    (answer,) = (body for body in ours if "method" in body)
    exchange = placed(answer["req_id"])
    assert told(exchange, answer).events["kind"].tolist() == [K.ORDER_REJECTED]
    seen = set()
    for body in bodies:
        exchange = trader(token=False)
        made = exchange.place(intent(), NOW)
        (kind,) = answered(exchange, made, body.encode()).events["kind"]
        (error,) = json.loads(body)["error"]
        assert kind == REPLY_ERRORS[error], error
        seen.add(error)
    assert seen == REPLY_ERRORS.keys()


def test_unasked_replies_are_quarantined(recordings: Path) -> None:
    for name in ("http_ohlc.json", "http_order_book.json"):
        exchange = adapter()
        told(exchange, sample(recordings, name))
        assert exchange.quarantined == 1


def test_snapshot_of_instruments_is_metadata(recordings: Path) -> None:
    (text,) = (text for name, text in literals(recordings) if name == "test_instruments_snapshot")
    exchange = KrakenExchange(KrakenSettings(symbols=("ETH/BTC",)))
    batch = told(exchange, text)
    (pair,) = exchange.instruments
    assert (pair.price_exponent, pair.size_exponent, pair.min_size) == (-5, -8, 200_000)
    assert batch.events["kind"].tolist() == [K.STATUS]


def test_private_message_and_reply_that_cannot_be_read() -> None:
    exchange = adapter(BITCOIN)
    with pytest.raises(DecodeError):
        exchange.interpret(b'{"channel":"executions","type":"update"}')
    reply = Reply(status=200, body=b"{", received=NOW)
    request = trader().missed(NOW, NOW)[0]
    assert exchange.decode_reply(request, reply, EventBatch()) == 0
    assert exchange.quarantined == 1
