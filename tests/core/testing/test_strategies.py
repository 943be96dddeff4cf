import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import attrs
import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.core.domain_types.builders import INSTRUMENTS

from bot4_core import domain_types
from bot4_core.domain_types import (
    EVENT_DTYPE,
    BookSnapshot,
    BookState,
    EventFlag,
    EventKind,
    InstrumentKind,
    OrderLinkKind,
    OrderStatus,
    OrderType,
    Price,
    Side,
    validate,
)
from bot4_core.testing import strategies
from bot4_core.testing.strategies import (
    book_snapshots,
    event_batches,
    instruments,
    order_intents,
    order_links,
)

MADE: Final[dict[str, Callable[..., st.SearchStrategy[object]]]] = {
    name: getattr(strategies, name) for name in strategies.__all__
}
FOR_INSTRUMENT = sorted(
    name for name, make in MADE.items() if "instrument" in inspect.signature(make).parameters
)
HOMES = st.sampled_from(INSTRUMENTS)
PATIENT = settings(max_examples=2_000, derandomize=True, database=None, phases=[Phase.generate])
FREE = sorted(set(MADE) - set(FOR_INSTRUMENT))


@pytest.mark.parametrize("name", FREE)
@given(data=st.data())
def test_what_is_drawn_is_sound(name: str, data: st.DataObject) -> None:
    validate(data.draw(MADE[name]()))


@pytest.mark.parametrize("name", FOR_INSTRUMENT)
@given(data=st.data())
def test_what_is_drawn_for_an_instrument_is_sound(name: str, data: st.DataObject) -> None:
    validate(data.draw(MADE[name](data.draw(HOMES))))


@settings(max_examples=2)
@given(data=st.data())
def test_every_value_type_has_a_strategy(data: st.DataObject) -> None:
    instrument = data.draw(HOMES)
    drawn = [data.draw(MADE[name](instrument)) for name in FOR_INSTRUMENT]
    drawn += [data.draw(MADE[name]()) for name in FREE]
    drawn += [part for value in drawn if isinstance(value, tuple) for part in value]
    types = {kind for kind in vars(domain_types).values() if isinstance(kind, type)}
    assert {kind for kind in types if attrs.has(kind)} <= {type(value) for value in drawn}


@pytest.mark.parametrize("kind", InstrumentKind)
@given(data=st.data())
def test_instruments_of_one_kind_can_be_asked_for(
    kind: InstrumentKind, data: st.DataObject
) -> None:
    assert data.draw(instruments(kind)).kind is kind


@pytest.mark.parametrize("kind", OrderType)
@given(data=st.data())
def test_orders_of_one_type_can_be_asked_for(kind: OrderType, data: st.DataObject) -> None:
    assert data.draw(order_intents(data.draw(HOMES), kind)).type is kind


@pytest.mark.parametrize("kind", OrderLinkKind)
@given(data=st.data())
def test_links_of_one_kind_can_be_asked_for(kind: OrderLinkKind, data: st.DataObject) -> None:
    link, orders = data.draw(order_links(data.draw(HOMES), kind))
    assert link.kind is kind
    assert len(orders) == len(link.exits) + (link.entry is not None)


@given(st.data())
def test_books_are_live_and_no_deeper_than_asked(data: st.DataObject) -> None:
    book: BookSnapshot = data.draw(book_snapshots(data.draw(HOMES), levels=3))
    assert book.state is BookState.LIVE
    assert max(len(book.bids), len(book.asks)) <= 3


@given(st.data())
def test_prices_of_a_grid_stand_on_it(data: st.DataObject) -> None:
    price = data.draw(strategies.prices(-2, tick=25))
    assert price.value % 25 == 0
    assert price > Price(0, 0)


def messages(batch: NDArray[np.void]) -> list[NDArray[np.void]]:
    """Split a batch after each record with flag LAST."""
    ends = np.flatnonzero(batch["flags"] & EventFlag.LAST) + 1
    assert len(batch) == ends[-1]
    return np.split(batch, ends[:-1])


@given(event_batches(instruments=3))
def test_event_batches_hold_whole_messages_with_an_unbroken_chain(
    batch: NDArray[np.void],
) -> None:
    assert batch.dtype == EVENT_DTYPE
    assert np.all(np.diff(batch["received"]) > 0)
    last: dict[int, int] = {}
    for message in messages(batch):
        first, end = message[0], message[-1]
        if first["kind"] in (EventKind.TRADE, EventKind.QUOTE):
            assert len(message) == 1
            continue
        assert end["kind"] == EventKind.BOOK_END
        for name in ("instrument", "sequence", "aux", "link"):
            assert len(set(message[name].tolist())) == 1
        place = int(first["instrument"])
        if first["kind"] == EventKind.BOOK_CLEAR:
            assert np.all(message["flags"] & EventFlag.SNAPSHOT)
            assert int(end["size"]) == len(message) - 2
        else:
            assert int(first["link"]) == last[place] == int(first["aux"]) - 1
            assert int(end["size"]) == len(message) - 1
        last[place] = int(first["sequence"])
    assert sorted(last) == [0, 1, 2]


@given(event_batches())
def test_no_book_of_an_event_batch_is_ever_crossed(batch: NDArray[np.void]) -> None:
    levels: dict[int, set[int]] = defaultdict(set)
    for row in batch[batch["kind"] == EventKind.BOOK_SET]:
        levels[int(row["side"])].add(int(row["price"]))
    if levels[Side.BUY] and levels[Side.SELL]:
        assert max(levels[Side.BUY]) < min(levels[Side.SELL])


@pytest.mark.parametrize("status", list(OrderStatus))
def test_orders_of_every_status_are_drawn(status: OrderStatus) -> None:
    drawn = HOMES.flatmap(strategies.orders)
    found = find(drawn, lambda order: order.status is status, settings=PATIENT)
    assert found.status is status
    if status is OrderStatus.FILLED:
        assert found.filled == found.intent.size
