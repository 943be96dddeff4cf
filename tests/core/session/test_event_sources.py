"""Files as streams of events, and reading ahead."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from tests.core.session.toy_exchange import ToyExchange

from bot4_core.market.recordings.line_files import TimedLines
from bot4_core.session.event_sources import DecodedFile, prefetched

P = ParamSpec("P")
T = TypeVar("T")


class SlowExecutor(Executor):
    """Runs tasks only when told to, except the first."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.submitted = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                future.set_result(fn(*args, **kwargs))

        self.submitted += 1
        if self.submitted == 1:
            work()
        else:
            self.waiting.append(work)
        return future


def test_reading_ahead_stops_with_its_reader() -> None:
    numbers = iter(range(9))
    executor = SlowExecutor()
    items = prefetched(numbers, executor)
    assert next(items) == 0
    assert executor.submitted == 2
    items.close()  # type: ignore[attr-defined]  # it is a generator
    executor.waiting[0]()
    assert next(numbers) == 1


def test_reading_ahead_passes_errors_on() -> None:
    executor = SlowExecutor()

    def broken() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(prefetched(iter(broken, None), executor))


def test_a_block_of_nothing_but_refused_lines_gives_no_events(tmp_path: Path) -> None:
    parts = iter([b'1700000000000000000 {"s":"A","trade":["1","1"]}\n', b"junk\n", b"\n"])
    sizes: list[int] = []
    file = TimedLines(path=tmp_path / "x", parts=parts, digits=19)
    source = DecodedFile(file, ToyExchange(), lambda block: sizes.append(len(block)))
    assert [len(events) for events in source.batches()] == [1]
    assert sizes == [1, 0, 0]
    assert (source.messages, source.refused) == (1, 1)
