"""A row of a venue's capability table."""

from bot4_core import convert
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute


def test_a_market_without_order_types_does_not_trade() -> None:
    row = Capabilities(
        data=(EventKind.TRADE,), proof=BookProof.NONE, as_of="2026-11-22", source="here"
    )
    assert not row.trades


def test_a_row_is_read_back_from_what_is_shown_of_it() -> None:
    row = Capabilities(
        data=(EventKind.BOOK_SET, EventKind.TRADE),
        proof=BookProof.CHECKSUM,
        depths=(10, 25),
        order_types=(OrderType.LIMIT,),
        times_in_force=(TimeInForce.GTC, TimeInForce.IOC),
        flags=OrderFlag.POST_ONLY,
        routes=(RequestRoute.WEBSOCKET, RequestRoute.REST),
        as_of="2026-11-22",
        source="here",
    )
    assert row.trades
    assert convert.from_json(convert.to_json(row), Capabilities) == row
