"""The strategy of the comparison as parts of ours: compiled, without memory of its orders."""

from enum import IntEnum
from typing import ClassVar, Final

import attrs
import numpy as np

from benchmarks.peers.task import PAUSE_NS, REST_EVERY, SIZE_LOTS
from bot4_core.domain_types.records import Feature, Side, SignalAction
from bot4_core.jit import kernel
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Records, Sizer, Strategy

Row = np.void
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
QUOTE: Final = int(SignalAction.QUOTE)


class Memory(IntEnum):
    """Slots of the strategy's state."""

    MESSAGES = 0
    DECISIONS = 1
    WANTED = 2  # bid, ask
    MOVED = 4


@kernel()
def follow_touch(view: Row, state: Row, params: Row, signals: Records) -> int:
    """Keep one bid and one ask some ticks behind the touch."""
    memory = state["i"]
    memory[Memory.MESSAGES] += 1
    if memory[Memory.MESSAGES] % REST_EVERY == 0:
        return 0
    memory[Memory.DECISIONS] += 1
    now, offset = view["received"], params["i"][0] * view["tick"]
    for place in range(2):
        side = BUY if place == 0 else SELL
        price = view["bid"] - offset if place == 0 else view["ask"] + offset
        moved = memory[Memory.MOVED + place]
        missing = (view["open_buy"] if place == 0 else view["open_sell"]) == 0
        if missing or (now - moved >= PAUSE_NS and price != memory[Memory.WANTED + place]):
            memory[Memory.WANTED + place] = price
            memory[Memory.MOVED + place] = now
        signal = signals[place]
        signal["instrument"] = view["instrument"]
        signal["action"] = QUOTE
        signal["side"] = side
        signal["price"] = memory[Memory.WANTED + place]
        signal["strength"] = 1.0
    return 2


@kernel()
def some_lots(signal: Row, view: Row, state: Row, params: Row) -> int:
    """Return the same size always."""
    return int(SIZE_LOTS * view["lot"])


@attrs.frozen(kw_only=True)
class TouchSettings(PartSettings):
    """How many ticks behind the touch."""

    offset: int = 0


class TouchQuoting(Strategy[TouchSettings]):
    """Quotes behind the touch."""

    name: ClassVar[str] = "touch_quoting"
    reads: ClassVar[Feature] = Feature.NONE
    settings_type: ClassVar[type[PartSettings]] = TouchSettings
    reasons: ClassVar[tuple[str, ...]] = ("some ticks behind the touch",)

    def compiled(self) -> CompiledForm:
        params = CompiledForm.new_params()
        params["i"][0] = self.settings.offset
        return CompiledForm(function=follow_touch, params=params)


class SomeLots(Sizer[PartSettings]):
    """Gives every quote the same size."""

    name: ClassVar[str] = "some_lots"
    reads: ClassVar[Feature] = Feature.NONE

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=some_lots, params=CompiledForm.new_params())
