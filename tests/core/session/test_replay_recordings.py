"""Every recorded Binance session replays: no gap, never crossed, at the venue's own best prices."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import BookState, EventKind
from bot4_core.errors import PrecisionGrew
from bot4_core.market.order_book import Books
from bot4_core.session.event_stream import ReadingOptions, open_files, open_stream, regrown
from bot4_core.session.importing import import_files
from bot4_core.session.replay import ExchangeFactory, ReplayReport, replay
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

BRIDGED = [
    ("usdm", ["usdm_btcusdt_20240808.gz", "usdm_ethusdt_20240808.gz"]),
    ("usdm", ["usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"]),
    ("coinm", ["cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"]),
    ("spot", ["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"]),
]
LOGS = [
    pytest.param(
        *("coinm", "cf_coinm_20210722.jsonl.gz", 10),
        marks=pytest.mark.compiled("ten books of two hundred levels"),
    ),
    ("spot", "cf_spot_20211012.jsonl.gz", 4),
    ("usdm", "cf_usdm_20210722.jsonl.gz", 4),
]
WITHOUT_SNAPSHOT = [
    ("usdm", "usdm_btcusdt_20230405.dat.gz"),
    ("coinm", "cm_btcusd_perp_20240809.gz"),
    ("spot", "spot_btcusdt_20240809.gz"),
]


def adapter(market: str) -> ExchangeFactory:
    def made(instruments: Sequence[Instrument]) -> BinanceExchange:
        return BinanceExchange(BinanceSettings(market=market), instruments)

    return made


def play(folder: Path, market: str, names: Sequence[str]) -> ReplayReport:
    paths = [folder / "binance" / name for name in names]
    return replay(paths, adapter(market), lambda: 0)


def listed(folder: Path, names: Sequence[str]) -> int:
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    return sum(e["messages"] for e in entries if Path(e["path"]).name in names)


def sound(report: ReplayReport) -> bool:
    books = report.instruments.values()
    return report.quarantined == 0 and all(b.gaps == 0 and b.crossed == 0 for b in books)


@pytest.mark.compiled("hundreds of thousands of messages")
@pytest.mark.parametrize(("market", "names"), BRIDGED)
def test_bridged_sessions_end_at_the_last_book_ticker(
    recordings: Path, market: str, names: list[str]
) -> None:
    report = play(recordings, market, names)
    assert report.messages == listed(recordings, names)
    assert sound(report)
    for book in report.instruments.values():
        assert book.state == "LIVE"
        assert book.best_bid == book.last_quote_bid is not None
        assert book.best_ask == book.last_quote_ask is not None
        assert book.exponents_from_data


@pytest.mark.parametrize(("market", "name", "books"), LOGS)
def test_logged_sessions_bridge_every_book(
    recordings: Path, market: str, name: str, books: int
) -> None:
    report = play(recordings, market, [name])
    assert report.messages == listed(recordings, [name])
    assert report.responses == books + 1
    assert sound(report)
    assert [book.state for book in report.instruments.values()] == ["LIVE"] * books
    assert not any(book.exponents_from_data for book in report.instruments.values())


@pytest.mark.compiled("hundreds of thousands of messages")
@pytest.mark.parametrize(("market", "name"), WITHOUT_SNAPSHOT)
def test_sessions_without_a_snapshot_stay_syncing(recordings: Path, market: str, name: str) -> None:
    report = play(recordings, market, [name])
    assert report.messages == listed(recordings, [name])
    assert sound(report)
    assert [book.state for book in report.instruments.values()] == ["SYNCING"]


@pytest.mark.parametrize(("market", "name", "_books"), LOGS)
def test_books_agree_with_the_book_ticker_of_their_update(
    recordings: Path, market: str, name: str, _books: int
) -> None:
    agreeing: set[tuple[int, int]] = set()
    differing: set[tuple[int, int]] = set()
    path = recordings / "binance" / name
    exchange = adapter(market)(())
    stream = open_stream(open_files([path], ReadingOptions()), exchange, ReadingOptions())
    batches = [events.copy() for events in stream.batches()]
    events = np.concatenate(batches)
    quotes = events[events["kind"] == EventKind.QUOTE]
    books = Books(exchange.table)
    start = 0
    for end in (np.flatnonzero(events["kind"] == EventKind.BOOK_END) + 1).tolist():
        books.apply(events, start, end)
        start = end
        instrument = int(events[end - 1]["instrument"])
        row = books.rows[instrument]
        own = quotes[quotes["instrument"] == instrument]
        known = own[own["sequence"] <= row["last"]]
        if row["state"] != BookState.LIVE or not len(known):
            continue
        quote = known[np.argmax(known["sequence"])]
        found = [int(row[name]) for name in ("bid", "bid_size", "ask", "ask_size")]
        wanted = [int(quote[name]) for name in ("price", "size", "aux", "link")]
        (agreeing if found == wanted else differing).add((instrument, int(row["last"])))
    assert len(agreeing) > 10
    # COIN-M sends no quote for a state that another one follows at once
    assert len(differing) == (4 if market == "coinm" else 0)


@pytest.mark.compiled("hundreds of thousands of messages")
def test_own_recordings_and_prefetching_give_the_same_report(
    recordings: Path, tmp_path: Path
) -> None:
    market, names = BRIDGED[1]
    paths = [recordings / "binance" / name for name in names]
    report = play(recordings, market, names)
    out = tmp_path / "session.b4r"
    import_files(paths, out, adapter(market), market)
    assert replay([out], adapter(market), lambda: 0) == report
    with ThreadPoolExecutor(1) as executor:
        options = ReadingOptions(executor=executor)
        assert replay(paths, adapter(market), lambda: 0, options=options) == report


@pytest.mark.compiled("thousands of messages, read several times")
def test_exponents_grow_to_those_of_the_whole_recording(recordings: Path) -> None:
    path = recordings / "binance" / "usdm_btcusdt_20230404.dat.gz"
    exchange = adapter("usdm")(())
    grown = 0
    while True:
        files = open_files([path], ReadingOptions())
        stream = open_stream(files, exchange, ReadingOptions())
        try:
            events = sum(len(batch) for batch in stream.batches())
        except PrecisionGrew as found:
            grown += 1
            exchange = adapter("usdm")(regrown(exchange.instruments, found))
        else:
            break
    assert events == stream.counts.events
    (instrument,) = exchange.instruments
    assert (instrument.price_exponent, instrument.size_exponent) == (-1, -3)
    assert attrs.evolve(instrument, from_data=False) != instrument
    assert grown < 10
