"""Keys that sign requests, kept from being shown."""

import hmac
from typing import Final, NoReturn

import attrs

__all__ = ["Credentials", "Secret"]

MASK: Final = "Secret(***)"


class Secret:
    """A text that cannot be printed, formatted, pickled, copied into JSON or logged by accident.

    Parameters
    ----------
    text : str
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; for the line that signs with it, and for nothing else."""
        return self._text

    def __bool__(self) -> bool:
        """Tell whether there is any text."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Compare in a time that tells nothing of the texts."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash could be tried against guesses

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")


@attrs.frozen(kw_only=True)
class Credentials:
    """What a venue gave an account to sign with; ``passphrase`` where the venue has one."""

    key: Secret
    secret: Secret
    passphrase: Secret = attrs.field(factory=lambda: Secret(""))
