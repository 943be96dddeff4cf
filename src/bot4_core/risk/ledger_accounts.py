"""One asset of the account: what came, what went, what is left, in exact integers."""

from decimal import Decimal

from bot4_core.domain_types.canonical_types import Money
from bot4_core.errors import LedgerError

__all__ = ["AssetAccount", "money", "units_of"]


def money(units: int, exponent: int) -> Money:
    """Return an amount as ``Money``, trailing zeros given up so that it fits into 64 bits.

    Raises
    ------
    NumberOverflowError
        If the significant digits alone do not fit.
    """
    while units and exponent < 0 and units % 10 == 0:
        units //= 10
        exponent += 1
    return Money(units, exponent if units else 0)


def units_of(number: Decimal) -> tuple[int, int]:
    """Split a decimal into an integer and the exponent of its last digit, exactly.

    Raises
    ------
    LedgerError
        If it is not finite.
    """
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise LedgerError(f"{number} is not an amount")
    value = int("".join(map(str, digits)))
    return (-value if sign else value), exponent


class AssetAccount:
    """The running sums of one asset.

    All sums are integers at ``exponent``, which becomes finer by itself when a finer amount is
    booked; nothing is ever rounded here.

    Attributes
    ----------
    opening, trades, fees, funding, transfers, closing : int
        ``closing`` is kept on its own; ``check`` compares it with the sum of the others. Fees
        are positive when paid.
    """

    __slots__ = (
        "asset",
        "closing",
        "exponent",
        "fees",
        "funding",
        "opening",
        "trades",
        "transfers",
    )

    def __init__(self, asset: str, exponent: int) -> None:
        self.asset = asset
        self.exponent = exponent
        self.opening = 0
        self.trades = 0
        self.fees = 0
        self.funding = 0
        self.transfers = 0
        self.closing = 0

    def open(self, units: int, exponent: int) -> None:
        """Set what is there before the first entry."""
        amount = self.scaled(units, exponent)
        self.opening += amount
        self.closing += amount

    def trade(self, units: int, exponent: int) -> None:
        """Add what a trade brought."""
        amount = self.scaled(units, exponent)
        self.trades += amount
        self.closing += amount

    def fee(self, units: int, exponent: int) -> None:
        """Take off a fee; a rebate is negative."""
        amount = self.scaled(units, exponent)
        self.fees += amount
        self.closing -= amount

    def fund(self, units: int, exponent: int) -> None:
        """Add a funding payment received; paid ones are negative."""
        amount = self.scaled(units, exponent)
        self.funding += amount
        self.closing += amount

    def transfer(self, units: int, exponent: int) -> None:
        """Add a deposit; withdrawals are negative."""
        amount = self.scaled(units, exponent)
        self.transfers += amount
        self.closing += amount

    def scaled(self, units: int, exponent: int) -> int:
        """Return an amount at the account's exponent, refining the account where it must be."""
        if exponent == self.exponent:
            return units
        self.refine(exponent)
        return units * int(10 ** (exponent - self.exponent))

    def refine(self, exponent: int) -> None:
        """Make the account hold amounts of this exponent; it never becomes coarser."""
        if exponent >= self.exponent:
            return
        factor = int(10 ** (self.exponent - exponent))
        self.opening *= factor
        self.trades *= factor
        self.fees *= factor
        self.funding *= factor
        self.transfers *= factor
        self.closing *= factor
        self.exponent = exponent

    def check(self) -> None:
        """Compare the closing amount with what makes it up.

        Raises
        ------
        LedgerError
            If they differ.
        """
        total = self.opening + self.trades - self.fees + self.funding + self.transfers
        if total != self.closing:
            raise LedgerError(
                f"{self.asset}: opening and entries make {money(total, self.exponent)},"
                f" the account holds {money(self.closing, self.exponent)}"
            )

    def summary(self) -> tuple[str, ...]:
        """Return every sum as decimal text, whatever exponent the account has come to."""
        sums = (
            self.opening,
            self.trades,
            self.fees,
            self.funding,
            self.transfers,
            self.closing,
        )
        return (self.asset, *(str(money(units, self.exponent)) for units in sums))
