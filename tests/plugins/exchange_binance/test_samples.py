"""What becomes of each sample of other projects; the table is compared with the folder."""

from pathlib import Path

import attrs
import pytest
from tests.plugins.exchange_binance.private import INSTRUMENTS, NOW, number_of

from bot4_core.domain_types.canonical_types import InstrumentId, Symbol
from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.exchange_binance.order_requests import Purpose

LEVEL, END, CLEAR = "BOOK_SET", "BOOK_END", "BOOK_CLEAR"
FILLED, ACCEPTED, CANCELED = "ORDER_FILLED", "ORDER_ACCEPTED", "ORDER_CANCELED"
WAITS, EXPIRED = "ORDER_UNTRIGGERED", "ORDER_EXPIRED"
NOTHING = ""
UNKNOWN = "quarantined"
"""The adapter does not subscribe to it, and so does not know it."""

STREAM = {
    "futures/market_data_json": {
        "agg_trade_stream": "TRADE",
        "book_ticker_stream": "QUOTE",
        "depth_update_stream": f"{LEVEL} {LEVEL} {END}",
        "kline_stream_closed": "CANDLE:CLOSED",
        "kline_stream_open": "CANDLE",
        "liquidation_stream": "LIQUIDATION",
        "mark_price_stream": "MARK INDEX FUNDING",
        "ticker_stream": UNKNOWN,
        "trade_stream": "TRADE",
    },
    "futures/user_data_json": {
        "account_update": NOTHING,
        "account_update_bnfcr": NOTHING,
        "algo_update_canceled": CANCELED,
        "algo_update_new": WAITS,
        "order_update_adl": f"{FILLED}:DELEVERAGED",
        "order_update_calculated": f"{FILLED}:LIQUIDATED",
        "order_update_calculated_pending": NOTHING,
        "order_update_delivery": f"{FILLED}:SETTLED",
        "order_update_insurance": f"{FILLED}:LIQUIDATED",
        "order_update_new": WAITS,
        "order_update_settlement": f"{FILLED}:SETTLED",
        "order_update_trade": f"{FILLED}:MAKER",
        "order_update_trade_partial": f"{FILLED}:MAKER",
        "trade_lite": NOTHING,
    },
    "py_ws_messages": {
        "ws_futures_algo_update_finished": NOTHING,
        "ws_futures_algo_update_finished_canceled": CANCELED,
        "ws_futures_algo_update_triggered": ACCEPTED,
        "ws_futures_algo_update_triggering": NOTHING,
        "ws_futures_book_ticker": "QUOTE",
        "ws_futures_depth_diff_update": f"{LEVEL} {LEVEL} {END}",
        "ws_futures_depth_update": f"{' '.join([LEVEL] * 10)} {END}",
        "ws_futures_order_update_adl": f"{FILLED}:DELEVERAGED",
        "ws_futures_order_update_adl_filled": f"{FILLED}:DELEVERAGED",
        "ws_futures_order_update_liquidation": f"{FILLED}:LIQUIDATED",
        "ws_futures_order_update_liquidation_zero_qty": NOTHING,
        "ws_futures_order_update_new_limit_if_touched_price_match": WAITS,
        "ws_futures_order_update_new_price_match": ACCEPTED,
        "ws_futures_order_update_new_reduce_only_qty": ACCEPTED,
        "ws_futures_order_update_new_stop_limit_price_match": WAITS,
        "ws_futures_order_update_settlement": f"{FILLED}:SETTLED",
        "ws_futures_order_update_trade_reduce_only_qty": FILLED,
        "ws_futures_ticker_24hr": UNKNOWN,
        "ws_futures_trade_lite": NOTHING,
        "ws_spot_agg_trade": "TRADE",
        "ws_spot_execution_report_binance_us": FILLED,
        "ws_spot_execution_report_calculated": f"{FILLED}:LIQUIDATED",
        "ws_spot_execution_report_canceled": CANCELED,
        "ws_spot_execution_report_custom_client_id": f"{FILLED}:MAKER,THIRD_ASSET_FEE",
        "ws_spot_execution_report_empty_client_id": f"{FILLED}:MAKER,THIRD_ASSET_FEE",
        "ws_spot_execution_report_expired": EXPIRED,
        "ws_spot_execution_report_new": ACCEPTED,
        "ws_spot_execution_report_new_limit_if_touched_price_match": ACCEPTED,
        "ws_spot_execution_report_new_price_match": ACCEPTED,
        "ws_spot_execution_report_new_stop_limit_price_match": ACCEPTED,
        "ws_spot_execution_report_pending_cancel": "CANCEL_PENDING",
        "ws_spot_execution_report_rejected": "ORDER_REJECTED",
        "ws_spot_execution_report_trade": f"{FILLED}:MAKER,THIRD_ASSET_FEE",
        "ws_spot_execution_report_trade_l_zero": NOTHING,  # no price: its trades are asked for
        "ws_spot_execution_report_trade_l_zero_canceled": CANCELED,
        "ws_spot_execution_report_trade_l_zero_expired": EXPIRED,
        "ws_spot_execution_report_trade_l_zero_new": ACCEPTED,
        "ws_spot_execution_report_trade_l_zero_partial": NOTHING,  # the same
        "ws_spot_execution_report_trade_prevention": EXPIRED,
        "ws_spot_ticker_24hr": UNKNOWN,
        "ws_spot_ticker_book": "QUOTE",
        "ws_spot_trade": "TRADE",
    },
    "spot/user_data_json": {
        **dict.fromkeys(("account_position", "account_position_wrapped"), NOTHING),
        **dict.fromkeys(("balance_update", "balance_update_wrapped"), NOTHING),
        "list_status_wrapped": NOTHING,
        "execution_report_canceled": CANCELED,
        "execution_report_expired": EXPIRED,
        "execution_report_new": ACCEPTED,
        "execution_report_stop_loss": ACCEPTED,  # it says that the order is on the book
        "execution_report_trade": f"{FILLED}:MAKER,THIRD_ASSET_FEE",
        "execution_report_wrapped": ACCEPTED,
    },
}
REPLIES = {
    "futures/http_json/order_response": ("query", ACCEPTED),
    "py_http_responses/http_futures_account_orders": ("orders", ACCEPTED),
    "py_http_responses/http_futures_account_trades": ("trades", f"{FILLED} {FILLED}"),
    "py_http_responses/http_futures_market_depth": ("", f"{CLEAR} {LEVEL} {LEVEL} {END}"),
    "py_http_responses/http_futures_market_exchange_info": ("", NOTHING),
    "py_http_responses/http_spot_market_depth": ("", " ".join([CLEAR, *[LEVEL] * 20, END])),
    "py_http_responses/http_spot_market_exchange_info": ("", NOTHING),
    "spot/http_json/account_trades_response": ("trades", f"{FILLED}:THIRD_ASSET_FEE"),
    "spot/http_json/all_orders_response": ("orders", ACCEPTED),
    "spot/http_json/cancel_open_orders_response": ("clear", " ".join([CANCELED] * 4)),
    "spot/http_json/cancel_order_response": ("cancel", CANCELED),
    "spot/http_json/depth_response": ("", f"{CLEAR} {LEVEL} {LEVEL} {END}"),
    "spot/http_json/exchange_info_response": ("", NOTHING),
    "spot/http_json/new_order_full_response": ("new", " ".join([ACCEPTED, *[FILLED] * 5])),
    "spot/http_json/open_orders_response": ("orders", ACCEPTED),
    "spot/http_json/order_response": ("query", ACCEPTED),
}
ACCOUNT = {  # read by test_account
    "futures/http_json/balance",
    "futures/http_json/open_algo_orders",
    "futures/http_json/position_risk",
    "py_http_responses/http_futures_account_positions_hedge",
    "py_http_responses/http_futures_account_positions_one_way",
    "py_http_responses/http_spot_wallet_account",
    "spot/http_json/account_response",
}
NOT_ASKED_FOR = {
    "futures/http_json/account_info_v2",
    *(
        f"py_http_responses/http_futures_{name}"
        for name in (
            *("account_position_side_dual", "account_symbol_config", "market_agg_trades"),
            *("market_asset_index", "market_blvt_nav_kline", "market_book_ticker"),
            *("market_continuous_klines", "market_funding_rate"),
            *("market_global_long_short_account_ratio", "market_historical_trades"),
            *("market_index_info", "market_index_price_klines", "market_klines"),
            *("market_mark_price_klines", "market_open_interest"),
            *("market_open_interest_historical", "market_premium_index"),
            *("market_taker_long_short_ratio", "market_ticker_24hr", "market_ticker_price"),
            *("market_top_long_short_account_ratio", "market_top_long_short_position_ratio"),
            *("market_trades", "wallet_commission_rate_btcusdt"),
            *("wallet_commission_rate_btcusdt_quarterly", "wallet_commission_rate_ethusdt"),
        )
    ),
    *(
        f"py_http_responses/http_spot_market_{name}"
        for name in (
            *("agg_trades", "avg_price", "book_ticker", "historical_trades", "klines", "ping"),
            *("ticker_price", "time", "trades"),
        )
    ),
    "py_http_responses/http_wallet_trading_fee",
    "py_http_responses/http_wallet_trading_fees",
    *(
        f"spot/http_json/{name}_response"
        for name in (
            *("avg_price", "book_ticker", "klines", "ping", "server_time", "ticker_24hr"),
            *("ticker_price", "trades"),
        )
    ),
}
MESSAGES = {
    f"{folder}/{name}": expected
    for folder, names in STREAM.items()
    for name, expected in names.items()
}


def fresh(name: str, *, knowing: bool = False) -> BinanceExchange:
    """Return an adapter of the sample's market that knows nothing, or one fine instrument."""
    market = "spot" if "spot" in name else "usdm"
    fine = attrs.evolve(INSTRUMENTS[market], price_exponent=-8, size_exponent=-8)
    exchange = BinanceExchange(BinanceSettings(market=market), (fine,) if knowing else ())
    exchange.number_of = number_of
    exchange.subject = Symbol("BTCUSDT")
    return exchange


def described(batch: EventBatch) -> str:
    """Spell the kinds of events, with those flags that a fill or candle has."""
    words = []
    for row in batch.events:
        flags = EventFlag(int(row["flags"])) & ~(EventFlag.LAST | EventFlag.SNAPSHOT)
        names = ",".join(flag.name or "" for flag in flags)
        words.append(EventKind(int(row["kind"])).name + (f":{names}" if names else ""))
    return " ".join(words)


def test_no_sample_is_missing(recordings: Path) -> None:
    folder = recordings / "binance" / "samples"
    found = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.json")}
    tables = (set(MESSAGES), set(REPLIES), ACCOUNT, NOT_ASKED_FOR)
    assert set.union(*tables) == found
    assert sum(map(len, tables)) == len(found)


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name: str, recordings: Path) -> None:
    exchange, batch = fresh(name), EventBatch()
    exchange.decode((recordings / f"binance/samples/{name}.json").read_bytes(), NOW, batch)
    assert (described(batch) if exchange.quarantined == 0 else UNKNOWN) == MESSAGES[name]


@pytest.mark.parametrize("name", REPLIES)
def test_replies(name: str, recordings: Path) -> None:
    what, expected = REPLIES[name]
    exchange, batch = fresh(name, knowing=True), EventBatch()
    tag = str(Purpose(what, 7, InstrumentId(0))) if what else "metadata"
    request = Outbound(connection="rest", method="GET", path="/", tag=tag, creates=what == "new")
    body = (recordings / f"binance/samples/{name}.json").read_bytes()
    exchange.decode_reply(request, Reply(status=200, body=body, received=NOW), batch)
    assert exchange.quarantined == 0, exchange.quarantine[-1].reason
    assert described(batch) == expected


@pytest.mark.parametrize("name", sorted(NOT_ASKED_FOR))
def test_replies_that_nobody_asked_for_are_quarantined(name: str, recordings: Path) -> None:
    exchange, batch = fresh(name), EventBatch()
    exchange.decode((recordings / f"binance/samples/{name}.json").read_bytes(), NOW, batch)
    assert (batch.count, exchange.quarantined) == (0, 1)
