"""Products to instruments."""

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
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import Bot4Error, DecodeError
from bot4_plugins.exchange_coinbase.venue import CoinbaseMarket
from bot4_plugins.venue_toolkit.drafts import amount_text
from bot4_plugins.venue_toolkit.strict_json import typed
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["CoinbaseCatalogue", "book_name", "guess_product", "read_products"]

VENUE: Final = VenueName("coinbase")
PERPETUAL: Final = "PERP"


class CoinbaseCatalogue(msgspec.Struct):
    """Instruments by symbol, and the listings that could not be read."""

    instruments: dict[str, Instrument]
    refused: list[tuple[str, str]]


class _Contract(msgspec.Struct):
    contract_size: str = "1"
    contract_root_unit: str = ""
    contract_expiry: str | None = None
    contract_display_name: str = ""


class _Product(msgspec.Struct, kw_only=True):
    product_id: str
    product_type: str = "SPOT"
    base_increment: str
    quote_increment: str
    price_increment: str = ""
    base_min_size: str = "0"
    base_max_size: str = "0"
    quote_min_size: str = "0"
    base_currency_id: str = ""
    quote_currency_id: str = ""
    is_disabled: bool = False
    trading_disabled: bool = False
    view_only: bool = False
    cancel_only: bool = False
    post_only: bool = False
    limit_only: bool = False
    auction_mode: bool = False
    future_product_details: _Contract | None = None


def book_name(symbol: str) -> str:
    """Return the product whose data arrives for a product: USDC's books are USD's."""
    return symbol.removesuffix("C") if symbol.endswith("-USDC") else symbol


def guess_product(market: CoinbaseMarket, symbol: str) -> ListingGuess:
    """Read assets and form off a product's name."""
    base, _, rest = symbol.partition("-")
    if market.market == "spot":
        return ListingGuess(
            base=base, quote=rest, kind=InstrumentKind.SPOT, settlement=Settlement.SPOT
        )
    return ListingGuess(
        base=base, quote="USD", kind=InstrumentKind.FUTURE, settlement=Settlement.LINEAR
    )


def read_products(market: CoinbaseMarket, content: dict[str, object]) -> CoinbaseCatalogue:
    """Read a list of products, or one; what cannot be read is told of and left out.

    Raises
    ------
    DecodeError
        If there is no list.
    """
    rows = content.get("products", [content])
    if not isinstance(rows, list):
        raise DecodeError("products without a list")
    catalogue = CoinbaseCatalogue({}, [])
    for row in rows:
        try:
            product = typed(row, _Product)
            if product.product_type == market.product_type:
                catalogue.instruments[product.product_id] = _instrument(market, product)
        except Bot4Error as error:
            name = row.get("product_id", "?") if isinstance(row, dict) else "?"
            catalogue.refused.append((str(name)[:64], str(error)))
    return catalogue


def _step(text: str, what: str) -> tuple[int, int]:
    exponent = min(exponent_of_text(amount_text(text, what)), 0)
    step = scaled_from_text(text, exponent)
    if step <= 0:
        raise DecodeError(f"{what} {text} is not above zero")
    return exponent, step


def _status(product: _Product) -> InstrumentStatus:
    if product.is_disabled or product.trading_disabled or product.view_only:
        return InstrumentStatus.HALTED
    if product.cancel_only:
        return InstrumentStatus.CANCEL_ONLY
    if product.post_only:
        return InstrumentStatus.POST_ONLY
    return InstrumentStatus.HALTED if product.auction_mode else InstrumentStatus.TRADING


def _instrument(market: CoinbaseMarket, product: _Product) -> Instrument:
    price_exponent, tick = _step(product.price_increment or product.quote_increment, "price step")
    size_exponent, lot = _step(product.base_increment, "size step")
    contract = product.future_product_details
    kind, expiry, multiplier = InstrumentKind.SPOT, None, Decimal(1)
    base = product.base_currency_id
    limits = [
        scaled_from_text(amount_text(text, "size limit"), size_exponent)
        for text in (product.base_min_size, product.base_max_size)
    ]
    if contract is not None:
        forever = PERPETUAL in contract.contract_display_name
        kind = InstrumentKind.PERPETUAL if forever else InstrumentKind.FUTURE
        multiplier = Decimal(amount_text(contract.contract_size, "contract size"))
        base = base or contract.contract_root_unit
        if not forever and contract.contract_expiry:
            expiry = Nanoseconds(timestamp_nanoseconds(contract.contract_expiry))
    return Instrument(
        venue=VENUE,
        market=market.market,
        symbol=Symbol(product.product_id),
        base=base,
        quote=product.quote_currency_id,
        kind=kind,
        settlement=Settlement.SPOT if contract is None else Settlement.LINEAR,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=tick,
        lot=lot,
        min_size=limits[0],
        max_size=limits[1],
        min_notional=Decimal(amount_text(product.quote_min_size, "least notional")),
        multiplier=multiplier,
        fees=market.default_fees,
        status=_status(product),
        expiry=expiry,
        chain=ChainRule.NONE,
    )
