"""Errors end a process with the documented code."""

import pytest

from bot4_core.errors import (
    ChainError,
    ConfigError,
    MissingPluginError,
    PluginLoadError,
    RecordingError,
    ValidationError,
)
from bot4_core.exit_codes import ExitCode, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bot4.toml", [("mode", "missing")]), ExitCode.CONFIG),
        (ValidationError([("price", "negative")]), ExitCode.CONFIG),
        (MissingPluginError("no strategy"), ExitCode.PLUGIN),
        (PluginLoadError("dist", "broken"), ExitCode.PLUGIN),
        (ChainError(7, "hash differs"), ExitCode.AUDIT),
        (RecordingError("torn"), ExitCode.FAILURE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (ZeroDivisionError(), ExitCode.FAILURE),
    ],
)
def test_error_has_its_exit_code(error: BaseException, code: ExitCode) -> None:
    assert exit_code(error) is code
