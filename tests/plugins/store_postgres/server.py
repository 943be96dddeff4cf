"""A PostgreSQL server of this test session's own, on a free port in a temporary folder."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg

PASSWORD = "sesame-7/@:x"  # noqa: S105 - of a server that lives as long as the tests
QUOTED = "sesame-7%2F%40%3Ax"
PLACES = "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"


def programs() -> Path | None:
    """Return the folder with the server's programs, the newest version's."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    folders = [each for place in PLACES for each in Path("/").glob(place[1:])]
    return max(
        (each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()),
        key=lambda each: [int(part) for part in each.parts[-2].split("-")[-1].split(".")],
        default=None,
    )


class Server:
    """A cluster that can be stopped and started; answers on 127.0.0.1."""

    def __init__(self, folder: Path, binaries: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._binaries = binaries
        self._data = folder / "data"

    def make(self) -> None:
        """Make the cluster; who connects needs a password."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:  # the server refuses to run as root
            for each in (self.folder, secret):
                shutil.chown(each, "postgres", "postgres")
        self._run(
            "initdb",
            *("-D", str(self._data), "-U", "owner", "--pwfile", str(secret), "-A", "scram-sha-256"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
        )
        settings = (
            f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nfsync = off\n"
            f"unix_socket_directories = ''\nmax_connections = 20\nshared_buffers = '16MB'\n"
        )
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(settings)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def address(self, user: str = "owner", database: str = "postgres") -> str:
        """Return an address with a password that needs quoting."""
        return f"postgresql://{user}:{QUOTED}@127.0.0.1:{self.port}/{database}"

    def ask(self, *statements: str, user: str = "owner") -> Any:
        """Execute statements and return the rows of the last."""

        async def asked() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.address(user))
            try:
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return [tuple(row) for row in await connection.fetch(statements[-1])]
            finally:
                await connection.close()

        return asyncio.run(asked())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=self.folder,
        )
        if done.returncode:
            log = self.folder / "log"
            told = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed: {done.stderr}\n{told}")
