"""Compile everything that a session runs before its first event."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import (
    Instrument,
    InstrumentKind,
    Settlement,
    instrument_table,
)
from bot4_core.domain_types.records import EVENT_DTYPE, INTENT_DTYPE, SIGNAL_DTYPE
from bot4_core.errors import ConfigError, ValidationError
from bot4_core.jit import Specialisation, warm_up
from bot4_core.kernels.decision import never, take_in, think
from bot4_core.kernels.equity import rebase, revalue, show_position
from bot4_core.kernels.features import FEATURE_DTYPE, forget_at, update_at
from bot4_core.kernels.fused import run_ahead
from bot4_core.kernels.matching import advance, match_events, minds_market, submit, submit_cancel
from bot4_core.kernels.matching_sight import see
from bot4_core.kernels.matching_state import TERMS_DTYPE, new_desk, terms_of
from bot4_core.kernels.order_desk import OUTCOMES, file_event, file_local
from bot4_core.kernels.order_entry import (
    MOST_CHILDREN,
    cancel_order,
    cancel_working,
    next_order,
    order,
)
from bot4_core.kernels.order_gate import judge
from bot4_core.kernels.order_rows import MOST_SIGNALS, Slot
from bot4_core.kernels.order_waits import late_from
from bot4_core.kernels.sampling import take_sample
from bot4_core.kernels.step import HEAD_SLOTS, show_market
from bot4_core.kernels.tables import Tables
from bot4_core.market.book_kernels import book_kernels
from bot4_core.market.order_book import Books
from bot4_core.plugins.host import PluginHost
from bot4_core.plugins.interfaces import CompiledForm, Part
from bot4_core.session.building import build_parts, exchange_factory
from bot4_core.session.config import SessionConfig, SessionMode
from bot4_core.session.ports import Progress, RunProgress
from bot4_core.session.replay_kernels import reading_kernels
from bot4_core.session.state import Parts, new_views

__all__ = ["part_kernels", "session_kernels", "warm_session"]


STAND_IN: Final = Instrument(
    venue=VenueName("none"),
    market="none",
    symbol=Symbol("NONE"),
    base="NONE",
    quote="NONE",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=0,
    size_exponent=0,
    tick=1,
    lot=1,
)
"""Takes the place of instruments that only the recordings tell: kernels depend on types alone."""


def session_kernels(instruments: Sequence[Instrument]) -> list[Specialisation]:
    """Return the kernels that a session binds, with arguments of the types it calls them with."""
    table = instrument_table(instruments)
    views, books = new_views(table, instruments), Books(table)
    states, head = np.zeros(len(table), FEATURE_DTYPE), np.zeros(HEAD_SLOTS, np.int64)
    events, outcome = np.zeros(1, EVENT_DTYPE), np.zeros(OUTCOMES, np.int64)
    rows, words, handle = books.rows, books.memory.words, Tables(len(Slot)).handle
    return [
        *book_kernels(),
        Specialisation(show_market, (rows, words, views, states, head)),
        Specialisation(update_at, (views, 0, states)),
        Specialisation(forget_at, (states, 0)),
        Specialisation(take_in, (rows, words, events, (0, 1), handle, states, head)),
        Specialisation(think, (handle, head, 0)),
        Specialisation(cancel_working, (handle, 0, 0, 0)),
        Specialisation(cancel_order, (handle, 0, 0)),
        Specialisation(file_event, (handle, events, 0, outcome)),
        Specialisation(file_local, (handle, 0, 0, 0, outcome)),
        Specialisation(late_from, (handle, 0)),
        Specialisation(take_sample, (handle, 0)),
        Specialisation(revalue, (handle, 0, 0)),
        Specialisation(rebase, (handle, 0, 0)),
        Specialisation(show_position, (handle, 0, 0, 0, 0.0, 0)),
    ]


def paper_kernels() -> list[Specialisation]:
    """Return what matches orders on paper, and plays recordings to it."""
    books = Books(instrument_table([STAND_IN]))
    sight = see(books.rows, books.memory.words)
    desk, events = new_desk(np.zeros(1, TERMS_DTYPE)), np.zeros(1, EVENT_DTYPE)
    states, head = np.zeros(1, FEATURE_DTYPE), np.zeros(HEAD_SLOTS, np.int64)
    handle = Tables(len(Slot)).handle
    return [
        Specialisation(run_ahead, (books.rows, sight, events, 0, handle, states, head, desk)),
        Specialisation(submit, (desk, desk, 0)),
        Specialisation(submit_cancel, (desk, 0, 0, 0, 0)),
        Specialisation(advance, (desk, sight, 0)),
        Specialisation(match_events, (desk, sight, events, 0, 0)),
        Specialisation(terms_of, (desk, 0)),
        Specialisation(minds_market, (desk,)),
    ]


def ordering_kernels(parts: Parts) -> Iterator[Specialisation]:
    """Yield what orders are made with where a part has to be called from Python."""
    handle = Tables(len(Slot)).handle
    if any(part.compiled() is None for part in parts.all()):
        yield Specialisation(order, (handle, 0, 0, 0))
    if parts.router is not None and parts.router.compiled() is None:
        yield Specialisation(next_order, (handle, 0, 0))
        yield Specialisation(judge, (handle, 0, 0, 0))


def part_kernels(parts: Parts, instruments: Sequence[Instrument]) -> Iterator[Specialisation]:
    """Yield the functions of the compiled parts, and what Python ones need."""
    views = new_views(instrument_table(instruments), instruments)
    signals, intents = np.zeros(MOST_SIGNALS, SIGNAL_DTYPE), np.zeros(1, INTENT_DTYPE)
    children = np.zeros(MOST_CHILDREN, INTENT_DTYPE)
    asked: list[tuple[Part[Any] | None, tuple[object, ...], tuple[object, ...]]] = [
        (parts.strategy, (views[0],), (signals,)),
        (parts.sizer, (signals[0], views[0]), ()),
        (parts.router, (intents[0], views), (children,)),
        *((breaker, (views[0],), ()) for _, _, breaker in parts.breakers),
    ]
    for part, before, after in asked:
        form = part.compiled() if part is not None else None
        if form is not None:
            own = (CompiledForm.new_state(), form.params)
            yield Specialisation(form.function, (*before, *own, *after))
    if parts.breakers:
        own = (CompiledForm.new_state(), CompiledForm.new_params())
        yield Specialisation(never, (views[0], *own))
    yield from ordering_kernels(parts)


def warm_session(
    config: SessionConfig,
    host: PluginHost,
    progress: Progress | None = None,
    instruments: Sequence[Instrument] = (),
    more: Sequence[Specialisation] = (),
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
    more : sequence of Specialisation
        What else is needed.

    Returns
    -------
    int
        Kernels that were compiled rather than found.
    """
    exchange = exchange_factory(config, host)(instruments or config.instruments)
    kernels = [*exchange.specialisations(), *more]
    known = exchange.instruments or (STAND_IN,)
    if config.source.recordings:
        kernels += [*reading_kernels(), *paper_kernels()]
    elif config.source.live and config.mode is SessionMode.PAPER:
        kernels += paper_kernels()
    kernels += [*session_kernels(known), *known_parts(config, host, known)]

    def tell(done: float, total: int, name: str) -> None:
        if progress is not None:
            progress(RunProgress("compile", done / total, 0, name))

    return warm_up(kernels, tell)


def known_parts(
    config: SessionConfig, host: PluginHost, instruments: Sequence[Instrument]
) -> list[Specialisation]:
    """Return the kernels of the parts; none if they do not want to be made for a stand-in."""
    try:
        return list(part_kernels(build_parts(config, host, instruments), instruments))
    except (ConfigError, ValidationError):
        if STAND_IN not in instruments:
            raise
        return []
