"""Walking a chain record by record, and where that led: what a writer needs to go on from there."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from bot4_core.audit.canonical import PayloadValue
from bot4_core.audit.chain import GENESIS, RecordRow, row_digest
from bot4_core.audit.merkle import MerkleTree
from bot4_core.errors import ChainError

__all__ = ["ANCHORS", "ChainEnd", "follow", "from_anchor", "tree_payload"]

ANCHORS: Final = (b"checkpoint", b"segment", b"run_start")
"""Kinds whose records say what the tree was before them, so that one can begin there."""

_ANCHORS: Final = frozenset(ANCHORS)
_START: Final = b"run_start"


@attrs.define(kw_only=True)
class ChainEnd:
    """Where a chain stands."""

    sequence: int = 0
    head: bytes = GENESIS
    tree: MerkleTree = attrs.field(factory=MerkleTree)
    start: int = 0  # number of the record that began the last run
    runs: int = 0  # of those that were walked through
    last: RecordRow | None = None


def tree_payload(end: ChainEnd) -> dict[str, PayloadValue]:
    """Write what an anchor says: the tree before it and the run that it stands in."""
    return {
        "start": end.start,
        "tree": {
            "peaks": [peak.hex() for peak in end.tree.peaks],
            "root": end.tree.root().hex(),
            "size": end.tree.size,
        },
    }


def follow(rows: Iterable[RecordRow], end: ChainEnd) -> Iterator[RecordRow]:
    """Yield rows as they prove to go on from ``end``, which moves along.

    Raises
    ------
    ChainError
        Naming the first record that does not fit.
    """
    add = end.tree.add_entry
    for row in rows:
        number = end.sequence + 1
        if row[0] != number:
            raise ChainError(number, f"missing; the next record is {row[0]}")
        if row[8] != end.head:
            raise ChainError(number, "does not link to the record before it")
        digest = row_digest(row)
        if digest != row[9]:
            raise ChainError(number, "content and digest differ")
        if row[4] in _ANCHORS:
            _check_tree(row, end)
            if row[4] == _START:
                end.start, end.runs = number, end.runs + 1
        add(digest)
        end.sequence, end.head, end.last = number, digest, row
        yield row


def from_anchor(row: RecordRow) -> ChainEnd | None:
    """Return the chain's state before a record that tells it; None where it need not or does not.

    Raises
    ------
    ChainError
        If it contradicts itself.
    """
    payload = _payload(row)
    said = payload.get("tree")
    if said is None or row[0] == 1:
        return None
    try:
        tree = MerkleTree(said["size"], map(bytes.fromhex, said["peaks"]))
    except ValueError as error:
        raise ChainError(row[0], f"tells of a tree that cannot be: {error}") from error
    return ChainEnd(sequence=row[0] - 1, head=row[8], tree=tree, start=payload["start"])


def _check_tree(row: RecordRow, end: ChainEnd) -> None:
    said = _payload(row).get("tree")
    if said is not None and (said["size"], said["root"]) != (end.sequence, end.tree.root().hex()):
        raise ChainError(row[0], "tells of another tree than that of the records before it")


def _payload(row: RecordRow) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(row[7])
    return payload
