"""Write a session's report: the page with plots, and the data beside it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from bot4_core.errors import StorageError
from bot4_core.session.report import SessionReport

__all__ = ["write_report"]


def write_report(report: SessionReport, folder: Path, name: str) -> Path:
    """Write the page and the data, both whole or neither, and return the page's path.

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
        texts = {beside: json.dumps(data, indent=2) + "\n", page: session_page(report, name)}
        _replace(texts)
    except OSError as error:
        cause = error.strerror or str(error)
        raise StorageError(
            f"{page}: the report cannot be written ({cause}); free space or name another folder "
            "as `report` in the configuration. The session ended well and its audit log is whole"
        ) from error
    return page


def _replace(texts: Mapping[Path, str]) -> None:
    """Write all texts beside their places, and only then put them there."""
    parts = {path.with_name(f".{path.name}.part"): path for path in texts}
    try:
        for part, path in parts.items():
            with part.open("w", encoding="utf-8") as file:
                file.write(texts[path])
                file.flush()
                os.fsync(file.fileno())
        for part, path in parts.items():
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
