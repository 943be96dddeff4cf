"""What a symbol's name tells when there is no metadata: a guess, and marked as one."""

from typing import Final

from bot4_core.domain_types.instruments import InstrumentKind, Settlement
from bot4_plugins.exchange_bybit.venue import BybitFacts
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess

__all__ = ["guess_listing"]

QUOTES: Final = (
    *("USDT", "USDC", "USDE", "USD1", "USDQ", "USDR", "DAI", "USD"),
    *("BTC", "ETH", "MNT", "EUR", "BRL", "TRY", "PLN"),
)


def assets_of(facts: BybitFacts, symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol such as ``BTCUSDT``, ``BTCPERP`` or ``ETHUSDT-27DEC24``."""
    pair, _, _ = symbol.partition("-")
    if facts.settlement is Settlement.LINEAR and pair.endswith("PERP"):
        return pair.removesuffix("PERP"), "USDC"
    if facts.settlement is Settlement.LINEAR and pair != symbol and not pair.endswith("USDT"):
        return pair, "USDC"
    if facts.settlement is Settlement.INVERSE:  # BTCUSD, and BTCUSDZ24 with the delivery month
        base, found, _ = pair.partition("USD")
        return base, found
    for quote in QUOTES:
        if pair.endswith(quote) and pair != quote:
            return pair.removesuffix(quote), quote
    return pair, ""


def kind_of(facts: BybitFacts, symbol: str) -> InstrumentKind:
    """Return the form that a symbol suggests."""
    if facts.settlement is Settlement.SPOT:
        return InstrumentKind.SPOT
    dated = "-" in symbol or (facts.settlement is Settlement.INVERSE and not symbol.endswith("USD"))
    return InstrumentKind.FUTURE if dated else InstrumentKind.PERPETUAL


def guess_listing(facts: BybitFacts, symbol: str) -> ListingGuess:
    """Read base, quote and form off a symbol."""
    base, quote = assets_of(facts, symbol)
    return ListingGuess(
        base=base, quote=quote, kind=kind_of(facts, symbol), settlement=facts.settlement
    )
