"""The kit passes a venue that does everything right, and each case fails one that does not."""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import attrs
import pytest
from tests.core.testing.broken_exchanges import BROKEN, changed
from tests.core.testing.conforming_exchange import ROW, ModelConformance, ModelExchange

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType
from bot4_core.domain_types.validation import validate_order
from bot4_core.domain_types.venue_capabilities import BookProof
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.interfaces import Exchange, Outbound
from bot4_core.testing.conformance import CaseOutcome, CaseResult, ConformanceKit, run_conformance
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance


class TestModel(ModelConformance):
    """As a plugin author runs it."""


def kit_of(make: Callable[[], Exchange]) -> ModelConformance:
    class Kit(ModelConformance):
        def adapter(self) -> Exchange:
            return make()

    return Kit()


def result(kit: ConformanceKit, number: str) -> CaseResult:
    """Run one case."""

    class One(type(kit)):  # type: ignore[misc]  # whichever kit it is
        def cases(self) -> Iterator[tuple[str, str]]:
            yield from (case for case in super().cases() if case[0] == number)

    (found,) = run_conformance(One())
    return found


def test_the_model_passes_every_case() -> None:
    results = run_conformance(ModelConformance())
    passed = CaseOutcome.PASSED
    assert [(each.number, each.reason) for each in results if each.outcome is not passed] == []
    assert len({each.number for each in results}) == len(results)
    assert all(each.demand.endswith(".") for each in results)


@pytest.mark.parametrize(
    ("number", "make"), BROKEN, ids=[f"{number}-{at}" for at, (number, _) in enumerate(BROKEN)]
)
def test_each_case_fails_a_venue_that_breaks_it(number: str, make: Callable[[], Exchange]) -> None:
    found = result(kit_of(make), number)
    assert found.outcome is CaseOutcome.FAILED, f"{number} passes"
    assert found.reason


def test_every_case_has_a_venue_that_fails_it() -> None:
    assert {number for number, _ in ModelConformance().cases()} == {number for number, _ in BROKEN}


def test_what_the_capabilities_do_not_claim_is_exempt() -> None:
    class DataOnly(ModelExchange):
        capabilities = {  # noqa: RUF012 - as an author writes it
            "spot": attrs.evolve(
                ROW, proof=BookProof.NONE, order_types=(), amend=False, cancel_all=False
            )
        }

    results = {each.number: each for each in run_conformance(kit_of(DataOnly))}
    for number in ("E20", "E21", "E22", "E23", "E24", "E25", "R01", "R05", "R06", "R30"):
        assert results[number].outcome is CaseOutcome.EXEMPT
        assert results[number].reason
    assert results["E04"].outcome is CaseOutcome.PASSED


def test_a_venue_without_keys_is_exempt_from_what_keys_need() -> None:
    class Open(ModelConformance):
        def credentials(self) -> Credentials | None:
            return TradingConformance.credentials(self)

        def adapter(self) -> Exchange:
            adapter = super().adapter()
            adapter.authorise(Credentials(key=Secret(""), secret=Secret("")))
            return adapter

    for number in ("R20", "R21"):
        assert result(Open(), number).outcome is CaseOutcome.EXEMPT
    assert result(Open(), "R22").outcome is CaseOutcome.PASSED


def test_orders_may_go_over_a_socket() -> None:
    assert result(kit_of(changed(method="")), "R30").outcome is CaseOutcome.PASSED


def test_updates_may_have_other_messages_between_them() -> None:
    class Mixed(ModelConformance):
        def messages(self) -> list[Heard]:
            *books, trade = super().messages()
            return [each for book in books for each in (book, trade)]

    assert result(Mixed(), "E23").outcome is CaseOutcome.PASSED


def test_an_adapter_may_claim_trades_alone() -> None:
    class Prints(ModelExchange):
        capabilities = {"spot": attrs.evolve(ROW, data=(EventKind.TRADE,))}  # noqa: RUF012 - as above

    class OnlyTrades(ModelConformance):
        def adapter(self) -> Exchange:
            return Prints()

        def messages(self) -> list[Heard]:
            return [*super().messages()][-1:]

    assert result(OnlyTrades(), "E05").outcome is CaseOutcome.PASSED


def test_an_exemption_is_shown_with_its_reason() -> None:
    class Excused(ModelConformance):
        exemptions: ClassVar[Mapping[str, str]] = {"E03": "the venue speaks first"}

    found = result(Excused(), "E03")
    assert (found.outcome, found.reason) == (CaseOutcome.EXEMPT, "the venue speaks first")


def test_messages_may_be_replies_to_requests() -> None:
    class Replies(ModelConformance):
        def messages(self) -> list[Heard]:
            snapshot, *others = super().messages()
            return [snapshot._replace(path="/book"), *others]

    results = run_conformance(Replies())
    assert {each.outcome for each in results} == {CaseOutcome.PASSED}


def test_the_market_that_is_tested_can_be_named() -> None:
    class Named(ModelConformance):
        market = "spot"

    class Misnamed(ModelConformance):
        market = "sport"

    assert result(Named(), "E05").outcome is CaseOutcome.PASSED
    assert "say nothing of market 'sport'" in result(Misnamed(), "E05").reason


def test_an_adapter_without_limit_orders_is_tried_with_what_it_has() -> None:
    class OnlyMarket(ModelExchange):
        capabilities = {  # noqa: RUF012 - as an author writes it
            "spot": attrs.evolve(ROW, order_types=(OrderType.MARKET,), flags=OrderFlag.NONE)
        }

    assert result(kit_of(OnlyMarket), "R01").outcome is CaseOutcome.PASSED
    assert result(kit_of(OnlyMarket), "R03").outcome is CaseOutcome.PASSED
    assert result(kit_of(OnlyMarket), "R05").outcome is CaseOutcome.PASSED


def test_an_instrument_that_comes_late_gets_a_book() -> None:
    class Late(ModelExchange):
        told = False

        @property
        def instruments(self) -> tuple[Instrument, ...]:
            return super().instruments if self.told else ()

        def decode_response(
            self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
        ) -> int:
            self.told = True
            return super().decode_response(url, data, received, batch)

    class Replies(ModelConformance):
        def adapter(self) -> Exchange:
            return Late()

        def messages(self) -> list[Heard]:
            snapshot, *others = super().messages()
            return [snapshot._replace(path="/book"), *others]

    assert result(Replies(), "E20").outcome is CaseOutcome.PASSED


def test_too_few_updates_are_told_of() -> None:
    class Short(ModelConformance):
        def messages(self) -> list[Heard]:
            return [*super().messages()][:3]

    assert "want 4" in result(Short(), "E21").reason


def test_whatever_an_adapter_raises_is_the_reason() -> None:
    class Bursting(ModelExchange):
        def resync(self, instrument: InstrumentId) -> list[Outbound]:
            raise ZeroDivisionError("by nothing")

    assert result(kit_of(Bursting), "E24").reason == "ZeroDivisionError: by nothing"


@pytest.mark.parametrize("kind", OrderType)
def test_the_kits_orders_are_valid(kind: OrderType) -> None:
    class All(ModelExchange):
        capabilities = {  # noqa: RUF012 - as an author writes it
            "spot": attrs.evolve(ROW, order_types=tuple(OrderType), flags=OrderFlag.POST_ONLY)
        }

    kit = kit_of(All)
    adapter = kit.adapter()
    intents = [each for each in kit._claimed(adapter) if each.type is kind]
    assert intents
    for intent in intents:
        validate_order(intent, adapter.instruments[0])
