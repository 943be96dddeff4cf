"""Numbers to agree with, computed elsewhere and kept beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

ORACLES = Path(__file__).resolve().parents[3] / "shared" / "oracles"


def oracle(topic: str) -> list[dict[str, Any]]:
    """Return the cases of one topic; skip the test where there are none."""
    path = ORACLES / f"{topic}.json"
    if not path.exists():
        pytest.skip(f"no oracles at {ORACLES}")
    cases: list[dict[str, Any]] = json.loads(path.read_text())["cases"]
    return cases
