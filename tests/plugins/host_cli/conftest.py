"""One session, shared by the tests of the command line."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.plugins.host_cli.inputs import session_file
from tests.plugins.host_cli.shell import Answer, called


class Ran(NamedTuple):
    """A finished session: its configuration, what it answered, and its object."""

    config: Path
    answer: Answer
    report: dict[str, Any]


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run one session with fills, in this process, as JSON."""
    config = session_file(tmp_path_factory.mktemp("ran"))
    answer = called("run", str(config), "--json")
    assert answer.code == 0, answer.err
    return Ran(config, answer, json.loads(answer.out))
