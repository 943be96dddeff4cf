"""Configurations: read from TOML, all faults at once, paths from the file's folder."""

from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from tests.core.session.session_world import configuration, instrument

from bot4_core.audit import AuditDurability, CheckpointFile, CheckpointLines
from bot4_core.convert import from_toml, to_toml
from bot4_core.domain_types.decisions import BreakerScope
from bot4_core.domain_types.risk_limits import LimitsPreset, RiskLimits
from bot4_core.errors import ConfigError
from bot4_core.session.audit_opening import durability, log_settings
from bot4_core.session.config import (
    AuditConfig,
    LimitsConfig,
    SessionConfig,
    SessionMode,
    names_apart,
)

SMALL = """
[venue]
plugin = "sim"
market = "sim"

[account]
asset = "USD"
cash = "1000"

[strategy]
plugin = "market_making"
settings = { risk_aversion = 0.2 }

[sizer]
plugin = "kelly"
"""


def read(text: str) -> SessionConfig:
    return from_toml(text, SessionConfig)


def test_a_small_file_is_completed_with_defaults() -> None:
    config = read(SMALL)
    assert (config.mode, config.seed, config.breakers) == (SessionMode.BACKTEST, 0, ())
    assert config.strategy.settings == {"risk_aversion": 0.2}
    assert config.audit.durable == "auto"


def test_a_configuration_survives_being_written() -> None:
    config = read(SMALL + '[[breakers]]\nplugin = "statistical"\nscope = "session"\n')
    assert config.breakers[0].scope is BreakerScope.SESSION
    assert read(to_toml(config)) == config


def test_a_typo_is_named_with_its_nearest_match() -> None:
    with pytest.raises(ConfigError, match="did you mean 'market'"):
        read(SMALL.replace("market = ", "markt = "))


PLAN = '{symbol = "A", side = "sell", size = "1", target = "100", name = "dip"}'


@pytest.mark.parametrize(
    ("addition", "path"),
    [
        ("schema = 2", "schema"),
        ("seed = -1", "seed"),
        ('breakers = [{plugin = "a"}, {plugin = "b", name = "a"}]', "breakers[1].name"),
        ("source = { seconds = -1.0 }", "source.seconds"),
        ("source = { live = true, recordings = ['a.gz'] }\nmode = 'paper'", "source.live"),
        ("source = { live = true }", "source.live"),
        ("quoting = { retry_ms = -1 }", "quoting.retry_ms"),
        ("answers = { reply_ms = 0 }", "answers.reply_ms"),
        (
            "start = { recover = true }\nsource = { recordings = ['a.gz'] }",
            "start.recover",
        ),
        ("answers = { lag_ms = -1 }", "answers.lag_ms"),
        ("answers = { longest_pause_ms = 10 }", "answers.longest_pause_ms"),
        ('audit = { durable = "perhaps" }', "audit.durable"),
        ("audit = { segment_mb = 0 }", "audit.segment_mb"),
        ('audit = { checkpoints = ["-", "notes.txt"] }', "audit.checkpoints[1]"),
        ('mode = "live"\naudit = { durable = "normal" }', "audit.durable"),
        (f"linked = [{PLAN}, {PLAN}]", "linked[1].name"),
        (f"start = {{ recover = true }}\nlinked = [{PLAN.replace('dip', '')}]", "linked[0].name"),
        (f"linked = [{PLAN.replace('100', '0')}]", "linked[0].target"),
    ],
)
def test_what_makes_no_sense_is_named_by_its_path(addition: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(addition + SMALL)
    assert [each for each, _ in caught.value.faults] == [path]


@pytest.mark.parametrize(
    ("symbol", "base", "quote", "sound"),
    [
        ("BTCUSDT", "BTC", "USDT", True),
        ("BTCUSDT", "ETH", "USDT", False),
        ("XXBTZUSD", "BTC", "USD", True),
        ("BTC-USDT-SWAP", "btc", "usdt", True),
        ("@107", "HYPE", "USDC", True),
        ("BTCUSDT", "ETH", "", True),
    ],
)
def test_an_instrument_is_not_named_after_another_asset(
    symbol: str, base: str, quote: str, *, sound: bool
) -> None:
    known = instrument(symbol, base=base, quote=quote)
    assert names_apart(known) is not sound
    faults = [path for path, _ in configuration(instruments=(known,)).faults()]
    assert faults == ([] if sound else ["instruments[0].base"])


@pytest.mark.parametrize("cash", ["0", "-5"])
def test_an_account_needs_cash(cash: str) -> None:
    with pytest.raises(ConfigError, match="not a positive amount"):
        read(SMALL.replace('"1000"', f'"{cash}"'))


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read("seed = -1\nschema = 9" + SMALL.replace("1000", "-1"))
    assert {path for path, _ in caught.value.faults} >= {"account.cash"}


def test_a_file_is_read_and_its_paths_count_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "session.toml"
    path.write_text('report = "out"\nsource = { recordings = ["a.gz", "/b.gz"] }' + SMALL)
    config = SessionConfig.read(path)
    assert config.source.recordings == (tmp_path / "a.gz", Path("/b.gz"))
    assert config.audit.path == tmp_path / "audit.sqlite"
    assert config.report == tmp_path / "out"


def test_checkpoints_and_their_key_count_from_the_files_folder(tmp_path: Path) -> None:
    path = tmp_path / "session.toml"
    audit = 'audit = { path = "log/a", checkpoints = ["c/notes", "-"], checkpoint_key = "key" }'
    path.write_text(audit + SMALL)
    config = SessionConfig.read(path).audit
    assert config.checkpoints == (tmp_path / "c" / "notes", Path("-"))
    assert config.checkpoint_key == tmp_path / "key"


@pytest.mark.parametrize(
    ("mode", "said", "meant"),
    [
        ("live", "auto", AuditDurability.FULL),
        ("paper", "auto", AuditDurability.NORMAL),
        ("backtest", "full", AuditDurability.FULL),
    ],
)
def test_what_records_survive_is_said_or_follows_from_the_mode(
    mode: str, said: str, meant: AuditDurability
) -> None:
    config = read(f'mode = "{mode}"\naudit = {{ durable = "{said}" }}' + SMALL)
    assert durability(config) is meant


def test_the_log_is_kept_as_configured(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a secret of many bytes")
    config = AuditConfig(
        checkpoints=(Path("-"), Path("c/notes")), checkpoint_key=key, segment_mb=2, quarantine=True
    )
    settings = log_settings(config)
    lines, file = settings.places
    assert isinstance(lines, CheckpointLines)
    assert isinstance(file, CheckpointFile)
    assert file.path == Path("c/notes")
    assert (settings.segment_bytes, settings.quarantine) == (2**21, True)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        SessionConfig.read(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "session.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"is no UTF-8 text \(byte 0xff at 0\); save it"):
        SessionConfig.read(path)


def test_limits_are_a_preset_with_exceptions() -> None:
    config = LimitsConfig(preset=LimitsPreset.CONSERVATIVE, max_open_orders=7)
    expected = RiskLimits.preset(LimitsPreset.CONSERVATIVE, Decimal(1_000))
    assert config.limits(Decimal(1_000)) == attrs.evolve(expected, max_open_orders=7)


def test_a_breaker_is_called_by_its_name_or_its_plugins() -> None:
    config = read('breakers = [{plugin = "a"}, {plugin = "a", name = "b"}]' + SMALL)
    assert [each.label for each in config.breakers] == ["a", "b"]


@pytest.mark.parametrize("name", ["quickstart.toml", "binance_recording.toml"])
def test_the_examples_are_sound(root: Path, name: str) -> None:
    config = SessionConfig.read(root / "examples" / name)
    assert config.limits.limits(config.account.cash).max_order_notional > 0
