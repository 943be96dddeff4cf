"""Kill writers of one log at random moments, and look at what they acknowledged.

A program of its own, light and with one thread, so that it can fork: each run is a child that
appends, commits and acknowledges over a pipe until it is killed without warning. Prints what it
found as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from bot4_core.audit import (
    AuditLog,
    CheckpointFile,
    LogSettings,
    read_checkpoints,
    read_records,
    verify,
)
from bot4_core.audit.canonical import Payload
from bot4_core.domain_types.audit_records import AuditKind

LONGEST = 0.012  # seconds from a run's first acknowledgement to its death
SEGMENT = 150_000
SLOW = 50


def write(path: Path, notes: Path, run: int, pipe: int) -> None:
    """Append, commit and acknowledge for ever; every other run waits for the disk."""
    dice = random.Random(run)  # noqa: S311 - repeatable, not secret
    settings = LogSettings(
        places=(CheckpointFile(notes),),
        checkpoint_records=20,
        segment_bytes=SEGMENT,
        reserve_bytes=4096,
    )
    durable = ("full", "normal")[run % 2]
    log = AuditLog.open(path, run=f"run {run}", wall_time=1, durable=durable, settings=settings)
    while True:
        os.write(pipe, f"{log.committed} {log.head.hex()}\n".encode())
        for place in range(dice.randrange(1, 9)):
            said: Payload = {"place": place, "text": "k" * dice.randrange(900)}
            log.append(AuditKind.INTENT, "mm", f"{place:032x}", said, event_time=1, wall_time=1)
        log.commit()


def killed(path: Path, notes: Path, run: int, dice: random.Random) -> bytes:
    """Run a child, kill it, return everything that it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write(path, notes, run, writing)
        finally:
            os._exit(3)
    os.close(writing)
    seen = b"" if dice.random() < 0.2 else os.read(reading, 1)  # some die while they open the log
    time.sleep(dice.random() * LONGEST)
    os.kill(child, signal.SIGKILL)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
        raise SystemExit(f"run {run} ended by itself")
    with os.fdopen(reading, "rb") as rest:
        return seen + rest.read()


def main(folder: Path, runs: int) -> None:
    """Kill that many runs."""
    path, notes = folder / "log" / "a.audit", folder / "notes.txt"
    path.parent.mkdir()
    dice = random.Random(50)  # noqa: S311 - repeatable, not secret
    acknowledged = largest = 0
    report = None
    for run in range(runs):
        said = killed(path, notes, run, dice)
        whole = said[: said.rindex(b"\n") + 1].splitlines() if b"\n" in said else []
        for line in whole[-1:]:
            number, head = line.split()
            found = next(read_records(path, int(number)))
            if found.digest.hex().encode() != head or int(number) <= largest:
                raise SystemExit(f"run {run}: acknowledged record {int(number)} is not there")
            largest = int(number)
        acknowledged += len(whole)
        if run % SLOW == SLOW - 1 or run == runs - 1:
            report = verify(path, checkpoints=read_checkpoints(notes))
            if report.records < largest:
                raise SystemExit(f"run {run}: {report.records} records, {largest} acknowledged")
    if report is None:
        raise SystemExit("give a number of runs")
    found_report = {
        "runs": runs,
        "begun": report.runs,
        "acknowledged": acknowledged,
        "records": report.records,
        "segments": report.segments,
        "checkpoints": report.checkpoints,
    }
    sys.stdout.write(json.dumps(found_report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
