"""The raw messages inside a recording of our own, to be decoded once more."""

from collections.abc import Iterator
from typing import ClassVar

import attrs
import numpy as np

from bot4_core.errors import RecordingError
from bot4_core.market.recordings.messages import MessageBlock, MessageFile
from bot4_core.market.recordings.reader import Recording

__all__ = ["RecordedMessages", "message_files"]


@attrs.define(kw_only=True)
class RecordedMessages(MessageFile):
    """The messages that came from one foreign file, as a recording kept them.

    Parameters
    ----------
    recording : Recording
    source : int
        Number of the foreign file among those that were imported.
    """

    layout: ClassVar[str] = "recorded messages"
    recording: Recording
    source: int

    @property
    def name(self) -> str:
        """Name of the foreign file."""
        return self.recording.sources[self.source]

    def blocks(self) -> Iterator[MessageBlock]:
        """Read the messages as they were written."""
        numbers: dict[int, int] = {}
        for block in self.recording.messages(self.source):
            for origin in dict.fromkeys(block.origins.tolist()):
                if origin not in numbers:
                    numbers[origin] = len(self.origins)
                    self.origins.append(self.recording.origins[origin])
            own = np.array([numbers.get(n, -1) for n in range(max(numbers) + 1)], np.int32)
            yield attrs.evolve(block, origins=own[block.origins])


def message_files(recording: Recording) -> list[RecordedMessages]:
    """Return the foreign files that a recording was made of.

    Raises
    ------
    RecordingError
        If it holds events without their messages.
    """
    files = [
        RecordedMessages(
            path=recording.path, recording=recording, source=n, clock=recording.header.clock
        )
        for n in range(len(recording.sources))
    ]
    if not files:
        raise RecordingError(f"{recording.path}: holds no raw messages, only events")
    return files
