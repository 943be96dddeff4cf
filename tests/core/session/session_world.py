"""A small world for session tests: instruments, messages and parts that do as they are told."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import attrs
import numpy as np

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict, Signal
from bot4_core.domain_types.instruments import FeeSchedule, Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INSTRUMENT_DTYPE,
    BookState,
    ChainRule,
    EventFlag,
    EventKind,
    Side,
    SignalAction,
)
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.plugins.interfaces import Breaker, PartSettings, Record, Records, Sizer, Strategy
from bot4_core.session.config import AccountConfig, PartConfig, SessionConfig, VenueConfig
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
NOTHING = PartSettings()


def instrument(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    made = Instrument(
        venue=VenueName("test"),
        market="usdm",
        symbol=Symbol(symbol),
        base=symbol[:3],
        quote="USDT",
        kind=InstrumentKind.PERPETUAL,
        settlement=Settlement.LINEAR,
        price_exponent=-2,
        size_exponent=-3,
        tick=10,
        lot=1,
        settlement_asset="USDT",
        fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
    )
    return attrs.evolve(made, **changes)  # type: ignore[arg-type]  # any field, by name


def table_of(instruments: Sequence[Instrument]) -> Records:
    table = np.zeros(len(instruments), INSTRUMENT_DTYPE)
    for row, each in zip(table, instruments, strict=True):
        row["price_exponent"] = each.price_exponent
        row["size_exponent"] = each.size_exponent
        row["tick"], row["lot"] = each.tick, each.lot
        row["chain"] = ChainRule.NONE
        row["price_unit"] = 10.0**each.price_exponent
        row["size_unit"] = 10.0**each.size_exponent
        row["multiplier"] = float(each.multiplier)
    return table


def snapshot(
    time: int, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], number: int = 0
) -> Records:
    """A book message that replaces everything."""
    levels = [(Side.BUY, *level) for level in bids] + [(Side.SELL, *level) for level in asks]
    records = np.zeros(len(levels) + 2, EVENT_DTYPE)
    records["time"] = records["received"] = time
    records["instrument"] = number
    records["flags"] = EventFlag.SNAPSHOT
    records["sequence"], records["aux"], records["link"] = time, -1, -1
    records["kind"] = EventKind.BOOK_SET
    records["kind"][0], records["kind"][-1] = EventKind.BOOK_CLEAR, EventKind.BOOK_END
    records["size"][-1] = len(levels)
    records["flags"][-1] |= EventFlag.LAST
    for record, (side, price, size) in zip(records[1:-1], levels, strict=True):
        record["side"], record["price"], record["size"] = side, price, size
    return records


def touch(time: int, bid: int, ask: int, number: int = 0, size: int = 5000) -> Records:
    """A book of one level a side."""
    return snapshot(time, [(bid, size)], [(ask, size)], number)


def trade(time: int, price: int, size: int, side: Side, number: int = 0) -> Records:
    records = np.zeros(1, EVENT_DTYPE)
    records[0] = (time, time, price, size, time, -1, -1, number, EventKind.TRADE, side, 2)
    return records


def order_event(kind: EventKind, number: int, time: int, **fields: int) -> Records:
    """What a venue says of order ``number``."""
    records = np.zeros(1, EVENT_DTYPE)
    row = records[0]
    row["time"] = row["received"] = time
    row["kind"], row["link"], row["flags"] = kind, number, EventFlag.LAST
    row["sequence"] = number
    for name, value in fields.items():
        row[name] = value
    return records


class ScriptedStrategy(Strategy[PartSettings]):
    """Gives what a function of the view gives."""

    name = "scripted"

    def __init__(
        self, instruments: Sequence[Instrument], answer: Callable[[Record], Sequence[Signal]]
    ) -> None:
        super().__init__(NOTHING, instruments)
        self.answer = answer

    def decide(self, view: Record) -> Sequence[Signal]:
        return self.answer(view)


class FixedSizer(Sizer[PartSettings]):
    """Always the same size."""

    name = "fixed"

    def __init__(self, instruments: Sequence[Instrument], lots: int = 100) -> None:
        super().__init__(NOTHING, instruments)
        self.lots = lots

    def size(self, signal: Signal, view: Record) -> int:
        return self.lots


class ScriptedBreaker(Breaker[PartSettings]):
    """Trips when told to; ``effect`` may be an exception to raise."""

    name = "scripted"

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        super().__init__(NOTHING, instruments)
        self.effect: BreakerEffect | Exception | None = None

    def observe(self, view: Record) -> BreakerVerdict | None:
        if isinstance(self.effect, Exception):
            raise self.effect
        if self.effect is None:
            return None
        return BreakerVerdict(
            breaker=self.name,
            effect=self.effect,
            scope=BreakerScope.INSTRUMENT,
            instrument=InstrumentId(int(view["instrument"])),
            time=Nanoseconds(int(view["received"])),
            reason="told to",
            values=(("position", float(view["position"])),),
        )


def quote(view: Record, side: Side, price: int | None, **changes: object) -> Signal:
    made = Signal(
        instrument=InstrumentId(int(view["instrument"])),
        action=SignalAction.QUOTE,
        side=side,
        price=None if price is None else Price(price, -2),
        horizon=Nanoseconds(SECOND),
        strength=0.5,
        edge=0.001,
        variance=0.0001,
        reason="test",
        values=(("mid", float(view["mid"])),),
    )
    return attrs.evolve(made, **changes)  # type: ignore[arg-type]  # any field, by name


def both_sides(view: Record) -> Sequence[Signal]:
    """Join the best bid and the best ask."""
    return [quote(view, Side.BUY, int(view["bid"])), quote(view, Side.SELL, int(view["ask"]))]


def silent(view: Record) -> Sequence[Signal]:
    return []


def configuration(**changes: object) -> SessionConfig:
    made = SessionConfig(
        venue=VenueConfig(plugin="test", market="usdm"),
        account=AccountConfig(asset="USDT", cash=Decimal(100_000)),
        strategy=PartConfig(plugin="scripted"),
        sizer=PartConfig(plugin="fixed"),
    )
    return attrs.evolve(made, **changes)  # type: ignore[arg-type]  # any field, by name


@attrs.define
class World:
    """A session with its scripted parts."""

    session: Session
    breaker: ScriptedBreaker
    strategy: ScriptedStrategy
    sizer: FixedSizer
    instruments: tuple[Instrument, ...]

    @property
    def live(self) -> bool:
        return bool(self.session.state.views["state"][0] == BookState.LIVE)


def make_world(
    answer: Callable[[Record], Sequence[Signal]] = both_sides,
    instruments: Sequence[Instrument] = (),
    lots: int = 100,
    scope: BreakerScope = BreakerScope.INSTRUMENT,
    run: str = "session",
    chain: ChainRule = ChainRule.NONE,
    capabilities: Capabilities | None = None,
    **changes: object,
) -> World:
    instruments = tuple(instruments) or (instrument(), instrument("ETHUSDT"))
    strategy = ScriptedStrategy(instruments, answer)
    sizer, breaker = FixedSizer(instruments, lots), ScriptedBreaker(instruments)
    parts = Parts(strategy=strategy, sizer=sizer, breakers=(("scripted", scope, breaker),))
    table = table_of(instruments)
    table["chain"] = chain
    session = Session(configuration(**changes), instruments, table, parts, run, capabilities)
    return World(session, breaker, strategy, sizer, instruments)
