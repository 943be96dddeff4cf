"""Memory that processes share, and whether those processes still run."""

import importlib
import mmap
import os
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.errors import ChannelError

__all__ = ["SharedWords", "is_running", "start_of"]

WORD: Final = 8
PROC: Final = Path("/proc")
ENDED: Final = frozenset({"Z", "X"})
START: Final = 19  # field of /proc/PID/stat after the state
_allocate: Final[Callable[[int, int, int], None]] = getattr(os, "posix_fallocate", lambda *_: None)


class SharedWords:
    """An int64 array in POSIX shared memory, found by name.

    The process that creates it also removes it. Should it die first, Python's resource tracker
    removes it instead; processes that attach are no business of the tracker. The mapping lives as
    long as any array of it.

    Attributes
    ----------
    name : str
        By which other processes attach.
    words : (n,) int64
    """

    def __init__(self, name: str, words: NDArray[np.int64], owned: SharedMemory | None) -> None:
        self.name = name
        self.words = words
        self._owned = owned

    @classmethod
    def create(cls, count: int) -> "SharedWords":
        """Make zeroed words under a fresh name.

        Raises
        ------
        ChannelError
            If the system has no room for them.
        """
        size = count * WORD
        try:
            memory = SharedMemory(create=True, size=size)
        except OSError as error:
            raise ChannelError(f"no shared memory of {size:,} bytes: {error.strerror}") from error
        memory.close()  # our own mapping takes its place, which arrays keep alive
        try:
            return cls(memory.name, _mapped(memory.name, size), memory)
        except OSError as error:
            memory.unlink()
            raise ChannelError(f"no shared memory of {size:,} bytes: {error.strerror}") from error

    @classmethod
    def attach(cls, name: str) -> "SharedWords":
        """Map the words that another process made.

        Raises
        ------
        ChannelError
            If there are none of this name.
        """
        try:
            return cls(name, _mapped(name, 0), None)
        except (OSError, ValueError) as error:
            reason = "there is none; the process that made it may have ended"
            raise ChannelError(f"shared memory {name}: {reason}") from error

    def unlink(self) -> None:
        """Remove the name, if it is ours; arrays stay valid. Twice is as once."""
        if self._owned is not None:
            self._owned.unlink()
            self._owned = None


def _mapped(name: str, size: int) -> NDArray[np.int64]:
    """Map shared memory by name; with a size, take its pages from the system now.

    Pages that only a later write asked for would end the process where memory is full.
    """
    memory: Any = importlib.import_module("_posixshmem")  # `SharedMemory` would tell the tracker
    descriptor: int = memory.shm_open(f"/{name.lstrip('/')}", os.O_RDWR, mode=0o600)
    try:
        if size:
            _allocate(descriptor, 0, size)
        return np.frombuffer(mmap.mmap(descriptor, 0), np.int64)
    finally:
        os.close(descriptor)


def start_of(pid: int, proc: Path = PROC) -> int:
    """Return when a process started, in the system's own count; 0 where that is not told."""
    fields = _facts(pid, proc)
    return int(fields[START]) if fields else 0


def is_running(pid: int, started: int, proc: Path = PROC) -> bool:
    """Return whether a process still runs.

    Parameters
    ----------
    pid : int
    started : int
        From `start_of`: a number that was given to another process since does not count.
    proc : Path
        Where the system tells of processes.
    """
    if not proc.is_dir():
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    fields = _facts(pid, proc)
    return bool(fields) and fields[0] not in ENDED and int(fields[START]) == started


def _facts(pid: int, proc: Path) -> list[str]:
    """Return the state of a process and what follows it; nothing if there is none."""
    try:
        text = (proc / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
