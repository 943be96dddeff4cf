"""Decimal text to scaled integers and back, exactly and without floats."""

import re
from typing import Final

from bot4_core.errors import NumberOverflowError, PrecisionError

__all__ = ["INT64_MAX", "exponent_of_text", "scaled_from_text", "text_from_scaled"]

INT64_MAX: Final = 2**63 - 1
"""Largest scaled integer, and largest negated: -2**63 is left out, so that negation is safe."""

_NUMBER: Final = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?", re.ASCII)
_DIGITS: Final = len(str(INT64_MAX))


def _parts(text: str) -> tuple[str, str, int]:
    """Split a number into sign, digits and the exponent of its last digit."""
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise PrecisionError(f"{text[:80]!r} is not a decimal number such as '101.50'")
    fraction = found[3] or ""
    return found[1], found[2] + fraction, int(found[4] or 0) - len(fraction)


def scaled_from_text(text: str, exponent: int) -> int:
    """Read decimal text as an integer times ``10 ** exponent``, exactly.

    Zeros below the exponent are allowed, other digits are not. Blanks, underscores, ``NaN`` and
    infinities are no numbers.

    Raises
    ------
    PrecisionError
        If the text is no finite decimal number or has digits below the exponent.
    NumberOverflowError
        If the integer leaves 64 bits.
    """
    sign, digits, power = _parts(text)
    significant = digits.strip("0")
    if not significant:
        return 0
    shift = power + len(digits) - len(digits.rstrip("0")) - exponent
    if shift < 0:
        raise PrecisionError(f"{text[:80]} has digits below 1e{exponent}")
    if len(significant) + shift > _DIGITS:
        raise NumberOverflowError(f"{text[:80]} at exponent {exponent} leaves 64 bits")
    value = int(significant + "0" * shift)
    if value > INT64_MAX:
        raise NumberOverflowError(f"{text[:80]} at exponent {exponent} leaves 64 bits")
    return -value if sign == "-" else value


def exponent_of_text(text: str) -> int:
    """Return the exponent of the last digit written: -2 for ``1.50``, 0 for ``7``, 3 for ``1e3``.

    Raises
    ------
    PrecisionError
        If the text is no finite decimal number.
    """
    return _parts(text)[2]


def text_from_scaled(value: int, exponent: int) -> str:
    """Write an integer times ``10 ** exponent`` as plain decimal text, never in E notation."""
    whole = int(value)
    if exponent >= 0:
        return str(whole * 10**exponent)
    digits = str(abs(whole)).rjust(1 - exponent, "0")
    return f"{'-' * (whole < 0)}{digits[:exponent]}.{digits[exponent:]}"
