"""The best-price router: cheapest venue after fees, ties and resting orders stay."""

import numpy as np
import pytest
from tests.reference.part_rows import instrument, view_rows

from bot4_core.domain_types.records import INTENT_DTYPE, BookState, OrderFlag, OrderType, Side
from bot4_core.plugins import PluginHost
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Record, Records
from bot4_plugins.router_best_price import hooks
from bot4_plugins.router_best_price.best_price import BestPrice

THREE = (instrument("one"), instrument("two"), instrument("three", tick=5))


def intent(side: Side = Side.BUY, place: int = 0, flags: OrderFlag = OrderFlag.NONE) -> Record:
    row: Record = np.zeros(1, INTENT_DTYPE)[0]
    row["number"], row["instrument"], row["side"], row["flags"] = 7, place, side, flags
    row["type"], row["price"], row["size"], row["time"] = OrderType.LIMIT, 600_010, 50, 9
    return row


def routed(order: Record, views: Records, instruments: tuple[object, ...] = THREE) -> Record:
    form = BestPrice(PartSettings(), instruments).compiled()  # type: ignore[arg-type]
    children = np.zeros(4, INTENT_DTYPE)
    count = form.function(order, views, CompiledForm.new_state(), form.params, children)
    assert count == 1
    child: Record = children[0]
    return child


@pytest.mark.parametrize(("side", "field"), [(Side.BUY, "ask"), (Side.SELL, "bid")])
def test_order_goes_whole_to_the_better_price(side: Side, field: str) -> None:
    views = view_rows(3)
    views[field][1] -= side
    child, order = routed(intent(side), views), intent(side)
    assert child["instrument"] == 1
    order["instrument"] = 1
    assert child.tobytes() == order.tobytes()


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_ties_stay(side: Side) -> None:
    assert routed(intent(side, place=1), view_rows(3))["instrument"] == 1


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_fees_count(side: Side) -> None:
    views = view_rows(2)
    views["ask" if side > 0 else "bid"][1] -= side * 10
    dear = (instrument("one"), instrument("two", taker="0.0005"))
    cheap = (instrument("one"), instrument("two", taker="-0.0001"))
    assert routed(intent(side), views, dear)["instrument"] == 0
    assert routed(intent(side), views, cheap)["instrument"] == 1


def test_post_only_order_stays() -> None:
    views = view_rows(3)
    views["ask"][1] -= 5
    assert routed(intent(flags=OrderFlag.POST_ONLY), views)["instrument"] == 0


def test_instrument_of_other_steps_is_not_compared() -> None:
    views = view_rows(3)
    views["ask"][2] -= 5
    assert routed(intent(), views)["instrument"] == 0


@pytest.mark.parametrize("change", [{"state": BookState.STALE}, {"ask_size": 0}])
def test_venue_without_a_live_offer_is_not_compared(change: dict[str, int]) -> None:
    views = view_rows(2)
    views["ask"][1] -= 5
    for name, value in change.items():
        views[name][1] = value
    assert routed(intent(), views)["instrument"] == 0


def test_order_leaves_a_venue_without_an_offer() -> None:
    views = view_rows(2)
    views["state"][0] = BookState.SYNCING
    views["ask"][1] += 50
    assert routed(intent(), views)["instrument"] == 1


def test_instruments_beyond_the_sixteenth_stay() -> None:
    views = view_rows(20)
    views["ask"][3] -= 5
    many = tuple(instrument(f"venue{place}") for place in range(20))
    assert routed(intent(place=15), views, many)["instrument"] == 3
    assert routed(intent(place=16), views, many)["instrument"] == 16


def test_hooks_describe_the_class() -> None:
    host = PluginHost()
    host.register(hooks)
    assert host.load("router", "best_price") is BestPrice
