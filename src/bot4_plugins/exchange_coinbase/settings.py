"""What an adapter of this venue is told."""

from collections.abc import Iterator

import attrs

from bot4_core.errors import ConfigError
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_coinbase.venue import VENUES

__all__ = ["CHANNELS", "CoinbaseSettings", "check_coinbase_settings"]

CHANNELS = ("level2", "market_trades", "ticker", "candles")


@attrs.frozen(kw_only=True)
class CoinbaseSettings(PartSettings):
    """What to follow, and how to trade.

    Parameters
    ----------
    market : str
        ``spot`` or ``futures``.
    symbols : tuple of str
        Products as the venue spells them: ``BTC-USD``.
    channels : tuple of str
        Of ``level2``, ``market_trades``, ``ticker`` (best bid and ask), ``candles``.
    symbols_per_socket : int
        Frames are numbered by socket: a lost one makes the books of all its products suspect.
    leverage : str
        Of orders in futures, as decimal text; empty for the account's own.
    margin_type : str
        ``CROSS`` or ``ISOLATED``; empty for the account's own.
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("level2", "market_trades")
    symbols_per_socket: int = 10
    leverage: str = ""
    margin_type: str = ""


def check_coinbase_settings(settings: CoinbaseSettings) -> None:
    """Raise a `ConfigError` with everything that is wrong."""
    faults = [*_faults(settings)]
    if faults:
        raise ConfigError("coinbase settings", faults)


def _faults(settings: CoinbaseSettings) -> Iterator[tuple[str, str]]:
    if settings.market not in VENUES:
        yield "market", f"{settings.market!r} is not one of {', '.join(VENUES)}"
    for channel in settings.channels:
        if channel not in CHANNELS:
            yield "channels", f"{channel!r} is not one of {', '.join(CHANNELS)}"
    for symbol in dict.fromkeys(settings.symbols):
        if settings.symbols.count(symbol) > 1:
            yield "symbols", f"{symbol!r} is given twice"
    if settings.symbols_per_socket < 1:
        yield "symbols_per_socket", f"{settings.symbols_per_socket} is below 1"
    if settings.margin_type not in ("", "CROSS", "ISOLATED"):
        yield "margin_type", f"{settings.margin_type!r} is not CROSS or ISOLATED"
