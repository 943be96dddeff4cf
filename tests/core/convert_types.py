"""Types with every kind of field, and the faults of reading them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, Flag
from pathlib import Path
from typing import Literal

import attrs
import pytest

from bot4_core.convert import structure
from bot4_core.domain_types import (
    BreakerScope,
    Price,
    Symbol,
)
from bot4_core.errors import ConfigError


class Colour(Enum):
    """An enum whose values are not its names."""

    DARK_RED = "#800"


class Access(Flag):
    """A flag set that is no integer."""

    READ = 1
    WRITE = 2


NO_ACCESS = Access(0)


def odd(_instance: object, _field: object, value: int) -> None:
    if value % 2 == 0:
        raise ValueError(f"{value} is not odd")


@attrs.frozen(kw_only=True)
class Part:
    """Settings of a part, as a plugin writes them."""

    name: str
    level: float = 1.0
    rows: int = 1
    on: bool = False


@attrs.frozen(kw_only=True)
class Configuration:
    """Every kind of field that a configuration has."""

    cash: Decimal
    parts: tuple[Part, ...] = ()
    start: Price | None = None
    colour: Colour = Colour.DARK_RED
    access: Access = NO_ACCESS
    folder: Path = Path()
    limits: Mapping[Symbol, Decimal] = attrs.field(factory=dict)
    scopes: Mapping[BreakerScope, int] = attrs.field(factory=dict)
    weights: list[float] = attrs.field(factory=list)
    pair: tuple[str, int] = ("a", 1)
    mode: Literal["paper", "live"] = "paper"
    rest: Mapping[str, object] = attrs.field(factory=dict)
    key: bytes = b""
    shown: Sequence[Symbol] = ()
    _hidden: int = attrs.field(default=0, alias="hidden")
    derived: int = attrs.field(init=False, default=3)


FULL = Configuration(
    cash=Decimal("10000.50"),
    parts=(Part(name="first"), Part(name='se"co\nnd\x7f', level=0.1, rows=-3, on=True)),
    start=Price.of("1.50"),
    access=Access.READ | Access.WRITE,
    folder=Path("recordings") / "today",
    limits={Symbol("BTC-USD"): Decimal("0.1"), Symbol("ETH.USD"): Decimal("1E+3")},
    scopes={BreakerScope.VENUE: 3},
    weights=[0.5, 1e-9],
    pair=("b", 2),
    mode="live",
    rest={"deep": {"er": [1, "two", {"three": 3.5}]}, "plain": True},
    key=b"\x00\xff",
    shown=(Symbol("BTCUSDT"),),
    hidden=7,
)


def faults(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        call()
    return dict(caught.value.faults)


def fault(data: object, cls: type[object]) -> str:
    return faults(lambda: structure(data, cls))[""]
