"""The paper matcher again: lists, dicts and Python integers, one obvious step after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

BUY, SELL = 1, -1


@dataclass
class SlowLatency:
    """Latencies of one kind: constant, drawn from samples, or growing with the feed's delay."""

    base: tuple[int, int] = (0, 0)
    samples: Sequence[Sequence[int]] = ()
    percents: tuple[int, int] = (0, 0)
    seed: int = 1
    delays: list[int] = field(default_factory=list)

    def see(self, sent: int, received: int) -> None:
        if sent > 0:
            self.delays.append(received - sent)

    def next(self, way: int) -> int:
        if self.samples:
            self.seed = self.seed * 48_271 % (2**31 - 1)
            mine = self.samples[way]
            return mine[self.seed * len(mine) // (2**31 - 1)]
        delay = self.delays[-1] - min(0, *self.delays) if self.delays else 0
        return self.base[way] + self.percents[way] * delay // 100


@dataclass
class SlowBook:
    """Displayed levels of one instrument."""

    live: bool = False
    sides: dict[int, dict[int, int]] = field(default_factory=lambda: {BUY: {}, SELL: {}})

    def levels(self, side: int) -> list[tuple[int, int]]:
        return sorted(self.sides.get(side, {}).items(), reverse=side == BUY)

    def best(self, side: int) -> int | None:
        levels = self.levels(side)
        return levels[0][0] if levels else None


@dataclass
class SlowOrder:
    number: int
    instrument: int
    side: int
    type: str
    time_in_force: str
    post_only: bool
    reduce_only: bool
    price: int
    size: int
    open: int = 0
    ahead: int = 0
    level: int = 0
    traded: int = 0
    venue_id: int = -1

    @property
    def limit(self) -> int | None:
        return self.price if self.type == "limit" else None

    def reaches(self, price: int) -> bool:
        return self.limit is None or (self.price - price) * self.side >= 0


@dataclass
class SlowTerms:
    tick: int = 1
    lot: int = 1
    min_size: int = 0
    max_size: int = 0
    min_notional: int = 0
    maker: Fraction = Fraction(0)
    taker: Fraction = Fraction(0)
    scale: Fraction = Fraction(1)  # of price * size, or of size / price
    size_unit: Fraction = Fraction(1)
    trading: bool = True
    inverse: bool = False

    def fee(self, price: int, size: int, *, maker: bool) -> int:
        return self.charge(price, size, self.maker if maker else self.taker)

    def charge(self, price: int, size: int, rate: Fraction) -> int:
        notional = Fraction(size, price) if self.inverse else Fraction(price * size)
        return ceil(notional * self.scale * rate)


Event = tuple[int, int, str, int, int, int, int, int, bool]
"""received, time, kind, order number, price, size, sequence, aux (fee or reason), maker"""
Share = Callable[[SlowTerms, int, int], float]
"""Of what leaves a level, how much leaves from behind us: terms, size ahead, size behind."""


@dataclass
class SlowPaper:
    terms: list[SlowTerms]
    books: list[SlowBook]
    latency: SlowLatency = field(default_factory=SlowLatency)
    share: Share | None = None  # None: risk-averse
    self_trade: str = "expire_taker"
    tiers: list[tuple[int, Fraction, Fraction]] = field(default_factory=list)
    volume: int = 0
    now: int = 0
    last_answer: int = 0
    last_arrival: int = 0
    orders: list[SlowOrder] = field(default_factory=list)  # resting, in order of arrival
    requests: list[tuple[int, str, SlowOrder | int]] = field(default_factory=list)
    taken: dict[tuple[int, int, int], tuple[int, int]] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    venue_orders: int = 0
    trades: int = 0

    def say(self, kind: str, order: int, *numbers: int, maker: bool = False) -> None:
        price, size, sequence, aux = numbers
        self.last_answer = max(self.last_answer, self.now + self.latency.next(1))
        told = (self.last_answer, self.now, kind, order, price, size, sequence, aux, maker)
        self.events.append(told)

    def send(self, time: int, kind: str, what: SlowOrder | int) -> None:
        self.last_arrival = max(self.last_arrival, time + self.latency.next(0))
        self.requests.append((self.last_arrival, kind, what))

    def advance(self, now: int) -> None:
        while self.requests and self.requests[0][0] <= now:
            time, _, what = self.requests.pop(0)
            self.now = max(self.now, time)
            if isinstance(what, SlowOrder):
                self.arrive(what)
            else:
                self.cancel(what)
        self.now = max(self.now, now)

    def cancel(self, number: int) -> None:
        for order in self.orders:
            if order.number == number:
                self.say("canceled", number, 0, order.open, order.venue_id, 1)
                self.orders.remove(order)
                return
        self.say("cancel_rejected", number, 0, 0, -1, 13)

    def own(self, instrument: int, side: int) -> list[SlowOrder]:
        mine = [o for o in self.orders if o.instrument == instrument and o.side == side]
        return sorted(mine, key=lambda o: -o.price * side)  # stable: arrival within a price

    def refusal(self, order: SlowOrder) -> int:
        """Return the first broken rule's number, 0 for none."""
        if not 0 <= order.instrument < len(self.terms):
            return 5
        terms, book = self.terms[order.instrument], self.books[order.instrument]
        known = order.type == "limit" or (order.type == "market" and not order.post_only)
        position = self.positions.get(order.instrument, 0)
        opposite = book.best(-order.side)
        price = order.limit if order.limit is not None else opposite or 0
        own = self.own(order.instrument, -order.side)
        fine_size = order.size > 0 and order.size % terms.lot == 0
        rules = [
            (terms.trading, 6),
            (known and order.side in (BUY, SELL) and order.time_in_force != "gtd", 12),
            (book.live, 4),
            (order.type == "market" or (price > 0 and price % terms.tick == 0), 7),
            (fine_size and not 0 < terms.max_size < order.size, 8),
            (order.size * price <= 2**62, 8),
            (order.size >= terms.min_size, 9),
            (price == 0 or order.size * price >= terms.min_notional, 9),
            (not order.reduce_only or position * order.side < 0, 10),
            (not order.post_only or opposite is None or not order.reaches(opposite), 2),
            (not order.post_only or not any(order.reaches(each.price) for each in own), 11),
        ]
        return next((reason for holds, reason in rules if not holds), 0)

    def visible(self, instrument: int, side: int, price: int) -> int:
        shown = self.books[instrument].sides[side].get(price, 0)
        known, size = self.taken.get((instrument, side, price), (shown, 0))
        return max(shown - size, 0) if known == shown else shown

    def arrive(self, order: SlowOrder) -> None:
        reason = self.refusal(order)
        if reason:
            self.say("rejected", order.number, 0, 0, -1, reason)
            return
        self.venue_orders += 1
        order.open, order.venue_id = order.size, self.venue_orders
        self.say("accepted", order.number, order.price, order.open, order.venue_id, 0)
        instrument, side = order.instrument, order.side
        met = [each for each in self.own(instrument, -side) if order.reaches(each.price)]
        walls = met if self.self_trade != "expire_maker" else []
        levels = self.reached(order, walls[0].price if walls else None)
        room = order.open
        if order.reduce_only:
            room = min(room, -side * self.positions.get(instrument, 0))
        enough = sum(self.visible(instrument, -side, price) for price in levels) >= order.open
        if order.time_in_force != "fok" or (enough and room == order.open):
            self.take(order, met)
        if not self.finished(order):
            if walls or order.type == "market" or order.time_in_force != "gtc":
                self.say("expired", order.number, 0, order.open, order.venue_id, 11 if walls else 3)
            else:
                order.level = self.books[instrument].sides[side].get(order.price, 0)
                order.ahead, order.traded = order.level, 0
                self.orders.append(order)

    def reached(self, order: SlowOrder, wall: int | None) -> list[int]:
        """Return the displayed prices that an order may take, up to before a wall."""
        return [
            price
            for price, _ in self.books[order.instrument].levels(-order.side)
            if order.reaches(price) and (wall is None or (wall - price) * order.side > 0)
        ]

    def take(self, order: SlowOrder, met: list[SlowOrder]) -> None:
        """Walk the displayed levels; where our own orders stand in the way, one or both expire."""
        for wall in [*met, None]:
            for price in self.reached(order, wall.price if wall else None):
                size = self.visible(order.instrument, -order.side, price)
                self.fill(order, price, size, maker=False)
            if wall is None or self.finished(order) or self.self_trade == "expire_taker":
                return
            for each in [wall, *([order] if self.self_trade == "expire_both" else [])]:
                self.say("expired", each.number, 0, each.open, each.venue_id, 11)
            self.orders.remove(wall)

    def finished(self, order: SlowOrder) -> bool:
        return order.open == 0 or any(
            event[2] == "expired" and event[3] == order.number for event in self.events
        )

    def fill(self, order: SlowOrder, price: int, size: int, *, maker: bool) -> int:
        """Fill from a displayed level (as taker, or as maker when the book crossed us)."""
        if self.finished(order) or size <= 0:
            return 0
        at = order.price if maker else price
        done = self.book_fill(order, at, size, maker=maker)
        if done:
            key = (order.instrument, -order.side, price)
            shown = self.books[order.instrument].sides[-order.side][price]
            known, before = self.taken.get(key, (shown, 0))
            self.taken[key] = (shown, done + (before if known == shown else 0))
        return done

    def book_fill(self, order: SlowOrder, price: int, size: int, *, maker: bool) -> int:
        done = min(size, order.open)
        position = self.positions.get(order.instrument, 0)
        if order.reduce_only:
            done = min(done, max(-order.side * position, 0))
        if done:
            self.trades += 1
            order.open -= done
            self.positions[order.instrument] = position = position + order.side * done
            fee = self.terms[order.instrument].fee(price, done, maker=maker)
            self.say("filled", order.number, price, done, self.trades, fee, maker=maker)
            terms = self.terms[order.instrument]
            self.volume += terms.charge(price, done, Fraction(1))
            reached = [rates for volume, *rates in self.tiers if volume <= self.volume]
            for each in self.terms if reached else []:
                each.maker, each.taker = reached[-1]
        if order.open and order.reduce_only and order.side * position >= 0:
            self.say("expired", order.number, 0, order.open, order.venue_id, 10)
        if self.finished(order) and order in self.orders:
            self.orders.remove(order)
        return done

    def trade(self, now: int, instrument: int, aggressor: int, price: int, size: int) -> None:
        self.now = max(self.now, now)
        for side in (BUY, SELL):
            if aggressor == side:
                continue
            left = size
            for order in self.own(instrument, side):
                if left <= 0 or not order.reaches(price):
                    break
                queue = 0
                if order.price == price:
                    queue = min(order.ahead, left)
                    order.ahead -= queue
                    order.traded += left
                if left > queue:
                    left -= self.book_fill(order, order.price, left - queue, maker=True)

    def refresh(self, now: int, instrument: int) -> None:
        """After a book message: forget what was taken at changed levels, requeue, cross."""
        book = self.books[instrument]
        for key in [key for key in self.taken if key[0] == instrument]:
            if self.taken[key][0] != book.sides[key[1]].get(key[2], 0):
                del self.taken[key]
        if not book.live:
            return
        for side in (BUY, SELL):
            for order in self.own(instrument, side):
                self.now = max(self.now, now)
                self.requeue(order, book.sides[side].get(order.price, 0))
                for price, _ in book.levels(-side):
                    if not order.reaches(price):
                        break
                    size = self.visible(instrument, -side, price)
                    if self.fill(order, price, size, maker=True) < size:
                        break

    def requeue(self, order: SlowOrder, shown: int) -> None:
        gone = order.level - order.traded - shown
        ahead = order.ahead
        if self.share is not None and gone > 0 and ahead > 0:
            behind = max(shown + gone - ahead, 0)
            share = self.share(self.terms[order.instrument], ahead, behind)
            ahead -= gone - min(ceil(share * gone - 2**-20), behind)
        order.ahead = max(min(ahead, shown), 0)
        order.level, order.traded = shown, 0
