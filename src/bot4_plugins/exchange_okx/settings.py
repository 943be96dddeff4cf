"""What to follow, and how orders are sent."""

import attrs

from bot4_core.errors import ConfigError
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.exchange_okx.venue import BOOKS, HOSTS, VENUES

__all__ = ["CONTRACT_STREAMS", "STREAMS", "OkxSettings", "check_okx_settings"]

CONTRACT_STREAMS = ("mark-price", "funding-rate", "liquidation-orders")
STREAMS = ("books", "trades", "bbo-tbt", "tickers", "candle", "index-tickers", *CONTRACT_STREAMS)
INTERVALS = (
    *("1s", "1m", "3m", "5m", "15m", "30m", "1H", "2H", "4H"),
    *("6Hutc", "12Hutc", "1Dutc", "1Wutc", "1Mutc"),
)
ROUTES = ("websocket", "rest")
MARGIN_MODES = ("cash", "cross", "isolated")
SELF_TRADE = ("", "cancel_maker", "cancel_taker", "cancel_both")
LONGEST_WINDOW = 60_000


@attrs.frozen(kw_only=True)
class OkxSettings(PartSettings):
    """What to follow, and how orders are sent.

    Parameters
    ----------
    market : str
        ``spot``, ``swap`` or ``futures``.
    symbols : tuple of str
        As the venue spells them. Data of other symbols is decoded all the same.
    streams : tuple of str
        Of ``books``, ``trades``, ``bbo-tbt``, ``tickers``, ``candle``, ``index-tickers``,
        ``mark-price``, ``funding-rate``, ``liquidation-orders``.
    book : str
        Channel of the ``books`` stream: ``books``, ``books5``, ``books50-l2-tbt`` or
        ``books-l2-tbt``.
    candle_interval : str
        Of the ``candle`` stream: ``1m``, ``1H``, ``1Dutc`` ...
    site : str
        ``global``, ``eea``, ``us`` or ``demo``; keys are bound to one.
    route : str
        How orders go: ``websocket`` or ``rest``.
    window : int
        How long after its time an order may arrive, ms.
    margin_mode : str
        ``cash`` for spot without loans, else ``cross`` or ``isolated``.
    hedged : bool
        Whether the account holds long and short positions of one contract beside each other.
    self_trade : str
        What the venue does where own orders would meet; empty for the account's setting.
    """

    market: str = "spot"
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ("books", "trades")
    book: str = "books"
    candle_interval: str = "1m"
    site: str = "global"
    route: str = "websocket"
    window: int = 5000
    margin_mode: str = "cash"
    hedged: bool = False
    self_trade: str = ""


def check_okx_settings(settings: OkxSettings) -> None:
    """Refuse settings that the venue has no words for.

    Raises
    ------
    ConfigError
        All faults at once.
    """
    spot = settings.market == "spot"
    faults = [
        (name, f"{value!r} is not one of {', '.join(map(repr, known))}")
        for name, value, known in (
            ("market", settings.market, tuple(VENUES)),
            ("book", settings.book, tuple(BOOKS)),
            ("candle_interval", settings.candle_interval, INTERVALS),
            ("site", settings.site, tuple(HOSTS)),
            ("route", settings.route, ROUTES),
            ("margin_mode", settings.margin_mode, MARGIN_MODES),
            ("self_trade", settings.self_trade, SELF_TRADE),
            *(("streams", stream, STREAMS) for stream in settings.streams),
        )
        if value not in known
    ]
    faults += [
        ("streams", f"spot has no {stream}")
        for stream in settings.streams
        if spot and stream in CONTRACT_STREAMS
    ]
    if len(set(settings.symbols)) < len(settings.symbols):
        faults.append(("symbols", "one is given twice"))
    if not 0 < settings.window <= LONGEST_WINDOW:
        faults.append(("window", f"{settings.window} ms is not within 1 and {LONGEST_WINDOW}"))
    if settings.hedged and spot:
        faults.append(("hedged", "is for contracts, and the market is spot"))
    if faults:
        raise ConfigError("okx settings", faults)
