import inspect
import pickle

import pytest

from bot4_core import errors
from bot4_core.errors import (
    AuditError,
    BookStateError,
    Bot4Error,
    ChainError,
    ConfigError,
    PluginLoadError,
    PrecisionGrew,
    ValidationError,
)

WITH_FIELDS = [
    ValidationError([("bids[0].price", "-1 is not above zero"), ("", "altogether")]),
    ConfigError("bot.toml", [("cash", "is missing"), ("", "not valid TOML")]),
    PrecisionGrew("BTCUSDT", -4, -6),
    BookStateError(3, "STALE"),
    PluginLoadError("bot4-strategy-x", "no module named x"),
    ChainError(17, "digest differs"),
]


def test_every_error_has_one_root_and_is_exported() -> None:
    defined = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)
    assert all(issubclass(getattr(errors, name), Bot4Error) for name in defined)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ValidationError", ValueError),
        ("PrecisionError", ValueError),
        ("PrecisionGrew", errors.PrecisionError),
        ("NumberOverflowError", OverflowError),
        ("ConfigError", ValueError),
        ("MissingPluginError", LookupError),
        ("DecodeError", ValueError),
        ("StorageError", OSError),
        ("RecordingError", OSError),
        ("AuditError", OSError),
        ("ChainError", AuditError),
    ],
)
def test_errors_are_caught_where_callers_expect_them(name: str, builtin: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), builtin)


@pytest.mark.parametrize("error", WITH_FIELDS, ids=lambda error: type(error).__name__)
def test_errors_with_fields_cross_processes_whole(error: Bot4Error) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        *zip(
            WITH_FIELDS,
            [
                "bids[0].price: -1 is not above zero; altogether",
                "bot.toml: cash: is missing; not valid TOML",
                "BTCUSDT needs price exponent -4 and size exponent -6",
                "book of instrument 3 is STALE, not LIVE",
                "plugin distribution 'bot4-strategy-x': no module named x",
                "audit record 17: digest differs",
            ],
            strict=True,
        )
    ],
    ids=lambda value: type(value).__name__,
)
def test_messages_say_where_and_what(error: Bot4Error, text: str) -> None:
    assert str(error).startswith(text)
