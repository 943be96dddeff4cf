"""Call the command line, in this process or in one of its own."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bot4_plugins.host_cli.main import main

COMMAND = (sys.executable, "-m", "bot4_plugins.host_cli")
LIMITED = (
    "import resource, sys; limit = int(sys.argv.pop(1)); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); "
    "from bot4_plugins.host_cli.main import main; main(sys.argv[1:])"
)


class Answer(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line on standard error, which is the only one that is no progress."""
        lines = [line for line in self.err.splitlines() if "… " not in line]
        assert len(lines) == 1, self.err
        return lines[0]


def called(*arguments: str) -> Answer:
    """Call a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ending:
            code = int(ending.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with more."""
    return {**os.environ, **more}


def spawned(*arguments: str, folder: Path | None = None, limit: int = 0, **more: str) -> Answer:
    """Call a command in a process of its own, which may write files up to a limit of bytes.

    A limited one writes no bytecode: Python would leave cut files for later processes.
    """
    command = COMMAND if not limit else (sys.executable, "-B", "-c", LIMITED, str(limit))
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(more),
    )
    return Answer(done.returncode, done.stdout, done.stderr)
