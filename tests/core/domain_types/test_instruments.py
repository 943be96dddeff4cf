from decimal import Decimal
from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.instruments import perpetual

from bot4_core.domain_types import (
    INSTRUMENT_DTYPE,
    Instrument,
    Price,
    Quantity,
    Rounding,
    Settlement,
    Side,
    instrument_table,
)
from bot4_core.errors import NumberOverflowError, PrecisionError
from bot4_core.testing.strategies import instruments, prices, quantities, sides

PERPETUAL = perpetual(lot=5)


@given(instruments(), st.integers(-(10**9), 10**9), st.integers(0, 6), sides())
def test_i02_quantising_a_price_never_pays_more_and_lands_on_the_grid(
    instrument: Instrument, value: int, finer: int, side: Side
) -> None:
    price = Price(value, instrument.price_exponent - finer)
    found = instrument.quantise_price(price, side)
    assert (found / instrument.tick_size).denominator == 1
    assert found.exponent == instrument.price_exponent
    worse = found - price if side is Side.BUY else price - found
    assert worse.sign <= 0
    assert abs(worse) < instrument.tick_size


@given(instruments(), st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_i02_quantising_a_size_never_adds_exposure_and_lands_on_the_grid(
    instrument: Instrument, value: int, finer: int
) -> None:
    size = Quantity(value, instrument.size_exponent - finer)
    found = instrument.quantise_size(size)
    assert (found / instrument.lot_size).denominator == 1
    assert abs(found) <= abs(size)
    assert abs(size) - abs(found) < instrument.lot_size
    assert found.sign in (0, size.sign)


@given(instruments(), st.data())
def test_what_stands_on_the_grid_stays(instrument: Instrument, data: st.DataObject) -> None:
    price = data.draw(prices(instrument.price_exponent, instrument.tick))
    size = data.draw(quantities(instrument.size_exponent, instrument.lot))
    assert instrument.quantise_price(price, data.draw(sides())) == price
    assert instrument.quantise_size(size) == size


def test_quantising_follows_a_named_rounding_when_told() -> None:
    price, size = Price.of("100.07"), Quantity.of("0.007")
    assert PERPETUAL.quantise_price(price, Side.BUY) == Price.of("100.0")
    assert PERPETUAL.quantise_price(price, Side.SELL) == Price.of("100.1")
    assert PERPETUAL.quantise_price(price, Side.BUY, Rounding.CEILING) == Price.of("100.1")
    assert PERPETUAL.quantise_size(size) == Quantity.of("0.005")
    assert PERPETUAL.quantise_size(-size) == Quantity.of("-0.005")
    assert PERPETUAL.quantise_size(size, Rounding.CEILING) == Quantity.of("0.01")


def test_a_price_without_side_or_rounding_cannot_be_quantised() -> None:
    with pytest.raises(PrecisionError, match="without a side"):
        PERPETUAL.quantise_price(Price(1, 0), Side.NONE)


def test_text_is_read_at_the_instruments_exponents() -> None:
    assert PERPETUAL.price("101.5") == Price(10150, -2)
    assert PERPETUAL.size("2") == Quantity(2000, -3)
    with pytest.raises(PrecisionError):
        PERPETUAL.price("101.555")
    with pytest.raises(NumberOverflowError):
        PERPETUAL.size("1e30")


@pytest.mark.parametrize(
    ("settlement", "asset", "settled"),
    [
        (Settlement.SPOT, "", "USDT"),
        (Settlement.LINEAR, "", "USDT"),
        (Settlement.INVERSE, "", "BTC"),
        (Settlement.LINEAR, "USDC", "USDC"),
    ],
)
def test_settlement_asset_follows_the_settlement(
    settlement: Settlement, asset: str, settled: str
) -> None:
    changed = attrs.evolve(PERPETUAL, settlement=settlement, settlement_asset=asset)
    assert changed.settled_in == settled


def test_notional_is_exact_for_linear_and_inverse_contracts() -> None:
    price, size = Price.of("20000.1"), Quantity.of("-3")
    linear = attrs.evolve(PERPETUAL, multiplier=Decimal("0.001"))
    inverse = attrs.evolve(PERPETUAL, settlement=Settlement.INVERSE, multiplier=Decimal(100))
    assert linear.notional(price, size) == Fraction("-60.0003")
    assert inverse.notional(price, size) == -300


@given(st.lists(instruments(), max_size=3))
def test_the_table_holds_what_kernels_need_in_order(items: list[Instrument]) -> None:
    table = instrument_table(items)
    assert table.dtype == INSTRUMENT_DTYPE
    assert len(table) == len(items)
    for row, item in zip(table, items, strict=True):
        for name in ("price_exponent", "size_exponent", "tick", "lot", "min_size", "depth"):
            assert int(row[name]) == getattr(item, name)
        assert int(row["chain"]) == item.chain
        assert float(row["price_unit"]) == float(Decimal(1).scaleb(item.price_exponent))
        assert float(row["size_unit"]) == float(Decimal(1).scaleb(item.size_exponent))
        assert float(row["multiplier"]) == float(item.multiplier)


def test_the_table_refuses_numbers_beyond_64_bits() -> None:
    with pytest.raises(OverflowError):
        instrument_table([attrs.evolve(PERPETUAL, tick=2**63)])


def test_units_of_the_table_are_the_nearest_floats() -> None:
    units = [
        float(instrument_table([attrs.evolve(PERPETUAL, price_exponent=power)])["price_unit"][0])
        for power in range(-18, 19)
    ]
    assert units == [float(Fraction(10) ** power) for power in range(-18, 19)]
    assert np.all(np.diff(units) > 0)
