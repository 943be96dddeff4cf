"""The memory of a paper venue, laid out for its instruments and settings."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentStatus,
    Settlement,
)
from bot4_core.errors import ValidationError
from bot4_core.kernels.elementary import exp
from bot4_core.kernels.matching_latency import (
    DRAWN,
    FEED_PERCENT,
    LATENCY_MODEL,
    MODULUS,
    SAMPLES,
    SAMPLES_AT,
)
from bot4_core.kernels.matching_state import (
    EXTRA_AT,
    LATENCY_BACK,
    LATENCY_OUT,
    QUEUE_MODEL,
    QUEUE_POWER,
    SELF_TRADE,
    TERMS_DTYPE,
    TIERS,
    TIERS_AT,
    Desk,
    new_desk,
)
from bot4_core.kernels.normal import quantile
from bot4_core.plugins.interfaces import Record, Records
from bot4_core.session.paper_settings import LATENCIES, SELF_TRADES, FeeTier, PaperSettings

__all__ = ["PRODUCT_LIMIT", "latency_samples", "matching_terms", "paper_desk"]

PRODUCT_LIMIT: Final = 2**62
QUANTILES: Final = 512
MOST_VOLUME: Final = 2**62 - 1


def paper_desk(
    table: Records, instruments: Sequence[Instrument], settings: PaperSettings, seed: int
) -> Desk:
    """Return an empty desk with everything that settings say.

    Raises
    ------
    ValidationError
        If fees, multiplier and exponents do not fit into 64-bit fee arithmetic.
    """
    tiers = settings.fee_tiers
    terms = matching_terms(table, instruments, tiers)
    samples = latency_samples(settings)
    rows = [_tier_row(tier, terms, instruments) for tier in tiers]
    extra = [*samples, *(np.array(row, np.int64) for row in rows)]
    desk = new_desk(terms, extra=sum(map(len, extra)))
    places = np.cumsum([int(desk[EXTRA_AT]), *map(len, extra)]).tolist()
    for place, words in zip(places, extra, strict=False):
        desk[place : place + len(words)] = words
    for way, words in enumerate(samples):
        desk[SAMPLES + way], desk[SAMPLES_AT + way] = len(words), places[way]
    desk[TIERS], desk[TIERS_AT] = len(rows), places[len(samples)]
    desk[LATENCY_OUT], desk[LATENCY_BACK] = settings.latency_out_ns, settings.latency_back_ns
    desk[LATENCY_MODEL] = LATENCIES[settings.latency]
    desk[FEED_PERCENT] = settings.feed_out_percent
    desk[FEED_PERCENT + 1] = settings.feed_back_percent
    desk[DRAWN] = 1 + seed % (MODULUS - 1)
    desk[QUEUE_MODEL], desk[QUEUE_POWER] = settings.queue_model, settings.queue_power
    desk[SELF_TRADE] = SELF_TRADES[settings.self_trade]
    return desk


def latency_samples(settings: PaperSettings) -> tuple[NDArray[np.int64], ...]:
    """Return what latencies out and back are drawn from; nothing for other models.

    Without measured ones they are quantiles of a log-normal distribution, so that a draw of one
    with equal chances is a draw from it.
    """
    if settings.latency != "sampled":
        return ()
    if settings.latency_out_samples_ns:
        given = (settings.latency_out_samples_ns, settings.latency_back_samples_ns)
        return tuple(np.array(each, np.int64) for each in given)
    middles = [(place + 0.5) / QUANTILES for place in range(QUANTILES)]
    factors = [exp(settings.latency_spread * quantile(each)) for each in middles]
    medians = (settings.latency_out_ns, settings.latency_back_ns)
    return tuple(
        np.array([round(each * factor) for factor in factors], np.int64) for each in medians
    )


def matching_terms(
    table: Records, instruments: Sequence[Instrument], tiers: Sequence[FeeTier] = ()
) -> Records:
    """Return what matching kernels need to know of instruments, as TERMS_DTYPE rows.

    Raises
    ------
    ValidationError
        If fees, multiplier and exponents do not fit into 64-bit fee arithmetic.
    """
    terms = np.zeros(len(instruments), TERMS_DTYPE)
    for row, rules, instrument in zip(terms, table, instruments, strict=True):
        row["tick"] = rules["tick"]
        row["lot"] = rules["lot"]
        row["min_size"] = rules["min_size"]
        row["max_size"] = instrument.max_size
        row["trading"] = instrument.status is InstrumentStatus.TRADING
        row["inverse"] = instrument.settlement is Settlement.INVERSE
        _set_minimum(row, instrument)
        row["size_scale"] = 10 ** max(0, -instrument.size_exponent)
        _set_fees(row, instrument, tiers)
    return terms


def _set_minimum(row: Record, instrument: Instrument) -> None:
    """Turn the least notional into a least ``price * size``, or a least size where inverse."""
    exponent = instrument.size_exponent
    if instrument.settlement is not Settlement.INVERSE:
        exponent += instrument.price_exponent
    unit = instrument.multiplier.scaleb(exponent)
    least = int((instrument.min_notional / unit).to_integral_value(ROUND_CEILING))
    if instrument.settlement is Settlement.INVERSE:
        row["min_size"] = max(int(row["min_size"]), least)
    else:
        row["min_notional"] = least


def _fee_scale(instrument: Instrument) -> Fraction:
    """Return what a price times a size (or a size by a price) is at the settlement exponent."""
    sign = -1 if instrument.settlement is Settlement.INVERSE else 1
    exponent = (
        instrument.size_exponent + sign * instrument.price_exponent - instrument.settlement_exponent
    )
    return Fraction(Decimal(1).scaleb(exponent)) * Fraction(instrument.multiplier)


def _set_fees(row: Record, instrument: Instrument, tiers: Sequence[FeeTier]) -> None:
    """Turn all fees into integers of one unit: fee = notional * rate / unit."""
    scale = _fee_scale(instrument)
    fees: list[FeeSchedule | FeeTier] = [instrument.fees, *tiers]
    exact = [Fraction(rate) * scale for each in fees for rate in (each.maker, each.taker)]
    if tiers:
        exact.append(scale)
    unit = lcm(*(each.denominator for each in exact))
    highest = int(max(abs(each) for each in exact) * unit)
    if max(highest, 1) * unit > PRODUCT_LIMIT:
        fault = "fees, multiplier and exponents do not fit into 64-bit fee arithmetic"
        raise ValidationError([(f"instruments.{instrument.symbol}.fees", fault)])
    row["fee_unit"], row["highest"] = unit, highest
    row["maker"], row["taker"] = _rates(instrument, instrument.fees, unit)
    row["one"] = int(scale * unit) if tiers else 0


def _rates(instrument: Instrument, fees: FeeSchedule | FeeTier, unit: int) -> tuple[int, int]:
    scale = _fee_scale(instrument) * unit
    return int(Fraction(fees.maker) * scale), int(Fraction(fees.taker) * scale)


def _tier_row(tier: FeeTier, terms: Records, instruments: Sequence[Instrument]) -> list[int]:
    """Return a tier as the kernels read it: its volume, then maker and taker rate an instrument."""
    exponents = {each.settlement_exponent for each in instruments}
    if len(exponents) > 1:
        fault = "volume is counted at one settlement exponent; these instruments have several"
        raise ValidationError([("matching.fee_tiers", fault)])
    least = (tier.volume.scaleb(-exponents.pop())).to_integral_value(ROUND_CEILING)
    row = [min(int(least), MOST_VOLUME)]
    for each, instrument in zip(terms, instruments, strict=True):
        row += _rates(instrument, tier, int(each["fee_unit"]))
    return row
