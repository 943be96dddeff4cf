from collections.abc import Callable
from decimal import Decimal
from math import inf, nan
from typing import TypeAlias

import attrs
import pytest
from tests.core.domain_types.builders import (
    AUDIT,
    BALANCE,
    BOOK,
    BRACKET,
    CANDLE,
    CHILD,
    FILL,
    FUNDING,
    INSTRUMENT,
    LEVEL,
    LIMIT,
    LIMITS,
    MARK,
    NOW,
    OCO,
    ORDER,
    PAYMENT,
    POSITION,
    PROFIT,
    QUOTE,
    SIGNAL,
    TRADE,
    TRANSFER,
    VERDICT,
)

from bot4_core.domain_types import (
    BookState,
    BreakerEffect,
    FeeSchedule,
    InstrumentKind,
    Money,
    Nanoseconds,
    OrderFlag,
    OrderStatus,
    OrderType,
    Price,
    Quantity,
    Settlement,
    Side,
    SignalAction,
    TimeInForce,
    faults_of,
)

Case: TypeAlias = tuple[attrs.AttrsInstance, dict[str, object], str, str]

evolved: Callable[..., object] = attrs.evolve
P, Q, M = Price.of, Quantity.of, Money.of

MARKET: list[Case] = [
    (FeeSchedule(), {"taker": Decimal("1.0")}, "taker", "write 0.1 % as 0.001"),
    (FeeSchedule(), {"maker": Decimal(-1)}, "maker", "no fraction"),
    (INSTRUMENT, {"price_exponent": -19}, "price_exponent", "-19 is not within ±18"),
    (INSTRUMENT, {"size_exponent": 19}, "size_exponent", "19 is not within ±18"),
    (INSTRUMENT, {"tick": 0}, "tick", "0 is not above zero"),
    (INSTRUMENT, {"lot": -5}, "lot", "-5 is not above zero"),
    (INSTRUMENT, {"min_size": -1}, "min_size", "below zero"),
    (INSTRUMENT, {"max_size": 5}, "max_size", "5 is below min_size 10"),
    (INSTRUMENT, {"max_size": -1, "min_size": 0}, "max_size", "0 means no maximum"),
    (INSTRUMENT, {"min_notional": Decimal(-1)}, "min_notional", "below zero"),
    (INSTRUMENT, {"multiplier": Decimal(0)}, "multiplier", "not above zero"),
    (INSTRUMENT, {"depth": -1}, "depth", "0 means all levels"),
    (INSTRUMENT, {"version": 0}, "version", "below 1"),
    (INSTRUMENT, {"venue": ""}, "venue", "is empty"),
    (INSTRUMENT, {"market": ""}, "market", "is empty"),
    (INSTRUMENT, {"symbol": ""}, "symbol", "is empty"),
    (INSTRUMENT, {"base": ""}, "base", "is empty"),
    (INSTRUMENT, {"quote": ""}, "quote", "is empty"),
    (INSTRUMENT, {"settlement": Settlement.SPOT}, "settlement", "spot does not go with kind perp"),
    (INSTRUMENT, {"kind": InstrumentKind.SPOT}, "settlement", "linear does not go with kind spot"),
    (INSTRUMENT, {"kind": InstrumentKind.FUTURE}, "expiry", "a dated future needs one"),
    (INSTRUMENT, {"expiry": NOW}, "expiry", "only a dated future has one"),
    (INSTRUMENT, {"kind": InstrumentKind.FUTURE, "expiry": 0}, "expiry", "no time after 1970"),
    (
        INSTRUMENT,
        {
            "kind": InstrumentKind.SPOT,
            "settlement": Settlement.SPOT,
            "multiplier": Decimal(2),
        },
        "multiplier",
        "2 does not go with kind spot",
    ),
    (TRADE, {"price": P("0")}, "price", "not above zero"),
    (TRADE, {"size": Q("-1")}, "size", "not above zero"),
    (TRADE, {"aggressor": Side.NONE}, "aggressor", "expected buy or sell"),
    (TRADE, {"time": -1}, "time", "0 means unknown"),
    (TRADE, {"received": -1}, "received", "0 means unknown"),
    (QUOTE, {"bid": P("0")}, "bid", "not above zero"),
    (QUOTE, {"ask": P("100.1")}, "ask", "100.1 is not above the bid 100.1"),
    (QUOTE, {"bid_size": Q("0")}, "bid_size", "not above zero"),
    (QUOTE, {"ask_size": Q("0")}, "ask_size", "not above zero"),
    (QUOTE, {"time": -1}, "time", "before 1970"),
    (QUOTE, {"received": -1}, "received", "before 1970"),
    (LEVEL, {"price": P("-1")}, "price", "not above zero"),
    (LEVEL, {"size": Q("0")}, "size", "not above zero"),
    (BOOK, {"bids": BOOK.bids[::-1]}, "bids[1].price", "100.1 is not below 100.0"),
    (BOOK, {"asks": BOOK.asks[::-1]}, "asks[1].price", "100.2 is not above 100.3"),
    (BOOK, {"bids": BOOK.bids[:1] * 2}, "bids[1].price", "is not below"),
    (BOOK, {"asks": (LEVEL,)}, "state", "best bid 100.1 not below best ask 100.1"),
    (CANDLE, {"low": P("0")}, "low", "not above zero"),
    (CANDLE, {"low": P("100.2")}, "low", "100.2 is above 100.1"),
    (CANDLE, {"high": P("100.1")}, "high", "100.1 is below 100.2"),
    (CANDLE, {"volume": Q("-1")}, "volume", "below zero"),
    (CANDLE, {"interval": 0}, "interval", "not above zero"),
    (CANDLE, {"opens": -1}, "opens", "before 1970"),
    (MARK, {"mark": P("0")}, "mark", "not above zero"),
    (MARK, {"index": P("0")}, "index", "not above zero"),
    (MARK, {"time": -1}, "time", "before 1970"),
    (FUNDING, {"rate_e12": 10**12}, "rate_e12", "100 % or more"),
    (FUNDING, {"rate_e12": -(10**12)}, "rate_e12", "100 % or more"),
    (FUNDING, {"time": -1}, "time", "before 1970"),
    (FUNDING, {"settles": -1}, "settles", "before 1970"),
]

ACCOUNTS: list[Case] = [
    (BALANCE, {"asset": ""}, "asset", "is empty"),
    (BALANCE, {"reserved": M("-1")}, "reserved", "below zero"),
    (POSITION, {"average_price": None}, "average_price", "is missing with size -0.5"),
    (POSITION, {"size": Q("0.0")}, "average_price", "leave it out"),
    (POSITION, {"average_price": P("0")}, "average_price", "not above zero"),
    (PAYMENT, {"asset": ""}, "asset", "is empty"),
    (PAYMENT, {"time": -1}, "time", "before 1970"),
    (TRANSFER, {"asset": ""}, "asset", "is empty"),
    (TRANSFER, {"time": -1}, "time", "before 1970"),
    (PROFIT, {"asset": ""}, "asset", "is empty"),
    (PROFIT, {"net": M("7.16")}, "net", "7.16 is not realised 10 + unrealised -2.5 - fees 0.25"),
    *[
        (LIMITS, {field.name: (field.type or int)(0)}, field.name, "0 is not above zero")
        for field in attrs.fields(type(LIMITS))
    ],
    (LIMITS, {"price_collar": Decimal(5)}, "price_collar", "write 5 % as 0.05"),
    (LIMITS, {"max_drawdown": Decimal(10)}, "max_drawdown", "no fraction"),
    (VERDICT, {"breaker": ""}, "breaker", "is empty"),
    (VERDICT, {"reason": ""}, "reason", "is empty with effect block_open"),
    (VERDICT, {"time": -1}, "time", "before 1970"),
    (VERDICT, {"values": (("a", 1.0), ("z", nan))}, "values[1]", "z is nan"),
    (SIGNAL, {"price": None}, "price", "a quote needs one"),
    (SIGNAL, {"price": P("0")}, "price", "not above zero"),
    (SIGNAL, {"side": Side.NONE}, "side", "expected buy or sell"),
    (SIGNAL, {"horizon": -1}, "horizon", "below zero"),
    (SIGNAL, {"strength": 1.1}, "strength", "1.1 is not between 0 and 1"),
    (SIGNAL, {"strength": nan}, "strength", "nan is not between 0 and 1"),
    (SIGNAL, {"edge": inf}, "edge", "inf is not a finite number"),
    (SIGNAL, {"variance": -1.0}, "variance", "at least 0"),
    (SIGNAL, {"variance": inf}, "variance", "finite"),
    (SIGNAL, {"reason": ""}, "reason", "is empty"),
    (SIGNAL, {"values": (("gamma", inf),)}, "values[0]", "gamma is inf"),
    (CHILD, {"venue": ""}, "venue", "is empty"),
    (CHILD, {"size": 0}, "size", "not above zero"),
    (CHILD, {"price": -1}, "price", "0 means at market"),
    (AUDIT, {"sequence": -1}, "sequence", "below zero"),
    (AUDIT, {"wall_time": -1}, "wall_time", "before 1970"),
    (AUDIT, {"event_time": -1}, "event_time", "before 1970"),
    (AUDIT, {"run": ""}, "run", "is empty"),
    (AUDIT, {"actor": ""}, "actor", "is empty"),
    (AUDIT, {"previous": b""}, "previous", "has 0 bytes, expected the 32 of SHA-256"),
    (AUDIT, {"digest": bytes(31)}, "digest", "has 31 bytes"),
]

STOP = attrs.evolve(LIMIT, type=OrderType.STOP, price=None, trigger=P("99"))
TRAIL = attrs.evolve(LIMIT, type=OrderType.TRAILING_STOP, price=None, trail=P("1"))
TRAIL_LIMIT = attrs.evolve(TRAIL, type=OrderType.TRAILING_STOP_LIMIT, limit_offset=P("-0.5"))
ICEBERG = attrs.evolve(LIMIT, type=OrderType.ICEBERG, visible=Q("0.1"))
GTD = attrs.evolve(LIMIT, time_in_force=TimeInForce.GTD, good_till=Nanoseconds(NOW + 1))

ORDERS: list[Case] = [
    (LIMIT, {"number": 0}, "number", "0 is below 1"),
    (LIMIT, {"client_id": "X" * 32}, "client_id", "32 lower-case hexadecimal digits"),
    (LIMIT, {"client_id": "0" * 31}, "client_id", "32 lower-case hexadecimal digits"),
    (LIMIT, {"side": Side.NONE}, "side", "expected buy or sell"),
    (LIMIT, {"size": Q("0")}, "size", "not above zero"),
    (LIMIT, {"created": -1}, "created", "before 1970"),
    (LIMIT, {"price": None}, "price", "is missing; type limit needs it"),
    (LIMIT, {"price": P("0")}, "price", "not above zero"),
    (LIMIT, {"type": OrderType.MARKET}, "price", "100.1 does not go with type market"),
    (LIMIT, {"trigger": P("99")}, "trigger", "99 does not go with type limit"),
    (LIMIT, {"trail": P("1")}, "trail", "does not go with type limit"),
    (LIMIT, {"trail_ratio": Decimal("0.1")}, "trail", "does not go with type limit"),
    (LIMIT, {"limit_offset": P("1")}, "limit_offset", "1 does not go with type limit"),
    (LIMIT, {"visible": Q("1")}, "visible", "1 does not go with type limit"),
    (STOP, {"trigger": None}, "trigger", "is missing; type stop needs it"),
    (STOP, {"trigger": P("0")}, "trigger", "not above zero"),
    (STOP, {"flags": OrderFlag.POST_ONLY}, "flags", "post_only does not go with type stop"),
    (TRAIL, {"trail": None}, "trail", "needs either trail or trail_ratio, 0 given"),
    (TRAIL, {"trail_ratio": Decimal("0.1")}, "trail", "2 given"),
    (TRAIL, {"trail": P("-1")}, "trail", "not above zero"),
    (TRAIL, {"trail": None, "trail_ratio": Decimal(1)}, "trail_ratio", "write 1 % as 0.01"),
    (TRAIL_LIMIT, {"limit_offset": None}, "limit_offset", "is missing"),
    (TRAIL_LIMIT, {"price": P("1")}, "price", "does not go with type trailing_stop_limit"),
    (ICEBERG, {"visible": None}, "visible", "is missing; type iceberg needs it"),
    (ICEBERG, {"visible": Q("0")}, "visible", "not above zero"),
    (ICEBERG, {"visible": Q("2")}, "visible", "2 is more than the size 1"),
    (ICEBERG, {"time_in_force": TimeInForce.IOC}, "time_in_force", "gtc or gtd does"),
    (GTD, {"good_till": None}, "good_till", "time in force gtd needs it"),
    (GTD, {"good_till": NOW}, "good_till", "is not after the order's creation"),
    (GTD, {"time_in_force": TimeInForce.GTC}, "good_till", "does not go with time in force gtc"),
    (
        LIMIT,
        {"flags": OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY, "time_in_force": TimeInForce.FOK},
        "flags",
        "post_only does not go with type limit and time in force fok",
    ),
    (FILL, {"order": 0}, "order", "below 1"),
    (FILL, {"side": Side.NONE}, "side", "expected buy or sell"),
    (FILL, {"price": P("0")}, "price", "not above zero"),
    (FILL, {"size": Q("0")}, "size", "not above zero"),
    (FILL, {"fee_asset": ""}, "fee_asset", "is empty with fee 0.01"),
    (FILL, {"time": -1}, "time", "before 1970"),
    (ORDER, {"filled": Q("-1")}, "filled", "below zero"),
    (ORDER, {"filled": Q("2")}, "filled", "2 is more than the size 1"),
    (ORDER, {"status": OrderStatus.PARTIAL}, "filled", "no part of the size 1"),
    (
        ORDER,
        {"status": OrderStatus.PARTIAL, "filled": Q("1")},
        "filled",
        "no part of the size 1",
    ),
    (
        ORDER,
        {"status": OrderStatus.CREATED, "filled": Q("0.5")},
        "filled",
        "never sent",
    ),
    (ORDER, {"updated": -1}, "updated", "before 1970"),
    (OCO, {"entry": 1}, "entry", "1 does not go with kind oco"),
    (OCO, {"exits": (2,)}, "exits", "has 1 orders; an oco has 2 or more"),
    (OCO, {"exits": (2, 2)}, "exits", "names an order twice"),
    (OCO, {"exits": (0, 2)}, "exits", "below 1"),
    (BRACKET, {"entry": None}, "entry", "a bracket needs one"),
    (BRACKET, {"entry": 2}, "exits", "names an order twice"),
    (BRACKET, {"exits": ()}, "exits", "has 0 orders"),
    (BRACKET, {"exits": (2, 3, 4)}, "exits", "has 3 orders"),
]

SOUND: list[tuple[attrs.AttrsInstance, dict[str, object]]] = [
    (INSTRUMENT, {"max_size": 0}),
    (INSTRUMENT, {"kind": InstrumentKind.FUTURE, "expiry": NOW}),
    (INSTRUMENT, {"kind": InstrumentKind.SPOT, "settlement": Settlement.SPOT}),
    (INSTRUMENT, {"settlement": Settlement.INVERSE, "multiplier": Decimal(100)}),
    (BOOK, {"bids": (), "asks": ()}),
    (BOOK, {"asks": (LEVEL,), "state": BookState.CROSSED}),
    (MARK, {"index": None}),
    (POSITION, {"size": Q("0"), "average_price": None}),
    (VERDICT, {"effect": BreakerEffect.NONE, "reason": ""}),
    (SIGNAL, {"action": SignalAction.NONE, "side": Side.NONE, "price": None, "reason": ""}),
    (SIGNAL, {"action": SignalAction.TAKE, "price": None}),
    (FILL, {"fee": M("0"), "fee_asset": ""}),
    (FILL, {"fee": M("-0.01")}),
    (ORDER, {"status": OrderStatus.CANCELED, "filled": Q("0.3")}),
    (ORDER, {"status": OrderStatus.FILLED, "filled": Q("1.0")}),
    (STOP, {"type": OrderType.TAKE_PROFIT}),
    (STOP, {"type": OrderType.STOP_LIMIT, "price": P("98")}),
    (TRAIL, {"trigger": P("101")}),
    (TRAIL, {"trail": None, "trail_ratio": Decimal("0.01")}),
    (TRAIL_LIMIT, {"flags": OrderFlag.POST_ONLY}),
    (ICEBERG, {"flags": OrderFlag.POST_ONLY}),
    (GTD, {"flags": OrderFlag.POST_ONLY}),
    (LIMIT, {"time_in_force": TimeInForce.FOK}),
    (LIMIT, {"type": OrderType.MARKET, "price": None, "time_in_force": TimeInForce.IOC}),
    (BRACKET, {"exits": (2,)}),
]


@pytest.mark.parametrize(("value", "changes", "path", "message"), MARKET + ACCOUNTS + ORDERS)
def test_a_broken_rule_names_field_value_and_remedy(
    value: attrs.AttrsInstance, changes: dict[str, object], path: str, message: str
) -> None:
    found = faults_of(evolved(value, **changes))
    assert [text for place, text in found if place == path and message in text], found


@pytest.mark.parametrize(("value", "changes"), SOUND)
def test_the_edges_of_the_rules_are_sound(
    value: attrs.AttrsInstance, changes: dict[str, object]
) -> None:
    assert faults_of(evolved(value, **changes)) == []
