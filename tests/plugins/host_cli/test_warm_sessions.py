"""Nothing is compiled while a session runs: everything is there after warming up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.plugins.host_cli import warm_probe
from tests.plugins.host_cli.inputs import session_file, tape
from tests.plugins.host_cli.shell import called, environment

pytestmark = pytest.mark.compiled("it compiles whole sessions in processes of their own")

RECORDED = """
mode = "backtest"
report = "report"
[venue]
plugin = "binance"
market = "spot"
[source]
recordings = [{recordings}]
[account]
asset = "USDT"
cash = "100000"
[strategy]
plugin = "market_making"
[sizer]
plugin = "kelly"
[router]
plugin = "best_price"
[[breakers]]
plugin = "statistical"
[audit]
path = "audit.sqlite"
"""


def late_kernels(config: Path) -> list[str]:
    """Return what a session asks for after warming up, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(warm_probe.__file__), str(config)],
        capture_output=True,
        text=True,
        check=True,
        env=environment({"NUMBA_DISABLE_JIT": "0"}),
    )
    found = json.loads(done.stdout)
    assert found["messages"] > 50
    assert any("apply_events" in each for each in found["warm"])
    late: list[str] = found["late"]
    return late


def recorded_session(folder: Path, *recordings: Path) -> Path:
    config = folder / "recorded.toml"
    config.write_text(RECORDED.format(recordings=", ".join(f'"{path}"' for path in recordings)))
    return config


def test_simulated_session_compiles_nothing_while_it_runs(tmp_path: Path) -> None:
    assert late_kernels(session_file(tmp_path, seconds=3.0)) == []


def test_session_on_foreign_recordings_compiles_nothing_while_it_runs(tmp_path: Path) -> None:
    files = [tape(tmp_path / "a.gz"), tape(tmp_path / "b.gz", "ETHUSDT", 3_000)]
    assert late_kernels(recorded_session(tmp_path, *files)) == []


def test_session_on_an_own_recording_compiles_nothing_while_it_runs(tmp_path: Path) -> None:
    foreign, own = tape(tmp_path / "a.gz"), tmp_path / "a.b4r"
    source = ("--venue", "binance", "--market", "spot", "-o", str(own))
    assert called("import", str(foreign), *source).code == 0
    assert late_kernels(recorded_session(tmp_path, own)) == []
