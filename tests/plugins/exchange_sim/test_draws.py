"""Draws: the published generator, the same everywhere, even enough for a market."""

import numpy as np

from bot4_plugins.exchange_sim.draws import DRAW_WORDS, draw, new_draws

MASK = 0xFFFFFFFF


def published_xorwow(words: list[int], count: int) -> list[int]:
    """Return draws of the generator as printed in the paper, on unbounded integers."""
    x, y, z, w, v, d = words
    out = []
    for _ in range(count):
        t = x ^ (x >> 2)
        x, y, z, w = y, z, w, v
        v = ((v ^ (v << 4)) ^ (t ^ (t << 1))) & MASK
        d = (d + 362437) & MASK
        out.append((d + v) & MASK)
    return out


def test_draws_are_those_of_the_published_generator() -> None:
    words = np.zeros(9, np.int64)
    words[2 : 2 + DRAW_WORDS] = [123456789, 362436069, 521288629, 88675123, 5783321, 6615241]
    expected = published_xorwow(words[2 : 2 + DRAW_WORDS].tolist(), 200)
    assert [draw(words, 2) for _ in range(200)] == expected
    assert words[[0, 1, 8]].tolist() == [0, 0, 0]


def test_state_depends_on_seed_and_stream() -> None:
    states = [
        tuple(new_draws(seed, stream).tolist()) for seed in (0, 1, -1, 2**70) for stream in "ab"
    ]
    assert len(set(states)) == len(states)
    assert new_draws(7, "x").tolist() == new_draws(7, "x").tolist()


def test_draws_are_even() -> None:
    words = new_draws(3, "even")
    values = np.array([draw(words, 0) for _ in range(4_000)])
    assert values.min() >= 0
    assert values.max() <= MASK
    counts = np.bincount(values >> 28, minlength=16)
    assert ((counts - 250) ** 2 / 250).sum() < 40  # chi-square, 15 degrees: 0.05 % beyond
    bits = (values[:, None] >> np.arange(32)) & 1
    assert (abs(bits.mean(axis=0) - 0.5) < 0.04).all()
