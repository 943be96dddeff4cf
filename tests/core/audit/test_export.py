"""One order handed over without the rest of the log, and checked by whoever gets it."""

import copy
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.core.audit.builders import ORDER, OTHER, add, edit, opened

from bot4_core.audit import (
    Checkpoint,
    CheckpointFile,
    check_export,
    export_order,
    read_checkpoints,
    read_records,
    verify,
)
from bot4_core.audit.export import LogTree
from bot4_core.audit.index_file import RecordIndex, index_path
from bot4_core.audit.merkle import MerkleTree, consistency_proof, consistent, leaf_hash
from bot4_core.errors import AuditError, ChainError

DAY = 86_400_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write two segments with an order in both, and checkpoints elsewhere."""
    place = tmp_path / "a.audit"
    for day in range(2):
        settings: dict[str, Any] = {"places": (CheckpointFile(tmp_path / "notes"),)}
        log = opened(place, f"run {day}", 1 + day * DAY, checkpoint_records=50, **settings)
        with log:
            for _ in range(30):
                add(log, 9, order=OTHER)
                log.commit()
            add(log, 2, order=ORDER)
            log.finish(2 + day * DAY)
    return place


def notes(path: Path) -> list[Checkpoint]:
    return read_checkpoints(path.with_name("notes"))


def test_an_export_is_checked_with_nothing_but_a_checkpoint(path: Path) -> None:
    found = export_order(path, ORDER, checkpoints=notes(path))
    report = verify(path)
    assert (found.size, found.root.hex()) == (report.records, report.root)
    data = json.loads(json.dumps(found.data()))
    records = check_export(data, notes(path))
    assert records == tuple(each for each in read_records(path) if each.correlation == ORDER)


def test_without_checkpoints_proofs_lead_to_the_whole_log(path: Path) -> None:
    found = export_order(path, ORDER)
    assert found.root.hex() == verify(path).root
    assert len(check_export(found.data())) == 4


def test_the_newest_checkpoint_that_covers_the_order_is_taken(path: Path) -> None:
    other = attrs.evolve(notes(path)[-1], origin="other", size=9_999)
    assert export_order(path, ORDER, checkpoints=[*notes(path), other]).size < 9_999
    early = [each for each in notes(path) if each.size < 300]
    with pytest.raises(AuditError, match=r"no checkpoint of a\.audit@1 covers record"):
        export_order(path, ORDER, checkpoints=early)


def test_a_checkpoint_that_the_log_does_not_fit_is_named(path: Path) -> None:
    last = notes(path)[-1]
    for wrong in (attrs.evolve(last, root=bytes(32)), attrs.evolve(last, size=last.size + 5)):
        with pytest.raises(ChainError, match="the log is not that of the checkpoint of"):
            export_order(path, ORDER, checkpoints=[wrong])


def changed(data: dict[str, Any], **fields: object) -> dict[str, Any]:
    wrong = copy.deepcopy(data)
    wrong["records"][1] |= fields
    return wrong


def test_a_forged_export_is_found(path: Path) -> None:
    data: dict[str, Any] = json.loads(json.dumps(export_order(path, ORDER).data()))
    for fields in ({"actor": "nobody"}, {"payload": "{}"}, {"wall_time": 7}, {"sequence": 3}):
        with pytest.raises(ChainError, match="content and digest differ"):
            check_export(changed(data, **fields))
    with pytest.raises(ChainError, match="its proof does not lead to the root"):
        check_export(changed(data, proof=data["records"][0]["proof"]))
    with pytest.raises(ChainError, match="its proof does not lead to the root"):
        check_export({**data, "root": "00" * 32})
    with pytest.raises(AuditError, match=r"there is no checkpoint of a\.audit@1 with"):
        check_export(data, [attrs.evolve(notes(path)[-1], root=bytes(32))])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"form": "bot4-audit-export", "size": 1, "root": "00", "origin": "x", "records": []},
        {"form": "else", "size": 1, "root": "00", "origin": "x", "records": []},
        {"form": "x", "size": "many", "root": "00", "origin": "x", "records": []},
        {"size": 1, "root": "00", "origin": "x", "records": [{"run": 5}]},
    ],
)
def test_what_is_no_export_is_a_named_error(data: dict[str, Any]) -> None:
    with pytest.raises(AuditError, match="this is no export of an audit log"):
        check_export(data)


def test_the_tree_on_the_disk_is_that_of_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big.audit"
    for day in range(2):
        with opened(path, f"run {day}", 1 + day * DAY) as log:
            add(log, 1300, order=OTHER)
            add(log, 2, order=ORDER)
            log.finish(2 + day * DAY)
    leaves = [leaf_hash(each.digest) for each in read_records(path)]
    plain = LogTree(path)
    monkeypatch.setattr("bot4_core.audit.text_search.SMALL_LOG", 0)
    indexed = LogTree(path)
    assert index_path(path).exists()
    for size in (1, 700, 1024, 1025, 2048, 2601, len(leaves)):
        expected = grown(leaves[:size])
        assert plain.root(size) == indexed.root(size) == expected
        proof = consistency_proof(size, len(leaves), indexed.part)
        assert consistent(size, expected, len(leaves), grown(leaves), proof)
    found = export_order(path, ORDER)
    assert len(check_export(found.data())) == 4


def grown(leaves: list[bytes]) -> bytes:
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def test_an_index_with_wrong_hashes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.text_search.SMALL_LOG", 0)
    path = tmp_path / "big.audit"
    with opened(path) as log:
        add(log, 2, order=ORDER)
        for _ in range(3):
            add(log, 1000, order=OTHER)
            log.commit()
        log.finish(2)
    export_order(path, ORDER)
    with RecordIndex.opened(path) as index:
        index._database.execute("UPDATE chunks SET root = zeroblob(32) WHERE number = 1")
    with pytest.raises(ChainError, match=r"remove the \.index file beside the log"):
        export_order(path, ORDER)
    index_path(path).unlink()
    index_path(path).mkdir()
    assert len(check_export(export_order(path, ORDER).data())) == 2


def test_a_changed_record_is_not_exported(path: Path) -> None:
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 40")
    edit(path, "UPDATE records SET digest = zeroblob(32) WHERE sequence = 41")
    with pytest.raises(ChainError):
        export_order(path, ORDER)


def test_a_log_that_tells_of_no_tree_yet_is_exported(tmp_path: Path) -> None:
    path = tmp_path / "new.audit"
    with opened(path) as log:
        add(log, 2)
        log.finish(2)
    assert len(check_export(export_order(path, ORDER).data())) == 2
