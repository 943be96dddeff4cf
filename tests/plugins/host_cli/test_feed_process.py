"""``bot4 run --feed-process``: the same session, and nobody is left alone."""

import gc
import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.core.session.test_replayed_sessions import children, open_files
from tests.plugins.host_cli import feeds
from tests.plugins.host_cli.inputs import session_file, tape
from tests.plugins.host_cli.shell import called

from bot4_core.errors import ChannelError
from bot4_core.market.shared_words import SharedWords, is_running, start_of
from bot4_core.session.config import SessionConfig
from bot4_plugins.host_cli import feed_process
from bot4_plugins.host_cli.feed_process import FeedProcess, end_with_parent

SESSION = """
seed = 7
report = "report"
[venue]
plugin = "binance"
market = "{market}"
[source]
recordings = [{recordings}]
[account]
asset = "USDT"
cash = "100000"
[strategy]
plugin = "market_making"
[sizer]
plugin = "kelly"
[audit]
path = "audit.sqlite"
"""
PARENT = """
import sys, time
from pathlib import Path
from bot4_core.session.config import SessionConfig
from bot4_plugins.host_cli.feed_process import FeedProcess

if __name__ == "__main__":
    with FeedProcess(SessionConfig.read(Path(sys.argv[1])), quiet=True) as feed:
        feed.start()
        reader = feed.open()
        while not reader.ring.status().writer:
            feed.pause()
        print(reader.ring.status().writer, reader.ring.name, flush=True)
        time.sleep(600)
"""


def session(folder: Path, *recordings: Path, market: str = "spot") -> Path:
    """Write a configuration that plays recordings."""
    path = folder / "session.toml"
    listed = ", ".join(json.dumps(str(each)) for each in recordings)
    path.write_text(SESSION.format(recordings=listed, market=market))
    return path


def outcome(config: Path, *options: str) -> dict[str, Any]:
    """Run a session and return everything of its report that is no time of day."""
    answer = called("run", str(config), "--json", *options)
    assert answer.code == 0, answer.err
    report: dict[str, Any] = json.loads(answer.out)
    for changing in ("timing", "audit", "report"):
        report.pop(changing)
    report["said"] = [line for line in answer.err.splitlines() if "… " not in line]
    return report


def test_a_session_is_the_same_with_a_process_that_reads(tmp_path: Path) -> None:
    file = tape(tmp_path / "BTCUSDT.gz")
    lines = gzip.decompress(file.read_bytes()) + b"1700000001000000000 odd\n"
    file.write_bytes(gzip.compress(lines))
    config = session(tmp_path, file, tape(tmp_path / "ETHUSDT.gz", "ETHUSDT", 3_000))
    here = outcome(config)
    assert here["quarantined"] == 1
    assert here["messages"] > 200
    assert outcome(config, "--feed-process") == here


def left_behind() -> tuple[object, ...]:
    """Return what this process holds of the system."""
    gc.collect()  # mapped memory goes with the arrays that show it
    maps = Path("/proc/self/maps").read_text().splitlines()
    shared = sorted(line.split()[-1] for line in maps if "/dev/shm" in line)  # noqa: S108 - a name
    return open_files(), children(), set(threading.enumerate()), shared


def test_i61_the_command_leaves_no_thread_process_descriptor_or_shared_memory(
    tmp_path: Path,
) -> None:
    config = session(tmp_path, tape(tmp_path / "BTCUSDT.gz"))
    outcome(config, "--feed-process")  # starts the tracker that Python keeps for all processes
    before = left_behind()
    there = {path.name for path in tmp_path.iterdir()}
    outcome(config, "--feed-process")
    assert left_behind() == before
    assert {path.name for path in tmp_path.iterdir()} == there


@pytest.mark.compiled("eighty thousand events")
def test_so_is_that_of_a_real_recording(recordings: Path, tmp_path: Path) -> None:
    file = recordings / "binance" / "usdm_btcusdt_20230404.dat.gz"
    config = session(tmp_path, file, market="usdm")
    here = outcome(config)
    assert here["events"] > 80_000
    assert outcome(config, "--feed-process") == here


def test_without_recordings_there_is_nothing_to_read(tmp_path: Path) -> None:
    answer = called("run", str(session_file(tmp_path)), "--feed-process")
    assert answer.code == 3
    assert "source.recordings: a process of its own reads recordings" in answer.complaint


def test_what_is_wrong_with_a_recording_is_said_as_ever(tmp_path: Path) -> None:
    broken = tape(tmp_path / "a.gz")
    broken.write_bytes(broken.read_bytes()[:-40])
    config = str(session(tmp_path, broken))
    here, there = called("run", config), called("run", config, "--feed-process")
    assert (there.code, there.complaint) == (here.code, here.complaint)
    assert here.code == 1


@pytest.mark.parametrize("feed", [feeds.killed_at_once, feeds.killed_midway])
def test_a_feed_that_is_killed_ends_the_session_with_an_error(
    feed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_process, "feed_recordings", feed)
    answer = called("run", str(session(tmp_path, tape(tmp_path / "a.gz"))), "--feed-process")
    assert answer.code == 1
    assert "the feed process ended before the recordings did (process " in answer.complaint
    assert "killed by SIGKILL); start again, or read them in the same process" in answer.complaint
    log = str(tmp_path / "audit.sqlite")
    assert called("audit", "verify", log).code == 0


def gone(pid: int, started: int) -> bool:
    return not is_running(pid, started)


def test_a_feed_does_not_outlive_a_session_that_is_killed(tmp_path: Path) -> None:
    file = tape(tmp_path / "a.gz")
    lines = gzip.decompress(file.read_bytes()) * 1_000  # more than the ring holds
    file.write_bytes(gzip.compress(lines, 1))
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(session(tmp_path, file))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, name = parent.stdout.readline().split()
        started = start_of(int(pid))
        assert started > 0
        parent.kill()
    while not gone(int(pid), started):
        time.sleep(0.01)
    while True:  # Python's resource tracker removes what the killed process left
        try:
            SharedWords.attach(name)
        except ChannelError:
            break
        time.sleep(0.01)


def test_a_session_that_ends_early_takes_its_feed_with_it(tmp_path: Path) -> None:
    config = SessionConfig.read(session(tmp_path, tape(tmp_path / "a.gz")))
    with FeedProcess(config, quiet=True) as feed:
        feed.start()
        reader = feed.open()
        assert reader.wait(feed.pause)
        pid = reader.ring.status().writer
        started = start_of(pid)
    assert gone(pid, started)
    assert feed.ending() == f"process {pid}, exit code 0"


def test_a_session_that_comes_to_nothing_ends_its_feed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_process, "PATIENCE", 3600.0)
    with FeedProcess(SessionConfig.read(session(tmp_path)), quiet=True) as feed:
        feed.start()
    assert feed.ending().endswith(", killed by SIGKILL")


def test_a_feed_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_process, "PATIENCE", 0.01)
    config = SessionConfig.read(session(tmp_path, tape(tmp_path / "a.gz")))
    with FeedProcess(config, quiet=True) as feed:
        pid = None
        feed.start()
        reader = feed.open()
        assert reader.wait(feed.pause)
        pid = reader.ring.status().writer
        subprocess.run(["kill", "-STOP", str(pid)], check=True)
        assert feed.ending() == f"process {pid} hangs"
    assert feed.ending() == f"process {pid}, killed by {signal.SIGKILL.name}"


def test_a_feed_that_was_never_started_has_nothing_to_end(tmp_path: Path) -> None:
    feed = FeedProcess(SessionConfig.read(session(tmp_path)), quiet=True)
    feed.pause()
    assert feed.ending() == "it was never started"
    with pytest.raises(ChannelError, match="never started"):
        feed.open()
    feed.close()
    end_with_parent()  # and a process without a parent has nobody to watch
