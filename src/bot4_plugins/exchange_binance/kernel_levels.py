"""Book sides of an event: read where they stand, or later, when the symbol is known."""

from typing import Final

from bot4_core.domain_types.records import Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_bytes import Text
from bot4_core.kernels.wire_json import skip_value
from bot4_core.kernels.wire_levels import read_levels
from bot4_core.kernels.wire_symbols import SYMBOL_WIDTH
from bot4_plugins.exchange_binance.kernel_layout import letter

__all__ = ["BUY", "SELL", "read_deferred", "read_side", "read_state_levels"]

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
BIDS: Final = letter("b")
ASKS: Final = letter("a")


@kernel()
def read_state_levels(
    text: Text, at: int, stop: int, state: Record, records: Records, side: int
) -> int:
    """Write one record a level of the message's symbol and return the position after the array."""
    row = state["row"]
    entry = state["symbols"][row : row + SYMBOL_WIDTH]
    at, following = read_levels(text, at, stop, entry, int(state["next"]), records, side, 0)
    state["next"] = following
    return at


@kernel()
def read_side(text: Text, at: int, stop: int, state: Record, records: Records) -> int:
    """Read a book side, or step over it until the symbol is known and the bids are written."""
    field = state["side"]
    if field not in (BIDS, ASKS):
        return LOST
    if state["row"] < 0 or (field == ASKS and state["written"] != 1):
        state["values"][field] = at
        state["deferred"] |= 1 if field == BIDS else 2
        return skip_value(text, at, stop)
    state["written"] |= 1 if field == BIDS else 2
    return read_state_levels(text, at, stop, state, records, BUY if field == BIDS else SELL)


@kernel()
def read_deferred(text: Text, stop: int, state: Record, records: Records) -> bool:
    """Read the sides stepped over; True if both sides are written now."""
    deferred = state["deferred"]
    if deferred & 1:
        at = read_state_levels(text, state["values"][BIDS], stop, state, records, BUY)
        if at >= stop:
            return False
    if deferred & 2:
        at = read_state_levels(text, state["values"][ASKS], stop, state, records, SELL)
        if at >= stop:
            return False
    return int(deferred | state["written"]) == 3
