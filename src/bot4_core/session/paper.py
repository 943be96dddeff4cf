"""The paper venue: orders of ours matched against the market data of somewhere else."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import lcm
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import Instrument, InstrumentStatus, Settlement
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.errors import NumberOverflowError, ValidationError
from bot4_core.jit import entry_point
from bot4_core.kernels.matching import advance, match_events, submit, submit_cancel
from bot4_core.kernels.matching_sight import Sight, see
from bot4_core.kernels.matching_state import (
    ARRIVES,
    INSTRUMENTS,
    INVERSE,
    LATENCY_BACK,
    LATENCY_OUT,
    MAKER_RATE,
    OPEN_ORDERS,
    OUT,
    OUT_AT,
    OUT_ROOM,
    POSITION,
    PROBABILITY,
    QUEUE_MODEL,
    QUEUE_POWER,
    REQUEST_FIRST,
    REQUEST_WORDS,
    REQUESTS,
    REQUESTS_AT,
    RISK_AVERSE,
    TAKEN,
    TAKER_RATE,
    TERMS_DTYPE,
    event_rows,
    grow_desk,
    new_desk,
    terms_of,
    waiting_answers,
)
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import Record, Records

__all__ = ["PaperSettings", "PaperVenue", "matching_terms"]

NEVER: Final = 2**63 - 1
REMEMBERED_ORDERS: Final = 65_536
QUEUE_MODELS: Final = {"risk_averse": RISK_AVERSE, "probability": PROBABILITY}
PRODUCT_LIMIT: Final = 2**62


@attrs.frozen(kw_only=True)
class PaperSettings:
    """How the paper venue delays and queues.

    Parameters
    ----------
    latency_out_ns, latency_back_ns : int
        From sending a request until it meets the book as we see it (so it contains the feed's
        delay), and from there until the answer reaches us.
    queue : str
        ``"risk_averse"``: only trades bring a resting order forward. ``"probability"``: size that
        leaves a level without a trade leaves partly from before us.
    queue_power : int
        Exponent of the probability model; higher leaves more from the longer part of the queue.
    """

    latency_out_ns: int = attrs.field(default=5_000_000, validator=attrs.validators.ge(0))
    latency_back_ns: int = attrs.field(default=5_000_000, validator=attrs.validators.ge(0))
    queue: str = attrs.field(
        default="risk_averse", validator=attrs.validators.in_(sorted(QUEUE_MODELS))
    )
    queue_power: int = attrs.field(
        default=3, validator=[attrs.validators.ge(1), attrs.validators.le(8)]
    )


class PaperVenue:
    """Match our orders against market data that somebody else makes.

    For each market message of a session: call ``due(received)`` before the books take it in,
    handle what it returns, let the books take the message in, then call ``on_market``.

    Parameters
    ----------
    table : (instruments,) INSTRUMENT_DTYPE
        Row number is the instrument id.
    instruments : sequence of Instrument
        Same order; fees, minimums and status are read here.
    settings : PaperSettings
    books : Books
        The books that the session keeps.

    Notes
    -----
    Fees are integers at the settlement exponent, rounded up: what is paid is never understated,
    a rebate never overstated.
    """

    def __init__(
        self,
        table: Records,
        instruments: Sequence[Instrument],
        settings: PaperSettings,
        books: Books,
    ) -> None:
        self.settings = settings
        self._books = books
        self._seen = books.rows
        self._sight = see(books.rows, books.memory.words)
        self._desk = new_desk(matching_terms(table, instruments))
        self._desk[LATENCY_OUT] = settings.latency_out_ns
        self._desk[LATENCY_BACK] = settings.latency_back_ns
        self._desk[QUEUE_MODEL] = QUEUE_MODELS[settings.queue]
        self._desk[QUEUE_POWER] = settings.queue_power
        self._placed: dict[int, tuple[int, int]] = {}
        self._compile()

    def _compile(self) -> None:
        """Compile before the first event."""
        desk, sight = self._desk, self.look()
        self._submit = entry_point(submit, desk, desk, 0)
        self._submit_cancel = entry_point(submit_cancel, desk, 0, 0, 0, 0)
        self._advance = entry_point(advance, desk, sight, 0)
        self._match = entry_point(match_events, desk, sight, np.zeros(1, EVENT_DTYPE), 0, 0)

    @property
    def open_orders(self) -> int:
        """Orders that rest or are on their way."""
        return int(self._desk[OPEN_ORDERS])

    @property
    def next_time(self) -> int:
        """When ``due`` has something to do next if the market stays silent."""
        desk = self._desk
        first = NEVER
        if desk[REQUESTS]:
            first = int(desk[desk[REQUESTS_AT] + REQUEST_WORDS * desk[REQUEST_FIRST] + ARRIVES])
        if desk[OUT]:
            first = min(first, int(waiting_answers(desk)[0]["received"]))
        return first

    def position(self, instrument: int) -> int:
        """Return the signed scaled position that reduce-only orders are judged by."""
        return int(self._desk[terms_of(self._desk, instrument) + POSITION])

    def place(self, intent: Record) -> None:
        """Send an order at its ``time``.

        Raises
        ------
        NumberOverflowError
            If the order's fee could leave 64 bits.
        """
        number, instrument = int(intent["number"]), int(intent["instrument"])
        if 0 <= instrument < self._desk[INSTRUMENTS]:
            self._check_fee(number, instrument, int(intent["size"]))
        row = np.frombuffer(intent.tobytes(), np.int64)
        while not self._submit(self._desk, row, int(intent["time"])):
            self._desk = grow_desk(self._desk)
        self._placed[number] = (instrument, int(intent["side"]))
        if len(self._placed) > REMEMBERED_ORDERS:
            del self._placed[next(iter(self._placed))]

    def _check_fee(self, number: int, instrument: int, size: int) -> None:
        at = int(terms_of(self._desk, instrument))
        rate = max(abs(int(self._desk[at + MAKER_RATE])), abs(int(self._desk[at + TAKER_RATE])))
        if self._desk[at + INVERSE] and size * rate > PRODUCT_LIMIT:
            raise NumberOverflowError(f"the fee of order {number} leaves 64 bits")

    def cancel(self, number: int, time: int, of: tuple[int, int] | None = None) -> None:
        """Send the cancellation of an order.

        Parameters
        ----------
        number : int
        time : int
        of : (instrument, side), optional
            Of an order that was not placed by ``place``.
        """
        instrument, side = of or self._placed.get(number, (0, 0))
        while not self._submit_cancel(self._desk, number, instrument, side, time):
            self._desk = grow_desk(self._desk)

    def due(self, now: int) -> Records:
        """Let requests that arrived by now meet the books, and return the answers due by now.

        Returns
        -------
        (n,) EVENT_DTYPE
            A copy, in order of ``received``.
        """
        if self._desk[REQUESTS]:
            sight = self.look()
            while not self._advance(self._desk, sight, now):
                self._desk = grow_desk(self._desk)
        return self.ready(now)

    def on_market(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Match one market message, already in the books, and return the answers due by now."""
        if self._desk[OPEN_ORDERS] or self._desk[TAKEN]:
            sight = self.look()
            start = self._match(self._desk, sight, records, start, stop)
            while start < stop:
                self._desk = grow_desk(self._desk)
                start = self._match(self._desk, sight, records, start, stop)
        return self.due(now)

    @property
    def desk(self) -> NDArray[np.int64]:
        """The matcher's memory; another array after it has grown."""
        return self._desk

    @property
    def answers(self) -> Records:
        """Everything that answers may wait in, the waiting ones first; moves with the desk."""
        return event_rows(self._desk, int(self._desk[OUT_AT]), int(self._desk[OUT_ROOM]))

    def grow(self) -> None:
        """Make room for more requests and answers."""
        self._desk = grow_desk(self._desk)

    def look(self) -> Sight:
        """Return the sight of the books; a new one where they have moved."""
        if self._seen is not self._books.rows or self._sight.words is not self._books.memory.words:
            self._seen = self._books.rows
            self._sight = see(self._seen, self._books.memory.words)
        return self._sight

    def ready(self, now: int) -> Records:
        """Return the answers due by now, and nothing that happens after them."""
        if not self._desk[OUT]:
            return NOTHING
        waiting = waiting_answers(self._desk)
        ready = int(np.searchsorted(waiting["received"], now, side="right"))
        answers = waiting[:ready].copy()
        left = len(waiting) - ready
        waiting[:left] = waiting[ready:].copy()
        self._desk[OUT] = left
        return answers


NOTHING: Final = np.zeros(0, EVENT_DTYPE)
NOTHING.setflags(write=False)


def matching_terms(table: Records, instruments: Sequence[Instrument]) -> Records:
    """Return what matching kernels need to know of instruments, as TERMS_DTYPE rows.

    Raises
    ------
    ValidationError
        If fees, multiplier and exponents do not fit into 64-bit fee arithmetic.
    """
    terms = np.zeros(len(instruments), TERMS_DTYPE)
    for row, rules, instrument in zip(terms, table, instruments, strict=True):
        row["tick"] = rules["tick"]
        row["lot"] = rules["lot"]
        row["min_size"] = rules["min_size"]
        row["max_size"] = instrument.max_size
        row["trading"] = instrument.status is InstrumentStatus.TRADING
        row["inverse"] = instrument.settlement is Settlement.INVERSE
        _set_minimum(row, instrument)
        row["maker"], row["taker"], row["fee_unit"] = _fee_terms(instrument)
    return terms


def _set_minimum(row: Record, instrument: Instrument) -> None:
    """Turn the least notional into a least ``price * size``, or a least size where inverse."""
    exponent = instrument.size_exponent
    if instrument.settlement is not Settlement.INVERSE:
        exponent += instrument.price_exponent
    unit = instrument.multiplier.scaleb(exponent)
    least = int((instrument.min_notional / unit).to_integral_value(ROUND_CEILING))
    if instrument.settlement is Settlement.INVERSE:
        row["min_size"] = max(int(row["min_size"]), least)
    else:
        row["min_notional"] = least


def _fee_terms(instrument: Instrument) -> tuple[int, int, int]:
    """Return maker rate, taker rate and unit as integers: fee = notional * rate / unit."""
    sign = -1 if instrument.settlement is Settlement.INVERSE else 1
    exponent = (
        instrument.size_exponent + sign * instrument.price_exponent - instrument.settlement_exponent
    )
    scale = Fraction(Decimal(1).scaleb(exponent)) * Fraction(instrument.multiplier)
    maker = Fraction(instrument.fees.maker) * scale
    taker = Fraction(instrument.fees.taker) * scale
    unit = lcm(maker.denominator, taker.denominator)
    rates = int(maker * unit), int(taker * unit)
    if max(abs(rates[0]), abs(rates[1]), 1) * unit > PRODUCT_LIMIT:
        fault = "fees, multiplier and exponents do not fit into 64-bit fee arithmetic"
        raise ValidationError([(f"instruments.{instrument.symbol}.fees", fault)])
    return rates[0], rates[1], unit
