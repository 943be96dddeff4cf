"""What sizes of an instrument are worth."""

from typing import Any

from bot4_core.jit import kernel

__all__ = ["size_value"]

Record = Any  # a numba record or a numpy row


@kernel()
def size_value(view: Record) -> float:
    """Return what one scaled size unit is worth in the settlement asset, at the mid.

    Parameters
    ----------
    view : VIEW record

    Returns
    -------
    float
        NaN while there is no mid.
    """
    units = float(view["size_unit"]) * float(view["multiplier"])
    if view["inverse"]:
        return units / float(view["mid"])
    return units * float(view["mid"])
