"""A price-time matching engine on lists: every order of a side, sorted again whenever asked."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

BUY, SELL = 1, -1
CROWD, CLIENT = 0, 1


@dataclass
class Resting:
    """An order in the book."""

    id: int
    owner: int
    side: int
    price: int
    open: int
    number: int = -1
    reduce_only: bool = False


@dataclass
class SlowEngine:
    """Events are (kind, side, price, size, sequence, aux, link, maker)."""

    tick: int
    lot: int
    min_size: int
    max_size: int
    min_notional: int
    maker: Fraction
    taker: Fraction
    lowest: int
    highest: int
    position: int = 0
    orders: list[Resting] = field(default_factory=list)
    events: list[tuple[str, int, int, int, int, int, int, bool]] = field(default_factory=list)
    ids: int = 0
    trades: int = 0

    def queue(self, side: int) -> list[Resting]:
        """Return a side's orders in priority: price, then arrival."""
        return sorted((o for o in self.orders if o.side == side), key=lambda o: -o.price * side)

    def levels(self, side: int) -> dict[int, int]:
        """Return size by price, best first."""
        sizes: dict[int, int] = {}
        for order in self.queue(side):
            sizes[order.price] = sizes.get(order.price, 0) + order.open
        return sizes

    def say(self, kind: str, order: Resting, price: int, size: int, *ids: int) -> None:
        sequence, aux = ids
        self.events.append((kind, order.side, price, size, sequence, aux, order.number, False))

    def room(self, order: Resting) -> int:
        if order.reduce_only:
            return min(order.open, max(-order.side * self.position, 0))
        return order.open

    def crowd_rests(self, side: int, price: int, size: int) -> None:
        """Place an order of the crowd that does not cross."""
        self.ids += 1
        self.orders.append(Resting(self.ids, CROWD, side, price, size))

    def crowd_takes(self, side: int, limit: int, size: int) -> None:
        """Let the crowd take; what is left is gone."""
        self.ids += 1
        self.match(Resting(self.ids, CROWD, side, limit, size))

    def crowd_cancels(self, place: int) -> None:
        """Cancel one of the crowd's orders, by arrival."""
        mine = [order for order in self.orders if order.owner == CROWD]
        if mine:
            self.orders.remove(mine[place % len(mine)])

    def match(self, taker: Resting) -> bool:
        """Fill an incoming order; return whether it stopped before its owner's own order."""
        room = self.room(taker)
        for maker in self.queue(-taker.side):
            if room <= 0 or (maker.price - taker.price) * taker.side > 0:
                break
            if maker.owner == taker.owner == CLIENT:
                return True
            while room > 0 and maker in self.orders:
                size = min(room, self.room(maker))
                if size == 0:
                    self.say("expired", maker, 0, maker.open, maker.id, 10)
                    self.orders.remove(maker)
                else:
                    room -= size
                    self.trade(maker, taker, size)
        return False

    def trade(self, maker: Resting, taker: Resting, size: int) -> None:
        self.trades += 1
        numbers = (maker.price, size, self.trades, maker.id, taker.id)
        self.events.append(("trade", taker.side, *numbers, False))
        for order, rate in ((taker, self.taker), (maker, self.maker)):
            order.open -= size
            if order.owner == CLIENT:
                self.position += order.side * size
                fee = ceil(maker.price * size * rate)
                numbers = (maker.price, size, self.trades, fee, order.number)
                self.events.append(("filled", order.side, *numbers, order is maker))
        if maker.open == 0:
            self.orders.remove(maker)

    def refusal(self, wish: dict[str, Any]) -> int:
        """Return the first broken rule's number, 0 for none."""
        side, size, price = wish["side"], wish["size"], wish["price"]
        market = wish["type"] == "market"
        known = wish["type"] in ("market", "limit") and wish["time_in_force"] != "gtd"
        if not known or side not in (BUY, SELL) or (market and wish["post_only"]):
            return 12
        worst = (self.highest if side == BUY else self.lowest) if market else price
        opposite = self.queue(-side)
        crosses = bool(opposite) and (worst - opposite[0].price) * side >= 0
        rules = [
            (worst > 0 and worst % self.tick == 0 and self.lowest <= worst <= self.highest, 7),
            (size > 0 and size % self.lot == 0 and not 0 < self.max_size < size, 8),
            (size * worst <= 2**62, 8),
            (size >= self.min_size and size * worst >= self.min_notional, 9),
            (not wish["reduce_only"] or self.position * side < 0, 10),
            (not wish["post_only"] or not crosses, 2),
            (all(order.number != wish["number"] for order in self.orders), 14),
        ]
        return next((reason for holds, reason in rules if not holds), 0)

    def client_places(self, wish: dict[str, Any]) -> None:
        """Take the client's order."""
        side, number, size = wish["side"], wish["number"], wish["size"]
        reason = self.refusal(wish)
        if reason:
            self.events.append(("rejected", side, 0, 0, -1, reason, number, False))
            return
        market = wish["type"] == "market"
        worst = (self.highest if side == BUY else self.lowest) if market else wish["price"]
        self.ids += 1
        reduce_only = bool(wish["reduce_only"])
        order = Resting(self.ids, CLIENT, side, worst, size, number, reduce_only)
        self.say("accepted", order, wish["price"], size, order.id, 0)
        reason = 3
        if wish["time_in_force"] != "fok" or self.can_fill(order):
            if self.match(order):
                reason = 11
            elif self.room(order) < order.open:
                reason = 10
        if order.open:
            if market or wish["time_in_force"] != "gtc" or reason != 3:
                self.say("expired", order, 0, order.open, order.id, reason)
            else:
                self.orders.append(order)

    def can_fill(self, order: Resting) -> bool:
        if self.room(order) < order.open:
            return False
        missing = order.open
        for maker in self.queue(-order.side):
            if maker.owner == CLIENT or (maker.price - order.price) * order.side > 0:
                return False
            missing -= maker.open
            if missing <= 0:
                return True
        return False

    def client_cancels(self, number: int) -> None:
        """Take the client's cancellation."""
        for order in self.orders:
            if order.number == number:
                self.say("canceled", order, 0, order.open, order.id, 1)
                self.orders.remove(order)
                return
        self.events.append(("cancel_rejected", 0, 0, 0, -1, 13, number, False))
