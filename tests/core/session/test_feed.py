"""Recordings read on one side of a ring and played on the other: the same session."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.scripted_market import Ticking
from tests.core.session.test_markets import toy_config, toy_file, toy_host
from tests.core.session.toy_exchange import ToyExchange, toy_instrument

from bot4_core import run
from bot4_core.domain_types.instruments import instrument_table
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, Records
from bot4_core.errors import Bot4Error, ChannelError, ConfigError, PrecisionGrew, RecordingError
from bot4_core.market.message_ring import MessageReader, MessageRing
from bot4_core.session import feed
from bot4_core.session.building import recorded_market
from bot4_core.session.config import AuditConfig, SourceConfig
from bot4_core.session.feed import FedMarket, serve_feed
from bot4_core.session.markets import RecordedMarket
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.ports import Market

LINES = 1 << 12


def no_pause() -> None:
    raise AssertionError("there is nothing to wait for")


class Link:
    """Has everything sent before anything is read."""

    def __init__(self, make_market: Callable[[], Market]) -> None:
        self.ring = MessageRing.create(LINES)
        self.ring.unlink()
        self._make_market = make_market
        self.started = False

    def start(self) -> None:
        self.started = True

    def open(self) -> MessageReader:
        with self.ring.writer() as writer:
            serve_feed(writer, self._make_market, no_pause)
        return self.ring.reader()

    def pause(self) -> None:
        raise ChannelError("nobody writes")

    def ending(self) -> str:
        return "as expected"


class SilentLink(Link):
    """Its process does less than it should."""

    def __init__(self, *, closes: bool) -> None:
        super().__init__(lambda: Listed([]))
        self._closes = closes

    def open(self) -> MessageReader:
        if self._closes:
            self.ring.writer().close()
        return self.ring.reader()


class Listed(PaperMarket):
    """Yields given batches."""

    share, quarantined = 0.5, 3
    warnings: tuple[str, ...] = ()

    def __init__(self, batches: Sequence[Records]) -> None:
        known = [toy_instrument("A")]
        super().__init__(known, instrument_table(known), PaperSettings())
        self._batches = batches

    def batches(self) -> Iterator[Records]:
        yield from self._batches


class Unspeakable(Exception):  # noqa: N818 - what it is called does not matter
    """Cannot be sent."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def fed(make_market: Callable[[], Market]) -> FedMarket:
    return FedMarket(Link(make_market), PaperSettings())


def recorded(*paths: Path, grain: int | None = None) -> RecordedMarket:
    known = [] if grain is None else [toy_instrument("A", grain)]
    return RecordedMarket(paths, ToyExchange, known, PaperSettings())


def play(market: RecordedMarket | FedMarket) -> tuple[list[int], object]:
    """Return all events as numbers, and what the market says afterwards."""
    events = [events.view(np.int64).tolist() for events in market.batches()]
    said = (market.share, market.quarantined, market.warnings)
    return [number for batch in events for number in batch], said


def messages_of(lengths: Sequence[int]) -> Records:
    records = np.zeros(sum(lengths), EVENT_DTYPE)
    records["sequence"] = np.arange(len(records))
    records["flags"][np.cumsum(lengths, dtype=np.int64) - 1] = EventFlag.LAST
    return records


# -- the same -------------------------------------------------------------------------------------


def test_events_counts_and_warnings_are_those_of_reading_here(tmp_path: Path) -> None:
    first, second = toy_file(tmp_path / "a.txt"), toy_file(tmp_path / "b.txt")
    first.write_text(first.read_text() + "1700000009000000000 {}\n1700000009000000000 odd\n")
    here, there = recorded(first, second), fed(lambda: recorded(first, second))
    assert there.instruments == here.instruments
    assert there.table.tobytes() == here.table.tobytes()
    assert there.warnings == here.warnings
    assert play(there) == play(here)
    assert (there.share, there.quarantined, len(there.warnings)) == (1.0, 1, 2)
    assert "begins before" in there.warnings[0]


def test_a_session_fed_from_outside_is_the_same_session(tmp_path: Path) -> None:
    config = toy_config(source=SourceConfig(recordings=(toy_file(tmp_path / "a.txt"),)))

    def ran(link: Link | None, name: str) -> tuple[object, ...]:
        own = attrs.evolve(config, audit=AuditConfig(path=tmp_path / name))
        report = run(own, toy_host(), Ticking(), feed=link)
        return (report.digest, report.messages, report.events, report.warnings, report.orders)

    link = Link(lambda: recorded_market(config, toy_host()))
    assert not link.started
    assert ran(link, "there.sqlite") == ran(None, "here.sqlite")
    assert link.started


@given(
    batches=st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6), max_size=5),
    frame=st.integers(1, 9),
    torn=st.booleans(),
)
def test_batches_are_cut_at_the_ends_of_messages_only(
    batches: Sequence[Sequence[int]], frame: int, torn: bool
) -> None:
    sent = [messages_of(lengths) for lengths in batches]
    if torn and sent:
        sent[-1]["flags"][-1] = 0  # a batch that ends within a message stays as it is
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "FRAME", frame)
        market = fed(lambda: Listed(sent))
    got = [events.copy() for events in market.batches()]
    whole = b"".join(events.tobytes() for events in got)
    assert whole == b"".join(events.tobytes() for events in sent)
    for events in got[:-1]:
        assert events["flags"][-1] == EventFlag.LAST
    assert (market.share, market.quarantined) == (0.5, 3)


# -- what goes wrong ------------------------------------------------------------------------------


def test_what_the_recordings_or_the_configuration_raise_crosses_whole(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.txt"):
        fed(lambda: recorded(tmp_path / "none.txt"))
    market = fed(lambda: recorded(toy_file(tmp_path / "a.txt", bid="100.5"), grain=0))
    with pytest.raises(ConfigError, match="finer exponents") as caught:
        list(market.batches())
    assert [path for path, _ in caught.value.faults] == ["instruments"]


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (PrecisionGrew("A", -2, -3), PrecisionGrew, "A needs price exponent -2"),
        (KeyError("odd"), KeyError, "odd"),
        (Unspeakable("a", "b"), Bot4Error, "Unspeakable: a"),
    ],
)
def test_any_error_of_the_feed_ends_the_session(
    raised: Exception, kind: type[Exception], text: str
) -> None:
    def broken() -> Market:
        raise raised

    with pytest.raises(kind, match=text):
        fed(broken)


@pytest.mark.parametrize("closes", [True, False])
def test_a_feed_that_ends_without_its_end_is_an_error(closes: bool) -> None:
    match = r"the feed process ended before the recordings did \(as expected\)"
    with pytest.raises(ChannelError, match=match):
        FedMarket(SilentLink(closes=closes), PaperSettings())


def test_a_feed_that_nobody_reads_ends() -> None:
    with MessageRing.create(LINES) as ring, ring.writer() as writer:
        batches = [messages_of([1000])] * 5
        ring.reader().close()
        with pytest.raises(ChannelError, match="its reader has closed it"):
            serve_feed(writer, lambda: Listed(batches), no_pause)


def test_there_is_nothing_to_feed_without_recordings() -> None:
    with pytest.raises(ConfigError, match="there are none"):
        run(toy_config(), toy_host(), Ticking(), feed=SilentLink(closes=True))
