"""The compiled decoder and the slow one say the same of every message."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.exchange_coinbase.coinbase_world import (
    BITCOIN,
    SYMBOL,
    adapter,
    book,
    level,
    outcome,
    trade,
    trades,
)

FROM_DATA = attrs.evolve(BITCOIN, from_data=True)
USUAL = (
    book(),
    book(kind="snapshot"),
    trades(),
    trades(trade(trade_id="3"), trade(trade_id="2"), trade(trade_id="1", side="BUY")),
)


def check_agreement(*messages: bytes, from_data: bool = False) -> None:
    known = FROM_DATA if from_data else BITCOIN
    fast, slow = adapter(known), adapter(known)
    for data in messages:
        assert outcome(fast, data, slowly=False) == outcome(slow, data, slowly=True), data


NUMBERS = st.one_of(
    st.decimals(0, 10**7, places=2).map(lambda value: f"{value:f}"),
    st.decimals(0, 10**7, places=8).map(lambda value: f"{value:f}"),
    st.sampled_from(["0", "00", "01.5", "1e3", "-1", "1.", ".5", "", "NaN", "1" * 30, "1.005"]),
)
LEVELS = st.lists(
    st.builds(level, st.sampled_from(["bid", "offer", "ask"]), NUMBERS, NUMBERS), max_size=4
)


@given(
    levels=LEVELS,
    kind=st.sampled_from(["update", "snapshot", "odd"]),
    symbol=st.sampled_from([SYMBOL, SYMBOL, "ETH-USD", "", 'a"b']),
    numbers=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    from_data=st.booleans(),
)
def test_generated_books(
    levels: list[object], kind: str, symbol: str, numbers: list[int], from_data: bool
) -> None:
    messages = [book(*levels, kind=kind, symbol=symbol, number=number) for number in numbers]
    check_agreement(*messages, from_data=from_data)


@given(
    each=st.lists(
        st.builds(
            trade,
            price=NUMBERS,
            size=NUMBERS,
            trade_id=st.sampled_from(["0", "7", "007", "a-uuid", "", "9" * 18, "9" * 25]),
            side=st.sampled_from(["BUY", "SELL", "buy"]),
            product_id=st.sampled_from([SYMBOL, SYMBOL, "ETH-USD"]),
        ),
        min_size=1,
        max_size=3,
    ),
    kind=st.sampled_from(["update", "snapshot"]),
)
def test_generated_trades(each: list[object], kind: str) -> None:
    check_agreement(trades(*each, kind=kind), from_data=True)


@pytest.mark.parametrize("data", USUAL)
def test_other_spellings(data: bytes) -> None:
    content = json.loads(data)
    check_agreement(json.dumps(content, indent=1).encode())
    check_agreement(json.dumps(dict(reversed(content.items()))).encode())
    check_agreement(json.dumps(content | {"client_id": ""}).encode())


@pytest.mark.parametrize("data", USUAL)
def test_every_cut_of_a_message(data: bytes) -> None:
    fast, slow = adapter(), adapter()
    for stop in range(len(data)):
        assert outcome(fast, data[:stop], slowly=False) == outcome(slow, data[:stop], slowly=True)
    assert fast.quarantined == len(data)


@pytest.mark.parametrize("data", [USUAL[0], USUAL[2]])
def test_every_byte_changed(data: bytes) -> None:
    fast, slow = adapter(), adapter()
    for at in range(len(data)):
        for byte in b'"0} \xff':
            spoiled = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(fast, spoiled, slowly=False) == outcome(slow, spoiled, slowly=True)
