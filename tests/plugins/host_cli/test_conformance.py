"""``bot4 conformance`` and ``bot4 venues``."""

import json
from typing import Any

import pytest
from tests.core.testing.broken_exchanges import NeverAgain
from tests.core.testing.conforming_exchange import ModelConformance, ModelExchange
from tests.plugins.host_cli.shell import called

from bot4_core.plugins import Component, PluginHost, hookimpl
from bot4_core.plugins.interfaces import Exchange
from bot4_plugins.host_cli import conformance_command, venues_command

HERE = "tests.plugins.host_cli.test_conformance"


class BrokenConformance(ModelConformance):
    def adapter(self) -> Exchange:
        return NeverAgain()


class Plugin:
    HOOK_API = 1

    def __init__(self, *components: Component) -> None:
        self.components = components

    @hookimpl
    def bot4_components(self) -> tuple[Component, ...]:
        return self.components


def component(kit: str, kind: str = "exchange", name: str = "model") -> Component:
    load = "tests.core.testing.conforming_exchange:ModelExchange"
    return Component(kind=kind, name=name, load=load, conformance=kit)


def host_of(monkeypatch: pytest.MonkeyPatch, *components: Component) -> None:
    host = PluginHost()
    host.register(Plugin(*components), name="test")
    for module in (conformance_command, venues_command):
        monkeypatch.setattr(module, "installed_host", lambda: host)


def test_a_part_that_keeps_its_promises_ends_with_success(monkeypatch: pytest.MonkeyPatch) -> None:
    host_of(monkeypatch, component("tests.core.testing.conforming_exchange:ModelConformance"))
    answer = called("conformance", "model")
    assert answer.code == 0
    assert "E04" in answer.out
    assert "Failed" not in answer.out


def test_a_part_that_does_not_is_shown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    host_of(monkeypatch, component(f"{HERE}:BrokenConformance"))
    answer = called("conformance", "model")
    assert answer.code == 1
    assert "E24" in answer.out.partition("Failed")[2]
    assert "nothing is asked for" in answer.out


def test_the_matrix_is_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    host_of(monkeypatch, component(f"{HERE}:BrokenConformance"))
    answer = called("conformance", "model", "--json")
    data: dict[str, Any] = json.loads(answer.out)
    assert (answer.code, data["schema"], data["kind"], data["name"]) == (1, 1, "exchange", "model")
    assert data["passed"] is False
    failed = [each for each in data["cases"] if each["outcome"] == "failed"]
    assert [each["number"] for each in failed] == ["E24"]


@pytest.mark.parametrize(
    ("kit", "complaint"),
    [
        ("", "exchange model brings no conformance kit"),
        ("tests.nowhere:Kit", "import of tests.nowhere:Kit failed"),
        (f"{HERE}:nothing", f"import of {HERE}:nothing failed"),
        (f"{HERE}:HERE", f"{HERE}:HERE is no conformance kit"),
    ],
)
def test_a_kit_that_cannot_be_had_is_named(
    monkeypatch: pytest.MonkeyPatch, kit: str, complaint: str
) -> None:
    host_of(monkeypatch, component(kit))
    answer = called("conformance", "model")
    assert answer.code == 4
    assert complaint in answer.complaint


def test_a_name_of_nobody_or_of_two_is_told_with_what_to_ask_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kit = "tests.core.testing.conforming_exchange:ModelConformance"
    host_of(monkeypatch, component(kit), component(kit, kind="sizer"))
    assert "say --kind exchange or --kind sizer" in called("conformance", "model").complaint
    assert called("conformance", "model", "--kind", "exchange").code == 0
    assert "there are: model" in called("conformance", "modle").complaint


def test_what_venues_offer_is_shown_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    host_of(monkeypatch, component(""))
    shown = called("venues").out
    assert "proven by step" in shown
    assert "market, limit, stop limit, iceberg" in shown
    (market,) = json.loads(called("venues", "--json").out)["markets"]
    assert (market["venue"], market["market"]) == ("model", "spot")
    assert market["flags"] == ["post_only"]
    assert market["order_types"] == ["market", "limit", "stop_limit", "iceberg"]
    assert ModelExchange.capabilities["spot"].source == market["source"]
