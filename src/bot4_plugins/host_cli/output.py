"""How commands print their data: on standard output, as tables or as one JSON object."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Literal

import click

__all__ = ["json_option", "print_json", "print_table", "schema_option", "without_zeros"]

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)


def schema_option(name: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Return an option that prints the JSON Schema of a command's object and ends."""

    def show(context: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            from bot4_plugins.host_cli.json_schemas import SCHEMAS  # noqa: PLC0415 - few ask

            click.echo(json.dumps(SCHEMAS[name], indent=2))
            context.exit()

    return click.option(
        "--schema",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print the JSON Schema of --json and exit.",
    )


def print_json(data: Mapping[str, object]) -> None:
    """Print one object on one line; numbers that JSON has not become null."""
    click.echo(json.dumps(_finite(data), ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def without_zeros(number: str) -> str:
    """Drop zeros that say nothing from decimal text."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def print_table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: int = 99
) -> None:
    """Print a table that fits the terminal; columns from ``right`` on hold numbers."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - JSON does without
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.markup import escape  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        justify: Literal["left", "right"] = "right" if number >= right else "left"
        table.add_column(heading, overflow="fold", justify=justify, no_wrap=not number)
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    Console(highlight=False).print(table)
