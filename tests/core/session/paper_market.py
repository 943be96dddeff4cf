"""A paper venue with small numbers, the books behind it, and its slow twin beside it."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from tests.reference.book_records import Level, book_message, records
from tests.reference.matching import (
    Share,
    SlowBook,
    SlowLatency,
    SlowOrder,
    SlowPaper,
    SlowTerms,
)

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
)
from bot4_core.domain_types.records import (
    INSTRUMENT_DTYPE,
    INTENT_DTYPE,
    BookState,
    ChainRule,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.market.order_book import Books
from bot4_core.session.paper import PaperSettings, PaperVenue
from bot4_core.session.paper_desk import latency_samples

SEED = 7
Rows = NDArray[np.void]

INSTRUMENT = Instrument(
    venue=VenueName("test"),
    market="spot",
    symbol=Symbol("AAA-BBB"),
    base="AAA",
    quote="BBB",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-2,
    size_exponent=-3,
    tick=1,
    lot=1,
    settlement_exponent=-8,
    fees=FeeSchedule(maker=Decimal("-0.00012"), taker=Decimal("0.00075")),
)

KINDS = {
    EventKind.ORDER_ACCEPTED: "accepted",
    EventKind.ORDER_FILLED: "filled",
    EventKind.ORDER_CANCELED: "canceled",
    EventKind.ORDER_REJECTED: "rejected",
    EventKind.ORDER_EXPIRED: "expired",
    EventKind.CANCEL_REJECTED: "cancel_rejected",
}


def intent(number: int = 1, **fields: Any) -> np.void:
    """Return a limit order's row: one unit bought at 100 unless told otherwise."""
    wanted = {
        "number": number,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "price": 100,
        "size": 1,
        **fields,
    }
    row: np.void = np.zeros(1, INTENT_DTYPE)[0]
    for name, value in wanted.items():
        row[name] = value
    return row


def instrument_table(instruments: Sequence[Instrument]) -> Rows:
    """Return the rows of instruments whose books have no chain."""
    table = np.zeros(len(instruments), INSTRUMENT_DTYPE)
    for row, instrument in zip(table, instruments, strict=True):
        row["tick"] = instrument.tick
        row["lot"] = instrument.lot
        row["min_size"] = instrument.min_size
        row["chain"] = ChainRule.NONE
    return table


def trade(side: int, price: int, size: int, instrument: int = 0) -> Rows:
    """Return the record of a public trade."""
    fields = {"kind": EventKind.TRADE, "side": side, "price": price, "size": size}
    return records([{**fields, "instrument": instrument, "flags": EventFlag.LAST}])


def slow_terms(instrument: Instrument) -> SlowTerms:
    """Return an instrument's rules for the twin, with the fee rates as exact fractions."""
    inverse = instrument.settlement is Settlement.INVERSE
    exponent = instrument.size_exponent - instrument.settlement_exponent
    exponent += -instrument.price_exponent if inverse else instrument.price_exponent
    scale = Fraction(10) ** exponent * Fraction(instrument.multiplier)
    unit = Fraction(10) ** instrument.size_exponent * Fraction(instrument.multiplier)
    if not inverse:
        unit *= Fraction(10) ** instrument.price_exponent
    least = -int(-Fraction(instrument.min_notional) / unit // 1)
    return SlowTerms(
        tick=instrument.tick,
        lot=instrument.lot,
        min_size=max(instrument.min_size, least if inverse else 0),
        max_size=instrument.max_size,
        min_notional=0 if inverse else least,
        maker=Fraction(instrument.fees.maker),
        taker=Fraction(instrument.fees.taker),
        scale=scale,
        size_unit=Fraction(10) ** instrument.size_exponent,
        inverse=inverse,
    )


def slow_share(settings: PaperSettings) -> Share | None:
    """Return the queue model's share again, as its table has it."""
    if settings.queue == "risk_averse":
        return None
    exponent, name = settings.queue_power, settings.queue_profile

    def share(terms: SlowTerms, ahead: int, behind: int) -> float:
        if name in ("log", "log_of_whole"):
            front, back, both = (
                math.log1p(size * terms.size_unit) for size in (ahead, behind, ahead + behind)
            )
            return back / (front + back) if name == "log" else back / both
        a, b = Fraction(ahead), Fraction(behind)
        exact = {
            "power": b**exponent / (a**exponent + b**exponent),
            "power_of_whole": (b / (a + b)) ** exponent,
            "power_ahead": 1 - (a / (a + b)) ** exponent,
        }
        return float(exact[name])

    return share


def slow_latency(settings: PaperSettings, seed: int) -> SlowLatency:
    """Return the latencies again."""
    follows = settings.latency == "feed"
    return SlowLatency(
        base=(settings.latency_out_ns, settings.latency_back_ns),
        samples=[each.tolist() for each in latency_samples(settings)],
        percents=(settings.feed_out_percent, settings.feed_back_percent) if follows else (0, 0),
        seed=1 + seed,
    )


class Market:
    """Books, a paper venue, and the twin that must say the same."""

    def __init__(
        self,
        instruments: Sequence[Instrument] = (INSTRUMENT,),
        delays: tuple[int, int] = (0, 0),
        **settings: Any,
    ) -> None:
        table = instrument_table(instruments)
        self.books = Books(table)
        self.settings = PaperSettings(
            latency_out_ns=delays[0], latency_back_ns=delays[1], **settings
        )
        self.venue = PaperVenue(table, instruments, self.settings, self.books, SEED)
        unit = Fraction(10) ** instruments[0].settlement_exponent
        self.twin = SlowPaper(
            terms=[slow_terms(instrument) for instrument in instruments],
            books=[SlowBook() for _ in instruments],
            latency=slow_latency(self.settings, SEED),
            share=slow_share(self.settings),
            self_trade=self.settings.self_trade,
            tiers=[
                (
                    math.ceil(Fraction(each.volume) / unit),
                    Fraction(each.maker),
                    Fraction(each.taker),
                )
                for each in self.settings.fee_tiers
            ],
        )
        self.lag: int | None = None
        self.now = 0
        self.sequence = 0
        self.answers: list[Rows] = []

    def pass_time(self, by: int = 1) -> Rows:
        """Let time pass without market data."""
        self.now += by
        self.twin.advance(self.now)
        return self._keep(self.venue.due(self.now))

    def show(self, *levels: Level, snapshot: bool = False, instrument: int = 0) -> Rows:
        """Send a book message."""
        self.sequence += 1
        rows = book_message(levels, last=self.sequence, snapshot=snapshot, instrument=instrument)
        return self.send(rows)

    def set_book(self, bids: dict[int, int], asks: dict[int, int], instrument: int = 0) -> Rows:
        """Send a whole book."""
        levels = [(Side.BUY, *level) for level in bids.items()]
        levels += [(Side.SELL, *level) for level in asks.items()]
        return self.show(*levels, snapshot=True, instrument=instrument)

    def lose(self, instrument: int = 0) -> Rows:
        """Let the adapter report a gap."""
        return self.send(records([{"kind": EventKind.GAP, "instrument": instrument}]))

    def send(self, rows: Rows, by: int = 1) -> Rows:
        """Send one market message through the contract of a session."""
        self.now += by
        rows["received"] = self.now
        rows["time"] = self.now - self.lag if self.lag is not None else 0
        self.twin.advance(self.now)
        early = self._keep(self.venue.due(self.now))
        assert self.books.apply(rows) == len(rows)
        self._show_twin(rows)
        late = self._keep(self.venue.on_market(rows, 0, len(rows), self.now))
        return np.concatenate([early, late])

    def _show_twin(self, rows: Rows) -> None:
        instrument = int(rows[0]["instrument"])
        self.twin.latency.see(int(rows[-1]["time"]), self.now)
        book, real = self.twin.books[instrument], self.books[instrument]
        book.live = real.state is BookState.LIVE
        for side in (Side.BUY, Side.SELL):
            prices, sizes = real.scaled_levels(side)
            book.sides[side] = dict(zip(prices.tolist(), sizes.tolist(), strict=True))
        if rows[-1]["kind"] == EventKind.TRADE:
            numbers = (int(rows[0][name]) for name in ("side", "price", "size"))
            self.twin.trade(self.now, instrument, *numbers)
        elif rows[-1]["kind"] == EventKind.BOOK_END:
            self.twin.refresh(self.now, instrument)
        self.twin.advance(self.now)

    def place(self, number: int = 1, **fields: Any) -> Rows:
        """Send an order, and return what is due at once."""
        row = intent(number, time=self.now, **fields)
        self.venue.place(row)
        flags = OrderFlag(int(row["flags"]))
        order = SlowOrder(
            number=number,
            instrument=int(row["instrument"]),
            side=int(row["side"]),
            type=OrderType(int(row["type"])).name.lower(),
            time_in_force=TimeInForce(int(row["time_in_force"])).name.lower(),
            post_only=OrderFlag.POST_ONLY in flags,
            reduce_only=OrderFlag.REDUCE_ONLY in flags,
            price=int(row["price"]),
            size=int(row["size"]),
        )
        self.twin.send(self.now, "place", order)
        return self.pass_time(0)

    def cancel(self, number: int = 1) -> Rows:
        """Send a cancellation, and return what is due at once."""
        self.venue.cancel(number, self.now)
        self.twin.send(self.now, "cancel", number)
        return self.pass_time(0)

    def _keep(self, answers: Rows) -> Rows:
        if len(answers):
            self.answers.append(answers)
        return answers

    def check(self) -> None:
        """Assert that the venue said what the twin said."""
        self.pass_time(10**9)
        said = [
            (
                int(row["received"]),
                int(row["time"]),
                KINDS[EventKind(int(row["kind"]))],
                int(row["link"]),
                *(int(row[name]) for name in ("price", "size", "sequence", "aux")),
                bool(row["flags"] & EventFlag.MAKER),
            )
            for rows in self.answers
            for row in rows
        ]
        assert said == self.twin.events
        for rows in self.answers:
            assert (rows["flags"] & EventFlag.SIMULATED != 0).all()
            assert (rows["flags"] & EventFlag.LAST != 0).all()


def told(rows: Rows, *fields: str) -> list[tuple[Any, ...]]:
    """Return the kind of each event as text, and chosen fields."""
    return [
        (KINDS[EventKind(int(row["kind"]))], *(int(row[name]) for name in fields)) for row in rows
    ]


def inverse_instrument() -> Instrument:
    """Return a contract that pays in its base asset."""
    return attrs.evolve(
        INSTRUMENT,
        symbol=Symbol("AAA-PERP"),
        kind=InstrumentKind.PERPETUAL,
        settlement=Settlement.INVERSE,
        multiplier=Decimal(100),
        size_exponent=0,
        min_notional=Decimal(300),
    )
