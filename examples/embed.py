"""A trading session inside your own program; its audit log goes to a temporary folder."""

# ruff: noqa: T201 - a script that prints

import tempfile
import time
from pathlib import Path

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.audit import verify
from bot4_core.convert import structure

SETTINGS = {
    "mode": "paper",
    "seed": 7,
    "venue": {"plugin": "sim", "market": "sim", "symbols": ["BTC-USD-PERP"]},
    "source": {"seconds": 20},
    "account": {"asset": "USD", "cash": "100000"},
    "strategy": {
        "plugin": "market_making",
        "settings": {
            "cover_fees": False,  # quote close to the touch, so that seconds see trades
            "fill_decay": 60.0,
            "risk_aversion": 0.02,
            "horizon_seconds": 2.0,
        },
    },
    "sizer": {"plugin": "kelly", "settings": {"cap": 0.05}},
}

with tempfile.TemporaryDirectory() as folder:
    log = Path(folder) / "audit.sqlite"  # name a place of your own to keep it
    config = structure({**SETTINGS, "audit": {"path": str(log)}}, SessionConfig)
    report = run(config, PluginHost.installed(), time)
    verified = verify(log)

print(f"{report.messages:,} messages, {report.fills} fills of orders {report.orders}")
print(f"net {report.pnl.net} {report.pnl.asset} after fees of {report.pnl.fees}")
print(f"audit log of {verified.records:,} records verified, in {log} until just now")
print(f"digest {report.digest}")
