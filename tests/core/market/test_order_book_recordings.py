"""Books on real recorded days, whole and with one message lost, repeated, swapped or damaged."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.reference.book_invariants import check_ladder
from tests.reference.book_records import decode_files, table
from tests.reference.book_twin import SlowBook, compare

from bot4_core.domain_types.records import BookState, ChainRule, EventKind, Side
from bot4_core.market.order_book import Books, OrderBook

Rows: TypeAlias = NDArray[np.void]
LINK, RANGE = ChainRule.LINK, ChainRule.RANGE
FUTURES, SPOT, COIN = (-2, -3), (-8, -8), (-1, 0)

WHOLE_DAYS = {
    "usdm_btc": (LINK, FUTURES, ("usdm_btcusdt_20240808.gz",)),
    "usdm_eth": (LINK, FUTURES, ("usdm_ethusdt_20240808.gz",)),
    "usdm_2023": (LINK, FUTURES, ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz")),
    "spot": (RANGE, SPOT, ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz")),
    "coinm": (LINK, COIN, ("cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz")),
}
CONTINUATIONS = [
    (LINK, FUTURES, "usdm_btcusdt_20230405.dat.gz"),
    (RANGE, SPOT, "spot_btcusdt_20240809.gz"),
    (LINK, COIN, "cm_btcusd_perp_20240809.gz"),
]
COLLECTIONS = [
    (LINK, "cf_coinm_20210722.jsonl.gz", 10),
    (RANGE, "cf_spot_20211012.jsonl.gz", 4),
    (LINK, "cf_usdm_20210722.jsonl.gz", 4),
]


@cache
def decoded_file(path: Path, exponents: tuple[int, int]) -> tuple[tuple[Rows, ...], int]:
    messages, symbols = decode_files([path], exponents)
    return tuple(messages), len(symbols)


def decoded(folder: Path, files: Sequence[str], exponents: tuple[int, int]) -> list[Rows]:
    """Return the messages of files that tell of the same instruments, in their order."""
    paths = [folder / "binance" / name for name in files]
    return [message for path in paths for message in decoded_file(path, exponents)[0]]


def replayed(rule: ChainRule, messages: Sequence[Rows], instruments: int = 1) -> Books:
    books = Books(table(*[rule] * instruments))
    rows = np.concatenate(messages)
    assert books.apply(rows) == rows.size
    return books


def top(book: OrderBook) -> tuple[int, ...]:
    return tuple(int(book.row[name]) for name in ("bid", "bid_size", "ask", "ask_size"))


def last_quote(book: OrderBook) -> tuple[int, ...]:
    names = ("quote_bid", "quote_bid_size", "quote_ask", "quote_ask_size")
    return tuple(int(book.row[name]) for name in names)


def assert_faultless(book: OrderBook) -> None:
    assert book.state is BookState.LIVE
    for name in ("gaps", "crossed", "resyncs", "refused", "malformed", "dropped"):
        assert book.counters[name] == 0, name
    for field in ("bids", "asks"):
        check_ladder(book._books.memory.words, int(book.row[field]))


@pytest.mark.once("half a million levels")
@pytest.mark.compiled("half a million levels")
@pytest.mark.parametrize("name", WHOLE_DAYS)
def test_recorded_book_ends_at_the_last_quote(recordings: Path, name: str) -> None:
    rule, exponents, files = WHOLE_DAYS[name]
    messages = decoded(recordings, files, exponents)
    book = replayed(rule, messages)[0]
    assert_faultless(book)
    assert top(book) == last_quote(book)


@pytest.mark.once("half a million levels")
@pytest.mark.compiled("half a million levels")
@pytest.mark.parametrize(("rule", "exponents", "file"), CONTINUATIONS)
def test_day_without_a_snapshot_stays_syncing(
    recordings: Path, rule: ChainRule, exponents: tuple[int, int], file: str
) -> None:
    messages = decoded(recordings, (file,), exponents)
    book = replayed(rule, messages)[0]
    assert book.state is BookState.SYNCING
    assert book.needs_snapshot
    assert book.level_counts == (0, 0)
    assert book.counters["dropped"] > 0, "what is kept for the snapshot is bounded"


@pytest.mark.parametrize(("rule", "file", "instruments"), COLLECTIONS)
def test_recorded_books_of_many_instruments_bridge(
    recordings: Path, rule: ChainRule, file: str, instruments: int
) -> None:
    messages, count = decoded_file(recordings / "binance" / file, (-8, -8))
    assert count == instruments
    for book in replayed(rule, messages, count):
        assert_faultless(book)


@pytest.mark.parametrize(("rule", "file", "instruments"), COLLECTIONS)
def test_recorded_books_equal_their_twins_at_every_message(
    recordings: Path, rule: ChainRule, file: str, instruments: int
) -> None:
    messages = decoded(recordings, (file,), (-8, -8))
    books = Books(table(*[rule] * instruments))
    twins = [SlowBook(rule) for _ in range(instruments)]
    for number, message in enumerate(messages):
        instrument = int(message[0]["instrument"])
        books.apply(message)
        twins[instrument].apply(message)
        if number % 97 == 0 or number + instruments >= len(messages):
            compare(books[instrument], twins[instrument])


def depth_only(messages: Sequence[Rows], count: int) -> list[Rows]:
    kinds = {EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END}
    return [m for m in messages if m[0]["kind"] in kinds][:count]


def lose(feed: list[Rows], at: int, _: Random) -> list[Rows]:
    return feed[:at] + feed[at + 1 :]


def repeat(feed: list[Rows], at: int, chance: Random) -> list[Rows]:
    later = min(at + 1 + chance.choice([0, 0, 1, 5]), len(feed))
    return [*feed[:later], feed[at], *feed[later:]]


def swap(feed: list[Rows], at: int, _: Random) -> list[Rows]:
    return [*feed[:at], feed[at + 1], feed[at], *feed[at + 2 :]]


def damage(feed: list[Rows], at: int, chance: Random) -> list[Rows]:
    message = feed[at].copy()
    field = chance.choice(["sequence", "aux", "link"])
    message[field] += chance.choice([-(10**6), -97, -2, -1, 1, 2, 97, 10**6])
    return [*feed[:at], message, *feed[at + 1 :]]


Fault: TypeAlias = Callable[[list[Rows], int, Random], list[Rows]]


@pytest.mark.once("half a million levels")
@pytest.mark.compiled("half a million levels")
@pytest.mark.parametrize("fault", [lose, repeat, swap, damage])
@pytest.mark.parametrize("name", WHOLE_DAYS)
def test_one_faulty_message_is_noticed_by_the_next_or_changes_nothing(
    recordings: Path, name: str, fault: Fault
) -> None:
    rule, exponents, files = WHOLE_DAYS[name]
    feed = depth_only(decoded(recordings, files, exponents), 200)
    start = next(i for i, m in enumerate(feed) if m[0]["kind"] == EventKind.BOOK_CLEAR)
    chance = Random(name + fault.__name__)  # noqa: S311 - places, not secrets
    places = [i for i in range(len(feed) - 8) if i not in {start, start - 1}]
    for at in [*places[:40], *chance.sample(places[40:], 30)]:
        faulty = fault(feed, at, chance)
        after = max(at, start) + 1 + len(faulty) - len(feed)
        honest = replayed(rule, feed[: max(at, start) + 8])[0]
        hurt = replayed(rule, faulty[: after + 7])[0]
        if hurt.state is BookState.LIVE:
            assert same_levels(hurt, honest), at
        else:
            early = replayed(rule, faulty[: after + 2])[0]
            assert early.state is not BookState.LIVE, "noticed, but later than the next message"


def same_levels(one: OrderBook, two: OrderBook) -> bool:
    return all(
        np.array_equal(a, b)
        for side in (Side.BUY, Side.SELL)
        for a, b in zip(one.scaled_levels(side), two.scaled_levels(side), strict=True)
    )


@pytest.mark.once("half a million levels")
@pytest.mark.compiled("half a million levels")
@pytest.mark.parametrize("name", ["usdm_btc", "spot"])
def test_snapshot_and_deltas_equal_a_later_snapshot(recordings: Path, name: str) -> None:
    rule, exponents, files = WHOLE_DAYS[name]
    feed = depth_only(decoded(recordings, files, exponents), 1000)
    book = replayed(rule, feed)[0]
    twin = SlowBook(rule)
    for message in feed:
        twin.apply(message)
    compare(book, twin)
