"""``instruments-info`` of the three markets to instruments."""

from decimal import Decimal
from typing import Final

import msgspec

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import (
    Instrument,
    InstrumentKind,
    InstrumentStatus,
    Settlement,
)
from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.errors import Bot4Error, DecodeError
from bot4_plugins.exchange_bybit.venue import STATUS, BybitFacts
from bot4_plugins.venue_toolkit.drafts import amount_text
from bot4_plugins.venue_toolkit.listings import Catalogue, scaled_step

__all__ = ["read_metadata"]

MILLISECOND: Final = 1_000_000
KINDS: Final = {
    "LinearPerpetual": InstrumentKind.PERPETUAL,
    "InversePerpetual": InstrumentKind.PERPETUAL,
    "LinearFutures": InstrumentKind.FUTURE,
    "InverseFutures": InstrumentKind.FUTURE,
}
SETTLEMENTS: Final = {"Linear": Settlement.LINEAR, "Inverse": Settlement.INVERSE}


class _Prices(msgspec.Struct, rename="camel"):
    tick_size: str


class _Sizes(msgspec.Struct, rename="camel"):
    qty_step: str = ""  # contracts
    base_precision: str = ""  # spot
    min_order_qty: str = "0"
    max_order_qty: str = "0"
    min_notional_value: str = ""  # contracts
    min_order_amt: str = ""  # spot


class _Listing(msgspec.Struct, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    price_filter: _Prices
    lot_size_filter: _Sizes
    status: str = ""
    contract_type: str = ""
    options_type: str = ""
    settle_coin: str = ""
    price_scale: str = "0"
    delivery_time: str = "0"


def _form(facts: BybitFacts, listing: _Listing) -> tuple[InstrumentKind, Settlement]:
    """Return what kind of instrument it is; refuse what belongs to another market."""
    if listing.options_type:
        raise DecodeError("an option")
    if not listing.contract_type:
        kind, settlement = InstrumentKind.SPOT, Settlement.SPOT
    elif listing.contract_type in KINDS:
        kind = KINDS[listing.contract_type]
        settlement = next(
            form for word, form in SETTLEMENTS.items() if listing.contract_type.startswith(word)
        )
    else:
        raise DecodeError(f"contracts of type {listing.contract_type[:40]!r} are not known")
    if settlement is not facts.settlement:
        raise DecodeError(f"a {settlement.value} instrument, and the market is {facts.market}")
    return kind, settlement


def _instrument(facts: BybitFacts, listing: _Listing, depth: int) -> Instrument:
    kind, settlement = _form(facts, listing)
    sizes = listing.lot_size_filter
    places = int(amount_text(listing.price_scale or "0", "price scale"))
    price_exponent, tick = scaled_step(listing.price_filter.tick_size, "tick size", places)
    size_exponent, lot = scaled_step(sizes.qty_step or sizes.base_precision, "size step", 0)
    # minimums of some listings are finer than the step of their sizes
    for text in (sizes.min_order_qty, sizes.max_order_qty):
        finer = min(
            size_exponent, exponent_of_text(amount_text(text, "size limit").rstrip("0") or "0")
        )
        lot *= 10 ** (size_exponent - finer)
        size_exponent = finer
    delivery = int(amount_text(listing.delivery_time or "0", "delivery time"))
    return Instrument(
        venue=VenueName(facts.venue),
        market=facts.market,
        symbol=Symbol(listing.symbol),
        base=listing.base_coin,
        quote=listing.quote_coin,
        kind=kind,
        settlement=settlement,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=tick,
        lot=lot,
        min_size=scaled_from_text(sizes.min_order_qty, size_exponent),
        max_size=scaled_from_text(sizes.max_order_qty, size_exponent),
        min_notional=Decimal(
            amount_text(sizes.min_notional_value or sizes.min_order_amt or "0", "least notional")
        ),
        settlement_asset=listing.settle_coin or listing.quote_coin,
        fees=facts.default_fees,
        status=STATUS.get(listing.status, InstrumentStatus.UNKNOWN),
        expiry=Nanoseconds(delivery * MILLISECOND) if kind is InstrumentKind.FUTURE else None,
        chain=facts.chain,
        depth=depth,
    )


def read_metadata(facts: BybitFacts, result: dict[str, object], depth: int) -> Catalogue:
    """Read every listing; one that cannot be read is told of and left out.

    Parameters
    ----------
    facts : BybitFacts
    result : dict
        The reply's ``result``.
    depth : int
        Levels a side that the subscribed book has.

    Raises
    ------
    DecodeError
        If there is no list of listings.
    """
    listings, cursor = result.get("list"), result.get("nextPageCursor") or ""
    if not isinstance(listings, list) or not isinstance(cursor, str):
        raise DecodeError("instruments-info without a list")
    catalogue = Catalogue(cursor=cursor)
    for item in listings:
        try:
            listing = msgspec.convert(item, _Listing)
            catalogue.instruments[listing.symbol] = _instrument(facts, listing, depth)
        except (msgspec.ValidationError, Bot4Error, ValueError) as error:
            name = item.get("symbol", "?") if isinstance(item, dict) else "?"
            catalogue.refused.append((str(name)[:64], str(error)))
    return catalogue
