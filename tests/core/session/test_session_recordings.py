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
import sys, time
from pathlib import Path
from bot4_core import PluginHost, SessionConfig, run
from bot4_core.convert import structure

settings = {
    "mode": "paper",
    "venue": {"plugin": "sim", "market": "sim", "symbols": ["BTC-USD-PERP"]},
    "source": {"seconds": 0.5},
    "account": {"asset": "USD", "cash": "100000"},
    "strategy": {"plugin": "market_making"},
    "sizer": {"plugin": "kelly", "settings": {"cap": 0.05}},
    "audit": {"path": "audit.sqlite"},
}
print(run(structure(settings, SessionConfig), PluginHost.installed(), time).digest)
"""


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


def test_the_digest_knows_neither_hash_seed_nor_folder(tmp_path: Path) -> None:
    digests = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(done.stdout)
    assert digests[0] == digests[1] != ""
