"""What each sample message and each error body of the venue becomes: a table without gaps."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.plugins.exchange_bybit.bybit_messages import BITCOIN, RECEIVED

from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings

BOOK = (EventKind.BOOK_CLEAR, *[EventKind.BOOK_SET] * 4, EventKind.BOOK_END)
WAITS = (EventKind.ORDER_UNTRIGGERED,)


class Row(NamedTuple):
    """What a sample becomes; what is not named stays empty."""

    events: tuple[EventKind, ...] = ()
    market: str = "linear"
    listed: tuple[str, ...] = ()
    balances: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    refused: str = ""


SAMPLES = {
    "http_get_account_info": Row(),
    "http_get_executions": Row((EventKind.ORDER_FILLED,) * 2),
    "http_get_fee_rate": Row(),
    "http_get_funding_history": Row((EventKind.FUNDING,) * 2),
    "http_get_instruments_inverse": Row(market="inverse", listed=("BTCUSD",)),
    "http_get_instruments_inverse_symbol_type": Row(market="inverse", listed=("BRENTUSD",)),
    "http_get_instruments_linear": Row(listed=("BTCUSDT", "ETHUSDT")),
    "http_get_instruments_linear_symbol_type": Row(listed=("TSLAUSDT",)),
    "http_get_instruments_option": Row(),
    "http_get_instruments_option_symbol_id": Row(),
    "http_get_instruments_spot": Row(market="spot", listed=("BTCUSDT", "ETHUSDT")),
    "http_get_instruments_spot_xstocks": Row(market="spot", listed=("AAPLUSDT",)),
    "http_get_klines_linear": Row((EventKind.CANDLE,)),
    "http_get_order_partially_filled_rejected": Row((EventKind.ORDER_CANCELED,)),
    "http_get_orderbook": Row(
        (EventKind.BOOK_CLEAR, *[EventKind.BOOK_SET] * 6, EventKind.BOOK_END)
    ),
    "http_get_orders_history": Row((EventKind.ORDER_CANCELED,)),
    "http_get_orders_history_with_duplicate": Row(
        (EventKind.ORDER_ACCEPTED, EventKind.ORDER_CANCELED)
    ),
    "http_get_orders_realtime": Row((EventKind.ORDER_ACCEPTED,) * 2),
    "http_get_orders_realtime_tp_sl": Row(WAITS * 2),
    "http_get_positions": Row(positions=("BTCUSDT", "ETHUSDT", "SOLUSDT")),
    "http_get_positions_with_open_time": Row(positions=("LTCUSDT",)),
    "http_get_trades_recent": Row((EventKind.TRADE,)),
    "http_get_user_escrow_sub_members": Row(),
    "http_get_user_query_api": Row(),
    "http_get_user_sub_apikeys": Row(),
    "http_get_user_sub_members": Row(),
    "http_get_user_sub_members_paged": Row(),
    "http_get_wallet_balance": Row(balances=("BTC", "ETH", "USDT")),
    "http_get_wallet_balance_spot_short": Row(balances=("ETH", "USDT")),
    "http_get_wallet_balance_with_spot_borrow": Row(balances=("USDT",)),
    "http_post_user_update_master_api": Row(),
    "http_post_user_update_sub_api": Row(),
    "ws_account_execution": Row((EventKind.ORDER_FILLED,)),
    "ws_account_execution_adl": Row((EventKind.ORDER_FILLED,)),
    "ws_account_execution_fast": Row(passed_over=("execution.fast",)),
    "ws_account_execution_fast_envelope_id": Row(passed_over=("execution.fast",)),
    "ws_account_order": Row((EventKind.ORDER_CANCELED,)),
    "ws_account_order_buy_stop_market": Row(WAITS),
    "ws_account_order_filled": Row((EventKind.ORDER_ACCEPTED,)),
    "ws_account_order_limit_if_touched": Row(WAITS),
    "ws_account_order_market_if_touched": Row(WAITS),
    "ws_account_order_partially_filled_rejected": Row((EventKind.ORDER_CANCELED,), "spot"),
    "ws_account_order_sell_market_if_touched": Row(WAITS),
    "ws_account_order_stop_limit": Row(WAITS),
    "ws_account_order_stop_loss": Row(WAITS),
    "ws_account_order_stop_market": Row(WAITS),
    "ws_account_order_take_profit": Row(WAITS),
    "ws_account_position": Row(positions=("ETHUSDT",)),
    "ws_account_position_short": Row(positions=("ETHUSDT",)),
    "ws_account_position_with_open_time": Row(refused="neither a topic"),  # an item, no message
    "ws_account_wallet": Row(balances=("BTC", "USDT")),
    "ws_account_wallet_locked_exceeds_total": Row(balances=("USDT",)),
    "ws_account_wallet_small_order": Row(balances=("USDT",)),
    "ws_auth_failure": Row(),
    "ws_auth_success": Row(),
    "ws_kline": Row((EventKind.CANDLE,)),
    "ws_order_response": Row(),
    "ws_orderbook_delta": Row((EventKind.BOOK_SET, EventKind.BOOK_SET, EventKind.BOOK_END)),
    "ws_orderbook_snapshot": Row(BOOK),
    "ws_public_trade": Row((EventKind.TRADE,)),
    "ws_subscription_ack": Row(),
    "ws_subscription_failure": Row(),
    "ws_ticker_linear": Row((EventKind.QUOTE, EventKind.MARK, EventKind.INDEX, EventKind.FUNDING)),
    "ws_ticker_option": Row(refused="names no instrument of this market"),
}

ERRORS = {
    "rate_limit": OrderReason.VENUE,
    "ip_rate_limit": OrderReason.VENUE,
    "system_429": OrderReason.VENUE,
    "bad_timestamp": OrderReason.VENUE,
    "bad_key": OrderReason.VENUE,
    "bad_signature": OrderReason.VENUE,
    "permission": OrderReason.VENUE,
    "server": None,
    "unknown_order": None,
    "insufficient_balance": OrderReason.VENUE,
    "min_notional": OrderReason.BELOW_MINIMUM,
    "insufficient_balance_spot": OrderReason.VENUE,
    "unknown_order_spot": None,
    "ws_batch_item_rate_limit": None,  # of a request that is never made here
}
"""Why an order is refused that such a body answers; None leaves it in doubt."""


def test_table_names_every_sample(recordings: Path) -> None:
    found = {file.stem for file in (recordings / "bybit" / "samples").iterdir()}
    assert found == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_becomes_what_the_table_says(recordings: Path, name: str) -> None:
    row = SAMPLES[name]
    symbols = ("BTCUSDT", "ETHUSDT", "BTCUSD", "BRENTUSD", "TSLAUSDT", "AAPLUSDT")
    exchange, batch = BybitExchange(BybitSettings(market=row.market, symbols=symbols)), EventBatch()
    exchange.decode(
        (recordings / "bybit" / "samples" / f"{name}.json").read_bytes(), RECEIVED, batch
    )
    assert tuple(EventKind(kind) for kind in batch.events["kind"]) == row.events
    listed = {str(item.symbol) for item in exchange.instruments if not item.from_data}
    assert listed == set(row.listed)
    assert set(exchange.told.balances) == set(row.balances)
    assert {symbol for symbol, _ in exchange.told.positions} == set(row.positions)
    assert set(exchange.told.passed_over) == set(row.passed_over)
    reasons = [message.reason for message in exchange.quarantine]
    assert len(reasons) == bool(row.refused)
    assert all(row.refused in reason for reason in reasons)


def test_numbers_of_an_execution(recordings: Path) -> None:
    exchange, batch = BybitExchange(BybitSettings(market="linear")), EventBatch()
    exchange.number_of = {"test-order-link-001": 7}.get  # type: ignore[assignment]  # known ids only
    path = recordings / "bybit" / "samples" / "ws_account_execution.json"
    exchange.decode(path.read_bytes(), RECEIVED, batch)
    (fill,) = batch.events
    (instrument,) = exchange.instruments
    assert instrument.price(f"{95900.1}").value == fill["price"]
    assert (fill["size"], fill["side"], fill["link"]) == (5, -1, 7)
    assert fill["aux"] == 26_37252750  # 26.3725275 USDT at eight decimals
    assert fill["sequence"] == 0xB30A32EC863018F7 & (2**63 - 1)
    assert fill["flags"] == EventFlag.LAST


def test_deleveraging_is_marked(recordings: Path) -> None:
    exchange, batch = BybitExchange(BybitSettings(market="linear")), EventBatch()
    path = recordings / "bybit" / "samples" / "ws_account_execution_adl.json"
    exchange.decode(path.read_bytes(), RECEIVED, batch)
    assert batch.events["flags"][0] & EventFlag.DELEVERAGED
    assert batch.events["link"][0] == -1


def error_bodies(recordings: Path) -> list[dict[str, object]]:
    entries = json.loads((recordings / "error_bodies.json").read_text())["errors"]
    return [entry for entry in entries if entry["exchange"] == "bybit"]


def test_table_names_every_error(recordings: Path) -> None:
    assert {str(entry["kind"]) for entry in error_bodies(recordings)} == set(ERRORS)


def test_errors_refuse_an_order_or_leave_it_in_doubt(recordings: Path) -> None:
    cost = RateRequest(priority=RequestPriority.ORDER, orders=1, instrument=0)
    place = Outbound(
        connection="rest", method="POST", tag="place", cost=cost, order=5, creates=True
    )
    for entry in error_bodies(recordings):
        exchange, batch = BybitExchange(BybitSettings(market="linear"), (BITCOIN,)), EventBatch()
        status = entry["http_status"]
        body = b"" if entry["body"] is None else json.dumps(entry["body"]).encode()
        reply = Reply(
            status=200 if status is None else int(str(status)), body=body, received=RECEIVED
        )
        assert exchange.decode_reply(place, reply, batch) == 1
        (event,) = batch.events
        reason = ERRORS[str(entry["kind"])]
        expected = EventKind.ORDER_IN_DOUBT if reason is None else EventKind.ORDER_REJECTED
        assert (event["kind"], event["link"]) == (expected, 5)
        if reason is not None:
            assert event["aux"] == reason
