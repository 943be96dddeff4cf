"""Funding is booked when its time has passed, and a venue's status holds orders back."""

import numpy as np
import pytest
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    instrument,
    make_world,
    order_event,
    silent,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.instruments import InstrumentStatus
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind, Records
from bot4_core.session.effects import Note, RecordIntent
from bot4_core.session.funding import Due, FundingSchedule

RATE = 10**8  # 0.0001
MARK = 60_000 * 10**8
HOUR = 3600 * SECOND
BID, ASK = 6_000_000, 6_000_010


def words(now: int, settles: int, rate: int = RATE, mark: int = MARK) -> Records:
    """A message with a mark price and the rate of the coming settlement."""
    records = np.zeros(2, EVENT_DTYPE)
    records["time"] = records["received"] = now
    records["kind"] = [EventKind.MARK, EventKind.FUNDING]
    records["price"], records["aux"] = [mark, rate], [0, settles]
    records["flags"][-1] = EventFlag.LAST
    return records


def status(code: int, now: int) -> Records:
    records = np.zeros(1, EVENT_DTYPE)
    records["time"] = records["received"] = now
    records["kind"], records["aux"], records["flags"] = EventKind.STATUS, code, EventFlag.LAST
    return records


def holding(size: int) -> World:
    """A world that holds some of the first instrument."""
    world = make_world(silent)
    world.session.step(touch(START, BID, ASK))
    event = order_event(EventKind.ORDER_FILLED, 77, START + 1, side=1 if size > 0 else -1)
    event["price"], event["size"] = BID, abs(size)
    world.session.step(event)
    return world


@pytest.mark.parametrize(("size", "amount"), [(100, "-0.60000000"), (-100, "0.60000000")])
def test_longs_pay_a_positive_rate_once_its_time_has_passed(size: int, amount: str) -> None:
    world = holding(size)
    account = world.session.state.account
    before = account.ledger.balance("USDT").decimal
    assert world.session.step(words(START + 2, START + HOUR)) == []
    effects = world.session.step(words(START + HOUR, START + 9 * HOUR))
    assert [effect.kind for effect in effects if isinstance(effect, Note)] == [AuditKind.FUNDING]
    payload = effects[0].payload  # type: ignore[union-attr]  # a note, as just seen
    assert (payload["rate"], payload["asset"]) == ("0.000100000000", "USDT")
    paid = account.ledger.balance("USDT").decimal - before
    assert f"{paid:.8f}" == amount
    assert world.session.state.views["equity"][0] == pytest.approx(
        float(account.ledger.equity("USDT")), abs=1
    )
    assert world.session.step(words(START + HOUR + 1, START + 9 * HOUR)) == []


def test_nothing_held_pays_nothing() -> None:
    world = make_world(silent)
    world.session.step(words(START, START + HOUR))
    assert world.session.step(words(START + HOUR, START + 9 * HOUR)) == []


def test_a_settlement_counts_at_the_rate_that_was_announced_last() -> None:
    schedule = FundingSchedule((instrument(),))
    schedule.mark(0, MARK)
    assert schedule.announce(0, 5, HOUR, 1) is None
    assert schedule.announce(0, 7, HOUR, 2) is None
    assert schedule.announce(0, 9, 9 * HOUR, HOUR - 1) == Due(7, 6_000_000, HOUR)


def test_without_a_mark_price_nothing_can_be_settled() -> None:
    schedule = FundingSchedule((instrument(),))
    schedule.announce(0, 5, HOUR, 1)
    assert schedule.announce(0, 5, 9 * HOUR, HOUR) is None


@pytest.mark.parametrize(("exponent", "price"), [(-2, 6_000_000), (-8, MARK), (-10, MARK * 100)])
def test_mark_prices_are_brought_to_the_instruments_exponent(exponent: int, price: int) -> None:
    schedule = FundingSchedule((instrument(price_exponent=exponent),))
    schedule.mark(0, MARK)
    schedule.announce(0, 5, HOUR, 1)
    assert schedule.announce(0, 5, 9 * HOUR, HOUR) == Due(5, price, HOUR)


def test_a_halted_instrument_takes_no_order_until_it_trades_again() -> None:
    world = make_world()
    codes = {each: place for place, each in enumerate(InstrumentStatus)}
    effects = world.session.step(status(codes[InstrumentStatus.HALTED], START))
    assert isinstance(effects[0], Note)
    assert effects[0].payload == {"instrument": "BTCUSDT", "status": "halted"}
    refused = world.session.step(touch(START + 1, BID, ASK))
    assert {effect.refusals for effect in refused if isinstance(effect, RecordIntent)} == {
        (("instrument_status", "halted"),)
    }
    assert world.session.step(status(codes[InstrumentStatus.HALTED], START + 2)) == []
    world.session.step(status(codes[InstrumentStatus.TRADING], START + 3))
    assert len(world.session.step(touch(START + 2 * SECOND, BID, ASK))) == 4


def test_a_status_that_nobody_knows_counts_as_unknown() -> None:
    world = make_world()
    world.session.step(status(99, START))
    assert world.session.state.gate.status(0) is InstrumentStatus.UNKNOWN
