"""A trading session inside your own program: fifteen lines, no files but the audit log."""

import tempfile
import time
from pathlib import Path

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.convert import structure

with tempfile.TemporaryDirectory() as folder:
    settings = {
        "mode": "paper",
        "venue": {"plugin": "sim", "market": "sim", "symbols": ["BTC-USD-PERP"]},
        "source": {"seconds": 5.0},
        "account": {"asset": "USD", "cash": "100000"},
        "strategy": {"plugin": "market_making"},
        "sizer": {"plugin": "kelly", "settings": {"cap": 0.05}},
        "audit": {"path": str(Path(folder) / "audit.sqlite")},
    }
    report = run(structure(settings, SessionConfig), PluginHost.installed(), time)
    print(report.messages, report.orders, report.pnl.net, report.digest)  # noqa: T201 - a script
