"""Handing over one order without the rest: its records, and proofs that they stand in the log.

Who gets an export checks it with nothing but a checkpoint of the log: each record's digest follows
from its content, and a chain of hashes leads from it to the root that the checkpoint has.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from bot4_core.audit.chain import RecordRow
from bot4_core.audit.checkpoints import Checkpoint
from bot4_core.audit.database import checked_record, named_errors
from bot4_core.audit.index_file import CHUNK, RecordIndex
from bot4_core.audit.merkle import MerkleTree, included, inclusion_proof, leaf_hash
from bot4_core.audit.order_lookup import why
from bot4_core.audit.queries import AuditQuery, search
from bot4_core.audit.recovery import newest_tree
from bot4_core.audit.segments import find_ranges, record_digests
from bot4_core.audit.text_search import worth_indexing
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.errors import AuditError, ChainError

__all__ = ["LogTree", "OrderExport", "ProvenRecord", "check_export", "export_order"]

_FORM: Final = "bot4-audit-export"
_SEE: Final = "remove the .index file beside the log, and verify the log"


@attrs.frozen(kw_only=True)
class ProvenRecord:
    """A record and the hashes that lead from it to the root."""

    record: AuditRecord
    proof: tuple[bytes, ...]


@attrs.frozen(kw_only=True)
class OrderExport:
    """What a log says of one order, with proofs against the tree over its first records."""

    origin: str
    order: str
    size: int
    root: bytes
    records: tuple[ProvenRecord, ...]

    def data(self) -> dict[str, object]:
        """Return it as JSON data; payloads stay text, as they were hashed."""
        return {
            "form": _FORM,
            "origin": self.origin,
            "order": self.order,
            "size": self.size,
            "root": self.root.hex(),
            "records": [_record_data(each) for each in self.records],
        }


class LogTree:
    """The Merkle tree of a log as it stands on the disk; whole parts of it come from the index.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._ranges = find_ranges(path)
        self._chunks = _chunks(path)
        self._held = (-1, list[bytes]())
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """Return the root of the first records."""
        return self.part(0, size)

    def part(self, low: int, high: int) -> bytes:
        """Return the root of some leaves, as proofs need it: ``low`` is a multiple of the size."""
        known = self._known.get((low, high))
        if known is None:
            known = self._known[low, high] = self._grown(low, high).root()
        return known

    def _grown(self, low: int, high: int) -> MerkleTree:
        whole = (high - low) // CHUNK if low % CHUNK == 0 else 0
        above, rest = MerkleTree(), MerkleTree()
        for number in range(low // CHUNK, low // CHUNK + whole):
            above.add(self._chunk(number))
        for digest in self._digests(low + whole * CHUNK, high):
            rest.add_entry(digest)
        return MerkleTree(whole * CHUNK + rest.size, [*above.peaks, *rest.peaks])

    def _chunk(self, number: int) -> bytes:
        while number >= len(self._chunks):
            self._chunks.append(self._chunk_root(len(self._chunks)))
        return self._chunks[number]

    def _chunk_root(self, number: int) -> bytes:
        tree = MerkleTree()
        for digest in self._digests(number * CHUNK, (number + 1) * CHUNK):
            tree.add_entry(digest)
        return tree.root()

    def _digests(self, low: int, high: int) -> list[bytes]:
        """Return digests of records that stand in one chunk; the chunk read last is kept."""
        number = low // CHUNK
        if number != self._held[0]:
            chunk = record_digests(self._ranges, number * CHUNK + 1, (number + 1) * CHUNK)
            self._held = (number, list(chunk))
        return self._held[1][low - number * CHUNK : high - number * CHUNK]


def export_order(
    path: Path | str, order: str, *, checkpoints: Sequence[Checkpoint] = ()
) -> OrderExport:
    """Return an order's records with proofs.

    Parameters
    ----------
    path : Path or str
    order : str
        Client order id.
    checkpoints : sequence of Checkpoint, optional
        The proofs lead to the newest of them that covers the order; without any, to the root of
        the last checkpoint that the log itself has, or of all of it.

    Raises
    ------
    AuditError
        If the log cannot be read, knows no such order, or no checkpoint covers it.
    ChainError
        If a record was changed, or the log is not that of the checkpoint.
    """
    place = Path(path)
    records = why(place, order)
    with named_errors(place, "export from the audit log"):
        tree = LogTree(place)
        _check_index(place, tree)
        origin, count = _origin_and_size(place)
        size, root = count, tree.root(count)
        if checkpoints:
            noted = _newest(place, checkpoints, origin, records[-1].sequence)
            size, root = noted.size, noted.root
            if size > count or tree.root(size) != root:
                raise ChainError(
                    min(size, count + 1), f"the log is not that of the checkpoint of {size} records"
                )
        proven = [
            ProvenRecord(record=each, proof=inclusion_proof(each.sequence - 1, size, tree.part))
            for each in records
        ]
    return OrderExport(origin=origin, order=order, size=size, root=root, records=tuple(proven))


def check_export(
    data: Mapping[str, Any], checkpoints: Sequence[Checkpoint] = ()
) -> tuple[AuditRecord, ...]:
    """Check an export by itself, and against checkpoints of the log; return its records.

    Raises
    ------
    AuditError
        If it is no export, or there is no checkpoint of its tree.
    ChainError
        Naming the first record that is not proven.
    """
    try:
        size, root, origin = int(data["size"]), bytes.fromhex(data["root"]), str(data["origin"])
        rows = [_row(each) for each in data["records"]]
        proofs = [[bytes.fromhex(step) for step in each["proof"]] for each in data["records"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuditError(f"this is no export of an audit log: {error!r}") from error
    if data.get("form") != _FORM or not rows:
        raise AuditError(f"this is no export of an audit log: its form is {data.get('form')!r}")
    records = tuple(checked_record(row) for row in rows)
    for row, proof in zip(rows, proofs, strict=True):
        if not included(leaf_hash(row[9]), row[0] - 1, size, proof, root):
            raise ChainError(row[0], "its proof does not lead to the root")
    if checkpoints and not any(
        (each.origin, each.size, each.root) == (origin, size, root) for each in checkpoints
    ):
        raise AuditError(f"there is no checkpoint of {origin} with {size} records and this root")
    return records


def _chunks(path: Path) -> list[bytes]:
    if not worth_indexing(path):
        return []
    try:
        with RecordIndex.opened(path) as index:
            index.try_to_update("tree")
            return index.chunks()
    except sqlite3.Error:
        return []


def _check_index(path: Path, tree: LogTree) -> None:
    """Compare what the index gives with the newest tree that the log tells of."""
    said = newest_tree(path)
    if said is not None and tree.root(said.size) != said.root():
        raise ChainError(
            said.size, f"the records up to here are not those of the log's own checkpoint; {_SEE}"
        )


def _origin_and_size(path: Path) -> tuple[str, int]:
    first = next(search(path, AuditQuery(limit=1)))
    origin = str(json.loads(first.payload).get("origin", ""))
    ends = [each.segment.ends()[1] for each in find_ranges(path)[-1:]]
    return origin, ends[0]


def _newest(path: Path, checkpoints: Sequence[Checkpoint], origin: str, last: int) -> Checkpoint:
    ours = [each for each in checkpoints if each.origin == origin and each.size >= last]
    if not ours:
        raise AuditError(
            f"{path}: no checkpoint of {origin} covers record {last}, the order's last"
        )
    return max(ours, key=lambda each: each.size)


def _record_data(proven: ProvenRecord) -> dict[str, object]:
    record = proven.record
    return {
        "sequence": record.sequence,
        "wall_time": record.wall_time,
        "event_time": record.event_time,
        "run": record.run,
        "kind": record.kind.value,
        "actor": record.actor,
        "correlation": record.correlation,
        "payload": record.payload.decode(),
        "previous": record.previous.hex(),
        "digest": record.digest.hex(),
        "proof": [step.hex() for step in proven.proof],
    }


def _row(data: Mapping[str, Any]) -> RecordRow:
    run, kind, actor, correlation, payload = (
        data[name].encode() for name in ("run", "kind", "actor", "correlation", "payload")
    )
    numbers = int(data["sequence"]), int(data["wall_time"]), int(data["event_time"])
    previous, digest = bytes.fromhex(data["previous"]), bytes.fromhex(data["digest"])
    return (*numbers, run, kind, actor, correlation, payload, previous, digest)
