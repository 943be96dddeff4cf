"""Slow twins of the wire scans: regular expressions, exact decimals, the standard JSON reader."""

import json
import re

from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.errors import NumberOverflowError, PrecisionError
from bot4_core.kernels.wire import INEXACT, LONGEST_DECIMAL, LOST, TOO_LARGE

DECIMAL = re.compile(rb"[0-9]+(\.[0-9]*)?")
COUNT = re.compile(rb"[0-9]+")


def decimal_at(text: bytes, places: int) -> tuple[int, int]:
    """Read the decimal that text begins with, as ``scan_decimal`` must."""
    found = DECIMAL.match(text)
    if found is None or found[0].endswith(b".") or len(found[0]) > LONGEST_DECIMAL:
        return 0, LOST
    try:
        return scaled_from_text(found[0].decode(), -places), found.end()
    except PrecisionError:
        return 0, INEXACT
    except NumberOverflowError:
        return 0, TOO_LARGE


def count_at(text: bytes) -> tuple[int, int]:
    """Read the JSON integer below 10**18 that text begins with, as ``scan_count`` must."""
    found = COUNT.match(text)
    if found is None or len(found[0]) > 18 or (len(found[0]) > 1 and found[0][:1] == b"0"):
        return 0, LOST
    return int(found[0]), found.end()


def json_value_end(text: bytes) -> int | None:
    """Return where the JSON value at the start of text ends, None if there is none."""
    begins = len(text) - len(text.lstrip(b" \t\r\n"))
    try:
        return json.JSONDecoder().raw_decode(text.decode("latin-1"), begins)[1]
    except (ValueError, RecursionError):
        return None
