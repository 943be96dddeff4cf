"""Small sound values that tests break one field at a time."""

from decimal import Decimal

import attrs
from tests.instruments import perpetual

from bot4_core.domain_types import (
    AuditKind,
    AuditRecord,
    Balance,
    BookLevel,
    BookSnapshot,
    BookState,
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    Candle,
    ChildOrder,
    ClientOrderId,
    Fill,
    Funding,
    FundingPayment,
    InstrumentId,
    InstrumentKind,
    LimitsPreset,
    MarkPrice,
    Money,
    Nanoseconds,
    Order,
    OrderIntent,
    OrderLink,
    OrderLinkKind,
    OrderNumber,
    OrderStatus,
    OrderType,
    Position,
    Price,
    ProfitAndLoss,
    Quantity,
    Quote,
    RiskLimits,
    Settlement,
    Side,
    Signal,
    SignalAction,
    Symbol,
    Trade,
    Transfer,
    VenueName,
)

HOME = InstrumentId(0)
NOW = Nanoseconds(1_700_000_000_000_000_000)

INSTRUMENT = perpetual(lot=5, min_size=10, max_size=100_000, min_notional=Decimal(5))
SPOT = attrs.evolve(
    INSTRUMENT,
    market="spot",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-8,
    size_exponent=0,
    tick=1,
    lot=1,
)
FUTURE = attrs.evolve(
    INSTRUMENT,
    market="coinm",
    symbol=Symbol("BTCUSD_251226"),
    kind=InstrumentKind.FUTURE,
    settlement=Settlement.INVERSE,
    price_exponent=1,
    size_exponent=-8,
    tick=25,
    lot=1000,
    multiplier=Decimal(100),
    expiry=NOW,
)
INSTRUMENTS = (INSTRUMENT, SPOT, FUTURE)
BALANCE = Balance(asset="USDT", total=Money.of("100"), reserved=Money.of("10"))
POSITION = Position(
    instrument=HOME,
    size=Quantity.of("-0.5"),
    average_price=Price.of("100.1"),
    realised=Money.of("0"),
    fees=Money.of("0.01"),
)
PAYMENT = FundingPayment(instrument=HOME, amount=Money.of("-0.1"), asset="USDT", time=NOW)
TRANSFER = Transfer(asset="USDT", amount=Money.of("1000"), time=NOW)
PROFIT = ProfitAndLoss(
    asset="USDT",
    realised=Money.of("10"),
    unrealised=Money.of("-2.5"),
    fees=Money.of("0.25"),
    funding=Money.of("-0.1"),
    net=Money.of("7.15"),
)
LIMITS = RiskLimits.preset(LimitsPreset.MODERATE, Decimal(10_000))
VERDICT = BreakerVerdict(
    breaker="statistical",
    effect=BreakerEffect.BLOCK_OPEN,
    scope=BreakerScope.INSTRUMENT,
    instrument=HOME,
    time=NOW,
    reason="z-score",
    values=(("z", 3.5),),
)
SIGNAL = Signal(
    instrument=HOME,
    action=SignalAction.QUOTE,
    side=Side.BUY,
    price=Price.of("100.1"),
    horizon=Nanoseconds(10**9),
    strength=0.5,
    edge=0.001,
    variance=0.0001,
    reason="reservation price",
    values=(("gamma", 0.1),),
)
CHILD = ChildOrder(venue=VenueName("binance"), instrument=HOME, size=5, price=0)
AUDIT = AuditRecord(
    sequence=1,
    wall_time=NOW,
    event_time=NOW,
    run="run",
    kind=AuditKind.INTENT,
    actor="strategy",
    correlation="",
    payload=b"{}",
    previous=bytes(32),
    digest=bytes(32),
)
TRADE = Trade(
    instrument=HOME,
    time=NOW,
    received=NOW,
    price=Price.of("100.1"),
    size=Quantity.of("1"),
    aggressor=Side.SELL,
    trade_id=1,
)
QUOTE = Quote(
    instrument=HOME,
    time=NOW,
    received=NOW,
    bid=Price.of("100.1"),
    bid_size=Quantity.of("1"),
    ask=Price.of("100.2"),
    ask_size=Quantity.of("2"),
)
LEVEL = BookLevel(price=Price.of("100.1"), size=Quantity.of("1"))
BOOK = BookSnapshot(
    instrument=HOME,
    sequence=7,
    state=BookState.LIVE,
    bids=(LEVEL, BookLevel(price=Price.of("100.0"), size=Quantity.of("2"))),
    asks=(
        BookLevel(price=Price.of("100.2"), size=Quantity.of("3")),
        BookLevel(price=Price.of("100.3"), size=Quantity.of("4")),
    ),
)
CANDLE = Candle(
    instrument=HOME,
    opens=NOW,
    interval=Nanoseconds(60 * 10**9),
    open=Price.of("100.1"),
    high=Price.of("100.5"),
    low=Price.of("99.9"),
    close=Price.of("100.2"),
    volume=Quantity.of("10"),
    closed=True,
)
MARK = MarkPrice(instrument=HOME, time=NOW, mark=Price.of("100.1"), index=Price.of("100.2"))
FUNDING = Funding(instrument=HOME, time=NOW, rate_e12=10**8, settles=NOW)
LIMIT = OrderIntent(
    number=OrderNumber(1),
    client_id=ClientOrderId("0123456789abcdef" * 2),
    instrument=HOME,
    side=Side.BUY,
    type=OrderType.LIMIT,
    size=Quantity.of("1"),
    price=Price.of("100.1"),
    created=NOW,
)
FILL = Fill(
    order=OrderNumber(1),
    instrument=HOME,
    side=Side.BUY,
    price=Price.of("100.1"),
    size=Quantity.of("1"),
    fee=Money.of("0.01"),
    fee_asset="USDT",
    time=NOW,
    trade_id=1,
    maker=True,
)
ORDER = Order(intent=LIMIT, status=OrderStatus.OPEN, filled=Quantity(0, 0), updated=NOW)
OCO = OrderLink(kind=OrderLinkKind.OCO, exits=(OrderNumber(2), OrderNumber(3)))
BRACKET = OrderLink(
    kind=OrderLinkKind.BRACKET, entry=OrderNumber(1), exits=(OrderNumber(2), OrderNumber(3))
)
