"""Compile everything that a session runs before its first event."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INTENT_DTYPE,
    SIGNAL_DTYPE,
    EventFlag,
    EventKind,
    OrderType,
    TimeInForce,
)
from bot4_core.jit import Specialisation, warm_up
from bot4_core.kernels.book import apply_events
from bot4_core.kernels.features import FEATURE_DTYPE
from bot4_core.kernels.limits import (
    ACCOUNT_DTYPE,
    LIMITS_DTYPE,
    SCALE_DTYPE,
    LimitCode,
    check_limits,
    note_order,
)
from bot4_core.kernels.step import HEAD_SLOTS, next_message, show_market
from bot4_core.market.order_book import Books
from bot4_core.plugins.host import PluginHost
from bot4_core.plugins.interfaces import CompiledForm, Part, Records
from bot4_core.session.building import build_parts, exchange_factory
from bot4_core.session.config import SessionConfig
from bot4_core.session.paper import PaperSettings, PaperVenue
from bot4_core.session.parts import MOST_SIGNALS
from bot4_core.session.ports import Progress, RunProgress
from bot4_core.session.routes import MOST_CHILDREN
from bot4_core.session.state import Parts, new_views

__all__ = ["session_kernels", "warm_session"]


def session_kernels(table: Records, parts: Parts) -> list[Specialisation]:
    """Return the kernels that a session binds, with arguments of the types it calls them with."""
    views = new_views(table, parts.strategy.instruments)
    books = Books(table)
    states, head = np.zeros(len(table), FEATURE_DTYPE), np.zeros(HEAD_SLOTS, np.int64)
    events, intents = np.zeros(1, EVENT_DTYPE), np.zeros(1, INTENT_DTYPE)
    account, times = np.zeros(1, ACCOUNT_DTYPE), np.zeros(1, np.int64)
    scales, limits = np.zeros(len(table), SCALE_DTYPE), np.zeros(1, LIMITS_DTYPE)
    found = np.zeros((len(LimitCode), 2), np.int64)
    rows, words = books.rows, books.memory.words
    return [
        Specialisation(next_message, (events, 0, 1, head)),
        Specialisation(apply_events, (rows, words, events, 0, 1)),
        Specialisation(show_market, (rows, words, views, states, head)),
        Specialisation(check_limits, (intents, views, scales, limits, account, times, found)),
        Specialisation(note_order, (0, account, times)),
        *part_kernels(parts, views),
    ]


def part_kernels(parts: Parts, views: Records) -> Iterator[Specialisation]:
    """Yield the functions of the compiled parts."""
    signals, intents = np.zeros(MOST_SIGNALS, SIGNAL_DTYPE), np.zeros(1, INTENT_DTYPE)
    children = np.zeros(MOST_CHILDREN, INTENT_DTYPE)
    shown = views.view()
    shown.flags.writeable = False
    asked: list[tuple[Part[Any] | None, tuple[object, ...], tuple[object, ...]]] = [
        (parts.strategy, (views[0],), (signals,)),
        (parts.sizer, (signals[0], views[0]), ()),
        (parts.router, (intents[0], shown), (children,)),
        *((breaker, (views[0],), ()) for _, _, breaker in parts.breakers),
    ]
    for part, before, after in asked:
        form = part.compiled() if part is not None else None
        if form is not None:
            own = (CompiledForm.new_state(), form.params)
            yield Specialisation(form.function, (*before, *own, *after))


def rehearse_paper(table: Records, instruments: Sequence[Instrument]) -> None:
    """Send the paper venue an order and a cancellation, so that it compiles its matching."""
    books = Books(table)
    venue = PaperVenue(table, instruments, PaperSettings(), books)
    event = np.zeros(1, EVENT_DTYPE)
    event["kind"], event["flags"] = EventKind.TRADE, EventFlag.LAST
    event["price"] = event["size"] = 1
    intent = np.zeros(1, INTENT_DTYPE)
    intent["number"] = intent["side"] = intent["price"] = intent["size"] = 1
    intent["type"], intent["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
    books.apply(event)
    venue.place(intent[0])
    venue.on_market(event, 0, 1, 0)
    venue.cancel(1, 0)
    venue.due(2**62)


def warm_session(
    config: SessionConfig,
    host: PluginHost,
    progress: Progress | None = None,
    instruments: Sequence[Instrument] = (),
) -> int:
    """Compile what a configuration's session needs; what is cached on disk only loads.

    Parameters
    ----------
    config : SessionConfig
    host : PluginHost
    progress : Progress, optional
        Told the name of each kernel before it is compiled.
    instruments : sequence of Instrument
        In place of those that the exchange knows by itself.

    Returns
    -------
    int
        Kernels that were compiled rather than found.
    """
    exchange = exchange_factory(config, host)(instruments or config.instruments)
    known = exchange.instruments
    own = getattr(exchange, "specialisations", None)  # not every adapter is compiled
    kernels: list[Specialisation] = list(own()) if own is not None else []
    if known:
        kernels += session_kernels(exchange.table, build_parts(config, host, known))

    def tell(done: int, total: int, name: str) -> None:
        if progress is not None:
            progress(RunProgress("compile", done / (total + 1), 0, name or "paper venue"))

    compiled = warm_up(kernels, tell)
    if known:
        rehearse_paper(exchange.table, known)
    if progress is not None:
        progress(RunProgress("compile", 1.0, 0, ""))
    return compiled
