"""One writer a log: a lock that ends with the process that holds it."""

import fcntl
import os
from pathlib import Path

from bot4_core.errors import AuditError

__all__ = ["take_lock"]


def take_lock(path: Path) -> int:
    """Lock ``path.lock`` for this process, or say who holds it.

    Raises
    ------
    AuditError
        If another process does.
    """
    place = path.with_name(f"{path.name}.lock")
    lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace") or "unknown"
        os.close(lock)
        raise AuditError(
            f"{path}: another process (id {holder}) holds this log; stop it or choose another path"
        ) from None
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
