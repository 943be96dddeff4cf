"""The numbered cases that every exchange adapter passes, for all markets and both routes."""

from collections.abc import Sequence

from tests.plugins.exchange_binance.binance_messages import Fields, compact, enveloped
from tests.plugins.exchange_binance.private import KEYS
from tests.plugins.exchange_binance.test_metadata import body, listing

from bot4_core.plugins.credentials import Credentials
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance
from bot4_plugins.exchange_binance import conformance
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.exchange_binance.venue import VENUES

UPDATES = 5


def update(number: int, *, linked: bool) -> Fields:
    """Return one of a chain of book updates: a level of its own, and one that all share."""
    first = 100 + 10 * number
    fields: Fields = {
        "e": "depthUpdate",
        "E": 1_700_000_000_000 + number,
        "s": "BTCUSDT",
        "U": first,
        "u": first + 9,
        "b": [[f"{61_000 + number}.00", "1.500"], ["60000.00", f"{1 + number}.000"]],
        "a": [[f"{62_000 + number}.00", "2.000"]],
    }
    return {**fields, "pu": first - 1} if linked else fields


class BinanceConformance(TradingConformance):
    """Cases of one market, by the WebSocket API; say which."""

    market = "spot"
    route = "websocket"

    def adapter(self) -> BinanceExchange:
        settings = BinanceSettings(market=self.market, symbols=("BTCUSDT",), route=self.route)
        return BinanceExchange(settings)

    def credentials(self) -> Credentials:
        return KEYS

    def messages(self) -> Sequence[Heard]:
        facts, linked = VENUES[self.market], self.market != "spot"
        snapshot = {
            "lastUpdateId": 104,
            "bids": [["60000.00", "9.000"]],
            "asks": [["63000.00", "9.000"]],
        }
        quote = {"u": 400, "s": "BTCUSDT", "b": "61000.00", "B": "1", "a": "62000.00", "A": "1"}
        trade = {
            "e": "trade",
            "E": 1_700_000_000_100,
            "T": 1_700_000_000_099,
            "s": "BTCUSDT",
            "t": 5,
            "p": "61000.00",
            "q": "0.500",
            "m": True,
        }
        updates = [update(number, linked=linked) for number in range(UPDATES)]
        return [
            Heard(compact(body(listing())), facts.metadata_path),
            Heard(compact(snapshot), f"{facts.depth_path}?symbol=BTCUSDT&limit=5"),
            *(Heard(compact(enveloped(each))) for each in (*updates, quote, trade)),
        ]


class TestSpot(BinanceConformance):
    pass


class TestUsdm(BinanceConformance):
    market = "usdm"


class TestCoinm(BinanceConformance):
    market = "coinm"


class TestSpotByRest(TestSpot):
    route = "rest"


class TestUsdmByRest(TestUsdm):
    route = "rest"


class TestShipped(conformance.BinanceConformance):
    """What ``bot4 conformance binance`` runs."""
