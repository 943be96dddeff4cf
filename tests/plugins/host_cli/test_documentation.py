"""The pages on the command line name everything that it has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.json_schemas import SCHEMAS
from bot4_plugins.host_cli.main import cli

EVERYWHERE = {"--json", "--help", "--schema", "--live"}


def fields(schema: Any) -> Iterator[str]:
    """Yield the names of all fields."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from fields(each)
    elif isinstance(schema, list | tuple):
        for each in schema:
            yield from fields(each)


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_is_described(root: Path, name: str) -> None:
    page = (root / "docs/reference/json.md").read_text()
    section = page.partition(f"## bot4 {name}")[2].partition("## bot4")[0] + page[:400]
    for field in fields(SCHEMAS[name]):
        assert f"`{field}`" in (section if field != "schema" else page), field


def test_every_command_and_option_is_described(root: Path) -> None:
    page = (root / "docs/reference/command-line.md").read_text()
    json_page = (root / "docs/reference/json.md").read_text()
    for words, command in commands(cli, "bot4"):
        row = next((line for line in page.splitlines() if line.startswith(f"| `{words}")), "")
        assert row, words
        assert f"## {' '.join(words.split()[:2])}" in json_page
        for parameter in command.params:
            longest = max(parameter.opts, key=len)
            if isinstance(parameter, click.Option) and longest not in EVERYWHERE:
                assert longest in row or "-o OUT" in row, (words, longest)


def test_every_exit_code_is_described(root: Path) -> None:
    page = (root / "docs/reference/command-line.md").read_text()
    for code in ExitCode:
        assert f"| {code.value} | `{code.name}` |" in page
