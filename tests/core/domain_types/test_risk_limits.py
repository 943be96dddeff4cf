from decimal import Decimal, localcontext

import attrs
import pytest
from hypothesis import given

from bot4_core.domain_types import LimitsPreset, RiskLimits, validate
from bot4_core.testing.strategies import decimals


@given(decimals("1", "1000000000"))
def test_every_preset_is_sound_and_each_is_looser_than_the_one_before(equity: Decimal) -> None:
    presets = [validate(RiskLimits.preset(name, equity)) for name in LimitsPreset]
    for field in attrs.fields(RiskLimits):
        values = [getattr(preset, field.name) for preset in presets]
        assert values == sorted(values)
        assert values[0] < values[-1]


@pytest.mark.parametrize(
    ("name", "position", "loss"),
    [
        (LimitsPreset.CONSERVATIVE, "2500.25", "100.01"),
        (LimitsPreset.MODERATE, "5000.5", "300.03"),
        (LimitsPreset.AGGRESSIVE, "20002", "1000.1"),
    ],
)
def test_presets_scale_with_equity(name: LimitsPreset, position: str, loss: str) -> None:
    limits = RiskLimits.preset(name, Decimal(10001))
    assert limits.max_position_notional == Decimal(position)
    assert limits.max_daily_loss == Decimal(loss)


def test_presets_are_exact_whatever_the_decimal_context() -> None:
    equity = Decimal("123456789.123456789")
    with localcontext(prec=4):
        limits = RiskLimits.preset(LimitsPreset.CONSERVATIVE, equity)
    assert limits.max_daily_loss == Decimal("1234567.89123456789")
