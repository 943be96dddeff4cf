"""The fused driver and the staged one make the same session of the same messages."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.session.scripted_market import ScriptedMarket, Ticking
from tests.core.session.session_world import SECOND, START, order_event, touch, trade
from tests.core.session.test_forms import session_of
from tests.core.session.test_funding import words

from bot4_core.domain_types.records import EventKind, Records, Side
from bot4_core.errors import ConfigError
from bot4_core.kernels.order_rows import Slot
from bot4_core.session.config import DriverChoice
from bot4_core.session.paper import FeeTier, PaperSettings
from bot4_core.session.report import SessionReport
from bot4_core.session.runner import SessionRunner
from bot4_core.session.session import Session

MILLISECOND = SECOND // 1000
ALL_COMPILED = (True, True, True, True)


class KeptLog:
    """Keeps what an audit log would be given."""

    path, pending, committed, head, root, unpublished = "", 0, 0, b"", b"", 0

    def __init__(self) -> None:
        self.records: list[tuple[Any, ...]] = []

    def append(self, *record: Any, event_time: int, wall_time: int) -> None:
        self.records.append((*record, event_time))

    def commit(self) -> None:
        self.committed = len(self.records)


def message(time: int, kind: int, number: int, price: int, size: int) -> Records:
    """One of the things that a market says."""
    bid = 60_000 + 10 * price
    if kind == 0:
        return touch(time, bid, bid + 10 + 10 * (size % 7), number, size=50 * size)
    if kind == 1:
        return trade(time, bid - 20, 10 * size, Side.SELL, number)
    if kind == 2:
        return trade(time, bid + 40, 10 * size, Side.BUY, number)
    if kind == 3:
        return touch(time, bid, bid + 400, number)  # trips the breaker
    if kind == 6:
        settlement = words(time, time - time % SECOND + SECOND, 10**6 * (size - 50), bid * 10**6)
        settlement["instrument"] = number
        return settlement
    return order_event(EventKind.GAP if kind == 4 else EventKind.MARK, 0, time, instrument=number)


MESSAGES = st.lists(
    st.tuples(
        st.integers(1, 200),
        st.sampled_from((0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 6)),
        st.integers(0, 1),
        st.integers(0, 12),
        st.integers(1, 99),
    ),
    max_size=60,
)


MATCHING = (
    *(
        PaperSettings(latency_out_ns=latency, latency_back_ns=latency)
        for latency in (0, MILLISECOND, 90 * MILLISECOND)
    ),
    PaperSettings(latency="sampled", latency_spread=1.5, self_trade="expire_maker"),
    PaperSettings(latency="feed", latency_out_ns=0, queue="probability", queue_profile="log"),
    PaperSettings(
        self_trade="expire_both",
        fee_tiers=(
            FeeTier(volume=Decimal(100), maker=Decimal("-0.0001"), taker=Decimal("0.0003")),
        ),
    ),
)


def played(
    driver: DriverChoice,
    forms: tuple[bool, bool, bool, bool],
    messages: Sequence[Records],
    matching: PaperSettings,
    log: KeptLog | None,
) -> tuple[SessionReport, Session]:
    session = session_of(forms, routed=not forms[3])
    session.state.config = attrs.evolve(session.state.config, driver=driver)
    market = ScriptedMarket(session.state.instruments, messages)
    market.matching = matching
    runner = SessionRunner(session, market, Ticking(), log=log)  # type: ignore[arg-type]  # a stand-in
    return runner.run(), session


def left_behind(session: Session) -> list[bytes]:
    """Return what a session knows at its end."""
    tables = session.state.ordering.tables
    slots = (Slot.TALLY, Slot.ORDERS, Slot.DESKS, Slot.ACCOUNT, Slot.TRACE, Slot.VIEWS)
    return [tables[slot].tobytes() for slot in slots]


@settings(max_examples=40)
@given(
    steps=MESSAGES,
    forms=st.sampled_from((ALL_COMPILED, ALL_COMPILED, (True, False, True, True), (False,) * 4)),
    matching=st.sampled_from(MATCHING),
    spelled=st.booleans(),
)
def test_staged_and_fused_give_the_same_session(
    steps: Sequence[tuple[int, int, int, int, int]],
    forms: tuple[bool, bool, bool, bool],
    matching: PaperSettings,
    *,
    spelled: bool,
) -> None:
    times = START + MILLISECOND * np.cumsum([0, *(step[0] for step in steps)])
    messages = [touch(int(times[0]), 60_000, 60_010, number) for number in (0, 1)]
    messages += [message(int(time), *step[1:]) for time, step in zip(times[1:], steps, strict=True)]
    kept = KeptLog(), KeptLog()
    logs = kept if spelled else (None, None)
    staged, one = played(DriverChoice.STAGED, forms, messages, matching, logs[0])
    fused, other = played(DriverChoice.FUSED, forms, messages, matching, logs[1])
    assert fused.digest == staged.digest
    assert left_behind(other) == left_behind(one)
    assert kept[1].records == kept[0].records
    assert fused.fills == staged.fills
    assert other.state.account.ledger.entries == one.state.account.ledger.entries


def test_the_digest_tells_one_changed_number() -> None:
    messages = [touch(START + n * SECOND, 60_000 + 10 * n, 60_010 + 10 * n, 0) for n in range(9)]
    digests = set()
    for place in range(9):
        changed = [each.copy() for each in messages]
        changed[place]["size"][1] += place  # the first one stays as it is
        report, _ = played(DriverChoice.FUSED, ALL_COMPILED, changed, PaperSettings(), None)
        digests.add(report.digest)
    assert len(digests) == 9


def test_a_market_without_a_paper_venue_is_no_work_for_the_fused_driver() -> None:
    class Elsewhere(ScriptedMarket):
        @property
        def paper(self) -> None:  # type: ignore[override]  # it has none
            return

    session = session_of(ALL_COMPILED, routed=False)
    session.state.config = attrs.evolve(session.state.config, driver=DriverChoice.FUSED)
    with pytest.raises(ConfigError, match="leave it to 'auto'"):
        SessionRunner(session, Elsewhere(session.state.instruments, []), Ticking())
