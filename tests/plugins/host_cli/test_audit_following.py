"""``bot4 audit follow`` without a server: addresses, settings, waiting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.plugins.host_cli.shell import called

from bot4_core.errors import StoreUnreachableError
from bot4_plugins.host_cli.audit_following import ADDRESS, LONGEST, Chase, pairs
from bot4_plugins.host_cli.talk import Talk


class Scripted:
    """Follows nothing: each step does what was written down for it."""

    def __init__(self, *steps: int | None) -> None:
        self.steps: Iterator[int | None] = iter(steps)
        self.sequence, self.head, self.copied = 0, b"", 0

    def step(self) -> int:
        found = next(self.steps)
        if found is None:
            raise StoreUnreachableError("nobody answers")
        return found


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


def chase(*steps: int | None, every: float = 0.0, patience: float = 30.0) -> tuple[Chase, Time]:
    time, talk = Time(), Talk()
    made = Chase(
        talk,
        Scripted(*steps),  # type: ignore[arg-type]  # as much of one as is asked
        every=every,
        patience=patience,
        clock=time.clock,
        sleep=time.sleep,
    )
    return made, time


def test_it_ends_when_all_is_copied() -> None:
    made, time = chase(1000, 1000, 3, 0)
    made.run()
    assert time.now == 0.0
    assert (made.outages, made.stopped) == (0, "")


def test_an_outage_is_told_once_and_waited_out(capsys: pytest.CaptureFixture[str]) -> None:
    made, time = chase(5, None, None, None, 5, None, 0)
    made.run()
    assert made.outages == 2
    assert (0.25 + 0.5 + 1.0) / 2 <= time.now <= 0.25 + 0.5 + 1.0 + 0.25 + 0.5
    assert capsys.readouterr().err.splitlines() == [
        "bot4: warning: nobody answers; nothing is lost, trying again",
        "bot4: warning: the store is reached again after 3 tries",
        "bot4: warning: nobody answers; nothing is lost, trying again",
        "bot4: warning: the store is reached again after 1 tries",
    ]


def test_pauses_grow_to_half_a_minute_and_patience_ends() -> None:
    made, time = chase(*[None] * 40, patience=600.0)
    with pytest.raises(StoreUnreachableError):
        made.run()
    assert 600.0 <= time.now < 600.0 + LONGEST + 1.0
    none, now = chase(None, patience=0.0)
    with pytest.raises(StoreUnreachableError):
        none.run()
    assert now.now == 0.0


def test_settings_are_values_or_text() -> None:
    read = dict(pairs(["schema=other", "lock_wait=2.5", 'writer="w"', "on=true", "odd=a=b"]))
    assert read == {"schema": "other", "lock_wait": 2.5, "writer": "w", "on": True, "odd": "a=b"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 1, f"where is the store? name a file with --to, or set {ADDRESS}"),
        (["--to", "postgresql://me:sesame@h/d"], 1, "an address on the command line shows its"),
        (["--to", "{}/none"], 1, "none: cannot read the address of the store: No such file"),
        (["--to", "{}/open"], 1, "open: everybody may read this address; chmod o-rwx it"),
        (["--to", "{}/closed", "--store", "postgre"], 4, "did you mean 'postgres'?"),
        (["--to", "{}/closed", "--set", "schemata=x"], 3, "--set: schemata: "),
        (["--to", "{}/closed", "--set", "schema=X"], 3, "schema: 'X' is not made of small"),
        (["--to", "{}/closed", "--set", "schema"], 2, "'schema' is not KEY=VALUE"),
        (["--to", "{}/closed"], 1, "the address of the PostgreSQL server is malformed"),
    ],
)
def test_wrong_use_is_told_without_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    for name, mode in (("open", 0o604), ("closed", 0o600)):
        (tmp_path / name).write_text("sesame")
        (tmp_path / name).chmod(mode)
    given = [each.format(tmp_path) for each in arguments]
    answer = called("audit", "follow", str(tmp_path / "a.audit"), *given)
    assert answer.code == code, answer.err
    assert told in answer.complaint
    assert "sesame" not in answer.err + answer.out
