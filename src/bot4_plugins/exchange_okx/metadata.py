"""Lists of instruments, by request and by channel."""

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
from bot4_plugins.exchange_okx.venue import STATUS, VENUES, OkxFacts
from bot4_plugins.venue_toolkit.drafts import amount_text
from bot4_plugins.venue_toolkit.listings import Catalogue, scaled_step
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = ["guess_instrument", "read_instruments"]

KINDS: Final = {
    "SPOT": InstrumentKind.SPOT,
    "SWAP": InstrumentKind.PERPETUAL,
    "FUTURES": InstrumentKind.FUTURE,
}
MARKETS: Final = {facts.kind: facts for facts in VENUES.values()}


class _OkxListing(msgspec.Struct, rename="camel"):
    inst_id: str
    inst_type: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    base_ccy: str = ""
    quote_ccy: str = ""
    settle_ccy: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    ct_type: str = ""
    exp_time: str = ""
    max_lmt_sz: str = ""
    state: str = ""
    inst_id_code: int | None = None


def guess_instrument(symbol: str) -> ListingGuess:
    """Read assets and form off a name: ``BTC-USDT``, ``BTC-USD-SWAP``, ``BTC-USDT-241220``."""
    base, _, rest = symbol.partition("-")
    quote, _, kind = rest.partition("-")
    if not kind:
        form, settlement = InstrumentKind.SPOT, Settlement.SPOT
    else:
        form = InstrumentKind.PERPETUAL if kind == "SWAP" else InstrumentKind.FUTURE
        settlement = Settlement.INVERSE if quote == "USD" else Settlement.LINEAR
    return ListingGuess(base=base, quote=quote, kind=form, settlement=settlement)


def _contract(listing: _OkxListing) -> tuple[Settlement, Decimal]:
    """Return what a contract pays in, and what one of them is of."""
    forms = {"linear": Settlement.LINEAR, "inverse": Settlement.INVERSE}
    if listing.ct_type not in forms:
        raise DecodeError(f"contracts of type {listing.ct_type[:40]!r} are not known")
    value = Decimal(amount_text(listing.ct_val, "contract value"))
    return forms[listing.ct_type], value * Decimal(
        amount_text(listing.ct_mult or "1", "contract multiplier")
    )


def _instrument(listing: _OkxListing, depth: int) -> Instrument:
    facts: OkxFacts | None = MARKETS.get(listing.inst_type)
    if facts is None:
        raise DecodeError(f"instruments of type {listing.inst_type[:40]!r} are not known")
    kind, guess = KINDS[listing.inst_type], guess_instrument(listing.inst_id)
    spot = kind is InstrumentKind.SPOT
    settlement, multiplier = (Settlement.SPOT, Decimal(1)) if spot else _contract(listing)
    price_exponent, tick = scaled_step(listing.tick_sz, "tick size", 0)
    least = amount_text(listing.min_sz, "smallest size")
    size_exponent, lot = scaled_step(listing.lot_sz, "size step", -exponent_of_text(least))
    largest = amount_text(listing.max_lmt_sz or "0", "largest size")
    return Instrument(
        venue=VenueName(facts.venue),
        market=facts.market,
        symbol=Symbol(listing.inst_id),
        base=listing.base_ccy or guess.base,
        quote=listing.quote_ccy or guess.quote,
        kind=kind,
        settlement=settlement,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=tick,
        lot=lot,
        min_size=scaled_from_text(least, size_exponent),
        max_size=scaled_from_text(largest, size_exponent),
        multiplier=multiplier,
        settlement_asset=listing.settle_ccy or listing.quote_ccy or guess.quote,
        fees=facts.default_fees,
        status=STATUS.get(listing.state, InstrumentStatus.UNKNOWN),
        expiry=Nanoseconds(milliseconds_text(listing.exp_time, "expiry"))
        if kind is InstrumentKind.FUTURE
        else None,
        chain=facts.chain,
        depth=depth,
    )


def read_instruments(items: list[object], depth: int) -> tuple[Catalogue, dict[str, int]]:
    """Read every listing; one that cannot be read is told of and left out.

    Parameters
    ----------
    items : list
    depth : int
        Levels a side that the subscribed book has.

    Returns
    -------
    catalogue : Catalogue
    codes : dict of str to int
        The numbers by which orders over sockets name instruments.
    """
    catalogue, codes = Catalogue(), {}
    for item in items:
        try:
            listing = msgspec.convert(item, _OkxListing)
            catalogue.instruments[listing.inst_id] = _instrument(listing, depth)
        except (msgspec.ValidationError, Bot4Error) as error:
            name = item.get("instId", "?") if isinstance(item, dict) else "?"
            catalogue.refused.append((str(name)[:64], str(error)))
        else:
            if listing.inst_id_code is not None:
                codes[listing.inst_id] = listing.inst_id_code
    return catalogue, codes
