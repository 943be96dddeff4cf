"""Latencies of the paper venue: constant, drawn, following the feed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.kernels.matching_latency import (
    DRAWN,
    FEED_DELAY,
    FEED_PERCENT,
    FROM_FEED,
    LATENCY_MODEL,
    MODULUS,
    SAMPLED,
    SAMPLES,
    SAMPLES_AT,
    WAY_BACK,
    WAY_OUT,
    draw,
    latency,
    see_feed,
)
from bot4_core.kernels.matching_state import HEAD, TERMS_DTYPE, Desk, new_desk


def desk_of(model: int, extra: int = 0) -> Desk:
    desk = new_desk(np.zeros(1, TERMS_DTYPE), extra=extra)
    desk[LATENCY_MODEL], desk[DRAWN] = model, 1
    return desk


def test_head_has_room_for_the_words_of_latency() -> None:
    assert SAMPLES_AT + WAY_BACK < HEAD


def test_ten_thousandth_draw_is_the_published_one() -> None:
    desk = desk_of(SAMPLED)
    for _ in range(10_000):
        draw(desk)
    assert desk[DRAWN] == 399_268_537  # ISO C++ [rand.predef]: minstd_rand


def test_constant_latency_is_its_base() -> None:
    assert latency(desk_of(0), WAY_OUT, 17) == 17


def test_each_sample_is_as_likely_as_the_others() -> None:
    desk = desk_of(SAMPLED, extra=3)
    place = len(desk) - 3  # any room does
    desk[place:] = [4, 40, 400]
    desk[SAMPLES + WAY_BACK], desk[SAMPLES_AT + WAY_BACK] = 3, place
    drawn = [latency(desk, WAY_BACK, 99) for _ in range(3_000)]
    counts = [drawn.count(value) for value in (4, 40, 400)]
    assert sum(counts) == 3_000
    assert min(counts) > 900


@given(number=st.integers(1, MODULUS - 1), count=st.integers(1, 65_536))
def test_draw_names_one_of_the_samples(number: int, count: int) -> None:
    desk = desk_of(SAMPLED)
    desk[DRAWN] = number
    assert 0 <= draw(desk) * count // MODULUS < count


@pytest.mark.parametrize(
    ("messages", "delay"),
    [
        ([(100, 130)], 30),
        ([(100, 130), (200, 210)], 10),
        ([(0, 500)], 0),  # no time of sending
        ([(100, 60)], 0),  # our clock is 40 behind, or more
        ([(100, 60), (200, 170)], 10),
        ([(100, 60), (200, 150), (300, 300)], 50),
    ],
)
def test_feed_delay_is_that_of_the_last_message(
    messages: list[tuple[int, int]], delay: int
) -> None:
    desk = desk_of(FROM_FEED)
    desk[FEED_PERCENT + WAY_OUT], desk[FEED_PERCENT + WAY_BACK] = 200, 50
    for sent, received in messages:
        see_feed(desk, sent, received)
    assert desk[FEED_DELAY] == delay
    assert latency(desk, WAY_OUT, 5) == 5 + 2 * delay
    assert latency(desk, WAY_BACK, 0) == delay // 2
