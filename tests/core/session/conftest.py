"""What every session test leaves behind: no open audit log."""

from collections.abc import Iterator

import pytest

from bot4_core.audit import AuditLog


@pytest.fixture(autouse=True)
def _logs_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the audit logs that a test opened and, as after a crash, left open."""
    opened: list[AuditLog] = []
    plain = AuditLog.open

    def noted(*arguments: object, **options: object) -> AuditLog:
        log = plain(*arguments, **options)  # type: ignore[arg-type]  # handed on as given
        opened.append(log)
        return log

    monkeypatch.setattr(AuditLog, "open", noted)
    yield
    for log in opened:
        log.close()
