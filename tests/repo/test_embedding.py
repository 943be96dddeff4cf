"""Embedding a session: what the README and the example show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SNIPPET = re.compile(r"## Embed it\n.*?```python\n(.*?)```", re.DOTALL)
MOST_LINES = 15


def snippet(root: Path) -> str:
    found = SNIPPET.search((root / "README.md").read_text())
    assert found is not None
    return found[1]


def ran(source: Path, folder: Path) -> str:
    """Run a script in a folder of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(source)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder.parent)},
    )
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    return done.stdout


def fills(text: str) -> int:
    """Return the number of fills that a text tells."""
    found = re.search(r"(\d+) fills", text)
    assert found is not None, text
    return int(found[1])


def test_the_snippet_is_short(root: Path) -> None:
    lines = [line for line in snippet(root).splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 100


@pytest.mark.compiled("twenty seconds of a busy market")
def test_the_snippet_trades_and_leaves_nothing_in_the_working_folder(
    root: Path, tmp_path: Path
) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(snippet(root))
    (tmp_path / "here").mkdir()
    told = ran(script, tmp_path / "here")
    assert fills(told) > 10
    log = Path(told.split()[-1])
    assert log.parent.parent == tmp_path
    assert log.stat().st_size > 0


@pytest.mark.compiled("twenty seconds of a busy market")
def test_the_example_trades_and_leaves_nothing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    told = ran(root / "examples" / "embed.py", tmp_path / "here")
    assert fills(told) > 10
    assert "records verified" in told
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
