"""Drafts are checked before anything is scaled, and appended whole or not at all."""

from collections.abc import Callable, Sequence

import pytest
from tests.instruments import perpetual

from bot4_core.domain_types.canonical_types import Nanoseconds, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
)
from bot4_core.domain_types.records import ChainRule, EventFlag, EventKind, Side
from bot4_core.errors import DecodeError, NumberOverflowError, PrecisionGrew
from bot4_core.jit import kernel
from bot4_core.kernels.wire_messages import UNKNOWN, decoder_dtype, message_kernels
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_core.plugins.part_settings import PartSettings
from bot4_plugins.venue_toolkit.decoding_exchange import DecodingExchange
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_book,
    draft_message,
    fee_text,
    price_text,
    rounded_fee,
    size_text,
)
from bot4_plugins.venue_toolkit.strict_json import NumberText, plain_data, plain_object, typed
from bot4_plugins.venue_toolkit.symbol_registry import ListingGuess, MarketRules, SymbolRegistry

NOW = Nanoseconds(5)


@kernel()
def _never(text, start, stop, received, records, count, state):  # type: ignore[no-untyped-def]  # the least of decoders
    return UNKNOWN


KERNELS = message_kernels(_never, decoder_dtype(("row", "<i8")))


def guess(symbol: str) -> ListingGuess:
    kind, settlement = InstrumentKind.PERPETUAL, Settlement.LINEAR
    return ListingGuess(base=symbol, quote="USDT", kind=kind, settlement=settlement)


class Venue(DecodingExchange):
    """Says of every message what the test wants said."""

    name = "venue"
    markets = ("only",)
    kernels = KERNELS

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        rules = MarketRules(
            venue=VenueName("venue"),
            market="only",
            chain=ChainRule.NONE,
            fees=FeeSchedule(),
            guess=guess,
        )
        super().__init__(SymbolRegistry(rules, KERNELS.dtype, (), instruments))
        self.says: Callable[[], Sequence[DraftMessage]] = tuple

    def connect(self) -> Sequence[Outbound]:
        return ()

    def interpret(self, data: bytes) -> Sequence[DraftMessage]:
        return self.says()


def trade(symbol: str, price: str, size: str = "1", **changes: object) -> DraftMessage:
    event = DraftEvent(
        kind=EventKind.TRADE, price=price_text(price), size=size_text(size), side=int(Side.BUY)
    )
    return draft_message(symbol, event)


def heard(venue: Venue, *drafts: DraftMessage) -> EventBatch:
    batch = EventBatch(1)
    venue.says = lambda: drafts
    assert venue.decode(b"x", NOW, batch) == batch.count
    return batch


def test_message_may_be_of_several_new_instruments() -> None:
    venue = Venue(PartSettings())
    batch = heard(venue, trade("A", "1.5"), trade("B", "2"), trade("A", "1.25"))
    assert [each.symbol for each in venue.instruments] == ["A", "B"]
    assert venue.instruments[0].price_exponent == -2
    assert batch.events["price"].tolist() == [150, 2, 125]
    assert batch.events["instrument"].tolist() == [0, 1, 0]


def test_message_with_one_wrong_part_makes_nothing() -> None:
    venue = Venue(PartSettings(), (perpetual("A"),))
    too_large = trade("B", "9" * 19)
    assert heard(venue, trade("A", "1.5"), too_large).count == 0
    assert heard(venue, trade("C", "1"), trade("A", "1.123")).count == 0
    assert [each.symbol for each in venue.instruments] == ["A"]
    assert venue.quarantined == 2


def test_finer_numbers_of_an_unlisted_instrument_ask_for_a_new_start() -> None:
    venue = Venue(PartSettings())
    heard(venue, trade("A", "1.5"))
    with pytest.raises(PrecisionGrew):
        heard(venue, trade("B", "1"), trade("A", "1.55"))
    assert [each.symbol for each in venue.instruments] == ["A"]


def test_message_without_symbol_is_of_the_only_one_or_refused() -> None:
    venue = Venue(PartSettings(), (perpetual("A"),))
    assert heard(venue, trade("", "1.5")).events["instrument"].tolist() == [0]
    two = Venue(PartSettings(), (perpetual("A"), perpetual("B")))
    assert heard(two, trade("", "1.5")).count == 0
    assert "names no symbol" in two.quarantine[0].reason


def test_reply_is_read_as_a_message_where_the_venue_says_no_more() -> None:
    venue, batch = Venue(PartSettings(), (perpetual("A"),)), EventBatch()
    venue.says = lambda: (trade("A", "1"),)
    reply = Reply(status=200, body=b"x", received=NOW)
    request = Outbound(connection="rest", method="GET", path="/x")
    assert venue.decode_reply_carefully(request, reply, batch) == 1
    assert venue.decode_response("/x", b"x", NOW, batch) == 1


@pytest.mark.parametrize(
    ("fee", "asset", "scaled", "foreign"),
    [
        ("1.5", "USDT", 150_000_000, False),
        ("0.000000001", "USDT", 1, False),
        ("-0.000000019", "USDT", -1, False),
        ("1e-3", "BNB", 100_000, True),
        ("0.000", "", 0, False),
    ],
)
def test_fee_is_scaled_and_never_made_smaller(
    fee: str, asset: str, scaled: int, foreign: object
) -> None:
    venue = Venue(PartSettings(), (perpetual("A"),))
    event = DraftEvent(kind=EventKind.ORDER_FILLED, aux=fee_text(fee, asset))
    (row,) = heard(venue, draft_message("A", event)).events
    assert row["aux"] == scaled
    assert bool(row["flags"] & EventFlag.THIRD_ASSET_FEE) is foreign


def test_fee_beyond_64_bits_is_refused() -> None:
    with pytest.raises(NumberOverflowError):
        rounded_fee("1e30", -8)
    with pytest.raises(DecodeError):
        fee_text("NaN", "USDT")


def test_book_is_written_between_its_beginning_and_end() -> None:
    levels = [(Side.BUY, "1.5", "2"), (Side.SELL, "1.6", "0")]
    template = DraftEvent(kind=EventKind.BOOK_SET, sequence=7)
    message = draft_book("A", levels, template, clear=True)
    kinds = [event.kind.name for event in message.events]
    assert kinds == ["BOOK_CLEAR", "BOOK_SET", "BOOK_SET", "BOOK_END"]
    assert message.events[-1].size == 2
    assert {event.sequence for event in message.events} == {7}
    with pytest.raises(DecodeError):
        draft_book("A", [(Side.BUY, "0", "1")], template, clear=False)


def test_numbers_are_kept_as_text_where_the_venue_writes_prices_so() -> None:
    content = plain_object(b'{"price":1.50,"id":7}')
    assert str(content["price"]) == "1.50"
    assert content["id"] == 7
    whole = plain_object(b'{"price":15,"big":' + b"9" * 5000 + b"}", integers_as_text=True)
    assert typed(whole["price"], NumberText).text == "15"
    assert typed(whole["big"], NumberText).text == "9" * 5000
    assert plain_data(b"[1]") == [1]


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":2}', b'{"a":NaN}', b"{} {}", b"\xff", b"[" * 100_000, b"", b"{'a':1}"]
)
def test_other_json_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        plain_data(data)
    with pytest.raises(DecodeError):
        plain_object(b"[]")
    with pytest.raises(DecodeError):
        typed("1.5", NumberText)
