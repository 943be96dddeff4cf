import hashlib
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.audit import FORMAT, GENESIS, record_digest
from bot4_core.audit.chain import row_digest
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds

RECORD = AuditRecord(
    sequence=7,
    wall_time=Nanoseconds(11),
    event_time=Nanoseconds(-5),
    run="rün",
    kind=AuditKind.INTENT,
    actor="mm",
    correlation="ab",
    payload=b'{"x":1}',
    previous=bytes(range(32)),
    digest=b"",
)


def test_the_digest_is_that_of_the_documented_bytes() -> None:
    run = "rün".encode()
    parts = [
        b"\x02",
        FORMAT.to_bytes(2, "big"),
        bytes(range(32)),
        (7).to_bytes(8, "big"),
        (11).to_bytes(8, "big", signed=True),
        (-5).to_bytes(8, "big", signed=True),
        *(len(text).to_bytes(4, "big") for text in (run, b"intent", b"mm", b"ab")),
        (7).to_bytes(8, "big"),
        run + b"intent" + b"mm" + b"ab" + b'{"x":1}',
    ]
    assert record_digest(RECORD) == hashlib.sha256(b"".join(parts)).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 8},
        {"wall_time": 12},
        {"event_time": 5},
        {"run": "run"},
        {"kind": AuditKind.SEND},
        {"actor": "m"},
        {"correlation": ""},
        {"payload": b'{"x":2}'},
        {"previous": GENESIS},
    ],
)
def test_every_field_is_part_of_the_digest(change: dict[str, Any]) -> None:
    other = attrs.evolve(RECORD, **change)
    assert record_digest(other) != record_digest(RECORD)


@given(st.binary(min_size=2, max_size=12))
def test_no_text_can_be_moved_into_its_neighbour(text: bytes) -> None:
    cuts = range(len(text) + 1)
    digests = [
        row_digest((1, 2, 3, b"", b"", text[:cut], text[cut:], b"", GENESIS, b"")) for cut in cuts
    ]
    assert all(left != right for left, right in pairwise(digests))
    assert len(set(digests)) == len(digests)
