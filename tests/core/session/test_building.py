"""Adapters as a configuration wants them, and what they refuse."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from tests.core.session.test_markets import ToyVenue, toy_config, toy_host
from tests.core.session.toy_exchange import toy_instrument

from bot4_core import PluginHost
from bot4_core.domain_types.instruments import FeeSchedule, Instrument
from bot4_core.errors import ConfigError, RecordingError, ValidationError
from bot4_core.plugins import Component, hookimpl
from bot4_core.plugins.interfaces import PartSettings
from bot4_core.session.building import build_market, exchange_factory
from bot4_core.session.config import SourceConfig, VenueConfig


class OddVenues:
    """A plugin that brings venues with a will of their own."""

    HOOK_API = 1

    @hookimpl
    def bot4_components(self) -> Sequence[Component]:
        here = "tests.core.session.test_building"
        return (
            Component(kind="exchange", name="strict", load=f"{here}:StrictVenue"),
            Component(kind="exchange", name="listed", load=f"{here}:ListedVenue"),
        )


def odd_host() -> PluginHost:
    host = toy_host()
    host.register(OddVenues(), name="odd-venues")
    return host


class ListedVenue(ToyVenue):
    """Knows an instrument by itself."""

    name = "listed"

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(settings, instruments or [toy_instrument("A")])


def test_fees_of_the_configuration_reach_instruments_that_only_the_venue_knows() -> None:
    fees = FeeSchedule(maker=Decimal("0.001"))
    config = toy_config(fees=fees, venue=VenueConfig(plugin="listed", market="spot"))
    factory = exchange_factory(config, odd_host())
    assert [each.fees for each in factory([]).instruments] == [fees]


def test_recordings_without_a_known_instrument_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text('1700000000000000000 {"other": 1}\n')
    config = toy_config(source=SourceConfig(recordings=(path,)))
    with pytest.raises(RecordingError, match=r"other.txt: no message tells of .* of toy spot"):
        build_market(config, odd_host())


class StrictVenue(ToyVenue):
    """Refuses what it is given, at a place that it names."""

    name = "strict"
    refused: ClassVar[str] = ""

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        raise ValidationError([(self.refused, "is wrong")])


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("symbols[1]", "venue.symbols[1]"),
        ("instruments.A.tick", "instruments.A.tick"),
        ("faults[0].count", "venue.settings.faults[0].count"),
    ],
)
def test_what_an_adapter_refuses_is_named_by_its_place_in_the_configuration(
    place: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StrictVenue, "refused", place)
    config = toy_config(venue=VenueConfig(plugin="strict", market="spot"))
    with pytest.raises(ConfigError) as caught:
        exchange_factory(config, odd_host())([])
    assert caught.value.faults == [(path, "is wrong")]
