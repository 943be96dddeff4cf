"""What each sample message and each error body of the venue becomes: a table without gaps."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.plugins.exchange_okx.okx_messages import BITCOIN, RECEIVED, compact

from bot4_core.domain_types.canonical_types import Symbol
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.connections import Outbound, Reply
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings

BOOK = (*[EventKind.BOOK_SET] * 16, EventKind.BOOK_END)
FILLED = (EventKind.ORDER_FILLED, EventKind.ORDER_ACCEPTED)
WAITS = (EventKind.ORDER_UNTRIGGERED,)
SPOT = {"BTC-USD", "ETH-USD", "BTC-USDT", "ETH-USDT", "BTC-USDC"}


class Row(NamedTuple):
    """What a sample becomes; what is not named stays empty."""

    events: tuple[EventKind, ...] = ()
    market: str = "swap"
    listed: int = 0
    balances: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    refused: str = ""


ITEM = Row(refused="neither a channel")  # an item of a reply, without the reply
LIST = Row(refused="not a JSON object")

SAMPLES = {
    "common_optional_string_to_u64": LIST,
    "http_balance_detail_new_fields": ITEM,
    "http_balance_detail_old_fields": ITEM,
    "http_cancel_algo_order_response": Row(refused="answer to nobody's request"),
    "http_get_account_balance": Row(balances=("USDT",)),
    "http_get_account_positions-history": Row(),
    "http_get_candlesticks": Row((EventKind.CANDLE,) * 2),
    "http_get_candlesticks_full": Row((EventKind.CANDLE,) * 2),
    "http_get_funding_rate_history": Row((EventKind.FUNDING,) * 2),
    "http_get_index_price": Row((EventKind.INDEX,)),
    "http_get_instruments_futures": Row(market="futures", listed=6),
    "http_get_instruments_margin": Row(),
    "http_get_instruments_option": Row(),
    "http_get_instruments_spot": Row(market="spot", listed=5),
    "http_get_instruments_swap": Row(listed=3),
    "http_get_mark_price": Row((EventKind.MARK,)),
    "http_get_option_summary": Row(),
    "http_get_order_book": Row((EventKind.BOOK_CLEAR, *[EventKind.BOOK_SET] * 6, BOOK[-1])),
    "http_get_orders_algo_history": Row((EventKind.ORDER_ACCEPTED,)),
    "http_get_orders_algo_pending": Row(WAITS),
    "http_get_orders_algo_pending_attached_oco": Row(WAITS),
    "http_get_orders_algo_pending_close_fraction": Row(WAITS),
    "http_get_orders_history": Row((EventKind.ORDER_ACCEPTED,)),
    "http_get_orders_pending": Row((EventKind.ORDER_ACCEPTED,)),
    "http_get_orders_pending_with_attached_tp_sl": Row((EventKind.ORDER_ACCEPTED,)),
    "http_get_position_tiers": Row(),
    "http_get_positions": Row(positions=("BTC-USDT-SWAP",)),
    "http_get_spread_orders": Row(),
    "http_get_spread_trades": Row(),
    "http_get_spreads": Row(),
    "http_get_trade_fee_response": Row(),
    "http_get_trades": Row((EventKind.TRADE,) * 2),
    "http_place_algo_order_rejected": Row(),
    "http_place_algo_order_response": Row(refused="answer to nobody's request"),
    "http_place_order_response": ITEM,
    "http_set_position_mode_response": Row(),
    "http_transaction_detail": ITEM,
    "http_transaction_detail_empty_fee": ITEM,
    "ws_account": Row(balances=("BTC", "ETH", "USDT")),
    "ws_account_empty": Row(),
    "ws_bbo_tbt": Row((EventKind.QUOTE,), "spot"),
    "ws_books_snapshot": Row((EventKind.BOOK_CLEAR, *BOOK), "spot"),
    "ws_books_update": Row(BOOK, "spot"),
    "ws_candle": Row((EventKind.CANDLE,), "spot"),
    "ws_funding_rate": Row((EventKind.FUNDING,)),
    "ws_instruments": Row(listed=1),
    "ws_opt_summary": LIST,
    "ws_orders": Row(FILLED),
    "ws_orders_adl": Row(FILLED),
    "ws_orders_algo": Row(
        (
            *WAITS * 2,
            EventKind.ORDER_ACCEPTED,
            EventKind.ORDER_CANCELED,
            EventKind.ORDER_ACCEPTED,
        )
    ),
    "ws_orders_fok": Row(FILLED, "spot"),
    "ws_orders_ioc": Row(FILLED, "spot"),
    "ws_orders_liquidation": Row(FILLED),
    "ws_orders_optimal_limit_ioc": Row(FILLED),
    "ws_orders_option": Row(),  # of a market that is not followed
    "ws_orders_trigger": Row(FILLED),
    "ws_sprd_orders": Row(refused="is not a symbol"),
    "ws_tickers": Row((EventKind.QUOTE,), "spot"),
    "ws_trades": Row((EventKind.TRADE,)),
}


def test_table_names_every_sample(recordings: Path) -> None:
    found = {file.stem for file in (recordings / "okx" / "samples").iterdir()}
    assert found == set(SAMPLES)


def decoded_sample(recordings: Path, name: str, market: str) -> tuple[OkxExchange, EventBatch]:
    exchange, batch = OkxExchange(OkxSettings(market=market)), EventBatch()
    exchange.subject = Symbol("BTC-USDT")
    path = recordings / "okx" / "samples" / f"{name}.json"
    exchange.decode(path.read_bytes(), RECEIVED, batch)
    return exchange, batch


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_becomes_what_the_table_says(recordings: Path, name: str) -> None:
    row = SAMPLES[name]
    exchange, batch = decoded_sample(recordings, name, row.market)
    assert tuple(EventKind(kind) for kind in batch.events["kind"]) == row.events
    assert len(exchange._registry._listed) == row.listed
    assert set(exchange.told.balances) == set(row.balances)
    assert {symbol for symbol, _ in exchange.told.positions} == set(row.positions)
    reasons = [message.reason for message in exchange.quarantine]
    assert len(reasons) == bool(row.refused)
    assert all(row.refused in reason for reason in reasons)


def test_numbers_of_an_order_and_its_execution(recordings: Path) -> None:
    _, batch = decoded_sample(recordings, "ws_orders", "swap")
    fill, state = batch.events
    assert (fill["price"], fill["size"], fill["side"]) == (1_036_989, 3, 1)
    assert fill["sequence"] == 1_518_905_529
    assert fill["aux"] == 2_177_677  # 0.021776769 USDT paid, rounded up at eight decimals
    assert fill["flags"] == EventFlag.MAKER
    assert (state["size"], state["sequence"]) == (0, 2_497_956_918_703_120_384)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("ws_orders_adl", EventFlag.DELEVERAGED),
        ("ws_orders_liquidation", EventFlag.LIQUIDATED),
        ("ws_orders_trigger", EventFlag.NONE),
    ],
)
def test_fills_that_the_venue_made_are_marked(recordings: Path, name: str, flag: EventFlag) -> None:
    _, batch = decoded_sample(recordings, name, "swap")
    assert batch.events["flags"][0] == flag


@pytest.mark.parametrize("name", ["http_transaction_detail", "http_transaction_detail_empty_fee"])
def test_items_of_fills_are_read_within_a_reply(recordings: Path, name: str) -> None:
    item = json.loads((recordings / "okx" / "samples" / f"{name}.json").read_text())
    exchange, batch = OkxExchange(OkxSettings(market="spot")), EventBatch()
    exchange.decode(compact({"code": "0", "msg": "", "data": [item]}), RECEIVED, batch)
    (fill,) = batch.events
    assert (fill["kind"], fill["price"], fill["size"]) == (EventKind.ORDER_FILLED, 420_005, 1)
    assert fill["aux"] == (0 if "empty" in name else -4_200_000)  # a rebate


def answered(body: bytes, status: int = 200) -> tuple[int, int]:
    """Return kind and reason of the event that a reply to an order gives."""
    cost = RateRequest(priority=RequestPriority.ORDER, orders=1, instrument=0)
    place = Outbound(
        connection="rest", method="POST", tag="place", cost=cost, order=5, creates=True
    )
    exchange, batch = OkxExchange(OkxSettings(market="swap"), (BITCOIN,)), EventBatch()
    exchange.decode_reply(place, Reply(status=status, body=body, received=RECEIVED), batch)
    (event,) = batch.events
    assert event["link"] == 5
    return int(event["kind"]), int(event["aux"])


ERRORS = {
    "rate_limit": (EventKind.ORDER_REJECTED, OrderReason.VENUE),
    "order_item_rejected": (EventKind.ORDER_REJECTED, OrderReason.UNSUPPORTED),
}


def test_errors_refuse_an_order_or_leave_it_in_doubt(recordings: Path) -> None:
    entries = json.loads((recordings / "error_bodies.json").read_text())["errors"]
    ours = [entry for entry in entries if entry["exchange"] == "okx"]
    assert {entry["kind"] for entry in ours} == set(ERRORS)
    for entry in ours:
        assert answered(compact(entry["body"]), entry["http_status"]) == ERRORS[entry["kind"]]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>", 200, EventKind.ORDER_IN_DOUBT),
        (b"", 502, EventKind.ORDER_IN_DOUBT),
        (b"", 429, EventKind.ORDER_REJECTED),
        (compact({"code": "50004", "msg": "timeout", "data": []}), 200, EventKind.ORDER_IN_DOUBT),
        (compact({"code": "50001", "msg": "later", "data": []}), 503, EventKind.ORDER_IN_DOUBT),
        (
            compact({"code": "1", "data": [{"sCode": "51008", "sMsg": "poor"}], "msg": "all"}),
            200,
            EventKind.ORDER_REJECTED,
        ),
        (compact({"code": "1", "data": [{"sCode": "0"}]}), 200, EventKind.ORDER_IN_DOUBT),
        (compact({"code": "0", "data": []}), 500, EventKind.ORDER_IN_DOUBT),
    ],
)
def test_o01_reply_without_proof_leaves_the_order_in_doubt(
    body: bytes, status: int, kind: EventKind
) -> None:
    assert answered(body, status)[0] == kind
