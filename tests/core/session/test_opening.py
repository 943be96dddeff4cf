"""What a run looks at before anything slow: its parts, its source, its audit log."""

import json
from pathlib import Path

import attrs
import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.test_markets import toy_config, toy_file, toy_host

from bot4_core import SessionConfig, run
from bot4_core.audit import AuditLog, read_records, verify
from bot4_core.audit.canonical import Payload
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, Bot4Error, ConfigError, MissingPluginError, RecordingError
from bot4_core.session import recovery
from bot4_core.session.audit_opening import open_log, secrets_of
from bot4_core.session.config import (
    AuditConfig,
    BreakerConfig,
    PartConfig,
    SessionMode,
    SourceConfig,
    VenueConfig,
)
from bot4_core.session.ports import RunProgress


def playing(folder: Path, **changes: object) -> SessionConfig:
    """Play a recording, and keep a log beside it."""
    source = SourceConfig(recordings=(toy_file(folder / "a.txt"),))
    audit = AuditConfig(path=folder / "audit.sqlite")
    return toy_config(**{"source": source, "audit": audit, **changes})


def refused(config: SessionConfig, error: type[Bot4Error], text: str) -> list[RunProgress]:
    """Run in vain, and return what was told before."""
    told: list[RunProgress] = []
    with pytest.raises(error, match=text):
        run(config, toy_host(), Ticking(), progress=told.append)
    return told


def last_run(path: Path) -> tuple[AuditKind, str]:
    """Return the last record's kind, and why the run stopped."""
    *_, last = read_records(path)
    return last.kind, json.loads(last.payload)["facts"]["stopped"]


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"strategy": PartConfig(plugin="loud")}, MissingPluginError, "'loud'"),
        ({"sizer": PartConfig(plugin="two")}, MissingPluginError, "'two'"),
        ({"router": PartConfig(plugin="bent")}, MissingPluginError, "'bent'"),
        ({"breakers": (BreakerConfig(plugin="wild"),)}, MissingPluginError, "'wild'"),
        (
            {"router": PartConfig(plugin="straight", settings={"speed": 1})},
            ConfigError,
            "router.settings.speed",
        ),
        ({"venue": VenueConfig(plugin="toy", market="moon")}, ConfigError, "venue.market"),
        ({"source": SourceConfig()}, ConfigError, "nothing to play"),
        (
            {
                "mode": SessionMode.PAPER,
                "venue": VenueConfig(plugin="odd", market="spot"),
                "source": SourceConfig(),
            },
            ConfigError,
            "some seconds",
        ),
    ],
)
def test_faults_of_a_configuration_come_first_and_leave_no_log(
    tmp_path: Path, changes: dict[str, object], error: type[Bot4Error], text: str
) -> None:
    config = playing(tmp_path, **changes)
    assert refused(config, error, text) == []
    assert not config.audit.path.exists()


def test_a_log_that_somebody_holds_is_seen_before_compiling(tmp_path: Path) -> None:
    config = playing(tmp_path)
    with AuditLog.open(config.audit.path, run="other", wall_time=1):
        assert refused(config, AuditError, "another process") == []


def test_a_damaged_log_is_seen_before_compiling(tmp_path: Path) -> None:
    config = playing(tmp_path)
    config.audit.path.write_bytes(b"once upon a time" * 1000)
    assert refused(config, AuditError, "not a database") == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    config = playing(tmp_path, audit=AuditConfig(path=tmp_path / "a.txt" / "deep" / "log"))
    assert refused(config, AuditError, "cannot make the folder of the audit log: ") == []


def test_a_run_that_comes_to_nothing_says_so_in_its_log(tmp_path: Path) -> None:
    config = playing(tmp_path)
    config.source.recordings[0].unlink()
    assert refused(config, RecordingError, "a.txt") != []
    kind, stopped = last_run(config.audit.path)
    assert kind is AuditKind.RUN_END
    assert stopped.startswith("not begun: ")
    assert "a.txt" in stopped
    assert verify(config.audit.path).records == 2


def test_an_interrupted_start_is_noted_by_name(tmp_path: Path) -> None:
    def interrupt(_: RunProgress) -> None:
        raise KeyboardInterrupt

    config = playing(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(config, toy_host(), Ticking(), progress=interrupt)
    assert last_run(config.audit.path) == (AuditKind.RUN_END, "not begun: KeyboardInterrupt")


def test_a_log_that_fails_meanwhile_does_not_hide_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise AuditError("the disk is full")

    config = playing(tmp_path)
    config.source.recordings[0].unlink()
    monkeypatch.setattr(AuditLog, "finish", full)
    refused(config, RecordingError, "a.txt")


def test_a_finished_run_says_that_it_was_not_stopped(tmp_path: Path) -> None:
    config = playing(tmp_path)
    run(config, toy_host(), Ticking())
    assert last_run(config.audit.path) == (AuditKind.RUN_END, "")


@pytest.mark.parametrize(
    "canary", ["canary-4711-secret", 'line one\nline "two" of a canary', "caf\u00e9-canary-\\x"]
)
def test_i54_no_record_holds_a_secret_of_the_settings(tmp_path: Path, canary: str) -> None:
    settings = {"api": {"Secret": canary}, "passwords": [canary + "2"], "name": "harmless", "n": 1}
    strategy = PartConfig(plugin="quote", settings=settings)
    breakers = (BreakerConfig(plugin="wild", settings={"token": canary}),)
    router = PartConfig(plugin="straight", settings={"key": "mid", "token": "BTC"})
    config = playing(tmp_path, strategy=strategy, breakers=breakers, router=router)
    assert secrets_of(config) == (canary, canary + "2")
    with open_log(config, "run", Ticking()) as log:
        said: Payload = {"error": f"the venue refused {canary}"}
        log.append(AuditKind.REJECT, "venue", "", said, event_time=1, wall_time=1)
        log.finish(2)
    path = config.audit.path
    texts = [each.payload.decode() for each in read_records(path)]
    assert "harmless" in texts[0]
    assert texts[1] == '{"error":"the venue refused [redacted]"}'
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes()
    assert verify(path).records == 3


def test_the_last_run_is_known_although_its_segment_was_put_aside(tmp_path: Path) -> None:
    config = playing(tmp_path)
    path = config.audit.path
    assert recovery.last_run(path) == ""
    clock = Ticking()
    for run_name in ("first", "second"):
        with open_log(config, run_name, clock) as log:
            log.finish(clock.time_ns())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    settings = attrs.evolve(config, audit=attrs.evolve(config.audit, quarantine=True))
    with open_log(settings, "third", clock) as log:
        log.commit()
    assert not path.exists()
    assert recovery.last_run(path) == "third"
