"""Write a session's report: the page with plots, and the data beside it."""

import json
import os
from pathlib import Path

from bot4_core.errors import StorageError
from bot4_core.session.report import SessionReport

__all__ = ["write_report"]


def write_report(report: SessionReport, folder: Path, name: str) -> Path:
    """Write the page and the data, each whole or not at all, and return the page's path.

    Raises
    ------
    StorageError
        If they cannot be written; an earlier report of the name then still stands.
    """
    from bot4_plugins.host_cli.session_page import session_page  # noqa: PLC0415 - loads plotly

    page, beside = folder / f"{name}.html", folder / f"{name}.json"
    data = {**report.data(), "report": str(page)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(beside, json.dumps(data, indent=2) + "\n")
        _replace(page, session_page(report, name))
    except OSError as error:
        cause = error.strerror or str(error)
        raise StorageError(
            f"{page}: the report cannot be written ({cause}); free space or name another folder "
            "as `report` in the configuration. The session ended well and its audit log is whole"
        ) from error
    return page


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
