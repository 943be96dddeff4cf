"""Read recordings with a helper thread and a progress bar."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.replay import ReplayProgress
from bot4_plugins.host_cli.output import progress_bar

__all__ = ["reading"]


@contextmanager
def reading(
    title: str, *, salvage: bool
) -> Iterator[tuple[ReadingOptions, Callable[[ReplayProgress], None]]]:
    """Give options that decompress ahead on another thread, and a bar to tell progress to."""
    with ThreadPoolExecutor(1, "bot4-reader") as executor, progress_bar() as bar:
        task = bar.add_task(title, total=None)

        def tell(progress: ReplayProgress) -> None:
            bar.update(task, total=progress.bytes_total, completed=progress.bytes_read)

        yield ReadingOptions(executor=executor, salvage=salvage), tell
