"""What a simulated venue trades, how its crowd behaves, and which faults it is told to have."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
)
from bot4_core.domain_types.rate_limits import RateLimit, RateSettings
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import ValidationError
from bot4_core.plugins.interfaces import PartSettings
from bot4_plugins.exchange_sim.flow import FlowRates

__all__ = ["LISTINGS", "Fault", "FaultKind", "Listing", "SimSettings"]


SECOND: Final = 1_000_000_000
FEW: Final = 4
"""Requests in a second below which none can be kept for cancels and queries."""


class FaultKind(StrEnum):
    """What goes wrong between venue and client: of book messages, answers, or requests."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    SWAP = "swap"  # it comes after the next book message of its instrument
    LOSE_ANSWER = "lose_answer"  # a message about an order never arrives
    LOSE_REQUEST = "lose_request"  # an order or a cancellation never reaches the venue


@attrs.frozen(kw_only=True)
class Fault:
    """One scripted fault.

    Parameters
    ----------
    kind : FaultKind
    symbol : str
    message : int
        Which book message of the instrument, from 1 (snapshots do not count); of a lost answer or
        request, which one of those.
    count : int
        How many messages in a row.
    """

    kind: FaultKind = attrs.field(converter=FaultKind)
    symbol: str
    message: int = attrs.field(validator=attrs.validators.ge(1))
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen(kw_only=True)
class Listing:
    """An instrument, where its price starts, and the crowd that trades it."""

    instrument: Instrument
    start_price: int  # in ticks
    underlying: str  # instruments of one underlying see one fair price
    rates: FlowRates


def _listing(symbol: str, start: int, steps: tuple[int, int, int], rates: FlowRates) -> Listing:
    """Return a listing; ``steps`` are the tick, the size exponent and the lot."""
    tick, size_exponent, lot = steps
    kind = InstrumentKind.PERPETUAL if symbol.endswith("PERP") else InstrumentKind.SPOT
    base, quote = symbol.split("-")[:2]
    spot = kind is InstrumentKind.SPOT
    return Listing(
        instrument=Instrument(
            venue=VenueName("sim"),
            market="sim",
            symbol=Symbol(symbol),
            base=base,
            quote=quote,
            kind=kind,
            settlement=Settlement.SPOT if spot else Settlement.LINEAR,
            price_exponent=-2,
            size_exponent=size_exponent,
            tick=tick,
            lot=lot,
            min_size=lot,
            min_notional=Decimal(5),
            settlement_asset=quote,
            fees=FeeSchedule(
                maker=Decimal("0.0002") if spot else Decimal("0.0001"),
                taker=Decimal("0.0005") if spot else Decimal("0.0004"),
            ),
            chain=ChainRule.STEP,
        ),
        start_price=start,
        underlying=base,
        rates=rates,
    )


LISTINGS: Final = (
    _listing("BTC-USD", 120_000, (50, -5, 1), FlowRates(unit=500)),
    _listing(
        "ETH-USD",
        60_000,
        (5, -4, 1),
        FlowRates(unit=1_000, limits_per_second=110, ticks_per_root_second=4.0),
    ),
    _listing(
        "BTC-USD-PERP",
        120_000,
        (50, -3, 1),
        FlowRates(unit=10, limits_per_second=180, mark_every_ms=1000, basis=4),
    ),
)
"""What the venue can trade: two spot pairs and a perpetual on one of them."""


@attrs.frozen(kw_only=True)
class SimSettings(PartSettings):
    """Settings of the simulated venue.

    Parameters
    ----------
    symbols : tuple of str
        What to trade, out of ``LISTINGS``; empty for all.
    seed : int
        The same seed gives the same market, on every machine.
    start_ns : int
        Venue time at which the client may connect.
    latency_ns : int
        From the venue to the client, and back.
    faults : tuple of Fault
        What goes wrong on the way to the client.
    requests_per_second : int
        How many requests the venue takes in any second; what comes beyond them it refuses. 0 for
        as many as come.
    """

    symbols: tuple[str, ...] = ()
    seed: int = 1
    start_ns: int = 1_735_689_600_000_000_000  # 2025-01-01
    latency_ns: int = attrs.field(default=5_000_000, validator=attrs.validators.ge(0))
    faults: tuple[Fault, ...] = ()
    requests_per_second: int = attrs.field(default=0, validator=attrs.validators.ge(0))

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The chosen listings, in the order of ``symbols``.

        Raises
        ------
        ValidationError
            If a symbol is not listed.
        """
        return chosen_listings(self.symbols)

    @property
    def rate_limits(self) -> RateSettings | None:
        """The limit on requests as a client keeps to it, None without one.

        Data shares what orders may use, so that a lost book comes back.
        """
        most = self.requests_per_second
        if not most:
            return None
        reserve = Decimal("0.1") if most >= FEW else Decimal(0)
        return RateSettings(
            limits=(RateLimit(name="requests", limit=most, span=Nanoseconds(SECOND)),),
            cancel_reserve=reserve,
            query_reserve=reserve,
            order_reserve=Decimal(0),
        )


def chosen_listings(symbols: tuple[str, ...]) -> tuple[Listing, ...]:
    """Return the listings of some symbols, all for none.

    Raises
    ------
    ValidationError
        If a symbol is not listed.
    """
    known = {str(listing.instrument.symbol): listing for listing in LISTINGS}
    faults = [
        (f"symbols[{at}]", f"{symbol!r} is not one of {', '.join(known)}")
        for at, symbol in enumerate(symbols)
        if symbol not in known
    ]
    if faults:
        raise ValidationError(faults)
    return tuple(known[symbol] for symbol in symbols or known)
