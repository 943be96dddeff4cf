"""Codes of what can be known about an order, shared by kernels and the order machine."""

from enum import IntEnum, IntFlag

__all__ = ["Fact", "LocalEvidence", "OrderAlarm"]


class LocalEvidence(IntEnum):
    """What we know of an order without the venue; the numbers do not meet ``EventKind``'s."""

    SENT = 101  # its bytes left
    TIMED_OUT = 102  # no reply in time: the outcome is unknown, not negative
    CANCEL_REQUESTED = 103  # a cancel left
    WITHHELD = 104  # its bytes will never leave (refused after the intent was recorded)
    NEVER_ARRIVED = 105  # the venue can no longer accept it and does not know it
    REPLACE_REQUESTED = 106  # a request to put another order in its place left


class Fact(IntFlag):
    """One bit for each thing that can be known of an order, fills apart."""

    NONE = 0
    SENT = 1
    TIMED_OUT = 2
    ACCEPTED = 4
    CANCELED = 8
    EXPIRED = 16
    REJECTED = 32
    WITHHELD = 64
    NEVER_ARRIVED = 128
    DUPLICATE = 256  # the venue refused it because it has one of this number already
    UNTRIGGERED = 512


class OrderAlarm(IntFlag):
    """What is wrong with an order's evidence; each is a reason to stop and look."""

    NONE = 0
    OVERFILLED = 1  # more was filled than ordered
    CONTRADICTED = 2  # two pieces of evidence cannot both be true
    EXTERNAL = 4  # a fill of an order that this run did not make
    FEE_ASSET = 8  # a fee in an asset that nobody named
