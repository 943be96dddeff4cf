"""Measure both sides in turns and print them beside each other.

The exit code tells whether both sides agree (0) or not (1); it says nothing of speed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import IO

from benchmarks.peers.our_runs import Ours
from benchmarks.peers.same_events import SameEvents, same_events
from benchmarks.peers.task import Outcome, Task
from bot4_core.session.paper_settings import PROFILES

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT.parent / "shared" / "data"
TASKS = (
    Task(),
    Task(depth="hashmap"),
    Task(queue="risk_averse"),
    Task(queue="risk_averse", depth="hashmap"),
    Task(queue="power"),
    Task(queue="risk_averse", offset=0),
    *(Task(queue=profile, offset=0) for profile in PROFILES),
    Task(queue="risk_averse", partial=True),
)
ENDED = ("bid", "ask")
TRADED = ("orders", "fills", "filled", "value", "position")
SHOWN = ("decisions", "orders", "fills", "position")


class Peer:
    """The other side's process, asked line by line."""

    def __init__(self, asking: IO[str], answering: IO[str]) -> None:
        self._asking, self._answering = asking, answering

    def run(self, task: Task) -> Outcome:
        """Run one task once over there."""
        self._asking.write(json.dumps(asdict(task)) + "\n")
        self._asking.flush()
        row = json.loads(self._answering.readline())
        for side in ("bids", "asks"):
            row[side] = tuple(tuple(level) for level in row[side])
        return Outcome(**row)


@contextmanager
def peer_process(python: Path, same: SameEvents) -> Iterator[Peer]:
    """Start the other side on the same events."""
    with tempfile.TemporaryDirectory() as folder:
        columns = Path(folder) / "events.npz"
        same.save(columns)
        command = [str(python), "-m", "benchmarks.peers.hftbacktest_process", str(columns)]
        with subprocess.Popen(  # noqa: S603 - our own script
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield Peer(process.stdin, process.stdout)
            process.stdin.close()


def measured(ours: Ours, peer: Peer, task: Task, rounds: int) -> tuple[Outcome, Outcome]:
    """Run a task on both sides in turns, first unmeasured; return each with its median time."""
    runs = [(ours.run(task), peer.run(task)) for _ in range(rounds + 1)][1:]
    mine, theirs = (
        replace(side[0], seconds=median(each.seconds for each in side))
        for side in zip(*runs, strict=True)
    )
    return mine, theirs


def differences(task: Task, mine: Outcome, theirs: Outcome) -> list[str]:
    """Return what both sides disagree about."""
    if theirs.error:
        return []
    return [
        f"{name}: {getattr(mine, name)} here, {getattr(theirs, name)} there"
        for name in (*ENDED, *(TRADED if task.queue else ()))
        if getattr(mine, name) != getattr(theirs, name)
    ]


def depth_differences(ours: Ours, peer: Peer, same: SameEvents) -> int:
    """Compare every level in the range of interest after the last event; count what differs."""
    mine, found = ours.run(Task(whole_depth=True)), 0
    for depth in ("roivec", "hashmap"):
        theirs = peer.run(Task(depth=depth, whole_depth=True))
        for side in ("bids", "asks"):
            here = {each for each in getattr(mine, side) if same.low <= each[0] < same.high}
            there = set(getattr(theirs, side))
            differing = len(here ^ there)
            found += differing
            print(f"final book, {depth}: {len(here):,} {side}, {differing} levels differ")
    return found


def described(task: Task) -> str:
    """Name a task in a table."""
    if not task.queue:
        return f"book only, {task.depth}"
    partial = ", partial fills" if task.partial else ""
    return f"quoting {task.offset} ticks behind, {task.queue}, {task.depth}{partial}"


def compare(ours: Ours, peer: Peer, task: Task, same: SameEvents, rounds: int) -> int:
    """Print a task's rows; return how much both sides disagree about.

    Where a queue moves by a probability they may: the other side counts fractions of a lot.
    """
    mine, theirs = measured(ours, peer, task, rounds)
    rates = [same.count / each.seconds / 1e6 for each in (mine, theirs)]
    shares = f"ours {rates[0]:7.2f}  hftbacktest {rates[1]:6.2f} M events/s"
    ratio = "" if theirs.error else f"  ratio {rates[0] / rates[1]:5.2f}"
    print(f"{described(task):58} {shares}{ratio}", flush=True)
    if theirs.error:
        print(f"    hftbacktest stopped with error {theirs.error} before the end of the data")
    if task.queue:
        for who, each in (("ours", mine), ("hftbacktest", theirs)):
            rest = f"cancelled {each.orders - each.fills}"  # an order of one lot fills whole
            print(f"    {who:12}", *(f"{name} {getattr(each, name)}" for name in SHOWN), rest)
    faults = differences(task, mine, theirs)
    for fault in faults:
        print(f"    DIFFERENT {fault}")
    return 0 if task.queue in PROFILES else len(faults)


def main() -> int:
    """Compare both sides; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--recordings", type=Path, default=Path(os.environ.get("BOT4_RECORDINGS", RECORDINGS))
    )
    options = parser.parse_args()
    same = same_events(options.recordings)
    ours = Ours(same)
    with peer_process(options.peer_python, same) as peer:
        print(f"{same.count:,} levels and trades; medians of {options.rounds} runs in turns")
        found = depth_differences(ours, peer, same)
        for task in TASKS:
            found += compare(ours, peer, task, same, options.rounds)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
