from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from tests.core.risk.ledger_builders import ALL, OPENING, trade
from tests.reference.ledger import books

from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
)
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Side
from bot4_core.risk.ledger import Ledger, LedgerEntry

sides = st.sampled_from([Side.BUY, Side.SELL])


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    number = draw(st.integers(0, 2))
    of = ALL[number]
    size = draw(st.integers(1, 5000))
    price = draw(st.integers(1000, 900_000))
    return Fill(
        order=OrderNumber(1),
        instrument=InstrumentId(number),
        side=draw(sides),
        price=Price(price, of.price_exponent),
        size=type(of.size("1"))(size, of.size_exponent),
        fee=Money(draw(st.integers(-50, 500)), draw(st.integers(-10, -2))),
        fee_asset=draw(st.sampled_from(["USDT", "BTC", "BNB"])),
        time=Nanoseconds(1),
        trade_id=draw(st.integers(1, 10**6)),
        maker=draw(st.booleans()),
    )


amounts = st.builds(Money, st.integers(-(10**6), 10**6), st.integers(-9, 0))
fundings = st.builds(
    FundingPayment,
    instrument=st.sampled_from([InstrumentId(1), InstrumentId(2)]),
    amount=amounts,
    asset=st.sampled_from(["USDT", "BTC"]),
    time=st.just(Nanoseconds(1)),
)
transfers = st.builds(
    Transfer, asset=st.sampled_from(["USDT", "ETH"]), amount=amounts, time=st.just(Nanoseconds(1))
)
histories = st.lists(fills() | fundings | transfers, max_size=25)
marks = st.tuples(*[st.tuples(st.integers(1000, 900_000), st.integers(0, 9))] * 3)


def marked(history: list[LedgerEntry], touches: tuple[tuple[int, int], ...]) -> Ledger:
    ledger = Ledger.replay(ALL, OPENING, history)
    for number, (bid, spread) in enumerate(touches):
        ledger.mark(number, bid, bid + spread)
    return ledger


def mids(touches: tuple[tuple[int, int], ...]) -> list[Fraction]:
    return [
        Fraction(2 * bid + spread, 2) * Fraction(10) ** of.price_exponent
        for of, (bid, spread) in zip(ALL, touches, strict=True)
    ]


@given(histories, marks)
def test_the_books_agree_with_fractions(
    history: list[LedgerEntry], touches: tuple[tuple[int, int], ...]
) -> None:
    ledger = marked(history, touches)
    exact = books(ALL, {asset: Fraction(x) for asset, x in OPENING.items()}, history)
    ledger.check()
    for number, holding in enumerate(exact.holdings):
        assert Fraction(ledger.sizes[number]) * Fraction(10) ** ALL[number].size_exponent == (
            holding.size
        )
    # spot and linear: no rounding at all in what the account is worth
    assert Fraction(ledger.equity("USDT")) == exact.equity("USDT", mids(touches))
    # inverse: at most one unit for each fill and one for the mark
    unit = Fraction(1, 10**8)
    difference = abs(Fraction(ledger.equity("BTC")) - exact.equity("BTC", mids(touches)))
    assert difference <= unit * (len(history) + 1)
    for asset in ledger.assets:
        gap = abs(ledger.balance(asset).fraction - exact.balances[asset])
        assert gap <= unit * len(history)


@given(histories)
def test_the_split_into_realised_profit_is_rounded_by_less_than_a_unit_a_fill(
    history: list[LedgerEntry],
) -> None:
    ledger = Ledger.replay(ALL, OPENING, history)
    exact = books(ALL, {}, history)
    for number, holding in enumerate(exact.holdings):
        gap = abs(ledger.position(number).realised.fraction - holding.realised)
        assert gap <= Fraction(2 * len(history), 10**8)


@given(histories)
def test_closing_everything_leaves_no_cost_behind(history: list[LedgerEntry]) -> None:
    ledger = Ledger.replay(ALL, OPENING, history)
    for number, size in enumerate(list(ledger.sizes)):
        if size:
            side = Side.SELL if size > 0 else Side.BUY
            text = str(type(ALL[number].size("1"))(abs(size), ALL[number].size_exponent))
            ledger.book(trade(ALL[number], side, text, "500", number=number))
    for asset in ("USDT", "BTC"):
        assert ledger.profit(asset).unrealised == Money.of("0")
    assert all(position.cost == 0 for position in ledger._positions)


@given(histories)
def test_the_same_entries_make_the_same_books(history: list[LedgerEntry]) -> None:
    once, again = (Ledger.replay(ALL, OPENING, history) for _ in range(2))
    assert once.digest() == again.digest()
