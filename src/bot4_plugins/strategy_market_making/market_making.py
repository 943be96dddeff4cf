"""Avellaneda-Stoikov market making on any number of instruments."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import inf
from typing import ClassVar

import attrs

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import Feature
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Strategy
from bot4_plugins.strategy_market_making.kernel import QuoteParam, decide

__all__ = ["MarketMaking", "MarketMakingSettings"]


@attrs.frozen(kw_only=True)
class MarketMakingSettings(PartSettings):
    """How eager and how careful the market maker is.

    Parameters
    ----------
    risk_aversion : float
        Gamma, per basis point and unit of inventory; 0 or more.
    fill_decay : float
        k, decay of the arrival rate of fills per basis point of distance; above 0.
    horizon_seconds : float
        The time over which inventory is carried; the model's T - t, held constant.
    inventory_unit : float
        Share of equity that counts as one unit of inventory; above 0.
    most_units : float
        Inventory beyond which the side that adds to it is withdrawn; above 0.
    least_edge : float
        Basis points that a quote must earn after the maker fee; 0 or more.
    cover_fees : bool
        Quote at least the maker fee away from the mid. False quotes as the model says and pays
        the fee out of what the spread earns.
    """

    risk_aversion: float = 0.1
    fill_decay: float = 1.5
    horizon_seconds: float = 10.0
    inventory_unit: float = 0.05
    most_units: float = 5.0
    least_edge: float = 0.0
    cover_fees: bool = True

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        for name in ("fill_decay", "horizon_seconds", "inventory_unit", "most_units"):
            if not 0.0 < getattr(self, name) < inf:
                yield name, f"{getattr(self, name)} is not a number above 0"
        for name in ("risk_aversion", "least_edge"):
            if not 0.0 <= getattr(self, name) < inf:
                yield name, f"{getattr(self, name)} is not a number from 0"


class MarketMaking(Strategy[MarketMakingSettings]):
    """Quotes both sides around a reservation price that leans against the inventory.

    Raises
    ------
    ValidationError
        If a setting breaks a rule.

    References
    ----------
    .. [1] Avellaneda, M. and Stoikov, S. (2008). High-frequency trading in a limit order book.
       Quantitative Finance 8(3), 217-224. doi:10.1080/14697680701381228.
    """

    name: ClassVar[str] = "market_making"
    settings_type: ClassVar[type[PartSettings]] = MarketMakingSettings
    reads: ClassVar[Feature] = Feature.VOLATILITY
    reasons: ClassVar[tuple[str, ...]] = (
        "quote around the reservation price",
        "withdraw: the book or the volatility is not ready",
        "withdraw: inventory at its bound",
    )
    value_names: ClassVar[tuple[str, ...]] = (
        "reservation_price",
        "half_spread_bp",
        "volatility",
        "inventory_units",
    )

    def compiled(self) -> CompiledForm:
        """Return the kernel with these settings."""
        params = CompiledForm.new_params()
        given = self.settings
        params["f"][QuoteParam.RISK_AVERSION] = given.risk_aversion
        params["f"][QuoteParam.FILL_DECAY] = given.fill_decay
        params["f"][QuoteParam.HORIZON] = given.horizon_seconds
        params["f"][QuoteParam.UNIT] = given.inventory_unit
        params["f"][QuoteParam.MOST_UNITS] = given.most_units
        fee = dearest_maker_fee(self.instruments) if given.cover_fees else 0.0
        params["f"][QuoteParam.LEAST_HALF_SPREAD] = given.least_edge + fee
        return CompiledForm(function=decide, params=params)


def dearest_maker_fee(instruments: Sequence[Instrument]) -> float:
    """Return the highest maker fee in basis points, 0 where makers are paid."""
    dearest = max((each.fees.maker for each in instruments), default=Decimal(0))
    return float(max(dearest, Decimal(0)) * 10_000)
