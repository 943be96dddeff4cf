"""Writers that are killed, and write-ahead logs that a power cut tore (A03, A04, I50)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.core.audit.builders import add, opened

from bot4_core.audit import read_records, verify
from bot4_core.errors import AuditError

HARNESS = Path(__file__).with_name("kill_harness.py")
KILLS = int(os.environ.get("BOT4_KILLS", "200"))


def test_i50_killed_writers_lose_nothing_acknowledged_and_the_chain_stays_whole(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(tmp_path), str(KILLS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["runs"] == KILLS
    assert found["acknowledged"] >= found["begun"] > KILLS / 2
    assert found["records"] > found["acknowledged"]
    assert found["segments"] > 1
    assert found["checkpoints"] > 1


def torn_log(folder: Path) -> tuple[Path, list[bytes]]:
    """Copy a log as a dying process leaves it; return the digests of its records."""
    live, place = folder / "live.audit", folder / "torn.audit"
    with opened(live) as log:
        for size in (10, 900, 5000) * 8:
            add(log, 2, text="w" * size)
            log.commit()
        shutil.copy(live, place)
        shutil.copy(live.with_name("live.audit-wal"), place.with_name("torn.audit-wal"))
        return place, [record.digest for record in read_records(live)]


def damaged(content: bytes, dice: Random) -> bytes:
    """Cut the end off, flip a bit, or blot out a sector."""
    place = dice.randrange(len(content))
    match dice.randrange(3):
        case 0:
            return content[:place]
        case 1:
            flipped = content[place] ^ 1 << dice.randrange(8)
            return content[:place] + bytes([flipped]) + content[place + 1 :]
    start = place // 512 * 512
    return content[:start] + bytes(512) + content[start + 512 :]


def test_a04_a_torn_or_flipped_write_ahead_log_gives_a_valid_prefix_or_a_named_error(
    tmp_path: Path,
) -> None:
    path, digests = torn_log(tmp_path)
    database, beside = path.read_bytes(), path.with_name("torn.audit-wal")
    wal = beside.read_bytes()
    dice = Random(4)  # noqa: S311 - repeatable, not secret
    lengths = set()
    for _ in range(100):
        path.write_bytes(database)
        beside.write_bytes(damaged(wal, dice))
        path.with_name("torn.audit-shm").unlink(missing_ok=True)
        try:
            with opened(path, "next") as log:
                log.finish(9)
        except AuditError as error:
            assert "torn.audit" in str(error)  # noqa: PT017 - both ends are right
            continue
        report = verify(path)
        found = [record.digest for record in read_records(path)]
        assert found[:-2] == digests[: report.records - 2]
        lengths.add(report.records)
    assert len(lengths) > 10


def test_i50_a_chain_goes_on_over_all_ends(tmp_path: Path) -> None:
    """A clean end, a crash, a full disk and a quarantine: the numbers stay dense from 1."""
    path = tmp_path / "a.audit"
    with opened(path, "clean") as log:
        log.finish(2)
    with opened(path, "crashed") as log:
        add(log, 3)
        log.commit()
    with opened(path, "full") as log:
        log._writer.database.execute("PRAGMA max_page_count = 2")
        add(log, 30, text="f" * 900)
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
    with opened(path, "last") as log:
        log.finish(9)
    assert [each.sequence for each in read_records(path)] == list(range(1, 40))
    assert verify(path).runs == 4
