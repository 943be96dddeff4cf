"""What an adapter of this venue is told."""

from collections.abc import Iterator

import attrs

from bot4_core.errors import ConfigError
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_kraken.venue import DEPTHS, INTERVALS, TIERS, VENUES

__all__ = ["CHANNELS", "KrakenSettings", "check_settings"]

CHANNELS = ("book", "trade", "ticker", "ohlc")
LONGEST_SWITCH = 86_400  # seconds
LONGEST_DEADLINE = 60_000  # milliseconds
SHORTEST_DEADLINE = 500


@attrs.frozen(kw_only=True)
class KrakenSettings(PartSettings):
    """What to follow, and how to trade.

    Parameters
    ----------
    market : str
        ``spot`` or ``derivatives``.
    symbols : tuple of str
        As the venue's WebSocket spells them: ``BTC/USD``.
    channels : tuple of str
        Of ``book``, ``trade``, ``ticker`` (best bid and ask), ``ohlc``.
    depth : int
        Levels a side of the book: 10, 25, 100, 500 or 1000. The checksum covers the best ten.
    candle_minutes : int
        Of the ``ohlc`` channel.
    tier : str
        Of the account: ``starter``, ``intermediate`` or ``pro``; it decides the rate limits.
    deadline_ms : int
        How long after it was made a new order may still reach the matching engine: 500 to 60000.
    dead_man_switch : int
        Seconds without a sign of life after which the venue cancels all orders of the account;
        renewed at a third of it. 0 for none.
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("book", "trade")
    depth: int = 10
    candle_minutes: int = 1
    tier: str = "starter"
    deadline_ms: int = 5_000
    dead_man_switch: int = 0


def check_settings(settings: KrakenSettings) -> None:
    """Raise a `ConfigError` with everything that is wrong."""
    faults = [*_faults(settings)]
    if faults:
        raise ConfigError("kraken settings", faults)


def _faults(settings: KrakenSettings) -> Iterator[tuple[str, str]]:
    for name, value, known in (
        ("market", settings.market, VENUES),
        ("depth", settings.depth, DEPTHS),
        ("candle_minutes", settings.candle_minutes, INTERVALS),
        ("tier", settings.tier, TIERS),
    ):
        if value not in known:
            yield name, f"{value!r} is not one of {', '.join(map(str, known))}"
    for channel in settings.channels:
        if channel not in CHANNELS:
            yield "channels", f"{channel!r} is not one of {', '.join(CHANNELS)}"
    for symbol in dict.fromkeys(settings.symbols):
        if settings.symbols.count(symbol) > 1:
            yield "symbols", f"{symbol!r} is given twice"
    if not SHORTEST_DEADLINE <= settings.deadline_ms <= LONGEST_DEADLINE:
        limits = f"{SHORTEST_DEADLINE} to {LONGEST_DEADLINE}"
        yield "deadline_ms", f"{settings.deadline_ms} is not in {limits}"
    if settings.dead_man_switch != 0 and not 15 <= settings.dead_man_switch <= LONGEST_SWITCH:
        yield "dead_man_switch", f"{settings.dead_man_switch} is not 0 or 15 to {LONGEST_SWITCH}"
