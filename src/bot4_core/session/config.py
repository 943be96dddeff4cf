"""What a session is made of, as its configuration file says it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import attrs

from bot4_core.convert import from_toml
from bot4_core.domain_types.accounts import CostMethod
from bot4_core.domain_types.decisions import BreakerScope
from bot4_core.domain_types.instruments import FeeSchedule, Instrument
from bot4_core.domain_types.risk_limits import LimitsPreset, RiskLimits
from bot4_core.errors import ConfigError
from bot4_core.orders.linked_plans import LinkedSettings
from bot4_core.session.paper import PaperSettings

__all__ = [
    "AccountConfig",
    "AnswersConfig",
    "AuditConfig",
    "BreakerConfig",
    "DriverChoice",
    "LimitsConfig",
    "OnDifference",
    "PartConfig",
    "QuotingConfig",
    "SessionConfig",
    "SessionMode",
    "SourceConfig",
    "StartConfig",
    "VenueConfig",
]

SCHEMA: Final = 1
OLD_NAMES: Final = {"BTC": "XBT", "DOGE": "XDG"}
"""Assets that some venues' symbols name otherwise."""
STREAM: Final = Path("-")
"""Standard error, as a place for checkpoints."""
Fault = tuple[str, str]


class SessionMode(StrEnum):
    """Where market data comes from and where orders go."""

    BACKTEST = "backtest"  # a recording, orders matched on paper
    PAPER = "paper"  # a simulated or live market, orders matched there or on paper
    LIVE = "live"  # real orders; needs consent outside the file


@attrs.frozen(kw_only=True)
class PartConfig:
    """A plugin by name, with its settings."""

    plugin: str
    settings: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class BreakerConfig:
    """A breaker by plugin name, what it stops, and its settings."""

    plugin: str
    name: str = ""
    scope: BreakerScope = BreakerScope.INSTRUMENT
    settings: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def label(self) -> str:
        """The breaker's name in reports: its own, or the plugin's."""
        return self.name or self.plugin


@attrs.frozen(kw_only=True)
class VenueConfig:
    """The exchange plugin, the venue's market, and the symbols to trade there."""

    plugin: str
    market: str
    symbols: tuple[str, ...] = ()
    settings: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class SourceConfig:
    """Recording files to play, seconds of a simulated market, or the venue itself.

    Parameters
    ----------
    recordings : tuple of Path
    seconds : float
        How long to play; 0 for as long as a live session is not stopped.
    live : bool
        Connect to the venue. Orders are matched on paper unless the session's mode is ``live``.
    """

    recordings: tuple[Path, ...] = ()
    seconds: float = 0.0
    live: bool = False

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        if self.seconds < 0:
            yield "seconds", f"{self.seconds} is below 0"
        if self.live and self.recordings:
            yield "live", "there are recordings too; choose one of the two"


@attrs.frozen(kw_only=True)
class AccountConfig:
    """What the account starts with."""

    asset: str
    cash: Decimal
    cost: CostMethod = CostMethod.AVERAGE

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        if not self.cash.is_finite() or self.cash <= 0:
            yield "cash", f"{self.cash} is not a positive amount"


@attrs.frozen(kw_only=True)
class LimitsConfig:
    """A named preset scaled to the account's cash, with single limits of one's own."""

    preset: LimitsPreset = LimitsPreset.MODERATE
    max_position_notional: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_gross_notional: Decimal | None = None
    max_open_orders: int | None = None
    max_orders_per_second: int | None = None
    price_collar: Decimal | None = None
    max_leverage: Decimal | None = None
    max_daily_loss: Decimal | None = None
    max_drawdown: Decimal | None = None

    def limits(self, cash: Decimal) -> RiskLimits:
        """Return the limits that bind an account of this size."""
        own = {
            field.name: getattr(self, field.name)
            for field in attrs.fields(LimitsConfig)
            if field.name != "preset" and getattr(self, field.name) is not None
        }
        return attrs.evolve(RiskLimits.preset(self.preset, cash), **own)


@attrs.frozen(kw_only=True)
class QuotingConfig:
    """How wanted quotes become orders.

    Parameters
    ----------
    keep_behind, keep_ahead : int
        Ticks by which a standing quote may be less, or more, eager than wanted and still stay.
    keep_size_percent : int
        How far its open size may be from the wanted one.
    post_only : bool
        Quotes never take.
    retry_ms : int
        How long a side rests after a refusal or a reject.
    """

    keep_behind: int = 0
    keep_ahead: int = 0
    keep_size_percent: int = 50
    post_only: bool = True
    retry_ms: int = 1000

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        for name in ("keep_behind", "keep_ahead", "keep_size_percent", "retry_ms"):
            if getattr(self, name) < 0:
                yield name, f"{getattr(self, name)} is below 0"


@attrs.frozen(kw_only=True)
class AnswersConfig:
    """How long a venue's answers are waited for, and when it is asked.

    Parameters
    ----------
    reply_ms : int
        After which a request without an answer is in doubt and asked about.
    expiry_ms : int
        How long the venue accepts a request after it was signed.
    lag_ms : int
        How far what the venue answers to queries may lag behind its matching engine.
    pause_ms, longest_pause_ms : int
        Between the first two queries about an order; it doubles each time up to the longest.
    """

    reply_ms: int = 5_000
    expiry_ms: int = 5_000
    lag_ms: int = 5_000
    pause_ms: int = 1_000
    longest_pause_ms: int = 10_000

    @property
    def final_after(self) -> int:
        """Time after sending, ns, from which "no such order" is the venue's last word."""
        return (self.expiry_ms + self.lag_ms) * 1_000_000

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        for name in ("reply_ms", "pause_ms"):
            if getattr(self, name) <= 0:
                yield name, f"{getattr(self, name)} is not above 0"
        for name in ("expiry_ms", "lag_ms"):
            if getattr(self, name) < 0:
                yield name, f"{getattr(self, name)} is below 0"
        if self.longest_pause_ms < self.pause_ms:
            yield "longest_pause_ms", f"{self.longest_pause_ms} is below pause_ms"


class OnDifference(StrEnum):
    """What to do where the venue's account is not what the log says."""

    HALT = "halt"  # nothing is traded until somebody looked
    ADOPT = "adopt"  # the venue is right
    FLATTEN = "flatten"  # the venue is right, and everything is closed


@attrs.frozen(kw_only=True)
class StartConfig:
    """How a run begins.

    Parameters
    ----------
    recover : bool
        Go on from the last run in the audit log: its working orders, its books, its trips. Then
        the venue is asked for its account, and nothing that opens leaves before the two agree.
    on_difference : OnDifference
    """

    recover: bool = False
    on_difference: OnDifference = OnDifference.HALT


@attrs.frozen(kw_only=True)
class AuditConfig:
    """Where the audit log stands, what it survives, and where its checkpoints go.

    Parameters
    ----------
    path : Path
    durable : str
        ``full`` survives a power cut, ``normal`` the death of the process; ``auto`` is ``full``
        where orders are real.
    checkpoints : tuple of Path
        Files to which signed checkpoints are appended, not in the log's folder; ``-`` is standard
        error.
    checkpoint_key : Path, optional
        A file with the secret that signs them.
    segment_mb : int
        Size at which another file of the log begins.
    quarantine : bool
        Put a damaged log aside and begin another file, instead of refusing to start.
    """

    path: Path = Path("audit.sqlite")
    durable: str = "auto"
    checkpoints: tuple[Path, ...] = ()
    checkpoint_key: Path | None = None
    segment_mb: int = 1024
    quarantine: bool = False

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        if self.durable not in {"auto", "normal", "full"}:
            yield "durable", f"{self.durable!r} is none of 'auto', 'normal', 'full'"
        if self.segment_mb < 1:
            yield "segment_mb", f"{self.segment_mb} is below 1"
        for place, each in enumerate(self.checkpoints):
            if each != STREAM and each.parent == self.path.parent:
                fault = f"{each} stands beside the log, where its writer can change it"
                yield f"checkpoints[{place}]", f"{fault}; choose another volume, or '-'"

    def at(self, folder: Path) -> "AuditConfig":
        """Return the configuration with its relative paths counted from a folder."""
        key = self.checkpoint_key
        return attrs.evolve(
            self,
            path=folder / self.path,
            checkpoints=tuple(
                each if each == STREAM else folder / each for each in self.checkpoints
            ),
            checkpoint_key=None if key is None else folder / key,
        )


class DriverChoice(StrEnum):
    """What walks the decision path; the results are the same."""

    AUTO = "auto"  # fused where it can be
    STAGED = "staged"  # message by message from Python, as live
    FUSED = "fused"  # recordings in one compiled loop


def names_apart(instrument: Instrument) -> bool:
    """Tell whether a symbol names its quote and another base than the instrument has."""
    base, quote = instrument.base.upper(), instrument.quote.upper()
    symbol = str(instrument.symbol).upper()
    known = base in symbol or OLD_NAMES.get(base, base) in symbol
    return bool(quote) and quote in symbol and not known


@attrs.frozen(kw_only=True)
class SessionConfig:
    """One session, whole. The state of a session is a function of this and of its events."""

    schema: int = SCHEMA
    mode: SessionMode = SessionMode.BACKTEST
    seed: int = 0
    driver: DriverChoice = DriverChoice.AUTO
    venue: VenueConfig
    source: SourceConfig = SourceConfig()
    account: AccountConfig
    strategy: PartConfig
    sizer: PartConfig
    router: PartConfig | None = None
    breakers: tuple[BreakerConfig, ...] = ()
    linked: tuple[LinkedSettings, ...] = ()
    limits: LimitsConfig = LimitsConfig()
    quoting: QuotingConfig = QuotingConfig()
    answers: AnswersConfig = AnswersConfig()
    start: StartConfig = StartConfig()
    matching: PaperSettings = attrs.field(factory=PaperSettings)
    fees: FeeSchedule | None = None  # in place of what the instruments say
    audit: AuditConfig = AuditConfig()
    report: Path = Path("report")
    instruments: tuple[Instrument, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong."""
        if self.schema != SCHEMA:
            yield "schema", f"{self.schema} is not {SCHEMA}, the one this version reads"
        if not 0 <= self.seed < 2**63:
            yield "seed", f"{self.seed} is not between 0 and 2**63"
        if self.mode is SessionMode.LIVE and self.audit.durable == "normal":
            yield (
                "audit.durable",
                "'normal' may lose intents in a power cut; live trading needs 'full'",
            )
        yield from self._start_faults()
        labels = [each.label for each in self.breakers]
        for place, label in enumerate(labels):
            if label in labels[:place]:
                yield f"breakers[{place}].name", f"there are two breakers named {label!r}"

    def _start_faults(self) -> Iterator[Fault]:
        """Yield what does not go with the source, or with a recovery."""
        if self.source.live and self.mode is SessionMode.BACKTEST:
            yield "source.live", "a backtest plays recordings; set mode to 'paper' or 'live'"
        if self.start.recover and self.source.recordings:
            yield (
                "start.recover",
                "a recording's paper venue begins anew and cannot be asked",
            )
        yield from self._contradictions()

    def _contradictions(self) -> Iterator[Fault]:
        """Yield what instruments and linked orders say against themselves."""
        for place, known in enumerate(self.instruments):
            if names_apart(known):
                fault = f"{known.base!r} does not occur in the symbol {known.symbol}"
                yield f"instruments[{place}].base", fault
        names = [each.name for each in self.linked]
        for place, name in enumerate(names):
            if name and name in names[:place]:
                yield f"linked[{place}].name", f"there are two linked orders named {name!r}"
            if self.start.recover and not name:
                yield (
                    f"linked[{place}].name",
                    "is missing; a recovered run knows it by that",
                )

    @classmethod
    def read(cls, path: Path) -> "SessionConfig":
        """Read a TOML file; paths inside it count from the file's folder.

        Raises
        ------
        ConfigError
            If it cannot be read, or with every fault at once.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            fault = f"cannot be read: {error.strerror or error}; check the path"
            raise ConfigError(str(path), [("", fault)]) from error
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            fault = f"is no UTF-8 text (byte 0x{byte:02x} at {error.start}); save it as UTF-8"
            raise ConfigError(str(path), [("", fault)]) from error
        return from_toml(text, cls, str(path)).at(path.parent)

    def at(self, folder: Path) -> "SessionConfig":
        """Return the configuration with its relative paths counted from a folder."""
        recordings = tuple(folder / each for each in self.source.recordings)
        return attrs.evolve(
            self,
            source=attrs.evolve(self.source, recordings=recordings),
            audit=self.audit.at(folder),
            report=folder / self.report,
        )
