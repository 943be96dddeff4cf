"""The venue itself as a session's market: paper orders on live data, or real ones."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, EventKind, OrderReason
from bot4_core.errors import OrderError, VenueError
from bot4_core.orders import Orders
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.exchange import Outbound
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.state import SessionState
from bot4_plugins.venue_toolkit.live_feed import LiveFeed, own_event

__all__ = ["LivePaperMarket", "LiveVenueMarket", "known_symbols"]

SECOND: Final = 1_000_000_000
PATIENCE: Final = 30.0
SETTLING: Final = 5.0
WINDOW: Final = 5 * SECOND
NOTHING: Final = np.zeros(0, EVENT_DTYPE)
NOTHING.setflags(write=False)


def known_symbols(feed: LiveFeed, symbols: tuple[str, ...], seconds: float = PATIENCE) -> None:
    """Connect, and wait until the adapter knows the instruments.

    Raises
    ------
    VenueError
        If it does not in time.
    """
    exchange = feed.exchange

    def ready() -> bool:
        names = {str(each.symbol) for each in exchange.instruments}
        return bool(names) and names >= set(symbols) and feed.supervisor.is_complete

    feed.start()
    wanted = ", ".join(symbols) or "any instrument"
    feed.wait_until(ready, seconds, f"{exchange.name} told nothing of {wanted}")


class _LiveData:
    """What both live markets share: batches of events, for as long as wanted."""

    def __init__(self, feed: LiveFeed, seconds: float) -> None:
        self.feed = feed
        self.exchange: Exchange = feed.exchange
        self.strangers = 0
        self._begin = feed.pace.elapsed()
        self._length = int(seconds * SECOND)

    @property
    def passed(self) -> int:
        """How long it has gone on, ns."""
        return self.feed.pace.elapsed() - self._begin

    def events(self, known: int) -> Iterator[Records]:
        """Yield the events of the first instruments; the others are counted."""
        for batch in self.feed.batches(lambda: bool(self._length) and self.passed >= self._length):
            foreign = batch["instrument"] >= known
            if foreign.any():
                self.strangers += int(foreign.sum())
                batch = batch[~foreign]  # noqa: PLW2901 - the rest of it
            yield batch

    @property
    def share(self) -> float:
        """How much of the session has happened; 0 where nobody knows."""
        return min(1.0, self.passed / self._length) if self._length else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong on the connections."""
        health = self.feed.supervisor.health()
        lost = sum(each.lost for each in health)
        silent = sum(each.silent_streams for each in health)
        said = [
            f"{lost} connections were lost and opened again" if lost else "",
            f"{silent} times a subscription was silent" if silent else "",
            f"{self.strangers} events of instruments that are not traded" if self.strangers else "",
        ]
        return tuple(each for each in said if each)


class LivePaperMarket(PaperMarket):
    """Live data, and a paper venue that takes the orders; no key is needed.

    Parameters
    ----------
    feed : LiveFeed
        Started; its adapter knows the instruments.
    matching : PaperSettings
    seconds : float
        How long it lasts; 0 until it is stopped.
    """

    def __init__(self, feed: LiveFeed, matching: PaperSettings, seconds: float = 0.0) -> None:
        self._data = _LiveData(feed, seconds)
        exchange = feed.exchange
        super().__init__(exchange.instruments, exchange.table, matching)

    @property
    def paper(self) -> None:  # type: ignore[override]  # the fused driver plays no live market
        """Nothing: a live market is walked message by message."""
        return

    @property
    def share(self) -> float:
        """How much of the session has happened."""
        return self._data.share

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        return self._data.exchange.quarantined

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong on the connections."""
        return self._data.warnings

    def batches(self) -> Iterator[Records]:
        """Yield what comes in."""
        return self._data.events(len(self.instruments))

    def resync(self, instrument: int, time: int) -> None:
        """Ask the venue for a snapshot."""
        self._data.feed.supervisor.resync(instrument)

    def settle(self) -> Iterator[Records]:
        """Let what is on its way to the paper venue arrive, and close the connections."""
        yield from super().settle()
        self._data.feed.close()


class LiveVenueMarket:
    """Live data, and real orders.

    Parameters
    ----------
    feed : LiveFeed
        Started and authorised.
    seconds : float
        How long it lasts; 0 until it is stopped.
    window : int
        How long the venue accepts a signed request, ns; with a clock further off than half of it
        no order is sent.
    """

    def __init__(self, feed: LiveFeed, seconds: float = 0.0, window: int = WINDOW) -> None:
        self._data = _LiveData(feed, seconds)
        self._feed = feed
        self._exchange = feed.exchange
        self._window = window
        self._orders: Orders | None = None
        self._account: VenueAccount | None = None
        self._asking = False
        self.instruments: tuple[Instrument, ...] = feed.exchange.instruments
        self.table: Records = feed.exchange.table

    @property
    def paper(self) -> None:
        """Nothing: the venue matches."""
        return

    @property
    def share(self) -> float:
        """How much of the session has happened."""
        return self._data.share

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        return self._exchange.quarantined

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong on the connections."""
        return self._data.warnings

    def attach(self, state: SessionState) -> None:
        """Look up orders in a session's state, and let the adapter recognise them."""
        self._orders = state.account.orders
        self._exchange.number_of = state.account.orders.ids.number

    def batches(self) -> Iterator[Records]:
        """Yield what comes in, answers to orders among it."""
        return self._data.events(len(self.instruments))

    def before(self, now: int) -> Records:
        """Return nothing: answers are among the messages."""
        return NOTHING

    def after(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Return nothing: the venue matches."""
        return NOTHING

    def place(self, intents: Records, time: Nanoseconds) -> None:
        """Send an order, once; what cannot leave is refused here and now."""
        number = int(intents["number"][0])
        if self._feed.supervisor.clock.stops(self._window):
            self._refuse(number, OrderReason.VENUE)
            return
        order = self.orders.snapshot(number)
        try:
            outbound = self._exchange.place(order.intent, self._now)
        except OrderError:
            self._refuse(number, OrderReason.UNSUPPORTED)
            return
        if not self._feed.supervisor.submit(outbound):
            self._refuse(number, OrderReason.VENUE)

    def cancel(self, number: int, time: Nanoseconds) -> None:
        """Send a cancellation."""
        self._submit(self._exchange.cancel(self.orders.snapshot(number), self._now))

    def query(self, number: int, time: Nanoseconds) -> None:
        """Ask about an order."""
        self._submit(self._exchange.query(self.orders.snapshot(number), self._now))

    def account(self, time: Nanoseconds) -> VenueAccount | None:
        """Ask for the account; None until all replies are there."""
        found, self._account = self._account, None
        if found is None and not self._asking:
            self._asking = True
            self._feed.spawn(self._read_account())
        return found

    def resync(self, instrument: int, time: int) -> None:
        """Ask for a snapshot."""
        self._feed.supervisor.resync(instrument)

    def settle(self) -> Iterator[Records]:
        """Wait a while for the last answers, and close the connections."""
        end = self._feed.pace.elapsed() + int(SETTLING * SECOND)
        feed = self._feed
        yield from feed.batches(lambda: not self.orders.open_count or feed.pace.elapsed() >= end)
        feed.close()

    @property
    def orders(self) -> Orders:
        """The session's orders."""
        if self._orders is None:
            raise OrderError("the market is not attached to a session")
        return self._orders

    @property
    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._feed.pace.now())

    def _submit(self, outbound: Outbound) -> None:
        self._feed.supervisor.submit(outbound)

    def _refuse(self, number: int, reason: OrderReason) -> None:
        """Say that an order did not leave this machine."""
        order = self.orders[number]
        event = own_event(
            EventKind.ORDER_REJECTED,
            self._now,
            aux=reason,
            link=number,
            instrument=order.instrument,
            side=order.side,
        )
        self._feed.append(event)

    async def _read_account(self) -> None:
        """Ask for every part of the account, and read them together."""
        supervisor, exchange = self._feed.supervisor, self._exchange
        try:
            bodies = []
            for request in exchange.account_requests(self._now):
                reply = await supervisor.ask(request)
                bodies.append(reply.body)
            self._account = exchange.read_account(bodies, self._now)
        except (VenueError, ValueError) as error:
            supervisor.say(f"the account could not be read: {error}")
        finally:
            self._asking = False
