"""The frame of the command line: help, wrong use, errors, pipes."""

import subprocess
import sys

import pytest
from tests.plugins.host_cli.shell import COMMAND, Answer, called, spawned

from bot4_plugins.host_cli.main import COMMANDS

LEAVES = (
    *(name for name in COMMANDS if name not in {"audit", "plugins"}),
    "audit verify",
    "audit why",
    "audit list",
    "audit search",
    "audit export",
    "audit check",
    "audit follow",
    "plugins list",
)
PROBE = """
import sys
from bot4_plugins.host_cli.main import main
try:
    main(["--help"])
except SystemExit:
    heavy = [name for name in ("numpy", "numba", "rich", "plotly", "pluggy") if name in sys.modules]
    plugins = [name for name in sys.modules if name.startswith("bot4_plugins.")]
    sys.exit(",".join(heavy + [name for name in plugins if "host_cli" not in name]) or 0)
"""


def test_help_loads_neither_numpy_nor_plugins() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_fits_one_screen_and_names_every_command() -> None:
    answer = called("-h")
    assert answer.code == 0
    assert answer.out == called("--help").out
    lines = answer.out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    for name in COMMANDS:
        assert f"  {name} " in answer.out


def test_no_command_shows_help_and_succeeds() -> None:
    assert called() == called("--help")


@pytest.mark.parametrize("command", LEAVES)
def test_every_command_has_help_with_an_example(command: str) -> None:
    for flag in ("-h", "--help"):
        answer = called(*command.split(), flag)
        assert answer.code == 0
        assert f"Example: bot4 {command}" in answer.out


@pytest.mark.parametrize("command", LEAVES)
def test_every_command_can_print_json(command: str) -> None:
    assert "--json" in called(*command.split(), "-h").out


def test_version_is_told() -> None:
    assert called("--version").out.startswith("bot4, version ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rnu"], "bot4: no command 'rnu', did you mean 'run'?; see bot4 -h"),
        (["frobnicate"], "bot4: no command 'frobnicate' (run, warmup, doctor"),
        (["run"], "bot4 run: missing argument 'CONFIG'; see bot4 run -h"),
        (["run", "x.toml", "--sed", "3"], "--seed"),
        (["run", "x.toml", "--seed", "-3"], "bot4 run: invalid value for '--seed'"),
        (["audit", "verfy"], "bot4 audit: no such command 'verfy'"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(arguments: list[str], told: str) -> None:
    answer = called(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.complaint


def test_an_unforeseen_error_names_itself_and_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("bot4_plugins.host_cli.plugins_command.installed_host", broken)
    answer = called("plugins", "list")
    assert answer.code == 1
    assert answer.complaint == (
        "bot4: ZeroDivisionError: by zero (bot4 -v COMMAND shows the traceback)"
    )
    assert "Traceback" in called("-v", "plugins", "list").err


def test_warnings_are_one_line_and_can_be_silenced(monkeypatch: pytest.MonkeyPatch) -> None:
    def warned() -> object:
        import warnings

        from bot4_core.plugins import PluginHost

        warnings.simplefilter("always")
        warnings.warn("the cache\nis full", RuntimeWarning, stacklevel=1)
        return PluginHost()

    monkeypatch.setattr("bot4_plugins.host_cli.plugins_command.installed_host", warned)
    assert called("plugins", "list").complaint == "bot4: warning: the cache is full"
    assert called("-q", "plugins", "list").err == ""


def test_a_closed_pipe_is_quiet() -> None:
    for arguments in (["--help"], ["plugins", "list"], ["plugins", "list", "--json"]):
        with subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""


def test_colours_stay_out_of_pipes_and_obey_no_color() -> None:
    plain = spawned("plugins", "list")
    assert "\x1b" not in plain.out
    forced = spawned("plugins", "list", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[3" not in forced.out.replace("\x1b[3m", "")  # italic is no colour


def test_plugins_fit_eighty_columns_and_are_whole() -> None:
    answer = spawned("plugins", "list", COLUMNS="80")
    assert max(map(len, answer.out.splitlines())) <= 80
    for text in ("market_making", "bot4-strategy-market-making 0.1.0", "binance", "host-cli"):
        assert text in answer.out
    assert "…" not in answer.out


def test_only_allowed_plugins_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT4_PLUGINS", "sizer-kelly, router-best-price")
    answer = called("plugins", "list")
    assert "kelly" in answer.out
    assert "not on the allow-list" in answer.out
    refused: Answer = called("replay", "x.gz")
    assert refused.code == 4
    assert "no plugin brings exchange 'binance'" in refused.complaint
