"""What makes the fused loop stop, and that it goes on as the staged driver would."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
from tests.core.session.scripted_market import ScriptedMarket, Ticking
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    configuration,
    table_of,
    touch,
    trade,
)
from tests.core.session.test_forms import INSTRUMENTS, TwoFormSizer, form

from bot4_core.domain_types.accounts import CostMethod
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    EventFlag,
    EventKind,
    OrderStatus,
    Record,
    Records,
    Side,
)
from bot4_core.domain_types.risk_limits import LimitsPreset
from bot4_core.errors import NumberOverflowError
from bot4_core.jit import kernel
from bot4_core.kernels.fused import ALARM, ENDED, file_answer
from bot4_core.kernels.matching_state import (
    HIGHEST_RATE,
    INVERSE,
    OUT,
    OUT_ROOM,
    new_desk,
    terms_of,
)
from bot4_core.kernels.order_rows import NOBODY, Slot
from bot4_core.kernels.sampling import COUNT
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Strategy
from bot4_core.session import paper_desk
from bot4_core.session.config import AccountConfig, DriverChoice, LimitsConfig, QuotingConfig
from bot4_core.session.paper import PaperSettings
from bot4_core.session.runner import SessionRunner
from bot4_core.session.series import POINTS
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

STEP = SECOND // 1000
WIDE = 150


@kernel()
def quote_or_fail(view: Record, state: Record, params: Record, signals: Records) -> int:
    """Quote at the touch; fail where the book is wide."""
    if view["ask"] - view["bid"] >= WIDE:
        raise ValueError
    for place in range(2):
        row = signals[place]
        row["instrument"], row["action"], row["side"] = view["instrument"], 1, 1 - 2 * place
        row["price"] = view["bid"] if place == 0 else view["ask"]
        row["strength"], row["edge"], row["variance"] = 0.5, 0.001, 0.0001
        row["horizon"], row["reason"], row["values"][:] = 1, 0, 0.0
    return 2


class QuoteOrFail(Strategy[PartSettings]):
    name = "quote_or_fail"
    reasons = ("at the touch",)

    def compiled(self) -> CompiledForm:
        return form(quote_or_fail)


def wandering(wide: int = 0) -> list[Records]:
    """Two instruments whose prices wander, with prints through both sides."""
    messages = []
    for step in range(60):
        number, time = step % 2, START + step * 20 * STEP
        bid = 60_000 + 10 * (step * 7 % 11)
        gap = WIDE if wide and step % wide == 3 else 10
        messages.append(touch(time, bid, bid + gap, number))
        messages.append(trade(time + STEP, bid - 40, 9_000, Side.SELL, number))
        messages.append(trade(time + 2 * STEP, bid + 50, 9_000, Side.BUY, number))
    return messages


def runner_of(
    driver: DriverChoice,
    messages: Sequence[Records],
    latency: int = STEP,
    rate: int = 10_000,
    cost: CostMethod = CostMethod.AVERAGE,
) -> SessionRunner:
    config = configuration(
        driver=driver,
        account=AccountConfig(asset="USDT", cash=Decimal(100_000), cost=cost),
        quoting=QuotingConfig(retry_ms=1),
        limits=LimitsConfig(preset=LimitsPreset.AGGRESSIVE, max_orders_per_second=rate),
    )
    parts = Parts(
        strategy=QuoteOrFail(NOTHING, INSTRUMENTS),
        sizer=TwoFormSizer(fast=True),
    )
    session = Session(config, INSTRUMENTS, table_of(INSTRUMENTS), parts)
    market = ScriptedMarket(INSTRUMENTS, messages)
    market.matching = PaperSettings(latency_out_ns=latency, latency_back_ns=latency)
    return SessionRunner(session, market, Ticking())


def both(
    messages: Sequence[Records],
    change: Callable[[SessionRunner], None] = lambda _: None,
    latency: int = STEP,
    rate: int = 10_000,
    cost: CostMethod = CostMethod.AVERAGE,
) -> SessionRunner:
    """Run both drivers, the fused one changed before; hold their digests equal."""
    staged = runner_of(DriverChoice.STAGED, messages, latency, rate, cost).run()
    runner = runner_of(DriverChoice.FUSED, messages, latency, rate, cost)
    change(runner)
    report = runner.run()
    assert report.digest == staged.digest
    assert (report.orders, report.fills) == (staged.orders, staged.fills)
    return runner


def test_a_compiled_part_that_raises_is_struck_and_then_out() -> None:
    runner = both(wandering(wide=10))
    assert runner._strikes == 3


def test_what_is_raised_outside_the_parts_is_nobodys_strike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = runner_of(DriverChoice.FUSED, wandering())
    assert runner._fused is not None

    def broken(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(runner._fused, "_run", broken)
    with pytest.raises(MemoryError):
        runner.run()


def test_orders_that_the_venue_rejects_rest() -> None:
    runner = both(wandering(), latency=45 * STEP)
    assert runner._session.state.account.orders.counts[OrderStatus.REJECTED] > 0


def test_orders_that_the_gate_keeps_back_do_not_reach_the_venue() -> None:
    runner = both(wandering(), rate=3)
    assert runner._session.state.ordering.refused > 0


def test_fills_find_room_while_the_loop_runs() -> None:
    def fill_up(runner: SessionRunner) -> None:
        runner._session.state.ordering.tables[Slot.TALLY]["free_fill"] = NOBODY

    assert both(wandering(), fill_up)._session.state.account.fills > 0


@pytest.mark.parametrize("latency", [0, STEP])
def test_fills_that_only_the_ledger_can_book_stop_the_loop(latency: int) -> None:
    runner = both(wandering(), latency=latency, cost=CostMethod.FIFO)
    assert runner._session.state.account.fills > 0


def test_a_desk_without_room_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_desk, "new_desk", partial(new_desk, requests=32, out=262))
    assert both(wandering())._session.state.account.fills > 0


def test_a_print_waits_for_room_for_its_fills() -> None:
    runner = runner_of(DriverChoice.FUSED, [])
    venue, play = runner._market.paper, runner._fused
    assert venue is not None
    assert play is not None
    for step in range(2):
        play.play(touch(START + 10 * step * STEP, 60_000, 60_010))
    venue.desk[OUT_ROOM] = 200
    play.play(trade(START + 20 * STEP, 59_960, 9_000, Side.SELL))
    assert venue.desk[OUT_ROOM] == 400
    play.play(touch(START + 30 * STEP, 60_000, 60_010))
    assert runner._session.state.account.fills == 1


def test_a_full_series_is_thinned() -> None:
    def fill_up(runner: SessionRunner) -> None:
        runner._series._cursor[COUNT] = POINTS

    runner = both(wandering(), fill_up)
    assert POINTS // 2 < runner._series._cursor[COUNT] < POINTS


def test_a_fee_that_could_leave_64_bits_ends_the_run() -> None:
    runner = runner_of(DriverChoice.FUSED, wandering())
    desk = runner._market.paper.desk  # type: ignore[union-attr]  # it has one
    desk[terms_of(desk, 0) + INVERSE], desk[terms_of(desk, 0) + HIGHEST_RATE] = 1, 2**62
    with pytest.raises(NumberOverflowError, match="64 bits"):
        runner.run()


@pytest.mark.parametrize("cost", CostMethod)
@pytest.mark.parametrize("filled", [False, True])
def test_evidence_that_does_not_fit_stops_new_risk(cost: CostMethod, *, filled: bool) -> None:
    runner = runner_of(DriverChoice.FUSED, [], cost=cost)
    venue, play = runner._market.paper, runner._fused
    assert venue is not None
    assert play is not None
    play.play(np.concatenate(wandering()[:1]))
    number, now = runner._session.state.account.orders.last_number, START + 10 * STEP
    first = EventKind.ORDER_REJECTED if filled else EventKind.ORDER_CANCELED
    second = EventKind.ORDER_FILLED if filled else EventKind.ORDER_EXPIRED
    side = runner._session.state.account.orders[number].side
    for place, kind in enumerate((first, second)):
        flags = int(EventFlag.LAST | EventFlag.SIMULATED)
        aux = 0 if kind == EventKind.ORDER_FILLED else 1
        row = (now, now, 60_000, 10, 7, aux, number, 0, kind, side, flags)
        venue.answers[int(venue.desk[OUT]) + place] = row
    venue.desk[OUT] += 2
    play.play(np.concatenate([touch(now + STEP, 60_000, 60_010)]))
    assert {trip.breaker for trip in runner._session.state.panel.trips} == {"order_evidence"}


def test_answers_on_orders_that_are_not_kept_are_counted() -> None:
    runner = runner_of(DriverChoice.FUSED, [])
    tables = runner._session.state.ordering.tables
    answers = np.zeros(1, EVENT_DTYPE)
    answers[0] = (START, START, 0, 0, 1, 1, 99, 0, EventKind.ORDER_CANCELED, 1, EventFlag.LAST)
    assert file_answer(tables.handle, answers, 0) == ENDED
    assert runner._session.state.account.orders.orphans == 1
    assert runner._session.state.account.orders.terms(99) is None


@pytest.mark.parametrize("driver", [DriverChoice.STAGED, DriverChoice.FUSED])
def test_a_fill_that_was_revised_before_it_came_is_booked_once(driver: DriverChoice) -> None:
    """A correction comes before the report that it corrects, which was for more."""
    runner = runner_of(driver, [])
    venue = runner._market.paper
    assert venue is not None
    now, orders = START + 10 * STEP, runner._session.state.account.orders
    play = runner._play if runner._fused is None else runner._fused.play
    play(np.concatenate(wandering()[:1]))
    number = orders.last_number
    side, flags = orders[number].side, int(EventFlag.LAST)
    for place, (kind, size) in enumerate(
        ((EventKind.TRADE_CORRECTED, 10), (EventKind.ORDER_FILLED, 15))
    ):
        row = (now, now, 60_000, size, 7, 0, number, 0, kind, side, flags)
        venue.answers[int(venue.desk[OUT]) + place] = row
    venue.desk[OUT] += 2
    play(touch(now + STEP, 60_000, 60_010))
    state = runner._session.state
    assert abs(state.account.ledger.sizes[0]) == 10
    assert state.account.fills == 1
    assert (orders[number].filled, orders[number].executed) == (10, 15)


def test_a_contradicted_fill_stops_new_risk_in_compiled_code() -> None:
    runner = runner_of(DriverChoice.FUSED, [])
    play, orders = runner._fused, runner._session.state.account.orders
    assert play is not None
    play.play(np.concatenate(wandering()[:1]))
    number, tables = orders.last_number, runner._session.state.ordering.tables
    answers = np.zeros(2, EVENT_DTYPE)
    for place, size in enumerate((10, 12)):
        side, flags = orders[number].side, int(EventFlag.LAST)
        kind = EventKind.ORDER_FILLED
        answers[place] = (START, START, 60_000, size, 7, 0, number, 0, kind, side, flags)
    orders.apply(answers, 0)
    assert file_answer(tables.handle, answers, 1) == ALARM
