"""Compiled breakers that raise or want what there is not keep no other from tripping."""

import pytest
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    configuration,
    instrument,
    table_of,
    touch,
)
from tests.core.session.test_compiled_session import (
    Ladder,
    Twenty,
    Wide,
    notes,
    parameters,
    wide_trip,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope
from bot4_core.jit import kernel
from bot4_core.plugins.interfaces import (
    Breaker,
    CompiledForm,
    PartSettings,
    Record,
)
from bot4_core.session.effects import Effect
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))
BID, ASK = 6_000_000, 6_000_010


class Erratic(Breaker[PartSettings]):
    name = "erratic"

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=wide_trip, params=parameters(9))


class Touchy(Breaker[PartSettings]):
    name = "touchy"

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=trip_narrow, params=parameters())


@kernel()
def trip_narrow(view: Record, state: Record, params: Record) -> int:
    """Trip wherever the book is wider than a tick."""
    return 3 if view["ask"] - view["bid"] > 10 else 0


def with_breakers(*breakers: Breaker[PartSettings]) -> Session:
    named = tuple((each.name, BreakerScope.INSTRUMENT, each) for each in breakers)
    strategy, sizer = Ladder(NOTHING, INSTRUMENTS), Twenty(NOTHING, INSTRUMENTS)
    parts = Parts(strategy=strategy, sizer=sizer, breakers=named)
    return Session(configuration(), INSTRUMENTS, table_of(INSTRUMENTS), parts)


@pytest.mark.parametrize("first", [True, False])
def test_a_breaker_that_raises_keeps_no_other_from_tripping(first: bool) -> None:
    raising, quick = Wide(NOTHING, INSTRUMENTS), Touchy(NOTHING, INSTRUMENTS)
    session = with_breakers(*((raising, quick) if first else (quick, raising)))
    effects = session.step(touch(START, BID, ASK + 2000))
    assert [each.actor for each in notes(effects, AuditKind.BREAKER_TRIP)] == ["touchy"]
    assert [each.actor for each in notes(effects, AuditKind.PLUGIN_STRIKE)] == ["wide"]
    assert session.state.panel.effects[0] == BreakerEffect.CANCEL_ALL


def test_an_effect_that_there_is_not_counts_as_an_error() -> None:
    session = with_breakers(Erratic(NOTHING, INSTRUMENTS))
    found: list[Effect] = []
    for step in range(4):
        found += session.step(touch(START + step * SECOND, BID, ASK + 300))
    assert len(notes(found, AuditKind.PLUGIN_STRIKE)) == 3
    assert session.state.panel.effects[0] == BreakerEffect.BLOCK_OPEN
