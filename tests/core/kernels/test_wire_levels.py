"""Arrays of quoted levels become records, in any spelling that JSON allows."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, EventKind
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_levels import complete_book, read_levels

ENTRY = np.array([1, 2, 3, 7, 2, 3], np.int64)  # instrument 7, two and three places
EXTRAS = (0, 2)
AMOUNTS = st.one_of(
    st.decimals("0.01", "99999", places=2).map(str),
    st.integers(1, 10**12).map(str),
    st.sampled_from(["0.10", "61800.200000", "1", "123456789.12"]),
)


def levels_of(
    text: bytes, extras: int, room: int = 40
) -> tuple[int, list[tuple[int, int]], NDArray[np.void]]:
    records = np.zeros(room, EVENT_DTYPE)
    end, following = read_levels(text, 0, len(text), ENTRY, 1, records, -1, extras)
    rows = [(int(row["price"]), int(row["size"])) for row in records[1:following]]
    return end, rows, records[1:following]


@pytest.mark.parametrize("extras", EXTRAS)
@given(
    levels=st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=12),
    orders=st.integers(0, 10**6),
    spaced=st.booleans(),
)
def test_levels_are_read_whatever_stands_behind_price_and_size(
    extras: int, levels: list[tuple[str, str]], orders: int, spaced: bool
) -> None:
    array = [[price, size, *("0", str(orders))[:extras]] for price, size in levels]
    text = json.dumps(array, separators=(", ", " : ") if spaced else (",", ":")).encode()
    end, rows, records = levels_of(text + b"}", extras)
    assert end == len(text)
    assert rows == [
        (round(100 * float(price)), round(1000 * float(size))) for price, size in levels
    ]
    assert set(records["side"].tolist()) <= {-1}
    assert set(records["instrument"].tolist()) <= {7}
    assert set(records["kind"].tolist()) <= {EventKind.BOOK_SET}


@pytest.mark.parametrize("extras", EXTRAS)
@pytest.mark.parametrize(
    "change",
    [
        (b'"2.00"', b'"0"'),
        (b'"2.00"', b'"-2.00"'),
        (b'"2.00"', b"2.00"),
        (b'"2.00"', b'"2.00'),
        (b'"2.00"', b'"2.001"'),
        (b'"5"', b'"5" 6'),
        (b'"5"', b"5"),
        (b"]]", b"]"),
        (b"]]", b'],["3.00","5","0","1","9"]]'),
        (b"]]", b'],["3.00"]]'),
        (b"],", b"];"),
    ],
)
def test_wrong_levels_are_lost(extras: int, change: tuple[bytes, bytes]) -> None:
    more = b',"0","12"' if extras else b""
    text = b'[["1.00","1.5"%s],["2.00","5"%s],["2.50","1"%s]]' % (more, more, more)
    assert levels_of(text + b"}" * 40, extras)[0] == len(text)
    assert levels_of(text.replace(*change) + b"}" * 40, extras)[0] >= LOST


@pytest.mark.parametrize("extras", EXTRAS)
def test_cut_text_is_lost_wherever_it_is_cut(extras: int) -> None:
    more = b',"0","12"' if extras else b""
    text = b"[" + b",".join(b'["1%d.00","1.5"%s]' % (at, more) for at in range(6)) + b"]"
    for stop in range(len(text)):
        records = np.zeros(10, EVENT_DTYPE)
        assert read_levels(text[:stop], 0, stop, ENTRY, 0, records, 1, extras)[0] >= stop


@pytest.mark.parametrize("extra", [b"", b'"', b'","x', b'","\\u0031"', b'","0","1","2"'])
def test_other_numbers_of_texts_are_lost(extra: bytes) -> None:
    text = b'[["1.00","1","0","4"],["1.01","1%s"],["1.02","1","0","4"]]' % extra
    assert levels_of(text + b"}" * 40, 2)[0] >= LOST


def test_completed_book_has_one_time_and_one_set_of_ids() -> None:
    records = np.zeros(4, EVENT_DTYPE)
    for field, value in {"time": 5, "received": 6, "sequence": 7, "aux": 8, "link": 9}.items():
        records[3][field] = value
    complete_book(records, 1, 3, 1, 3)
    assert records["flags"].tolist() == [0, 1, 1, 3]
    for field in ("time", "received", "sequence", "aux", "link"):
        assert len(set(records[1:][field].tolist())) == 1
        assert records[0][field] == 0
