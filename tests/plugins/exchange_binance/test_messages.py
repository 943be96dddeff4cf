"""What each message of the venue becomes."""

import json
from typing import Any

import pytest
from tests.plugins.exchange_binance.adapters import RECEIVED, adapter, decoded
from tests.plugins.exchange_binance.binance_messages import (
    TIME,
    aggregate_trade,
    candle,
    compact,
    depth,
    enveloped,
    mark,
    quote,
    snapshot,
    trade,
)

from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.market.event_batch import EventBatch

MILLISECOND = 1_000_000


FIELDS = ("kind", "side", "price", "size", "sequence", "aux", "link", "flags")


def rows(batch: EventBatch) -> list[tuple[int, ...]]:
    """Give the fields that differ between records, as plain integers."""
    return [tuple(int(event[name]) for name in FIELDS) for event in batch.events]


@pytest.mark.parametrize("wrap", [enveloped, dict])
def test_depth_gives_one_record_a_level_bids_first_and_an_end(wrap: Any) -> None:
    batch = decoded(adapter(), compact(wrap(depth())))
    ids = (105, 101, 100)
    assert rows(batch) == [
        (EventKind.BOOK_SET, Side.BUY, 6_180_020, 14, *ids, 0),
        (EventKind.BOOK_SET, Side.BUY, 6_180_010, 0, *ids, 0),
        (EventKind.BOOK_SET, Side.SELL, 6_180_030, 2_500, *ids, 0),
        (EventKind.BOOK_END, Side.NONE, 0, 3, *ids, EventFlag.LAST),
    ]
    assert set(batch.events["time"].tolist()) == {(TIME - 1) * MILLISECOND}
    assert set(batch.events["received"].tolist()) == {RECEIVED}


def test_depth_in_another_order_gives_the_same_records() -> None:
    fields = depth()
    usual = decoded(adapter(), compact(fields))
    reverse = json.dumps(dict(reversed(fields.items())), indent=1).encode()
    exchange = adapter()
    exchange.decode_carefully = None  # type: ignore[method-assign, assignment]  # must not be needed
    assert decoded(exchange, reverse).events.tobytes() == usual.events.tobytes()


def test_spot_depth_has_no_previous_id() -> None:
    fields = depth()
    del fields["pu"], fields["T"]
    batch = decoded(adapter("spot"), compact(fields))
    assert set(batch.events["link"].tolist()) == {-1}
    assert set(batch.events["time"].tolist()) == {TIME * MILLISECOND}


def test_futures_depth_without_previous_id_is_quarantined() -> None:
    fields = depth()
    del fields["pu"]
    exchange = adapter()
    assert exchange.decode(compact(fields), RECEIVED, EventBatch()) == 0
    assert "pu" in exchange.quarantine[0].reason


def test_depth_without_levels_is_an_end_alone() -> None:
    batch = decoded(adapter(), compact(depth(b=[], a=[])))
    assert rows(batch) == [(EventKind.BOOK_END, 0, 0, 0, 105, 101, 100, EventFlag.LAST)]


def test_quote_carries_the_ask_in_aux_and_link() -> None:
    batch = decoded(adapter(), compact(quote()))
    assert rows(batch) == [(EventKind.QUOTE, 0, 6_180_020, 2_507, 106, 6_180_030, 2_510, 2)]


def test_spot_quote_has_neither_event_name_nor_time() -> None:
    fields = quote()
    del fields["e"], fields["E"], fields["T"]
    batch = decoded(adapter("spot"), compact(enveloped(fields)))
    assert int(batch.events["time"][0]) == 0
    assert int(batch.events["kind"][0]) == EventKind.QUOTE


def test_quote_of_an_empty_side_is_zero() -> None:
    batch = decoded(adapter(), compact(quote(a="0.00", A="0.000")))
    assert rows(batch)[0][5:7] == (0, 0)


@pytest.mark.parametrize(("maker", "side"), [(True, Side.SELL), (False, Side.BUY)])
@pytest.mark.parametrize("build", [trade, aggregate_trade])
def test_side_of_a_trade_is_the_aggressors(build: Any, maker: bool, side: Side) -> None:
    fields = build(m=maker)
    batch = decoded(adapter(), compact(fields))
    number = fields["t" if build is trade else "a"]
    size = 6 if build is trade else 10
    assert rows(batch) == [(EventKind.TRADE, side, 6_180_030, size, number, -1, -1, 2)]
    assert int(batch.events["time"][0]) == (TIME - 1) * MILLISECOND


@pytest.mark.parametrize(("maker", "ids"), [(True, (88, 77)), (False, (77, 88))])
def test_order_ids_of_a_trade_are_maker_and_taker(maker: bool, ids: tuple[int, int]) -> None:
    batch = decoded(adapter(), compact(trade(m=maker, b=88, a=77)))
    assert rows(batch)[0][5:7] == ids


def test_mark_price_gives_mark_index_and_funding() -> None:
    batch = decoded(adapter(), compact(mark()))
    settles = (TIME + 1000) * MILLISECOND
    assert rows(batch) == [
        (EventKind.MARK, 0, 2_814_727_373_413, 0, -1, -1, -1, 0),
        (EventKind.INDEX, 0, 2_815_975_642_857, 0, -1, -1, -1, 0),
        (EventKind.FUNDING, 0, -27_540_000, 0, -1, settles, -1, EventFlag.LAST),
    ]
    assert set(batch.events["time"].tolist()) == {TIME * MILLISECOND}


@pytest.mark.parametrize("absent", ["", None])
def test_mark_price_of_a_dated_future_has_no_funding(absent: str | None) -> None:
    fields = mark(r=absent, i=absent)
    if absent is None:
        del fields["r"], fields["i"]
    assert [row[0] for row in rows(decoded(adapter(), compact(fields)))] == [EventKind.MARK]


@pytest.mark.parametrize(
    ("final", "flags"), [(False, EventFlag.LAST), (True, EventFlag.LAST | EventFlag.CLOSED)]
)
def test_candle_carries_open_high_low_close_and_volume(final: bool, flags: int) -> None:
    batch = decoded(adapter(), compact(candle({"x": final})))
    close, volume, low, opened, high = 6_180_050, 3_917, 6_179_990, 6_180_010, 6_180_100
    assert rows(batch) == [(EventKind.CANDLE, 0, close, volume, low, opened, high, flags)]
    assert int(batch.events["time"][0]) == (TIME - 40_000) * MILLISECOND


def test_snapshot_clears_the_book_and_flags_every_record() -> None:
    batch = decoded(adapter(), compact(snapshot()))
    flag, ids = int(EventFlag.SNAPSHOT), (103, -1, -1)
    assert rows(batch) == [
        (EventKind.BOOK_CLEAR, 0, 0, 0, *ids, flag),
        (EventKind.BOOK_SET, Side.BUY, 6_180_020, 14, *ids, flag),
        (EventKind.BOOK_SET, Side.BUY, 6_180_000, 1_500, *ids, flag),
        (EventKind.BOOK_SET, Side.SELL, 6_180_030, 2_500, *ids, flag),
        (EventKind.BOOK_END, 0, 0, 3, *ids, flag | EventFlag.LAST),
    ]


def test_exponent_notation_is_read_exactly() -> None:
    batch = decoded(adapter(), compact(trade(p="6.180030e4", q="15E-1")))
    assert rows(batch)[0][2:4] == (6_180_030, 1_500)
