"""Recordings whose exponents are not the session's: rescaled exactly, or refused."""

import gzip
import time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from tests.core.session.test_markets import toy_file
from tests.core.session.toy_exchange import ToyExchange, toy_instrument

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.domain_types.records import EVENT_DTYPE, EventKind, Records
from bot4_core.errors import ConfigError, NumberOverflowError, PrecisionGrew
from bot4_core.session.building import exchange_factory
from bot4_core.session.event_scales import contradictions, rescale, scale_changes
from bot4_core.session.importing import import_files
from bot4_core.session.markets import RecordedMarket
from bot4_core.session.paper import PaperSettings
from bot4_core.session.report import SessionReport

NUMBERS = {"price": 20, "size": 30, "sequence": 40, "aux": 50, "link": 60}
COARSE = toy_instrument("A", -1)
FINE = attrs.evolve(COARSE, price_exponent=-3, size_exponent=-1)
MESSAGES = 3000


def events(*kinds: EventKind) -> Records:
    """Return one event of each kind, with a number in every field."""
    made = np.zeros(len(kinds), EVENT_DTYPE)
    made["kind"] = kinds
    for name, number in NUMBERS.items():
        made[name] = number
    return made


@pytest.mark.parametrize(
    ("kind", "scaled"),
    [
        (EventKind.BOOK_SET, {"price": 2000, "size": 300}),
        (EventKind.TRADE, {"price": 2000, "size": 300}),
        (EventKind.QUOTE, {"price": 2000, "size": 300, "aux": 5000, "link": 600}),
        (EventKind.LIQUIDATION, {"price": 2000, "size": 300}),
        (
            EventKind.CANDLE,
            {"price": 2000, "size": 300, "sequence": 4000, "aux": 5000, "link": 6000},
        ),
        (EventKind.BOOK_END, {}),
        (EventKind.MARK, {}),
        (EventKind.FUNDING, {}),
    ],
)
def test_prices_and_sizes_change_and_nothing_else(kind: EventKind, scaled: dict[str, int]) -> None:
    made = events(kind)
    rescale(made, scale_changes([COARSE], [FINE]))
    assert {name: int(made[name][0]) for name in NUMBERS} == NUMBERS | scaled
    rescale(made, scale_changes([FINE], [COARSE]))
    assert np.array_equal(made, events(kind))


def test_only_the_instrument_that_differs_is_changed() -> None:
    made = events(EventKind.TRADE, EventKind.TRADE)
    made["instrument"] = [0, 1]
    rescale(made, scale_changes([FINE, COARSE], [FINE, FINE]))
    assert made["price"].tolist() == [20, 2000]


def test_digits_are_never_lost() -> None:
    made = events(EventKind.TRADE)
    made["price"] = 21
    with pytest.raises(PrecisionGrew, match="A needs price exponent -3"):
        rescale(made, scale_changes([FINE], [COARSE]))
    with pytest.raises(PrecisionGrew):
        rescale(made, scale_changes([toy_instrument("A", -18)], [toy_instrument("A", 1)]))


@pytest.mark.parametrize("coarse", [0, 2])
def test_a_number_that_leaves_64_bits_is_refused(coarse: int) -> None:
    made = events(EventKind.TRADE)
    with pytest.raises(NumberOverflowError, match="A: 20 was recorded"):
        rescale(made, scale_changes([toy_instrument("A", coarse)], [toy_instrument("A", -18)]))


def toy_import(folder: Path) -> tuple[Path, Path]:
    """Return a recording with one decimal, and the same as one of ours."""
    raw = toy_file(folder / "a.txt", bid="100.5")
    import_files([raw], folder / "a.b4r", ToyExchange, "spot")
    return raw, folder / "a.b4r"


def batches_of(path: Path) -> list[Records]:
    """Return the events that a session at fine exponents plays."""
    market = RecordedMarket([path], ToyExchange, [toy_instrument("A", -3)], PaperSettings())
    return [each.copy() for each in market.batches()]


def test_a_recording_is_played_at_the_exponents_of_the_session(tmp_path: Path) -> None:
    raw, ours = (np.concatenate(batches_of(path)) for path in toy_import(tmp_path))
    assert np.array_equal(raw, ours)
    assert ours["price"].max() == 110_000


def test_exponents_that_are_too_coarse_are_refused(tmp_path: Path) -> None:
    _, ours = toy_import(tmp_path)
    market = RecordedMarket([ours], ToyExchange, [toy_instrument("A")], PaperSettings())
    with pytest.raises(ConfigError, match="finer exponents: A needs price exponent -1"):
        list(market.batches())


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"tick": 4, "price_exponent": -3}, ["instruments.A.tick"]),
        ({"tick": 20, "lot": 6, "size_exponent": -1}, ["instruments.A.lot"]),
        (
            {"base": "B", "multiplier": Decimal(2)},
            ["instruments.A.base", "instruments.A.multiplier"],
        ),
    ],
)
def test_what_a_session_says_against_a_recording_is_refused(
    changes: dict[str, Any], paths: list[str], tmp_path: Path
) -> None:
    recorded = attrs.evolve(COARSE, from_data=False, tick=1, lot=1)
    wanted = attrs.evolve(recorded, **changes)
    assert [path for path, _ in contradictions(recorded, wanted)] == paths
    guessed = attrs.evolve(recorded, from_data=True)
    assert all(path.endswith(("base", "multiplier")) for path, _ in contradictions(guessed, wanted))


def test_a_recording_is_not_played_as_another_instrument(tmp_path: Path) -> None:
    _, ours = toy_import(tmp_path)
    other = attrs.evolve(toy_instrument("A", -1), base="B")
    with pytest.raises(ConfigError, match="is A in the recording, not B"):
        RecordedMarket([ours], ToyExchange, [other], PaperSettings())


def test_a_recording_of_ours_with_more_than_was_given_is_refused(tmp_path: Path) -> None:
    _, ours = toy_import(tmp_path)
    with pytest.raises(ConfigError, match=r"a\.b4r holds A too"):
        RecordedMarket([ours], ToyExchange, [toy_instrument("B")], PaperSettings())


def test_an_import_trades_as_the_raw_recording_does(
    root: Path, recordings: Path, tmp_path: Path
) -> None:
    raw, ours = tmp_path / "tape", tmp_path / "tape.b4r"
    with gzip.open(recordings / "binance" / "usdm_btcusdt_20240808.gz") as tape:
        raw.write_bytes(b"".join(islice(tape, MESSAGES)))
    config = SessionConfig.read(root / "examples" / "binance_recording.toml")
    host = PluginHost.installed()
    import_files([raw], ours, exchange_factory(config, host), "usdm")

    def session(path: Path) -> SessionReport:
        source = attrs.evolve(config.source, recordings=(path,))
        log = attrs.evolve(config.audit, path=tmp_path / f"{path.name}.sqlite")
        strategy = attrs.evolve(
            config.strategy,
            settings={"cover_fees": False, "risk_aversion": 0.02, "horizon_seconds": 2.0},
        )
        changed = attrs.evolve(config, source=source, audit=log, strategy=strategy)
        return run(changed, host, time)

    first, second = session(raw), session(ours)
    assert first.fills > 0
    assert first.digest == second.digest
    assert (first.fills, first.orders, first.positions, first.pnl) == (
        second.fills,
        second.orders,
        second.positions,
        second.pnl,
    )
