"""``bot4 venues``: what the installed exchange adapters can do, market by market."""

from collections.abc import Iterator
from typing import Any

import click

from bot4_core.domain_types.records import EventKind, OrderFlag
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.plugins import ComponentKind, PluginHost
from bot4_core.plugins.interfaces import Exchange
from bot4_plugins.host_cli.output import json_option, print_json, print_table
from bot4_plugins.host_cli.plugins_command import installed_host

BOOK_KINDS = (EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@json_option
def venues(as_json: bool) -> None:
    """Show what each market of the installed venues offers.

    Example: bot4 venues --json
    """
    rows = list(capability_rows(installed_host()))
    if as_json:
        print_json({"schema": 1, "markets": [plain(*row) for row in rows]})
        return
    print_table("Markets", ("market", "what it offers"), [shown(*row) for row in rows])


def capability_rows(host: PluginHost) -> Iterator[tuple[str, str, Capabilities]]:
    """Yield venue, market and capabilities of every adapter."""
    for component in host.components(ComponentKind.EXCHANGE):
        adapter = host.load_as(Exchange, ComponentKind.EXCHANGE, component.name)  # type: ignore[type-abstract]  # its class is looked at
        for market, row in adapter.capabilities.items():
            yield component.name, market, row


def plain(venue: str, market: str, row: Capabilities) -> dict[str, Any]:
    """Return a row as JSON data."""
    return {
        "venue": venue,
        "market": market,
        "data": _names(row.data),
        "proof": row.proof.value,
        "depths": list(row.depths),
        "order_types": _names(row.order_types),
        "times_in_force": _names(row.times_in_force),
        "flags": _names(row.flags),
        "trigger_sources": [each.value for each in row.trigger_sources],
        "linked": [each.value for each in row.linked],
        "routes": [each.value for each in row.routes],
        "amend": row.amend,
        "cancel_all": row.cancel_all,
        "dead_man_switch": row.dead_man_switch,
        "query_by_client_id": row.query_by_client_id,
        "batch": row.batch,
        "as_of": row.as_of,
        "source": row.source,
    }


def shown(venue: str, market: str, row: Capabilities) -> tuple[str, str]:
    """Return a row as table cells: the market, and a line for each thing it offers."""
    extras = {
        "amend": row.amend,
        "cancel all": row.cancel_all,
        "dead man's switch": row.dead_man_switch,
        **{each.value: True for each in row.linked},
    }
    data = dict.fromkeys("book" if each in BOOK_KINDS else each.name.lower() for each in row.data)
    lines = {
        "books": f"proven by {row.proof.value}" if "book" in data else "",
        "data": ", ".join(data),
        "orders": ", ".join(_names(row.order_types)).replace("_", " ") or "none",
        "in force": ", ".join(_names(row.times_in_force)),
        "flags": ", ".join(_names(row.flags)).replace("_", " "),
        "also": ", ".join(name for name, has in extras.items() if has),
    }
    width = max(map(len, lines))
    text = "\n".join(f"{name:{width}}  {what}" for name, what in lines.items() if what)
    return f"{venue}\n{market}", text


def _names(values: Any) -> list[str]:
    if isinstance(values, OrderFlag):
        values = [each for each in OrderFlag if each and each in values]
    return [each.name.lower() for each in values]
