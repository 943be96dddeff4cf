"""Opens the audit log that a configuration names."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from bot4_core.audit import (
    AuditDurability,
    AuditLog,
    CheckpointFile,
    CheckpointLines,
    LogSettings,
    read_signer,
)
from bot4_core.audit.checkpoints import CheckpointPlace
from bot4_core.audit.database import named_errors
from bot4_core.convert import to_toml
from bot4_core.session.config import STREAM, AuditConfig, SessionConfig, SessionMode
from bot4_core.session.ports import Clock
from bot4_core.session.recovery import CONTINUES

__all__ = ["durability", "log_settings", "open_log", "secrets_of"]

_SECRET: Final = re.compile("key|secret|passphrase|password|token|credential", re.IGNORECASE)
_SHORTEST: Final = 8


def open_log(config: SessionConfig, name: str, clock: Clock, continues: str = "") -> AuditLog:
    """Open the audit log, first of all: what is wrong with it should not show a minute later.

    Raises
    ------
    AuditError
        If it cannot be written, is damaged, or another process holds it.
    """
    path = config.audit.path
    goes_on = {CONTINUES: continues} if continues else {}
    with named_errors(path, "make the folder of the audit log"):
        path.parent.mkdir(parents=True, exist_ok=True)
    return AuditLog.open(
        path,
        run=name,
        wall_time=clock.time_ns(),
        durable=durability(config),
        facts={"configuration": to_toml(config), **goes_on},
        settings=attrs.evolve(log_settings(config.audit), secrets=secrets_of(config)),
    )


def secrets_of(config: SessionConfig) -> tuple[str, ...]:
    """Return what settings call a key, a secret, a password or the like: no record may hold it.

    Shorter texts than eight characters are no secrets, and would be blotted out of common words.
    """
    parts = [config.venue.settings, config.strategy.settings, config.sizer.settings]
    parts += [each.settings for each in config.breakers]
    if config.router is not None:
        parts.append(config.router.settings)
    pairs = (pair for settings in parts for pair in _texts(settings))
    found = (text for name, text in pairs if _SECRET.search(name) and len(text) >= _SHORTEST)
    return tuple(dict.fromkeys(found))


def _texts(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield all texts with their names, also those of inner tables and lists."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _texts({f"{name}.{inner}": each for inner, each in value.items()})
        elif isinstance(value, (list, tuple)):
            yield from _texts({f"{name}[{place}]": each for place, each in enumerate(value)})
        elif isinstance(value, str):
            yield name, value


def durability(config: SessionConfig) -> AuditDurability:
    """Return what records must survive: a power cut where orders are real."""
    if config.audit.durable != "auto":
        return AuditDurability(config.audit.durable)
    live = config.mode is SessionMode.LIVE
    return AuditDurability.FULL if live else AuditDurability.NORMAL


def log_settings(config: AuditConfig) -> LogSettings:
    """Return how the log is kept.

    Raises
    ------
    AuditError
        If the key of the checkpoints cannot be read.
    """
    key = None if config.checkpoint_key is None else read_signer(config.checkpoint_key)
    places: list[CheckpointPlace] = [
        CheckpointLines(key) if each == STREAM else CheckpointFile(each, key)
        for each in config.checkpoints
    ]
    return LogSettings(
        places=tuple(places),
        segment_bytes=config.segment_mb * 2**20,
        quarantine=config.quarantine,
    )
