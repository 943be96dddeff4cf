"""What is said beside the data."""

import time

import pytest

from bot4_plugins.host_cli.output import print_json, print_table, without_zeros
from bot4_plugins.host_cli.talk import Talk, lines


def test_something_slow_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with lines(patience=0.01, every=0.01) as tell:
        tell("compile kernels (once)", 0.3, "decide")
        deadline = time.monotonic() + 20
        while not (said := capsys.readouterr().err):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert said.splitlines()[0] == "bot4: compile kernels (once)… 30% decide"


def test_something_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Talk().stages() as tell:
        tell("run", 1.0)
    assert capsys.readouterr().err == ""


def test_quiet_talk_says_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk()
    talk.quiet = True
    with talk.stages() as tell:
        tell("run", 0.5, "x")
    talk.warn("careful")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Talk().stages() as tell:
        tell("compile", 0.5, "decide")
        tell("run", 0.1)


def test_numbers_that_json_has_not_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), (1.5, "é")], "c": {"d": -float("inf")}})
    assert capsys.readouterr().out == '{"a": null, "b": [null, [1.5, "é"]], "c": {"d": null}}\n'


def test_cells_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("T", ("name", "what"), [("a", "[bold]x[/bold]"), ("b", None)])
    assert "[bold]x[/bold]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "short"), [("1.500", "1.5"), ("100", "100"), ("1.00", "1"), ("-", "-"), ("0.00", "0")]
)
def test_zeros_that_say_nothing_are_dropped(text: str, short: str) -> None:
    assert without_zeros(text) == short
