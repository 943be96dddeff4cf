"""Merging streams of events by receive time."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.session.event_merge import merged

Streams = list[list[list[int]]]  # streams of batches of receive times


def batch(stream: int, times: list[int], first: int) -> NDArray[np.void]:
    records = np.zeros(len(times), EVENT_DTYPE)
    records["received"] = times
    records["instrument"] = stream
    records["sequence"] = np.arange(first, first + len(times))
    return records


def batches(stream: int, content: list[list[int]]) -> Iterator[NDArray[np.void]]:
    first = 0
    for times in content:
        yield batch(stream, times, first)
        first += len(times)


def result(streams: Streams) -> list[tuple[int, int]]:
    """Return (stream, place in it) of each event in merged order."""
    found = merged([batches(number, content) for number, content in enumerate(streams)])
    return [(int(e["instrument"]), int(e["sequence"])) for part in found for e in part]


def expected(streams: Streams) -> list[tuple[int, int]]:
    """Merge by looking at the heads one by one."""
    queues = [[time for part in content for time in part] for content in streams]
    places = [0] * len(queues)
    order = []
    while any(places[n] < len(queue) for n, queue in enumerate(queues)):
        heads = [(queue[places[n]], n) for n, queue in enumerate(queues) if places[n] < len(queue)]
        _, stream = min(heads)
        order.append((stream, places[stream]))
        places[stream] += 1
    return order


STREAMS = st.lists(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=4), max_size=4)


@given(STREAMS)
def test_merging_takes_the_earliest_head_and_the_first_stream_at_a_tie(streams: Streams) -> None:
    assert result(streams) == expected(streams)


@pytest.mark.parametrize(
    ("streams", "order"),
    [
        ([], []),
        ([[], []], []),
        ([[[1, 3]], [[2, 4]]], [(0, 0), (1, 0), (0, 1), (1, 1)]),
        ([[[5], [5, 5]], [[5, 5]]], [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]),
        ([[[9, 1]], [[5]]], [(1, 0), (0, 0), (0, 1)]),
    ],
)
def test_merging_cases(streams: Streams, order: list[tuple[int, int]]) -> None:
    assert result(streams) == order


def test_a_single_stream_passes_untouched() -> None:
    only = batch(0, [3, 1, 2], 0)
    (found,) = merged([iter([only])])
    assert found is only


def test_batches_wait_unjoined_while_times_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is played again stays behind its own latest time until its end."""
    joined = 0
    plain = np.concatenate

    def counted(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
        nonlocal joined
        joined += sum(len(part) for part in parts)
        return plain(parts)

    def again(instrument: int) -> Iterator[NDArray[np.void]]:
        for _ in range(2):
            for start in range(40):
                events = np.zeros(10, EVENT_DTYPE)
                events["received"] = np.arange(10) + 10 * start
                events["instrument"] = instrument
                yield events

    monkeypatch.setattr(np, "concatenate", counted)
    assert sum(len(events) for events in merged([again(0), again(1)])) == 1600
    assert joined < 20 * 1600
