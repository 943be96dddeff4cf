"""Where messages end, what they are about, and cheap handles to rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.session_world import START, instrument, snapshot, table_of

from bot4_core.domain_types.records import EVENT_DTYPE, VIEW_DTYPE, EventFlag, EventKind
from bot4_core.kernels import step_rows
from bot4_core.kernels.features import FEATURE_DTYPE
from bot4_core.kernels.step import HEAD_SLOTS, MARKET, ORDER, OTHER, next_message, show_market
from bot4_core.kernels.step_rows import RowHandle, row_handles
from bot4_core.market.features import FeatureEngine
from bot4_core.market.order_book import Books
from bot4_core.session.state import new_views

GROUPS = {
    EventKind.BOOK_CLEAR: 0,
    EventKind.BOOK_SET: 0,
    EventKind.BOOK_END: MARKET,
    EventKind.TRADE: MARKET,
    EventKind.QUOTE: MARKET,
    EventKind.MARK: OTHER,
    EventKind.TIMER: OTHER,
    EventKind.ORDER_ACCEPTED: ORDER,
    EventKind.CANCEL_REJECTED: ORDER,
}


@given(st.lists(st.tuples(st.sampled_from(list(GROUPS)), st.booleans()), min_size=1, max_size=9))
def test_a_message_ends_at_its_last_flag_and_names_what_it_holds(
    events: list[tuple[EventKind, bool]],
) -> None:
    records = np.zeros(len(events), EVENT_DTYPE)
    for number, (record, (kind, last)) in enumerate(zip(records, events, strict=True)):
        record["kind"], record["flags"] = kind, EventFlag.LAST if last else 0
        record["instrument"], record["received"], record["time"] = number, 10 + number, 20 + number
    head = np.zeros(HEAD_SLOTS, np.int64)
    end = next((at + 1 for at, (_, last) in enumerate(events) if last), len(events))
    next_message(records, 0, len(records), head)
    assert head[9] == end
    groups = 0
    for kind, _ in events[:end]:
        groups |= GROUPS[kind]
    assert head[:4].tolist() == [end - 1, groups, 9 + end, 19 + end]


def shown(bids: list[tuple[int, int]], size: str = "0.010") -> np.void:
    rules = [instrument()]
    table = table_of(rules)
    books, views = Books(table), new_views(table, rules)
    states = FeatureEngine(table, views).states
    states["vwap_size"] = int(float(size) * 1000)
    records = snapshot(START, bids, [(6_000_010, 4), (6_000_020, 100)])
    books.apply(records)
    head = np.zeros(HEAD_SLOTS, np.int64)
    next_message(records, 0, len(records), head)
    show_market(books.rows, books.memory.words, views, states, head)
    assert head[4:7].tolist() == [int(views[0][name]) for name in ("state", "bid", "ask")]
    row: np.void = views[0]
    return row


def test_a_view_shows_the_book_and_what_a_size_would_cost_now() -> None:
    view = shown([(6_000_000, 10)])
    assert (int(view["bid"]), int(view["ask"]), int(view["received"])) == (
        6_000_000,
        6_000_010,
        START,
    )
    assert float(view["mid"]) == 60_000.05
    assert float(view["vwap_bid"]) == pytest.approx(60_000.0)
    assert float(view["vwap_ask"]) == pytest.approx(60_000.16)


def test_a_side_too_thin_for_the_size_has_no_price() -> None:
    view = shown([(6_000_000, 9)])
    assert math.isnan(float(view["vwap_bid"]))


@pytest.mark.parametrize(("groups", "number"), [(OTHER, 0), (MARKET, 5)])
def test_what_is_no_market_message_of_a_known_instrument_shows_nothing(
    groups: int, number: int
) -> None:
    rules = [instrument()]
    table = table_of(rules)
    books, views = Books(table), new_views(table, rules)
    before = views.copy()
    head = np.array([number, groups, 1, 1, 0, 0, 0, 0])
    show_market(books.rows, books.memory.words, views, np.zeros(1, FEATURE_DTYPE), head)
    assert views.tobytes() == before.tobytes()


def test_a_handle_shares_the_memory_of_its_row() -> None:
    rows = np.zeros(3, VIEW_DTYPE)
    handle = RowHandle(rows, 1)
    rows["time"][1] = 7
    assert bytes(handle.data) == rows[1:2].tobytes()


@pytest.mark.parametrize(("compiling", "kind"), [(True, RowHandle), (False, np.void)])
def test_rows_come_in_the_form_that_the_mode_of_the_kernels_wants(
    monkeypatch: pytest.MonkeyPatch, compiling: bool, kind: type
) -> None:
    monkeypatch.setattr(step_rows, "is_compiling", lambda: compiling)
    handles = row_handles(np.zeros(2, VIEW_DTYPE))
    assert [type(each) for each in handles] == [kind, kind]
