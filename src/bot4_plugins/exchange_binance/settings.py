"""What the adapter is told in a configuration."""

from typing import Final

import attrs

from bot4_core.errors import ConfigError
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_binance.venue import VENUES

__all__ = ["BinanceSettings", "check_settings"]

ROUTES: Final = ("websocket", "rest")
LONGEST_WINDOW: Final = 60_000


@attrs.frozen(kw_only=True)
class BinanceSettings(PartSettings):
    """What to follow.

    Parameters
    ----------
    market : str
        ``spot``, ``usdm`` or ``coinm``.
    symbols : tuple of str
        As the venue spells them. Data of other symbols is decoded all the same.
    streams : tuple of str
        Of ``depth``, ``bookTicker``, ``trade``, ``aggTrade``, ``kline``, ``markPrice``,
        ``forceOrder``.
    candle_interval : str
        Of the ``kline`` stream: ``1m``, ``1h`` ...
    route : str
        How orders are sent: ``websocket`` or ``rest``.
    receive_window : int
        Milliseconds after which the venue refuses a request that was signed.
    metadata_every : int
        Seconds after which the instruments are asked for again.
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ("depth", "bookTicker", "aggTrade")
    candle_interval: str = "1m"
    route: str = "websocket"
    receive_window: int = 5000
    metadata_every: int = 3600


def check_settings(settings: BinanceSettings) -> None:
    """Refuse settings that no adapter can follow, telling all faults.

    Raises
    ------
    ConfigError
    """
    faults = []
    facts = VENUES.get(settings.market)
    if facts is None:
        known = ", ".join(VENUES)
        faults.append(("market", f"{settings.market!r} is not one of {known}"))
    else:
        faults += [
            ("streams", f"{kind!r} is not one of {', '.join(facts.stream_hosts)}")
            for kind in settings.streams
            if kind not in facts.stream_hosts
        ]
    faults += [
        ("symbols", f"{symbol!r} is given twice")
        for symbol in dict.fromkeys(settings.symbols)
        if settings.symbols.count(symbol) > 1
    ]
    if settings.route not in ROUTES:
        faults.append(("route", f"{settings.route!r} is not one of {', '.join(ROUTES)}"))
    if not 1 <= settings.receive_window <= LONGEST_WINDOW:
        faults.append(("receive_window", f"{settings.receive_window} is not in 1 to 60000 ms"))
    if settings.metadata_every < 1:
        faults.append(("metadata_every", f"{settings.metadata_every} s is not above zero"))
    if faults:
        raise ConfigError("binance settings", faults)
