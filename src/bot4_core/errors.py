"""Every error this package raises on purpose, under one root.

Errors that carry fields can be pickled, so that they cross processes whole.
"""

from collections.abc import Sequence
from typing import Self

__all__ = [
    "AuditError",
    "BookStateError",
    "Bot4Error",
    "ChainError",
    "ChannelError",
    "ConfigError",
    "DamagedRecordingError",
    "DecodeError",
    "LedgerError",
    "MissingPluginError",
    "NumberOverflowError",
    "OrderError",
    "PluginError",
    "PluginLoadError",
    "PrecisionError",
    "PrecisionGrew",
    "RecordingError",
    "StorageError",
    "StoreUnreachableError",
    "ValidationError",
    "VenueError",
    "VenueRefusedError",
]


class Bot4Error(Exception):
    """Root of all errors raised on purpose by bot4."""


class ValidationError(Bot4Error, ValueError):
    """A value breaks a rule of its type; ``faults`` lists every ``(path, message)`` at once."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(_lines(faults)))

    def __reduce__(self) -> tuple[type[Self], tuple[list[tuple[str, str]]]]:
        return type(self), (self.faults,)


class PrecisionError(Bot4Error, ValueError):
    """A number has more decimals than its exponent can hold."""


class PrecisionGrew(PrecisionError):  # noqa: N818 - it says what happened, and can be mended
    """An instrument known only from its data shows more decimals than before.

    Replay again with these exponents. ``symbol`` is the venue's.
    """

    def __init__(self, symbol: str, price_exponent: int, size_exponent: int) -> None:
        self.symbol = symbol
        self.price_exponent = price_exponent
        self.size_exponent = size_exponent
        super().__init__(
            f"{symbol} needs price exponent {price_exponent} and size exponent {size_exponent}"
        )

    def __reduce__(self) -> tuple[type[Self], tuple[str, int, int]]:
        return type(self), (self.symbol, self.price_exponent, self.size_exponent)


class NumberOverflowError(Bot4Error, OverflowError):
    """A scaled number left the range of 64 bits."""


class ConfigError(Bot4Error, ValueError):
    """A configuration is wrong; ``faults`` lists every ``(path, message)`` at once."""

    def __init__(self, source: str, faults: Sequence[tuple[str, str]]) -> None:
        self.source = source
        self.faults = list(faults)
        super().__init__(f"{source}: " + "; ".join(_lines(faults)))

    def __reduce__(self) -> tuple[type[Self], tuple[str, list[tuple[str, str]]]]:
        return type(self), (self.source, self.faults)


class BookStateError(Bot4Error):
    """A book that is not LIVE was read without ``allow_stale=True``."""

    def __init__(self, instrument: int, state: str) -> None:
        self.instrument = instrument
        self.state = state
        super().__init__(
            f"book of instrument {instrument} is {state}, not LIVE; "
            "wait for its snapshot or pass allow_stale=True"
        )

    def __reduce__(self) -> tuple[type[Self], tuple[int, str]]:
        return type(self), (self.instrument, self.state)


class PluginError(Bot4Error):
    """A plugin misbehaved."""


class PluginLoadError(PluginError):
    """A plugin could not be loaded; ``distribution`` says which one to mend or remove."""

    def __init__(self, distribution: str, reason: str) -> None:
        self.distribution = distribution
        self.reason = reason
        super().__init__(f"plugin distribution {distribution!r}: {reason}")

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.distribution, self.reason)


class MissingPluginError(PluginError, LookupError):
    """No installed plugin has the wanted kind and name."""


class DecodeError(Bot4Error, ValueError):
    """A venue message is not what the venue's documentation says; it was applied nowhere."""


class OrderError(Bot4Error):
    """An order was asked to do what its state does not allow."""


class LedgerError(Bot4Error):
    """The ledger's accounts do not add up, or an entry does not fit its instrument."""


class StorageError(Bot4Error, OSError):
    """Something could not be written or read; the text names the file and the cause."""


class StoreUnreachableError(StorageError, ConnectionError):
    """A store beside the log cannot be reached now; the log has everything, so try again."""


class RecordingError(StorageError):
    """A recording is damaged, foreign or of another format version."""


class DamagedRecordingError(RecordingError):
    """A recording is damaged or ends early; what comes before that can be salvaged."""


class ChannelError(Bot4Error):
    """A channel between processes is broken: the other side died, or was never there."""


class VenueError(Bot4Error, ConnectionError):
    """A venue, or the way to it, failed; what was on its way may have arrived all the same."""


class VenueRefusedError(VenueError):
    """A venue will not have us: it redirects, blocks this place or the keys; mend the cause."""


class AuditError(StorageError):
    """The audit log cannot be written or opened; no new risk may be taken."""


class ChainError(AuditError):
    """The audit log was changed; ``sequence`` is the first record that does not fit."""

    def __init__(self, sequence: int, reason: str) -> None:
        self.sequence = sequence
        self.reason = reason
        super().__init__(f"audit record {sequence}: {reason}")

    def __reduce__(self) -> tuple[type[Self], tuple[int, str]]:
        return type(self), (self.sequence, self.reason)


def _lines(faults: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{path}: {text}" if path else text for path, text in faults]
