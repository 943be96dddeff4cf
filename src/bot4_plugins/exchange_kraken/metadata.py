"""The ``instrument`` channel, REST's ``AssetPairs`` and the contracts' list to instruments."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    InstrumentStatus,
    Settlement,
)
from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import Bot4Error, DecodeError
from bot4_plugins.exchange_kraken.messages import KrakenPair, KrakenPairs, whole_number
from bot4_plugins.exchange_kraken.venue import STATUS, KrakenFacts
from bot4_plugins.venue_toolkit.drafts import amount_text
from bot4_plugins.venue_toolkit.strict_json import NumberText, typed
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["KrakenCatalogue", "guess_listing", "read_asset_pairs", "read_contracts", "read_pairs"]

VENUE: Final = VenueName("kraken")
OLD_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}
"""REST's names of assets that the WebSocket calls otherwise."""
PERCENT: Final = Decimal(100)


class KrakenCatalogue(msgspec.Struct):
    """Instruments by symbol, REST's names of them, and the listings that could not be read."""

    instruments: dict[str, Instrument]
    names: dict[str, str]
    refused: list[tuple[str, str]]


class _AssetPair(msgspec.Struct, kw_only=True):
    altname: str
    wsname: str = ""
    pair_decimals: NumberText
    lot_decimals: NumberText
    ordermin: str = "0"
    costmin: str = "0"
    tick_size: str = ""
    status: str = "online"
    fees: list[tuple[NumberText, NumberText]] = []
    fees_maker: list[tuple[NumberText, NumberText]] = []


class _Contract(msgspec.Struct, rename="camel", kw_only=True):
    symbol: str
    type: str
    tick_size: NumberText
    contract_size: NumberText
    tradeable: bool
    post_only: bool = False
    contract_value_trade_precision: NumberText = NumberText("0")
    base: str = ""
    quote: str = ""
    last_trading_time: str = ""


def _read_each(
    listings: Mapping[str, object], read: Callable[[str, object], tuple[Instrument, str]]
) -> KrakenCatalogue:
    catalogue = KrakenCatalogue({}, {}, [])
    for name, item in listings.items():
        try:
            instrument, rest_name = read(name, item)
        except Bot4Error as error:
            catalogue.refused.append((name[:64], str(error)))
        else:
            catalogue.instruments[instrument.symbol] = instrument
            catalogue.names[instrument.symbol] = rest_name
    return catalogue


def _named(rows: object, what: str) -> dict[str, object]:
    if not isinstance(rows, list):
        raise DecodeError(f"{what} without a list")
    names = (row.get("symbol") if isinstance(row, dict) else None for row in rows)
    return {str(name): row for name, row in zip(names, rows, strict=True)}


def _step(text: str, exponent: int, what: str) -> int:
    step = scaled_from_text(amount_text(text, what), exponent)
    if step <= 0:
        raise DecodeError(f"{what} {text} is not above zero")
    return step


def read_pairs(facts: KrakenFacts, content: object, depth: int) -> KrakenCatalogue:
    """Read the ``instrument`` channel; a pair that cannot be read is told of and left out."""
    pairs = typed(content, KrakenPairs).pairs
    return _read_each(
        _named(pairs, "instrument"), lambda _, item: _pair(facts, typed(item, KrakenPair), depth)
    )


def _pair(facts: KrakenFacts, pair: KrakenPair, depth: int) -> tuple[Instrument, str]:
    price_exponent = -whole_number(pair.price_precision, "price precision", 18)
    size_exponent = -whole_number(pair.qty_precision, "size precision", 18)
    guess = guess_listing(facts, pair.symbol)
    instrument = Instrument(
        venue=VENUE,
        market=facts.market,
        symbol=Symbol(pair.symbol),
        base=pair.base,
        quote=pair.quote,
        kind=InstrumentKind.FUTURE if pair.expiry else guess.kind,
        settlement=guess.settlement,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=_step(pair.price_increment.text, price_exponent, "price increment"),
        lot=_step(pair.qty_increment.text, size_exponent, "size increment"),
        min_size=scaled_from_text(amount_text(pair.qty_min.text, "least size"), size_exponent),
        min_notional=Decimal(amount_text(pair.cost_min.text, "least cost")),
        multiplier=Decimal(amount_text(pair.contract_size.text, "contract size")),
        fees=facts.default_fees,
        status=STATUS.get(pair.status, InstrumentStatus.UNKNOWN),
        expiry=timestamp_nanoseconds(pair.expiry) if pair.expiry else None,
        chain=ChainRule.CHECKSUM,
        depth=depth,
    )
    return instrument, rest_name(pair.symbol)


def rest_name(symbol: str) -> str:
    """Return a pair's name in REST requests, as far as it follows from its symbol."""
    new_names = {new: old for old, new in OLD_NAMES.items()}
    return "".join(new_names.get(asset, asset) for asset in symbol.split("/"))


def read_asset_pairs(
    facts: KrakenFacts, content: Mapping[str, object], depth: int
) -> KrakenCatalogue:
    """Read ``result`` of REST's ``AssetPairs``, by the names that orders are placed with there."""
    return _read_each(
        content, lambda name, item: _asset_pair(facts, name, typed(item, _AssetPair), depth)
    )


def _asset_pair(
    facts: KrakenFacts, name: str, pair: _AssetPair, depth: int
) -> tuple[Instrument, str]:
    if not pair.wsname:
        raise DecodeError(f"{name} is not on the WebSocket")
    price_exponent = -whole_number(pair.pair_decimals, "price decimals", 18)
    size_exponent = -whole_number(pair.lot_decimals, "size decimals", 18)
    base, _, quote = pair.wsname.partition("/")
    base, quote = OLD_NAMES.get(base, base), OLD_NAMES.get(quote, quote)
    fees = FeeSchedule(
        maker=_first_fee(pair.fees_maker or pair.fees, facts.default_fees.maker),
        taker=_first_fee(pair.fees, facts.default_fees.taker),
    )
    instrument = Instrument(
        venue=VENUE,
        market=facts.market,
        symbol=Symbol(f"{base}/{quote}"),
        base=base,
        quote=quote,
        kind=InstrumentKind.SPOT,
        settlement=Settlement.SPOT,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=_step(pair.tick_size, price_exponent, "tick size") if pair.tick_size else 1,
        lot=1,
        min_size=scaled_from_text(amount_text(pair.ordermin, "least size"), size_exponent),
        min_notional=Decimal(amount_text(pair.costmin, "least cost")),
        fees=fees,
        status=STATUS.get(pair.status, InstrumentStatus.UNKNOWN),
        chain=ChainRule.CHECKSUM,
        depth=depth,
    )
    return instrument, pair.altname


def _first_fee(tiers: list[tuple[NumberText, NumberText]], default: Decimal) -> Decimal:
    return Decimal(amount_text(tiers[0][1].text, "fee")) / PERCENT if tiers else default


def read_contracts(facts: KrakenFacts, rows: object, depth: int) -> KrakenCatalogue:
    """Read the list of contracts of the derivatives' REST interface."""
    return _read_each(
        _named(rows, "instruments"),
        lambda _, item: (_contract(facts, typed(item, _Contract), depth), ""),
    )


def _contract(facts: KrakenFacts, contract: _Contract, depth: int) -> Instrument:
    tick = amount_text(contract.tick_size.text, "tick size")
    price_exponent = min(exponent_of_text(str(Decimal(tick).normalize())), 0)
    precision = int(amount_text(contract.contract_value_trade_precision.text, "size precision"))
    size_exponent = min(-precision, 0)
    status = InstrumentStatus.POST_ONLY if contract.post_only else InstrumentStatus.TRADING
    guess = guess_listing(facts, contract.symbol)
    expiry = contract.last_trading_time
    return Instrument(
        venue=VENUE,
        market=facts.market,
        symbol=Symbol(contract.symbol),
        base=contract.base or guess.base,
        quote=contract.quote or guess.quote,
        kind=InstrumentKind.FUTURE if expiry else guess.kind,
        settlement=guess.settlement,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=_step(tick, price_exponent, "tick size"),
        lot=10 ** (-precision - size_exponent),
        multiplier=Decimal(amount_text(contract.contract_size.text, "contract size")),
        fees=facts.default_fees,
        status=status if contract.tradeable else InstrumentStatus.HALTED,
        expiry=timestamp_nanoseconds(expiry) if expiry else None,
        chain=ChainRule.CHECKSUM,
        depth=depth,
    )


def guess_listing(facts: KrakenFacts, symbol: str) -> ListingGuess:
    """Read assets and form off a symbol: ``BTC/USD``, ``PF_XBTUSD``, ``FI_XBTUSD_200925``."""
    if facts.market == "spot":
        base, _, quote = symbol.partition("/")
        return ListingGuess(
            base=base, quote=quote, kind=InstrumentKind.SPOT, settlement=Settlement.SPOT
        )
    form, _, name = symbol.partition("_")
    pair = name.partition("_")[0]
    base, quote = OLD_NAMES.get(pair[:-3], pair[:-3]), pair[-3:]
    return ListingGuess(
        base=base,
        quote=quote,
        kind=InstrumentKind.FUTURE if form[:1] == "F" else InstrumentKind.PERPETUAL,
        settlement=Settlement.INVERSE if form[1:] == "I" else Settlement.LINEAR,
    )
