"""The account as the venue shows it: balances, positions, working orders, recent trades."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

import msgspec

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.number_text import scaled_from_text
from bot4_core.domain_types.records import Side
from bot4_core.errors import DecodeError
from bot4_core.orders.reconciliation import VenueOrder
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_binance.order_events import side_of
from bot4_plugins.exchange_binance.order_replies import OrderReplies, error_of
from bot4_plugins.exchange_binance.order_requests import OrderRequests, Purpose
from bot4_plugins.exchange_binance.private_messages import (
    AlgoOrderReply,
    OrderReply,
    TradeReply,
)
from bot4_plugins.exchange_binance.requests import market_request
from bot4_plugins.exchange_binance.venue import VenueFacts
from bot4_plugins.venue_toolkit.drafts import DraftMessage, amount_text
from bot4_plugins.venue_toolkit.strict_json import plain_data, typed

__all__ = ["AccountReader", "account_requests"]

DAY: Final = 86_400_000_000_000
MILLISECOND: Final = 1_000_000
SPOT_WEIGHTS: Final = (20, 80)
CONTRACT_WEIGHTS: Final = (5, 40)


class _Holding(msgspec.Struct):
    """An asset of the spot account."""

    asset: str
    free: str
    locked: str


class _SpotAccount(msgspec.Struct):
    balances: list[_Holding]


class _Balance(msgspec.Struct):
    """An asset of a futures account."""

    asset: str
    balance: str


class _Position(msgspec.Struct, rename="camel"):
    symbol: str
    position_amt: str
    entry_price: str
    position_side: str = "BOTH"


class _LastPrice(msgspec.Struct):
    symbol: str
    price: str


class _Read(NamedTuple):
    """What was read of an account, trades still as drafts."""

    orders: tuple[VenueOrder, ...]
    positions: Mapping[InstrumentId, tuple[int, int]]
    balances: Mapping[str, Money]
    trades: Sequence[DraftMessage]


def account_requests(
    facts: VenueFacts, requests: OrderRequests, symbols: Sequence[str], now: Nanoseconds
) -> list[Outbound]:
    """Ask for all of the account; of orders that ended and of trades, for the latest day's."""
    spot = facts.market == "spot"
    one, all_orders = SPOT_WEIGHTS if spot else CONTRACT_WEIGHTS
    asked = [
        requests.account("balances", facts.balance_path, one, now),
        market_request(f"{facts.prefix}/ticker/price", 4)
        if spot
        else requests.account("positions", facts.position_path, one, now),
        requests.account("open", "openOrders", all_orders, now),
    ]
    if not spot:
        asked.append(requests.account("waiting", "openAlgoOrders", all_orders, now))
    since = (("startTime", str(max(now - DAY, 0) // MILLISECOND)),)
    for number, symbol in enumerate(symbols):
        asked.append(requests.history(Purpose("past", -1, number), symbol, now - DAY, now))
        asked.append(requests.trades(Purpose("fills", -1, number), symbol, since, now))
    return asked


class AccountReader:
    """Reads the replies to `account_requests`.

    Parameters
    ----------
    facts : VenueFacts
    instruments : sequence of Instrument
    replies : OrderReplies
        Knows whose orders the trades are of.
    """

    def __init__(
        self, facts: VenueFacts, instruments: Sequence[Instrument], replies: OrderReplies
    ) -> None:
        self._spot = facts.market == "spot"
        self._instruments = instruments
        self._numbers = {str(each.symbol): at for at, each in enumerate(instruments)}
        self._replies = replies

    def read(self, bodies: Sequence[bytes]) -> _Read:
        """Read all of them.

        Raises
        ------
        DecodeError
            If one of them is an error or not what was asked for.
        """
        contents = [_content(body) for body in bodies]
        fixed = 3 if self._spot else 4
        if len(contents) != fixed + 2 * len(self._instruments):
            raise DecodeError(f"{len(contents)} replies, and another number was asked for")
        balances = self._spot_balances if self._spot else self._balances
        positions = self._spot_positions if self._spot else self._positions
        orders = [self._order(each) for each in typed(contents[2], list[OrderReply])]
        if not self._spot:
            orders += [self._algo(each) for each in typed(contents[3], list[AlgoOrderReply])]
        for past in contents[fixed::2]:
            for each in typed(past, list[OrderReply]):
                self._replies.meet(each)
        trades = [
            self._replies.trade(each)
            for fills in contents[fixed + 1 :: 2]
            for each in typed(fills, list[TradeReply])
        ]
        return _Read(
            tuple(each for each in orders if each is not None),
            positions(contents[0], contents[1]),
            balances(contents[0]),
            [each for each in trades if each is not None],
        )

    def _settled(self) -> frozenset[str]:
        return frozenset(each.settled_in for each in self._instruments)

    def _spot_balances(self, content: object) -> dict[str, Money]:
        kept, settled = typed(content, _SpotAccount).balances, self._settled()
        return {each.asset: Money.of(_total(each)) for each in kept if each.asset in settled}

    def _balances(self, content: object) -> dict[str, Money]:
        kept, settled = typed(content, list[_Balance]), self._settled()
        return {
            each.asset: Money.of(amount_text(each.balance, "balance"))
            for each in kept
            if each.asset in settled
        }

    def _spot_positions(
        self, content: object, prices: object
    ) -> dict[InstrumentId, tuple[int, int]]:
        """Take what is held of each base asset for the position of the first pair that has it."""
        held = {each.asset: _total(each) for each in typed(content, _SpotAccount).balances}
        last = {each.symbol: each.price for each in typed(prices, list[_LastPrice])}
        positions: dict[InstrumentId, tuple[int, int]] = {}
        for number, each in enumerate(self._instruments):
            total = held.pop(each.base, None)
            if total is not None:
                price = last.get(str(each.symbol), "0")
                positions[InstrumentId(number)] = _scaled(each, total, price)
        return positions

    def _positions(self, _: object, content: object) -> dict[InstrumentId, tuple[int, int]]:
        positions: dict[InstrumentId, tuple[int, int]] = {}
        for each in typed(content, list[_Position]):
            number = self._numbers.get(each.symbol)
            if number is None:
                continue
            if each.position_side != "BOTH":
                raise DecodeError(f"{each.symbol}: the account is in hedge mode")
            scaled = _scaled(self._instruments[number], each.position_amt, each.entry_price)
            positions[InstrumentId(number)] = scaled
        return positions

    def _order(self, reply: OrderReply) -> VenueOrder | None:
        self._replies.meet(reply)
        number = self._numbers.get(reply.symbol)
        if number is None:
            return None
        return self._working(
            number,
            (reply.client_order_id, reply.order_id),
            reply.side,
            (reply.price, reply.orig_qty, reply.executed_qty),
        )

    def _algo(self, reply: AlgoOrderReply) -> VenueOrder | None:
        number = self._numbers.get(reply.symbol)
        if number is None:
            return None
        ids = (reply.client_algo_id, reply.algo_id)
        return self._working(number, ids, reply.side, (reply.price, reply.quantity, "0"))

    def _working(
        self, number: int, ids: tuple[str, int], side: str, amounts: tuple[str, str, str]
    ) -> VenueOrder:
        rules = self._instruments[number]
        price, size, filled = (amount_text(text, "amount") for text in amounts)
        return VenueOrder(
            client_id=ids[0],
            instrument=InstrumentId(number),
            side=Side(side_of(side)),
            price=scaled_from_text(price, rules.price_exponent),
            size=scaled_from_text(size, rules.size_exponent),
            filled=scaled_from_text(filled, rules.size_exponent),
            venue_order=ids[1],
        )


def _content(body: bytes) -> object:
    content = plain_data(body)
    error = error_of(content)
    if error is not None:
        raise DecodeError(f"the venue refused: {error[0]} {error[1]}")
    return content


def _total(holding: _Holding) -> str:
    free, locked = amount_text(holding.free, "free"), amount_text(holding.locked, "locked")
    return f"{Decimal(free) + Decimal(locked):f}"


def _scaled(rules: Instrument, size: str, price: str) -> tuple[int, int]:
    """Scale a position, dust aside, and the price of its entry, an average, rounded."""
    held = Decimal(amount_text(size, "position")).scaleb(-rules.size_exponent)
    entry = Decimal(amount_text(price, "entry price")).scaleb(-rules.price_exponent)
    return int(held), int(entry.to_integral_value(ROUND_HALF_EVEN))
