"""What to follow, and how orders are sent."""

import attrs

from bot4_core.errors import ConfigError
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_bybit.venue import DEPTHS, VENUES

__all__ = ["STREAMS", "BybitSettings", "check_settings"]

STREAMS = ("orderbook", "publicTrade", "tickers", "kline", "allLiquidation")
INTERVALS = ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M")
ROUTES = ("websocket", "rest")
SELF_TRADE = ("", "CancelMaker", "CancelTaker", "CancelBoth")
LONGEST_WINDOW = 60_000


@attrs.frozen(kw_only=True)
class BybitSettings(PartSettings):
    """What to follow, and how orders are sent.

    Parameters
    ----------
    market : str
        ``spot``, ``linear`` or ``inverse``.
    symbols : tuple of str
        As the venue spells them. Data of other symbols is decoded all the same.
    streams : tuple of str
        Of ``orderbook``, ``publicTrade``, ``tickers``, ``kline``, ``allLiquidation``.
    depth : int
        Levels a side of the book: 1, 50, 200 or 1000.
    candle_interval : str
        Of the ``kline`` stream: minutes, or ``D``, ``W``, ``M``.
    route : str
        How orders go: ``websocket`` or ``rest``.
    window : int
        How long after its time a request may arrive, ms.
    hedged : bool
        Whether the account holds long and short positions of one contract beside each other.
    self_trade : str
        What the venue does where own orders would meet; empty for the account's setting.
    metadata_every : int
        Seconds between requests for the instruments' metadata, 0 for never again.
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ("orderbook", "publicTrade")
    depth: int = 200
    candle_interval: str = "1"
    route: str = "websocket"
    window: int = 5000
    hedged: bool = False
    self_trade: str = ""
    metadata_every: int = 600


def check_settings(settings: BybitSettings) -> None:
    """Refuse settings that the venue has no words for.

    Raises
    ------
    ConfigError
        All faults at once.
    """
    faults = [
        (name, f"{value!r} is not one of {', '.join(map(repr, known))}")
        for name, value, known in (
            ("market", settings.market, tuple(VENUES)),
            ("depth", settings.depth, DEPTHS),
            ("candle_interval", settings.candle_interval, INTERVALS),
            ("route", settings.route, ROUTES),
            ("self_trade", settings.self_trade, SELF_TRADE),
            *(("streams", stream, STREAMS) for stream in settings.streams),
        )
        if value not in known
    ]
    faults += [
        ("symbols", f"{symbol!r} is given twice")
        for symbol in dict.fromkeys(settings.symbols)
        if settings.symbols.count(symbol) > 1
    ]
    if not 0 < settings.window <= LONGEST_WINDOW:
        faults.append(("window", f"{settings.window} ms is not within 1 and {LONGEST_WINDOW}"))
    if settings.metadata_every < 0:
        faults.append(("metadata_every", f"{settings.metadata_every} s is below zero"))
    if settings.market == "spot" and "allLiquidation" in settings.streams:
        faults.append(("streams", "spot has no liquidations"))
    if settings.hedged and settings.market == "spot":
        faults.append(("hedged", "is for contracts, and the market is spot"))
    if faults:
        raise ConfigError("bybit settings", faults)
