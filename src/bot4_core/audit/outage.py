"""The time in which a log cannot be written: what is kept elsewhere, and when it is over."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bot4_core.audit.chain import RecordRow
from bot4_core.audit.emergency import EmergencyFile, Reserve
from bot4_core.audit.log_settings import LogSettings
from bot4_core.errors import AuditError

__all__ = ["Outage"]


class Outage:
    """Begins with a commit that failed; ends when records are written and the reserve is held.

    Attributes
    ----------
    reason : str
        Why the log could not be written; empty when all is well.
    broken : bool
        What the disk holds is not known: the file must be opened anew.
    emergency : EmergencyFile
    reserve : Reserve
    """

    def __init__(self, path: Path, settings: LogSettings) -> None:
        self.reason = ""
        self.broken = False
        self.emergency = EmergencyFile(path)
        self.reserve = Reserve(path, settings.reserve_bytes)
        self._path = path
        self._alarm = settings.alarm

    def begin(self, error: AuditError, rows: Sequence[RecordRow]) -> None:
        """Free the reserve, keep the records elsewhere, and say so, but only once."""
        name = getattr(error.__cause__, "sqlite_errorname", "")
        self.broken = self.broken or name.startswith("SQLITE_IOERR")
        if not self.reason:
            self._alarm(f"{error}; no new risk is taken")
        self.reason = str(error)
        self.reserve.release()
        with suppress(OSError):
            self.emergency.keep(rows)

    def end(self) -> None:
        """Go back to normal.

        Raises
        ------
        AuditError
            If there is not room enough to hold the reserve again.
        """
        with suppress(OSError):  # a next run will find that the log has all of it
            self.emergency.clear()
        try:
            self.reserve.hold()
        except OSError as error:
            raise AuditError(
                f"{self._path}: written, but into the last room on the disk; free some"
            ) from error
        self.reason = ""
        self._alarm(f"{self._path}: the audit log can be written again")
