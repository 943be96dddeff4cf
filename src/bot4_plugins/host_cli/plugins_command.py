"""``bot4 plugins``: what is installed."""

import os

import click

from bot4_core.plugins import PluginHost
from bot4_plugins.host_cli.output import json_option, print_json, print_table


def installed_host() -> PluginHost:
    """Make a host of the installed plugins; ``BOT4_PLUGINS=a,b`` allows only those."""
    names = os.environ.get("BOT4_PLUGINS")
    allow = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    return PluginHost.installed(allow=allow)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def plugins() -> None:
    """Look at installed plugins."""


@plugins.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """List plugins and their parts, without importing the parts.

    Example: bot4 plugins list --json
    """
    host = installed_host()
    if as_json:
        print_json(
            {
                "schema": 1,
                "plugins": [
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
                ],
            }
        )
        return
    rows: list[tuple[object, ...]] = [
        (info.distribution, info.version, info.state, part.kind, part.name, part.summary)
        for info in host.plugins
        for part in info.components
    ]
    rows += [
        (info.distribution, info.version, info.state, "", "", info.reason)
        for info in host.plugins
        if not info.components
    ]
    print_table("Plugins", ("distribution", "version", "state", "kind", "name", "what"), rows)
