"""Symbols are found by their bytes, and no other symbol is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_symbols import (
    INSTRUMENT,
    LONGEST_SYMBOL,
    SYMBOL_WIDTH,
    find_symbol,
    insert_symbol,
    scan_symbol,
    text_word,
)

SYMBOLS = st.text("ABCUSDT0123_", min_size=1, max_size=LONGEST_SYMBOL).map(str.encode)


def table_of(symbols: list[bytes], rows: int) -> NDArray[np.int64]:
    table = np.zeros(rows * SYMBOL_WIDTH, np.int64)
    for number, symbol in enumerate(symbols):
        table[insert_symbol(symbol, len(symbol), table) + INSTRUMENT] = number
    return table


def lookup(table: NDArray[np.int64], symbol: bytes, after: bytes = b"") -> int | None:
    text = b'"' + symbol + after
    row = find_symbol(text, 1, 1 + len(symbol), len(text), table)
    return None if row < 0 else int(table[row + INSTRUMENT])


@given(st.lists(SYMBOLS, unique=True, max_size=8), SYMBOLS, st.sampled_from([b"", b'","p":"1.5"']))
def test_table_finds_what_was_inserted_and_nothing_else(
    symbols: list[bytes], other: bytes, after: bytes
) -> None:
    table = table_of(symbols, 16)
    assert [lookup(table, symbol, after) for symbol in symbols] == list(range(len(symbols)))
    expected = symbols.index(other) if other in symbols else None
    assert lookup(table, other, after) == expected


def test_symbols_of_one_slot_are_kept_apart() -> None:
    symbols = [f"COIN{number}USDT".encode() for number in range(8)]
    table = table_of(symbols, 8)[: 8 * SYMBOL_WIDTH]
    assert [lookup(table, symbol) for symbol in symbols] == list(range(8))


def test_too_long_a_symbol_is_not_found() -> None:
    longest = b"A" * LONGEST_SYMBOL
    table = table_of([longest], 4)
    assert lookup(table, longest) == 0
    assert lookup(table, longest + b"A") is None
    assert lookup(table, b"A") is None


@given(st.binary(max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_word_of_text_holds_its_bytes_up_to_the_end(text: bytes, at: int, end: int) -> None:
    end = min(end, len(text))
    expected = int.from_bytes(text[at:end][:8].ljust(8, b"\0"), "little", signed=True)
    assert text_word(text, at, end, len(text)) == expected


def test_quoted_symbol_is_read_up_to_its_quote() -> None:
    table = np.zeros(64 * SYMBOL_WIDTH, np.int64)
    row = insert_symbol(b"BTCUSDT", 7, table)
    text = b'BTCUSDT","ETHUSDT"'
    assert scan_symbol(text, 0, len(text), table) == (row, 7)
    assert scan_symbol(text, 10, len(text), table) == (-1, 17)
    assert scan_symbol(text, 10, len(text) - 1, table) == (-1, LOST)
