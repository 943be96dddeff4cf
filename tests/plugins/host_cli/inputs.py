"""Inputs of commands: a configuration with fills, and small recordings."""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

SESSION = """
mode = "paper"
seed = 7
report = "report"
[venue]
plugin = "sim"
market = "sim"
symbols = ["BTC-USD-PERP"]
[source]
seconds = {seconds}
[account]
asset = "USD"
cash = "100000"
[strategy]
plugin = "market_making"
[sizer]
plugin = "kelly"
[router]
plugin = "best_price"
[[breakers]]
plugin = "statistical"
[breakers.settings]
threshold = {threshold}
interval_ms = 10
window = 60
[quoting]
keep_behind = 200
keep_ahead = 200
[audit]
path = "audit.sqlite"
"""


def session_file(folder: Path, *, seconds: float = 12.0, threshold: float = 90.0) -> Path:
    """Write a configuration whose outputs stand beside it."""
    path = folder / "session.toml"
    path.write_text(SESSION.format(seconds=seconds, threshold=threshold))
    return path


def depth(symbol: str, first: int, bids: Sequence[object], asks: Sequence[object]) -> object:
    data = {"e": "depthUpdate", "E": 1_700_000_000_000 + first, "s": symbol}
    levels = {"U": first, "u": first, "b": bids, "a": asks}
    return {"stream": f"{symbol.lower()}@depth", "data": {**data, **levels}}


def spot_messages(symbol: str, price: int) -> Iterator[object]:
    """Yield a snapshot and updates that the venue's rule chains, and quotes that agree."""
    bids = [[f"{price - level}.00", "1.50"] for level in range(5)]
    asks = [[f"{price + 1 + level}.00", "2.50"] for level in range(5)]
    yield depth(symbol, 100, [], asks[:1])
    yield {"lastUpdateId": 100, "bids": bids, "asks": asks}
    for number in range(101, 201):
        yield depth(symbol, number, [[f"{price}.00", f"{number}.00"]], [])
    quote = {"u": 200, "s": symbol, "b": f"{price}.00", "B": "200.00"}
    ask = {"a": f"{price + 1}.00", "A": "2.50"}
    yield {"stream": f"{symbol.lower()}@bookTicker", "data": {**quote, **ask}}


def tape(path: Path, symbol: str = "BTCUSDT", price: int = 60_000) -> Path:
    """Write a gzipped recording of timed lines."""
    lines = [
        f"{1_700_000_000_000_000_000 + 1_000_000 * number} {json.dumps(message)}\n"
        for number, message in enumerate(spot_messages(symbol, price))
    ]
    path.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    return path
