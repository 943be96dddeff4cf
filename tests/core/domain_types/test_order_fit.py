"""Whether sound orders fit their instrument and each other."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.domain_types.builders import BRACKET, INSTRUMENT, INSTRUMENTS, LIMIT, OCO

from bot4_core.domain_types import (
    Instrument,
    InstrumentId,
    InstrumentStatus,
    OrderFlag,
    OrderIntent,
    OrderLink,
    OrderNumber,
    OrderType,
    Price,
    Quantity,
    Settlement,
    Side,
    validate_link,
    validate_order,
)
from bot4_core.errors import ValidationError
from bot4_core.testing.strategies import order_intents, order_links


def faults(intent: OrderIntent, instrument: Instrument = INSTRUMENT) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        validate_order(intent, instrument)
    return [f"{path}: {text}" for path, text in caught.value.faults]


def fits(intent: OrderIntent, instrument: Instrument = INSTRUMENT) -> bool:
    return validate_order(intent, instrument) is intent


@given(st.data())
def test_what_stands_on_the_grid_within_the_limits_fits(data: st.DataObject) -> None:
    instrument = attrs.evolve(
        data.draw(st.sampled_from(INSTRUMENTS)),
        status=InstrumentStatus.TRADING,
        min_size=0,
        max_size=0,
        min_notional=Decimal(0),
    )
    intent = data.draw(order_intents(instrument))
    assert fits(intent, instrument)


def test_every_misfit_is_reported_at_once() -> None:
    instrument = attrs.evolve(INSTRUMENT, status=InstrumentStatus.HALTED)
    intent = attrs.evolve(LIMIT, price=Price.of("100.15"), size=Quantity.of("0.002"))
    assert faults(intent, instrument) == [
        "price: 100.15 is no multiple of the tick 0.10",
        "size: 0.002 is no multiple of the lot 0.005",
        "size: 0.002 is below the minimum of 10e-3",
        "size: 0.002 at 100.15 is worth less than 5",
        "instrument: BTCUSDT takes no orders: its status is halted",
    ]


def test_sizes_above_the_maximum_do_not_fit() -> None:
    assert faults(attrs.evolve(LIMIT, size=Quantity.of("100.005"))) == [
        "size: 100.005 is above the maximum of 100000e-3"
    ]
    assert fits(attrs.evolve(LIMIT, size=Quantity.of("100")))
    free = attrs.evolve(INSTRUMENT, max_size=0)
    assert fits(attrs.evolve(LIMIT, size=Quantity.of("100.005")), free)


def test_reducing_and_market_orders_need_no_least_worth() -> None:
    small = attrs.evolve(LIMIT, size=Quantity.of("0.01"))
    assert faults(small) == ["size: 0.01 at 100.1 is worth less than 5"]
    for flag in (OrderFlag.REDUCE_ONLY, OrderFlag.CLOSE_POSITION):
        assert fits(attrs.evolve(small, flags=flag), INSTRUMENT)
    assert fits(attrs.evolve(small, type=OrderType.MARKET, price=None), INSTRUMENT)


def test_an_inverse_contracts_worth_does_not_depend_on_its_price() -> None:
    inverse = attrs.evolve(INSTRUMENT, settlement=Settlement.INVERSE, multiplier=Decimal(100))
    assert fits(attrs.evolve(LIMIT, size=Quantity.of("0.05")), inverse)
    assert faults(attrs.evolve(LIMIT, size=Quantity.of("0.045")), inverse) == [
        "size: 0.045 at 100.1 is worth less than 5"
    ]


@pytest.mark.parametrize(
    "status",
    [
        InstrumentStatus.CANCEL_ONLY,
        InstrumentStatus.HALTED,
        InstrumentStatus.DELISTED,
        InstrumentStatus.UNKNOWN,
    ],
)
def test_instruments_that_do_not_trade_take_no_orders(status: InstrumentStatus) -> None:
    assert faults(LIMIT, attrs.evolve(INSTRUMENT, status=status)) == [
        f"instrument: BTCUSDT takes no orders: its status is {status}"
    ]


def test_a_post_only_instrument_takes_post_only_orders() -> None:
    instrument = attrs.evolve(INSTRUMENT, status=InstrumentStatus.POST_ONLY)
    assert faults(LIMIT, instrument) == ["flags: BTCUSDT takes post-only orders only"]
    assert fits(attrs.evolve(LIMIT, flags=OrderFlag.POST_ONLY), instrument)


def test_an_unsound_order_or_instrument_is_reported_before_they_are_compared() -> None:
    found = faults(attrs.evolve(LIMIT, side=Side.NONE), attrs.evolve(INSTRUMENT, tick=0))
    assert found == [
        "side: is none, expected buy or sell",
        "instrument.tick: 0 is not above zero",
    ]


@given(st.sampled_from(INSTRUMENTS).flatmap(order_links))
def test_linked_orders_that_belong_together_pass(
    linked: tuple[OrderLink, tuple[OrderIntent, ...]],
) -> None:
    link, intents = linked
    assert validate_link(link, intents) is link


def legs(*sides: Side) -> tuple[OrderIntent, ...]:
    return tuple(
        attrs.evolve(LIMIT, number=OrderNumber(place), side=side)
        for place, side in enumerate(sides, 1)
    )


def test_linked_orders_must_be_there() -> None:
    with pytest.raises(ValidationError) as caught:
        validate_link(BRACKET, ())
    assert [path for path, _ in caught.value.faults] == ["entry", "exits[0]", "exits[1]"]


def test_the_exits_of_a_bracket_face_its_entry() -> None:
    assert validate_link(BRACKET, legs(Side.BUY, Side.SELL, Side.SELL)) is BRACKET
    with pytest.raises(ValidationError, match="order 3 is a buy, expected sell"):
        validate_link(BRACKET, legs(Side.BUY, Side.SELL, Side.BUY))


def test_the_orders_of_an_oco_stand_on_one_side_of_one_instrument() -> None:
    assert validate_link(OCO, legs(Side.BUY, Side.SELL, Side.SELL)) is OCO
    with pytest.raises(ValidationError, match="order 3 is a buy, expected sell"):
        validate_link(OCO, legs(Side.BUY, Side.SELL, Side.BUY))
    first, second, third = legs(Side.SELL, Side.SELL, Side.SELL)
    strange = attrs.evolve(third, instrument=InstrumentId(4))
    with pytest.raises(ValidationError, match="order 3 is of instrument 4, expected 0"):
        validate_link(OCO, (first, second, strange))


def test_an_unsound_link_is_reported_before_its_orders_are_looked_up() -> None:
    with pytest.raises(ValidationError, match="entry: is missing"):
        validate_link(attrs.evolve(BRACKET, entry=None), legs(Side.NONE))
