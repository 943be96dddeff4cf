"""What a venue's metadata lists, read into instruments."""

import attrs

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.errors import DecodeError
from bot4_plugins.venue_toolkit.drafts import amount_text

__all__ = ["Catalogue", "scaled_step"]


@attrs.define
class Catalogue:
    """Instruments by symbol, the listings that could not be read, and where the next page starts.

    Attributes
    ----------
    instruments : dict of str to Instrument
    refused : list of (str, str)
        Symbol and reason.
    cursor : str
        Empty on the last page.
    """

    instruments: dict[str, Instrument] = attrs.field(factory=dict)
    refused: list[tuple[str, str]] = attrs.field(factory=list)
    cursor: str = ""


def scaled_step(text: str, what: str, places: int) -> tuple[int, int]:
    """Return exponent and scaled value of a step.

    The exponent is that of the last digit written, zeros included, and of at least ``places``
    decimals: orders made before a step was raised still rest at finer prices and sizes.
    """
    exponent = min(exponent_of_text(amount_text(text, what)), -places, 0)
    step = scaled_from_text(text, exponent)
    if step <= 0:
        raise DecodeError(f"{what} {text} is not above zero")
    return exponent, step
