from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.risk.ledger_builders import ALL, OPENING, trade
from tests.reference.ledger import Holding, LotHolding, books

from bot4_core.domain_types.accounts import CostMethod, FundingPayment, Transfer
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
)
from bot4_core.domain_types.instruments import Settlement
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


METHODS: dict[CostMethod, type[Holding]] = {
    CostMethod.AVERAGE: Holding,
    CostMethod.FIFO: LotHolding,
}
both_methods = pytest.mark.parametrize("cost", METHODS)


@st.composite
def busted_histories(draw: st.DrawFn) -> list[LedgerEntry]:
    """Return a history in which some trades are taken back later."""
    history = draw(histories)
    for at in draw(st.lists(st.integers(0, 24), max_size=4, unique=True)):
        entry = history[at] if at < len(history) else None
        if isinstance(entry, Fill):
            history.insert(draw(st.integers(at + 1, len(history))), entry.reversal())
    return history


def marked(
    history: list[LedgerEntry], touches: tuple[tuple[int, int], ...], cost: CostMethod
) -> Ledger:
    ledger = Ledger.replay(ALL, OPENING, history, cost=cost)
    for number, (bid, spread) in enumerate(touches):
        ledger.mark(number, bid, bid + spread)
    return ledger


def mids(touches: tuple[tuple[int, int], ...]) -> list[Fraction]:
    return [
        Fraction(2 * bid + spread, 2) * Fraction(10) ** of.price_exponent
        for of, (bid, spread) in zip(ALL, touches, strict=True)
    ]


@both_methods
@given(history=busted_histories())
def test_i30_each_asset_closes_at_opening_and_all_entries_exactly(
    cost: CostMethod, history: list[LedgerEntry]
) -> None:
    ledger = Ledger(ALL, OPENING, cost=cost)
    sums = {asset: Fraction(amount) for asset, amount in OPENING.items()}
    for entry in history:
        if isinstance(entry, FundingPayment):
            ledger.book_funding(entry)
            sums[entry.asset] = sums.get(entry.asset, Fraction(0)) + entry.amount.fraction
        elif isinstance(entry, Transfer):
            ledger.transfer(entry)
            sums[entry.asset] = sums.get(entry.asset, Fraction(0)) + entry.amount.fraction
        else:
            realised = ledger.book(entry).fraction
            of = ALL[entry.instrument]
            if of.settlement is Settlement.SPOT:
                signed = entry.size.fraction * int(entry.side)
                sums["USDT"] -= signed * entry.price.fraction
                sums["BTC"] += signed
            else:
                sums[of.settled_in] += realised
            sums[entry.fee_asset] = sums.get(entry.fee_asset, Fraction(0)) - entry.fee.fraction
    assert {asset: ledger.balance(asset).fraction for asset in ledger.assets} == {
        asset: sums.get(asset, Fraction(0)) for asset in ledger.assets
    }
    assert {asset for asset, amount in sums.items() if amount} <= set(ledger.assets)
    ledger.check()


@both_methods
@given(history=histories, touches=marks)
def test_the_books_agree_with_fractions(
    cost: CostMethod, history: list[LedgerEntry], touches: tuple[tuple[int, int], ...]
) -> None:
    ledger = marked(history, touches, cost)
    opening = {asset: Fraction(x) for asset, x in OPENING.items()}
    exact = books(ALL, opening, history, METHODS[cost])
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


@both_methods
@given(history=histories)
def test_the_split_into_realised_profit_is_rounded_by_less_than_a_unit_a_fill(
    cost: CostMethod, history: list[LedgerEntry]
) -> None:
    ledger = Ledger.replay(ALL, OPENING, history, cost=cost)
    exact = books(ALL, {}, history, METHODS[cost])
    for number, holding in enumerate(exact.holdings):
        gap = abs(ledger.position(number).realised.fraction - holding.realised)
        assert gap <= Fraction(2 * len(history), 10**8)


@both_methods
@given(history=busted_histories())
def test_closing_everything_leaves_no_cost_behind(
    cost: CostMethod, history: list[LedgerEntry]
) -> None:
    ledger = Ledger.replay(ALL, OPENING, history, cost=cost)
    for number, size in enumerate(list(ledger.sizes)):
        if size:
            side = Side.SELL if size > 0 else Side.BUY
            text = str(type(ALL[number].size("1"))(abs(size), ALL[number].size_exponent))
            ledger.book(trade(ALL[number], side, text, "500", number=number))
    for asset in ("USDT", "BTC"):
        assert ledger.profit(asset).unrealised == Money.of("0")
    assert all(position.cost == 0 for position in ledger._positions)


@both_methods
@given(history=busted_histories())
def test_the_same_entries_make_the_same_books(cost: CostMethod, history: list[LedgerEntry]) -> None:
    once, again = (Ledger.replay(ALL, OPENING, history, cost=cost) for _ in range(2))
    assert once.digest() == again.digest()
