"""The main job on real input: two recorded instruments as one session, from bytes to audit."""

import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.audit import read_records, verify
from bot4_core.domain_types.audit_records import AuditKind

FILES = ("usdm_btcusdt_20240808.gz", "usdm_ethusdt_20240808.gz")

SCRIPT = """
import time
from bot4_core import PluginHost, SessionConfig, run
from bot4_core.convert import structure

SCORE = {"threshold": 8, "interval_ms": 10, "window": 60}
settings = {
    "mode": "paper",
    "seed": 7,
    "venue": {"plugin": "sim", "market": "sim", "symbols": ["BTC-USD-PERP"]},
    "source": {"seconds": 12},
    "account": {"asset": "USD", "cash": "100000"},
    "strategy": {"plugin": "market_making"},
    "sizer": {"plugin": "kelly"},
    "router": {"plugin": "best_price"},
    "breakers": [{"plugin": "statistical", "settings": SCORE}],
    "quoting": {"keep_behind": 200, "keep_ahead": 200},
    "audit": {"path": "audit.sqlite"},
}
report = run(structure(settings, SessionConfig), PluginHost.installed(), time)
assert report.fills and report.breakers
print(report.digest)
"""


def digest_in(folder: Path, **more: str) -> str:
    """Return the digest of a short simulated session that a new process makes in a folder."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the digest under one hash seed."""
    if os.environ.get("NUMBA_BOUNDSCHECK") == "1":
        pytest.skip("index checks find in a simulated session what they find in this process")
    return digest_in(tmp_path_factory.mktemp("first"), PYTHONHASHSEED="1")


@pytest.mark.compiled("a million events")
def test_two_recordings_trade_trip_and_can_be_verified(
    root: Path, recordings: Path, tmp_path: Path
) -> None:
    config = SessionConfig.read(root / "examples" / "binance_recording.toml")
    config = attrs.evolve(
        config,
        source=attrs.evolve(
            config.source, recordings=tuple(recordings / "binance" / name for name in FILES)
        ),
        breakers=(attrs.evolve(config.breakers[0], settings={"threshold": 3.0}),),
        audit=attrs.evolve(config.audit, path=tmp_path / "audit.sqlite"),
    )
    report = run(config, PluginHost.installed(), time)
    assert all(held.fills > 0 for held in report.positions.values())
    assert {held.state for held in report.positions.values()} == {"live"}
    assert {trip.symbol for trip in report.breakers} == {"BTCUSDT", "ETHUSDT"}
    assert all(abs(trip.values["score"]) > 3.0 for trip in report.breakers)
    assert Decimal(100_000) + Decimal(report.pnl.net) == Decimal(report.pnl.equity)
    assert verify(config.audit.path).head == report.audit.head
    trips = {trip.symbol: trip.time for trip in report.breakers}
    for record in read_records(config.audit.path):
        if record.kind is AuditKind.SEND and b'"order"' in record.payload:
            assert record.event_time < max(trips.values())


def test_i63_the_digest_knows_neither_hash_seed_nor_folder(digest: str, tmp_path: Path) -> None:
    assert len(digest.strip()) == 64
    assert digest_in(tmp_path / "second", PYTHONHASHSEED="2") == digest


@pytest.mark.compiled("compares with what is compiled")
def test_i63_plain_and_compiled_functions_give_the_same_digest(digest: str, tmp_path: Path) -> None:
    assert digest_in(tmp_path, NUMBA_DISABLE_JIT="1") == digest


@pytest.mark.once("compiles everything for another processor")
@pytest.mark.compiled("compiles everything for another processor")
def test_i63_vectors_of_any_width_give_the_same_digest(digest: str, tmp_path: Path) -> None:
    baseline = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert digest_in(tmp_path, **baseline) == digest
