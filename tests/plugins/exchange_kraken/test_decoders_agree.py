"""The compiled decoder and the slow one say the same of every message."""

import json
from pathlib import Path
from random import Random

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.plugins.exchange_kraken.kraken_world import (
    BITCOIN,
    SYMBOL,
    adapter,
    book_text,
    outcome,
    trade_text,
)

FROM_DATA = attrs.evolve(BITCOIN, from_data=True)
USUAL = (book_text(), book_text(kind="snapshot"), trade_text(3), trade_text(side='"sell"'))


def check_agreement(data: bytes, *, from_data: bool = False) -> None:
    known = FROM_DATA if from_data else BITCOIN
    fast, slow = adapter(known), adapter(known)
    assert outcome(fast, data, slowly=False) == outcome(slow, data, slowly=True), data


NUMBERS = st.one_of(
    st.decimals(0, 10**7, places=1).map(lambda value: f"{value:f}"),
    st.decimals(0, 10**7, places=8).map(lambda value: f"{value:f}"),
    st.sampled_from(
        ["0", "00", "01.5", "1e3", "1E-5", "-1", "1.", ".5", "0.00", "1" * 30, "1" * 70, '"1.0"']
    ),
    st.sampled_from(["NaN", "null", "92233720368547758.0", "1.05", "0.000000001"]),
)
LEVELS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4)


@given(
    bids=LEVELS,
    asks=LEVELS,
    kind=st.sampled_from(["update", "snapshot"]),
    symbol=st.sampled_from([SYMBOL, SYMBOL, "ETH/USD", "", 'a"b', "BTC\\u002fUSD"]),
    checksum=st.sampled_from([0, 1, 2**32 - 1, 2**32, -1]),
    from_data=st.booleans(),
)
@example(bids=[("1", "0")], asks=[], kind="update", symbol=SYMBOL, checksum=0, from_data=True)
def test_generated_books(
    bids: list[tuple[str, str]],
    asks: list[tuple[str, str]],
    kind: str,
    symbol: str,
    checksum: int,
    from_data: bool,
) -> None:
    text = book_text(bids, asks, kind=kind, symbol=symbol, checksum=checksum)
    check_agreement(text.encode(), from_data=from_data)


@given(
    count=st.integers(1, 3),
    price=NUMBERS,
    qty=NUMBERS,
    number=st.sampled_from(["0", "00", "17", "-1", "1.0", "9223372036854775807", "1e3"]),
    kind=st.sampled_from(['"limit"', '"market"', '"odd"', "7"]),
    time=st.sampled_from(
        [
            '"2026-09-14T18:32:27Z"',
            '"2026-09-14T18:32:27.123456789Z"',
            '"2026-02-30T18:32:27Z"',
            '"2026-09-14t18:32:27+00:00"',
            '""',
        ]
    ),
)
def test_generated_trades(
    count: int, price: str, qty: str, number: str, kind: str, time: str
) -> None:
    text = trade_text(count, price=price, qty=qty, trade_id=number, ord_type=kind, timestamp=time)
    check_agreement(text.encode())


def test_trades_of_several_symbols_are_several_messages() -> None:
    first, second = trade_text(), trade_text(symbol='"ETH/USD"')
    both = json.loads(first)
    both["data"] += json.loads(second)["data"]
    check_agreement(json.dumps(both, separators=(",", ":")).encode())


@given(st.sampled_from(USUAL), st.randoms(use_true_random=False))
def test_other_spellings(text: str, random: Random) -> None:
    """The same content with other white space and another order of members."""

    def stirred(value: object) -> object:
        if isinstance(value, dict):
            items = [(name, stirred(each)) for name, each in value.items()]
            random.shuffle(items)
            return dict(items)
        return [stirred(each) for each in value] if isinstance(value, list) else value

    content = json.loads(text)
    check_agreement(json.dumps(stirred(content), indent=1).encode())
    check_agreement(json.dumps(content).encode())


@pytest.mark.parametrize("text", USUAL)
def test_every_cut_of_a_message(text: str) -> None:
    data = text.encode()
    fast, slow = adapter(), adapter()
    for stop in range(len(data)):
        assert outcome(fast, data[:stop], slowly=False) == outcome(slow, data[:stop], slowly=True)
    assert fast.quarantined == len(data)


@pytest.mark.parametrize("text", [book_text(), trade_text()])
def test_every_byte_changed(text: str) -> None:
    data = text.encode()
    fast, slow = adapter(), adapter()
    for at in range(len(data)):
        for byte in b'"0} \xff':
            spoiled = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(fast, spoiled, slowly=False) == outcome(slow, spoiled, slowly=True)


def test_samples_of_other_projects(recordings: Path) -> None:
    files = sorted((recordings / "kraken" / "samples").glob("*.json"))
    assert len(files) > 60
    for file in files:
        content = json.dumps(json.loads(file.read_bytes()), separators=(",", ":"))
        check_agreement(content.encode(), from_data=True)
