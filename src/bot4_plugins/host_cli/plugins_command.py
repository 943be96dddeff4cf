"""``bot4 plugins``: what is installed."""

import os

import click

from bot4_core.plugins import PluginHost, PluginState
from bot4_plugins.host_cli.output import json_option, print_json, print_table


def installed_host() -> PluginHost:
    """Make a host of the installed plugins; ``BOT4_PLUGINS=a,b`` allows only those."""
    names = os.environ.get("BOT4_PLUGINS")
    allow = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    return PluginHost.installed(allow=allow)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def plugins() -> None:
    """Look at installed plugins.

    Example: bot4 plugins list
    """


@plugins.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """List plugins and their parts, without importing the parts.

    Example: bot4 plugins list --json
    """
    host = installed_host()
    if as_json:
        print_json({"schema": 1, "plugins": plain(host)})
    else:
        show(host)


def plain(host: PluginHost) -> list[dict[str, object]]:
    """Return the plugins as JSON data."""
    return [
        {
            "plugin": info.plugin,
            "distribution": info.distribution,
            "version": info.version,
            "api": info.api,
            "state": info.state,
            "reason": info.reason,
            "components": [
                {
                    "kind": part.kind,
                    "name": part.name,
                    "summary": part.summary,
                    "capabilities": part.capabilities,
                }
                for part in info.components
            ],
        }
        for info in host.plugins
    ]


def show(host: PluginHost) -> None:
    """Print the parts by kind, then plugins that did not load, then those without parts."""
    parts = sorted(
        (part.kind, part.name, f"{part.summary}\n{info.distribution} {info.version}")
        for info in host.plugins
        for part in info.components
    )
    print_table("Parts", ("kind", "name", "what, and from where"), parts)
    bad = [info for info in host.plugins if info.state is not PluginState.OK]
    if bad:
        rows = [(info.plugin, info.state, info.reason or "no reason given") for info in bad]
        print_table("\nNot loaded", ("plugin", "state", "why"), rows)
    bare = [
        f"{info.distribution} {info.version}"
        for info in host.plugins
        if info.state is PluginState.OK and not info.components
    ]
    if bare:
        click.echo(f"\nPlugins without parts: {', '.join(bare)}")
