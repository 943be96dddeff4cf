"""``bot4 audit follow``: copy a log, as it grows, into a store that a plugin brings."""

import os
import random
import re
import stat
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot4_core.convert import structure
from bot4_core.errors import ChainError, StorageError, StoreUnreachableError
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.audit_reading import path_argument
from bot4_plugins.host_cli.interruption import Interruption
from bot4_plugins.host_cli.output import json_option, print_json
from bot4_plugins.host_cli.talk import Talk

if TYPE_CHECKING:  # the commands that need no store do without its imports
    from bot4_core.plugins.interfaces import Store
    from bot4_core.session.following import LogFollower

ADDRESS: Final = "BOT4_STORE_ADDRESS"
SHORTEST: Final = 0.25
LONGEST: Final = 30.0
SLICE: Final = 0.05
PATIENCE: Final = 30.0
ENDLESS: Final = float("inf")
STORE_HELP: Final = "Plugin that keeps the copy."
PATIENCE_HELP: Final = (
    "Seconds to go on trying while the store cannot be reached; with --once 30, else for ever."
)


@click.command("follow")
@path_argument
@click.option(
    "--to",
    "place",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"File with the address of the store; without it, {ADDRESS} has the address.",
)
@click.option("--store", "name", default="postgres", show_default=True, help=STORE_HELP)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Setting of the store.")
@click.option("--once", is_flag=True, help="Copy what is there, and end.")
@click.option("--recheck", is_flag=True, help="Compare what the store has, from record 1 on.")
@click.option(
    "--batch",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 50_000),
    help="Records at once.",
)
@click.option(
    "--every",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.01, 3600),
    help="Seconds between looks at the log.",
)
@click.option("--patience", type=click.FloatRange(0), help=PATIENCE_HELP)
@json_option
@click.pass_obj
def follow_log(
    talk: Talk,
    *,
    path: Path,
    place: Path | None,
    name: str,
    settings: tuple[str, ...],
    once: bool,
    recheck: bool,
    batch: int,
    every: float,
    patience: float | None,
    as_json: bool,
) -> int:
    """Copy a log into a store while it grows; the log stays what counts.

    Every record is checked before it leaves and compared where the store has it already; exit
    code 9 says that one is not what it was. It goes on where the store ends; Ctrl-C stops it.

    Example: bot4 audit follow bot4-runs/quickstart.audit.sqlite --to address.txt --once
    """
    from bot4_core.session.following import LogFollower  # noqa: PLC0415 - see above

    if patience is None:
        patience = PATIENCE if once else ENDLESS
    with closing(opened(name, settings, read_address(place))) as store:
        follower = LogFollower(path, store, batch=batch, recheck=recheck)
        chase = Chase(talk, follower, every=0.0 if once else every, patience=patience)
        try:
            chase.run()
        except ChainError as error:
            if not as_json:
                raise
            print_json({"schema": 1, "ok": False, "error": str(error), "sequence": error.sequence})
            return ExitCode.AUDIT
    if as_json:
        print_json({"schema": 1, "ok": True, "path": str(path), "store": name, **chase.data()})
    else:
        click.echo(f"{path}: {follower.copied:,} records copied to {name}, {where(follower)}")
    return ExitCode.INTERRUPTED if chase.stopped else ExitCode.OK


def where(follower: "LogFollower") -> str:
    """Write how far a copy has come."""
    if not follower.sequence:
        return "which has none of it yet"
    return f"which now ends with record {follower.sequence:,}, head {follower.head.hex()}"


def read_address(place: Path | None) -> str:
    """Read where the store is, from a file or the environment, never from an argument.

    Raises
    ------
    StorageError
        If it is not there, or a file with it is open to everybody.
    """
    if place is None:
        address = os.environ.get(ADDRESS, "")
        if not address:
            raise StorageError(f"where is the store? name a file with --to, or set {ADDRESS}")
        return address
    if re.match("postgres(ql)?:|[a-z]{2,}:/", str(place)):  # a path has one slash of two left
        raise StorageError("--to takes a file; an address on the command line shows its password")
    try:
        with place.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            address = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is no text"
        raise StorageError(f"{place}: cannot read the address of the store: {cause}") from None
    if mode & stat.S_IRWXO:
        raise StorageError(f"{place}: everybody may read this address; chmod o-rwx it")
    return address


def opened(name: str, settings: Sequence[str], address: str) -> "Store":
    """Make the store that a plugin brings.

    Raises
    ------
    PluginError
        If none does.
    ConfigError
        If a setting is wrong.
    """
    from bot4_plugins.host_cli.plugins_command import installed_host  # noqa: PLC0415 - see above

    kind: type[Store] = installed_host().load("store", name)
    return kind(structure(dict(pairs(settings)), kind.settings_type, "--set"), address)


def pairs(settings: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Read settings as TOML would; what is no TOML value is text."""
    for each in settings:
        key, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(f"{each!r} is not KEY=VALUE", param_hint="--set")
        try:
            yield key, tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            yield key, value


class Chase:
    """Takes a follower's steps, and waits between them and while the store cannot be reached.

    Parameters
    ----------
    talk : Talk
    follower : LogFollower
    every : float
        Seconds between looks at the log; 0 to end when the store has all of it.
    patience : float
        Seconds to go on trying without a word from the store.
    clock, sleep : callable, optional
        Stand-ins for those of the system.
    """

    def __init__(
        self,
        talk: Talk,
        follower: "LogFollower",
        *,
        every: float,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.stopped = ""
        self.outages = 0
        self._talk, self._follower = talk, follower
        self._every, self._patience = every, patience
        self._clock, self._sleep = clock, sleep
        self._tries = 0
        self._since = 0.0

    def run(self) -> None:
        """Follow until there is no more to do, somebody stops it, or an error does.

        Raises
        ------
        StoreUnreachableError
            If patience is at its end.
        StorageError
            As `LogFollower.step`.
        """
        with Interruption(self._talk) as interruption:
            interruption.graceful = True
            while not interruption.reason:
                try:
                    handed = self._follower.step()
                except StoreUnreachableError as error:
                    self._wait(self._delay(error), interruption)
                    continue
                self._reached()
                if not handed:
                    if not self._every:
                        return
                    self._wait(self._every, interruption)
            self.stopped = interruption.reason

    def data(self) -> dict[str, object]:
        """Return how it went, for JSON."""
        follower = self._follower
        return {
            "sequence": follower.sequence,
            "head": follower.head.hex(),
            "copied": follower.copied,
            "outages": self.outages,
            "stopped": self.stopped,
        }

    def _delay(self, error: StoreUnreachableError) -> float:
        """Return how long to wait: twice as long every time, drawn, so that many do not meet."""
        now = self._clock()
        if not self._tries:
            self._since, self.outages = now, self.outages + 1
            self._talk.warn(f"{error}; nothing is lost, trying again")
        if now - self._since >= self._patience:
            raise error
        longest = min(LONGEST, SHORTEST * 2.0 ** min(self._tries, 10))
        self._tries += 1
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads, keeps no secret

    def _reached(self) -> None:
        if self._tries:
            self._talk.warn(f"the store is reached again after {self._tries} tries")
        self._tries = 0

    def _wait(self, seconds: float, interruption: Interruption) -> None:
        """Wait in slices, because a signal handled does not end a sleep."""
        until = self._clock() + seconds
        while not interruption.reason and self._clock() < until:
            self._sleep(min(SLICE, max(0.0, until - self._clock())))
