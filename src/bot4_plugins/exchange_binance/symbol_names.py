"""What a symbol's name tells when there is no metadata: a guess, and marked as one."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from bot4_core.domain_types.instruments import InstrumentKind, Settlement
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_binance.venue import VenueFacts
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess

__all__ = ["guess_listing"]

QUOTES: Final = (
    *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD1", "USD"),
    *("BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "GBP", "JPY", "AUD"),
)
NAMED: Final[Mapping[str, Callable[[str], bool]]] = {
    "spot": lambda delivery: delivery == "",
    "usdm": lambda delivery: delivery != "PERP",
    "coinm": lambda delivery: delivery != "",
}
"""What may follow the pair in a market's symbols: COIN-M alone names its perpetuals so."""
COINM_CONTRACT: Final = Decimal(10)  # USD; BTC contracts are ten times as large
COINM_BTC_CONTRACT: Final = Decimal(100)


def _assets(pair: str) -> tuple[str, str]:
    for quote in QUOTES:
        if pair.endswith(quote) and pair != quote:
            return pair.removesuffix(quote), quote
    return pair, ""


def guess_listing(facts: VenueFacts, symbol: str) -> ListingGuess:
    """Read base, quote and form off a symbol such as ``BTCUSDT`` or ``ETHUSD_240927``.

    Raises
    ------
    DecodeError
        If the market names none of its symbols like this: the data are of another one.
    """
    pair, _, delivery = symbol.partition("_")
    if not NAMED[facts.market](delivery):
        raise DecodeError(f"{symbol} is no symbol of {facts.market}; is this another market's?")
    base, quote = _assets(pair)
    if facts.market == "spot":
        return ListingGuess(
            base=base, quote=quote, kind=InstrumentKind.SPOT, settlement=Settlement.SPOT
        )
    dated = delivery not in ("", "PERP")
    kind = InstrumentKind.FUTURE if dated else InstrumentKind.PERPETUAL
    if facts.market == "usdm":
        return ListingGuess(base=base, quote=quote, kind=kind, settlement=Settlement.LINEAR)
    return ListingGuess(
        base=base,
        quote=quote,
        kind=kind,
        settlement=Settlement.INVERSE,
        multiplier=COINM_BTC_CONTRACT if base == "BTC" else COINM_CONTRACT,
    )
