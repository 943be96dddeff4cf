"""Client order ids: 32 lower-case hexadecimal digits, which every venue accepts.

The first 16 digits name the run, the last 16 are the order number. An id is thus unique across
restarts, and a fill whose id carries another run's tag shows a second process on the account.
"""

import hashlib
import re
from typing import Final

from bot4_core.domain_types.canonical_types import ClientOrderId, OrderNumber
from bot4_core.errors import OrderError

__all__ = ["ClientIds", "client_order_id", "parse_client_order_id", "run_tag"]

PATTERN: Final = re.compile(r"[0-9a-f]{32}")
TAG_PATTERN: Final = re.compile(r"[0-9a-f]{16}")


def run_tag(run: str) -> str:
    """Derive the 16 hexadecimal digits that mark a run's orders from the run's name."""
    return hashlib.sha256(run.encode()).hexdigest()[:16]


def client_order_id(tag: str, number: int) -> ClientOrderId:
    """Write the client order id of an order number.

    Raises
    ------
    OrderError
        If the tag is not 16 lower-case hexadecimal digits or the number is not in 1 ... 2**64-1.
    """
    if not TAG_PATTERN.fullmatch(tag):
        raise OrderError(f"run tag {tag!r} is not 16 lower-case hexadecimal digits")
    if not 0 < number < 1 << 64:
        raise OrderError(f"order number {number} is not in 1 ... 2**64-1")
    return ClientOrderId(f"{tag}{number:016x}")


def parse_client_order_id(text: str) -> tuple[str, OrderNumber]:
    """Split a client order id into the run's tag and the order number.

    Raises
    ------
    OrderError
        If the text is not an id of ours; such an order is external.
    """
    if not PATTERN.fullmatch(text) or int(text[16:], 16) == 0:
        raise OrderError(f"{text!r} is not a client order id of this program")
    return text[:16], OrderNumber(int(text[16:], 16))


class ClientIds:
    """The client order ids of a run, of those that it continues, and of orders it adopted.

    Parameters
    ----------
    tag : str
        The run's mark.
    """

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._older: list[tuple[int, str]] = []
        self._adopted: dict[int, str] = {}

    @property
    def tags(self) -> frozenset[str]:
        """The marks of this run and of those that it continues."""
        return frozenset({self._tag, *(tag for _, tag in self._older)})

    def of(self, number: int) -> ClientOrderId:
        """Return the client order id of an order."""
        if number in self._adopted:
            return ClientOrderId(self._adopted[number])
        tag = next((tag for last, tag in self._older if number <= last), self._tag)
        return client_order_id(tag, number)

    def number(self, client_id: str) -> int:
        """Return the number of a client order id, -1 if it is none of these."""
        numbers = {text: number for number, text in self._adopted.items()}
        if client_id in numbers:
            return numbers[client_id]
        try:
            number = int(parse_client_order_id(client_id)[1])
        except OrderError:
            return -1
        return number if self.of(number) == client_id else -1

    def adopt(self, number: int, client_id: str) -> None:
        """Give an order the id that it has at the venue."""
        self._adopted[number] = client_id

    def inherit(self, last_number: int, tag: str) -> None:
        """Say that the orders up to a number, beyond those of older runs, carry a run's mark."""
        self._older.append((last_number, tag))
