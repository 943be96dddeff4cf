"""A Merkle tree over the records (RFC 9162, section 2.1): one short hash that fixes all of them.

Leaf and node hashes begin with different bytes (``0x00``, ``0x01``), and record digests with a
third (``0x02``), so that none can be passed off as another. Writers keep only the tree's *peaks*,
the roots of its largest complete parts, one for each bit of its size.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

__all__ = [
    "MerkleTree",
    "Subtree",
    "consistency_proof",
    "consistent",
    "included",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
]

Subtree: TypeAlias = Callable[[int, int], bytes]
"""Root of the leaves from the first number to before the second."""

_BATCH: Final = 1024
_sha256: Final = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry: here the digest of a record."""
    return _sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into the one above."""
    return _sha256(b"\1" + left + right).digest()


class MerkleTree:
    """A tree that grows at its end and is kept as its peaks.

    Entries are hashed when the tree is looked at, or a thousand of them wait: level by level,
    which is faster than one by one.

    Parameters
    ----------
    size : int
        Number of leaves there already are.
    peaks : sequence of bytes
        Roots of the complete parts of such a tree, the largest first.
    """

    __slots__ = ("_levels", "_size", "_waiting")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        held = list(peaks)
        if len(held) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(held)} peaks")
        self._size = size
        self._waiting: list[bytes] = []
        # the peak with 2**level leaves, or nothing, for each level
        self._levels = [
            held.pop() if size >> level & 1 else b"" for level in range(size.bit_length())
        ]

    def add_entry(self, entry: bytes) -> None:
        """Add an entry, which is hashed into a leaf."""
        self._waiting.append(entry)
        if len(self._waiting) >= _BATCH:
            self._settle()

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        self._settle()
        self._absorb([leaf])

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size + len(self._waiting)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete parts, the largest first."""
        self._settle()
        return tuple(filter(None, reversed(self._levels)))

    def root(self) -> bytes:
        """Return the hash over all leaves."""
        if not self.size:
            return _sha256().digest()
        *others, root = self.peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "MerkleTree":
        """Return a tree that grows apart from this one."""
        return MerkleTree(self.size, self.peaks)

    def _settle(self) -> None:
        if self._waiting:
            leaves = [_sha256(b"\0" + entry).digest() for entry in self._waiting]
            self._waiting.clear()
            self._absorb(leaves)

    def _absorb(self, hashes: list[bytes]) -> None:
        """Add leaves: pair them up level by level; what is left alone is a peak."""
        self._size += len(hashes)
        levels, level = self._levels, 0
        while hashes:
            if level == len(levels):
                levels.append(b"")
            if levels[level]:
                hashes.insert(0, levels[level])
            levels[level] = hashes.pop() if len(hashes) & 1 else b""
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [_sha256(b"\1" + left + right).digest() for left, right in pairs]
            level += 1


def inclusion_proof(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """Return the hashes that lead from leaf ``index`` to the root of the first ``size`` leaves.

    Raises
    ------
    IndexError
        If there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    path, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(subtree(middle, high))
            high = middle
        else:
            path.append(subtree(low, middle))
            low = middle
    return tuple(reversed(path))


def consistency_proof(old: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """Return the hashes that show the first ``old`` leaves of a tree to be an earlier state of it.

    Raises
    ------
    IndexError
        If the earlier tree is empty or larger.
    """
    if not 0 < old <= size:
        raise IndexError(f"a tree of {old} leaves is no earlier state of one of {size}")
    path, low, high = [], 0, size
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(subtree(middle, high))
            high = middle
        else:
            path.append(subtree(low, middle))
            low = middle
    if low:  # the verifier has the earlier root itself where that is a whole part
        path.append(subtree(low, high))
    return tuple(reversed(path))


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof leads from a leaf's hash to a root (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows one tree to be an earlier state of another (section 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and (first, second) == (old_root, root)


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1
