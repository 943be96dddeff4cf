"""The configuration page has every key of a session with its default, and no other."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from tests.repo.test_settings_tables import written

from bot4_core.domain_types.instruments import FeeSchedule, Instrument
from bot4_core.domain_types.risk_limits import LimitsPreset, RiskLimits
from bot4_core.orders.linked_plans import LinkedSettings
from bot4_core.session import config
from bot4_core.session.paper import FeeTier, PaperSettings

PAGE: Final = "docs/reference/configuration.md"
HEADING: Final = "| key | default | meaning |"
SECTIONS: Final[dict[str, type[Any]]] = {
    "The file itself": config.SessionConfig,
    "`[venue]`": config.VenueConfig,
    "`[source]`": config.SourceConfig,
    "`[account]`": config.AccountConfig,
    "`[strategy]`, `[sizer]`, `[router]`": config.PartConfig,
    "`[[breakers]]`": config.BreakerConfig,
    "`[[linked]]`": LinkedSettings,
    "`[limits]`": config.LimitsConfig,
    "`[quoting]`": config.QuotingConfig,
    "`[answers]`": config.AnswersConfig,
    "`[start]`": config.StartConfig,
    "`[matching]`": PaperSettings,
    "`[[matching.fee_tiers]]`": FeeTier,
    "`fees`": FeeSchedule,
    "`[audit]`": config.AuditConfig,
    "`[[instruments]]`": Instrument,
}
WORDS: Final = {("LimitsConfig", "None"): "preset's", ("BreakerConfig", ""): "plugin's"}


def section(root: Path, name: str) -> str:
    """Return a section of the page, without its heading."""
    text = (root / PAGE).read_text(encoding="utf-8")
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table whose heading was cut off."""
    lines = table.splitlines()[2:]
    end = lines.index("") if "" in lines else len(lines)
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[:end]]


def told(owner: type[Any], default: object) -> str:
    """Write a default as the page does."""
    if default is attrs.NOTHING:
        return "required"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # it is a class at run time
        default = default.factory()  # type: ignore[attr-defined]  # as above
    text = WORDS.get((owner.__name__, str(default)))
    if text is not None:
        return text
    if default == FeeSchedule():
        return "0"
    if attrs.has(type(default)):
        return ""  # a table, whose keys have defaults of their own
    if default in (None, "", {}):
        return "none"
    return f"{default:g}" if isinstance(default, float) else written(default)


def test_every_section_is_there_and_no_other(root: Path) -> None:
    text = (root / PAGE).read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.M) == list(SECTIONS)


@pytest.mark.parametrize(("name", "owner"), SECTIONS.items(), ids=list(SECTIONS))
def test_a_section_has_every_key_with_its_default(root: Path, name: str, owner: type[Any]) -> None:
    found = rows(section(root, name).partition(HEADING)[2])
    expected = [(each.name, told(owner, each.default)) for each in attrs.fields(owner)]
    assert [(key, default) for key, default, _ in found] == expected


def test_the_presets_are_those_of_the_limits(root: Path) -> None:
    heading = "| limit | " + " | ".join(LimitsPreset) + " |"
    found = {
        name: cells for name, *cells in rows(section(root, "`[limits]`").partition(heading)[2])
    }
    assert list(found) == [each.name for each in attrs.fields(RiskLimits)]
    for place, preset in enumerate(LimitsPreset):
        limits = RiskLimits.preset(preset, Decimal(1000))
        for name, cells in found.items():
            number, of_cash, _ = cells[place].partition(" × cash")
            unit = 1000 if of_cash else 1
            assert Decimal(number) * unit == getattr(limits, name), f"{preset} {name}"
