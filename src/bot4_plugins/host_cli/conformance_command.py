"""``bot4 conformance``: run a part's conformance kit and print the matrix."""

import importlib
import inspect
from collections import Counter
from collections.abc import Sequence

import click

from bot4_core.errors import MissingPluginError, PluginLoadError
from bot4_core.exit_codes import ExitCode
from bot4_core.plugins import Component, PluginHost
from bot4_core.testing.conformance import (
    KIT_VERSION,
    CaseOutcome,
    CaseResult,
    ConformanceKit,
    run_conformance,
)
from bot4_plugins.host_cli.output import json_option, print_json, print_table
from bot4_plugins.host_cli.plugins_command import installed_host

MARKS = {CaseOutcome.PASSED: "ok", CaseOutcome.FAILED: "FAILED", CaseOutcome.EXEMPT: "exempt"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name")
@click.option("--kind", help="Of the part, where two kinds have one of this name.")
@json_option
def conformance(name: str, kind: str | None, as_json: bool) -> int:
    """Check that an installed part keeps the promises of its kind.

    Example: bot4 conformance binance
    """
    component = part_named(installed_host(), name, kind)
    results = run_conformance(kit_of(component))
    counts = Counter(each.outcome for each in results)
    if as_json:
        print_json(plain(component, results))
    else:
        show(component, results)
    return ExitCode.FAILURE if counts[CaseOutcome.FAILED] else ExitCode.OK


def part_named(host: PluginHost, name: str, kind: str | None) -> Component:
    """Return the one part of a name.

    Raises
    ------
    MissingPluginError
        If there is none, or there are several; the text says what to ask for.
    """
    found = [each for each in host.components(kind) if each.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        kinds = " or ".join(f"--kind {each.kind}" for each in found)
        raise MissingPluginError(f"several parts are named {name!r}: say {kinds}")
    names = ", ".join(each.name for each in host.components(kind) if each.conformance)
    raise MissingPluginError(f"no part is named {name!r}; with a kit there are: {names or 'none'}")


def kit_of(component: Component) -> ConformanceKit:
    """Import and make the kit that a part brings.

    Raises
    ------
    MissingPluginError
        If it brings none.
    PluginLoadError
        If it cannot be made.
    """
    label = f"{component.kind} {component.name}"
    if not component.conformance:
        text = f"{label} brings no conformance kit; docs/how-to/conformance.md says how to add one"
        raise MissingPluginError(text)
    module, _, attribute = component.conformance.partition(":")
    try:
        kit = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginLoadError(
            label, f"import of {component.conformance} failed: {error}"
        ) from error
    if not (inspect.isclass(kit) and issubclass(kit, ConformanceKit)):
        raise PluginLoadError(label, f"{component.conformance} is no conformance kit")
    return kit()


def plain(component: Component, results: Sequence[CaseResult]) -> dict[str, object]:
    """Return the matrix as JSON data."""
    return {
        "schema": 1,
        "kit": KIT_VERSION,
        "kind": component.kind.value,
        "name": component.name,
        "passed": not any(each.outcome is CaseOutcome.FAILED for each in results),
        "cases": [
            {
                "number": each.number,
                "demand": each.demand,
                "outcome": each.outcome.value,
                "reason": each.reason,
            }
            for each in results
        ],
    }


def show(component: Component, results: Sequence[CaseResult]) -> None:
    """Print the matrix, what is wrong last."""
    title = f"{component.kind} {component.name}, kit version {KIT_VERSION}"
    rows = [(each.number, MARKS[each.outcome], each.demand) for each in results]
    print_table(title, ("case", "", "what it demands"), rows)
    for outcome, heading in ((CaseOutcome.EXEMPT, "Exempt"), (CaseOutcome.FAILED, "Failed")):
        why = [(each.number, each.reason) for each in results if each.outcome is outcome]
        if why:
            print_table(f"\n{heading}", ("case", "why"), why)
