"""``exchangeInfo`` of the three markets to instruments."""

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
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.errors import Bot4Error, DecodeError
from bot4_plugins.exchange_binance.venue import STATUS, VenueFacts
from bot4_plugins.venue_toolkit.drafts import amount_text
from bot4_plugins.venue_toolkit.listings import Catalogue, scaled_step

__all__ = ["read_limits", "read_metadata"]

VENUE: Final = VenueName("binance")
PERPETUAL_KINDS: Final = frozenset({"PERPETUAL", "TRADIFI_PERPETUAL", "PERPETUAL_DELIVERING"})
NANOSECONDS: Final = 1_000_000
INTERVALS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


class _Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    tick_size: str = ""
    step_size: str = ""
    min_qty: str = "0"
    max_qty: str = "0"
    min_notional: str = ""  # spot
    notional: str = ""  # USD-M


class _Listing(msgspec.Struct, rename="camel"):
    symbol: str
    base_asset: str
    quote_asset: str
    filters: list[_Filter]
    status: str = ""
    contract_status: str = ""  # COIN-M
    contract_type: str = ""
    contract_size: int = 1  # COIN-M
    margin_asset: str = ""
    price_precision: int = 0  # futures
    quantity_precision: int = 0
    delivery_date: int = 0


def _filter(listing: _Listing, *names: str) -> _Filter:
    for item in listing.filters:
        if item.filter_type in names:
            return item
    return _Filter(filter_type="")


def _settlement(facts: VenueFacts) -> Settlement:
    return {
        "spot": Settlement.SPOT,
        "usdm": Settlement.LINEAR,
        "coinm": Settlement.INVERSE,
    }[facts.market]


def _kind(facts: VenueFacts, listing: _Listing) -> InstrumentKind:
    if facts.market == "spot":
        return InstrumentKind.SPOT
    if listing.contract_type in PERPETUAL_KINDS:
        return InstrumentKind.PERPETUAL
    return InstrumentKind.FUTURE


def _instrument(facts: VenueFacts, listing: _Listing) -> Instrument:
    price = _filter(listing, "PRICE_FILTER")
    lot = _filter(listing, "LOT_SIZE")
    notional = _filter(listing, "NOTIONAL", "MIN_NOTIONAL")
    price_exponent, tick = scaled_step(price.tick_size, "tick size", listing.price_precision)
    size_exponent, step = scaled_step(lot.step_size, "step size", listing.quantity_precision)
    kind = _kind(facts, listing)
    expiry = Nanoseconds(listing.delivery_date * NANOSECONDS)
    return Instrument(
        venue=VENUE,
        market=facts.market,
        symbol=Symbol(listing.symbol),
        base=listing.base_asset,
        quote=listing.quote_asset,
        kind=kind,
        settlement=_settlement(facts),
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=tick,
        lot=step,
        min_size=scaled_from_text(amount_text(lot.min_qty, "smallest size"), size_exponent),
        max_size=scaled_from_text(amount_text(lot.max_qty, "largest size"), size_exponent),
        min_notional=Decimal(
            amount_text(notional.min_notional or notional.notional or "0", "least notional")
        ),
        multiplier=Decimal(listing.contract_size),
        settlement_asset=listing.margin_asset or listing.quote_asset,
        fees=facts.default_fees,
        status=STATUS.get(listing.status or listing.contract_status, InstrumentStatus.UNKNOWN),
        expiry=expiry if kind is InstrumentKind.FUTURE else None,
        chain=facts.chain,
        depth=0,
    )


def read_metadata(facts: VenueFacts, content: dict[str, object]) -> Catalogue:
    """Read every listing; one that cannot be read is told of and left out.

    Raises
    ------
    DecodeError
        If there is no list of symbols.
    """
    listings = content["symbols"]
    if not isinstance(listings, list):
        raise DecodeError("exchangeInfo without a list of symbols")
    catalogue = Catalogue()
    for item in listings:
        try:
            listing = msgspec.convert(item, _Listing)
            catalogue.instruments[listing.symbol] = _instrument(facts, listing)
        except (msgspec.ValidationError, Bot4Error) as error:
            name = item.get("symbol", "?") if isinstance(item, dict) else "?"
            catalogue.refused.append((str(name)[:64], str(error)))
    return catalogue


class _Limit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


def read_limits(content: dict[str, object]) -> dict[str, dict[int, int]]:
    """Read the venue's rate limits: by its word for what is counted, how many in so many seconds.

    Empty where it tells none, or in a way that cannot be read.
    """
    try:
        limits = msgspec.convert(content.get("rateLimits", []), list[_Limit])
    except msgspec.ValidationError:
        return {}
    told: dict[str, dict[int, int]] = {}
    for each in limits:
        seconds = INTERVALS.get(each.interval, 0) * each.interval_num
        if seconds > 0 and each.limit > 0:
            told.setdefault(each.rate_limit_type, {})[seconds] = each.limit
    return told
