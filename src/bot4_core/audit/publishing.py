"""When checkpoints are made, and how they get where the log's writer cannot reach back."""

from pathlib import Path

from bot4_core.audit.checkpoints import Checkpoint
from bot4_core.audit.linking import Linker
from bot4_core.audit.log_settings import LogSettings
from bot4_core.domain_types.canonical_types import Nanoseconds

__all__ = ["Publisher", "new_origin"]


def new_origin(path: Path, wall_time: int) -> str:
    """Return a name for a new log, which stays its name wherever it is copied."""
    return f"{'_'.join(path.name.split())}@{wall_time}"


class Publisher:
    """Takes checkpoints of a chain, and gives them away once their records are durable.

    Attributes
    ----------
    origin : str
        Names the log.
    last : tuple of int
        Records and wall time at the last checkpoint.
    lost : int
        Checkpoints that a place did not take.
    """

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self.origin = ""
        self.last = (0, 0)
        self.lost = 0
        self._path = path
        self._settings = settings
        self._waiting: list[Checkpoint] = []

    def due(self, sequence: int, wall: int) -> bool:
        """Whether the next commit should make a checkpoint."""
        records, time = self.last
        settings = self._settings
        many = sequence - records >= settings.checkpoint_records
        return many or wall - time >= settings.checkpoint_ns

    def take(self, chain: Linker) -> None:
        """Remember the chain as it stands."""
        tree, time = chain.end.tree, Nanoseconds(chain.wall)
        self.last = (tree.size, chain.wall)
        self._waiting.append(
            Checkpoint(origin=self.origin, size=tree.size, root=tree.root(), time=time)
        )

    def publish(self) -> None:
        """Give away what was taken; a place that fails does not stop anything, but is told of."""
        waiting, self._waiting = self._waiting, []
        for checkpoint in waiting:
            for place in self._settings.places:
                try:
                    place.put(checkpoint)
                except OSError as error:
                    if not self.lost:
                        self._settings.alarm(f"a checkpoint of {self._path} was not kept: {error}")
                    self.lost += 1
