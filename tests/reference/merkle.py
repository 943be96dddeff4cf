"""RFC 9162's Merkle tree as its section 2.1 defines it, by recursion on lists of entries."""

import hashlib
from collections.abc import Sequence


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(entries: Sequence[bytes]) -> bytes:
    """MTH(D_n), section 2.1.1."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\0" + entries[0])
    cut = power_below(len(entries))
    return sha(b"\1" + tree_hash(entries[:cut]) + tree_hash(entries[cut:]))


def path(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n), section 2.1.3.1."""
    if len(entries) == 1:
        return []
    cut = power_below(len(entries))
    if index < cut:
        return [*path(index, entries[:cut]), tree_hash(entries[cut:])]
    return [*path(index - cut, entries[cut:]), tree_hash(entries[:cut])]


def proof(old: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n), section 2.1.4.1."""
    return subproof(old, entries, whole=True)


def subproof(old: int, entries: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b)."""
    if old == len(entries):
        return [] if whole else [tree_hash(entries)]
    cut = power_below(len(entries))
    if old <= cut:
        return [*subproof(old, entries[:cut], whole=whole), tree_hash(entries[cut:])]
    return [*subproof(old - cut, entries[cut:], whole=False), tree_hash(entries[:cut])]
