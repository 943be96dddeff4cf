"""Any order and any repetition of the same evidence ends in the same order (I25)."""

from itertools import combinations, permutations
from typing import Final

import numpy as np
import pytest
from tests.core.orders.builders import intent, registry
from tests.core.orders.permutations_of_evidence import WORDS, different_ends
from tests.core.orders.test_evidence import record_of
from tests.reference.orders import Evidence

from bot4_core.domain_types.records import EventKind, OrderReason, Records
from bot4_core.jit import is_compiling
from bot4_core.orders import LocalEvidence

FILLED: Final = int(EventKind.ORDER_FILLED)
PIECES: Final = [
    Evidence(LocalEvidence.SENT, 1),
    Evidence(LocalEvidence.TIMED_OUT, 2),
    Evidence(EventKind.ORDER_ACCEPTED, 3, 10),
    Evidence(LocalEvidence.CANCEL_REQUESTED, 4),
    Evidence(FILLED, 2, 4, 1, 1000),
    Evidence(FILLED, 7, 6, 2, 1001),
    Evidence(EventKind.TRADE_BUSTED, 8, 4, 1, 1000),
    Evidence(EventKind.TRADE_CORRECTED, 8, 3, 2, 1002, time=8),
    Evidence(EventKind.ORDER_CANCELED, 6, 6),
    Evidence(EventKind.ORDER_NOT_FOUND, 9, time=9),
    Evidence(EventKind.CANCEL_REJECTED, 5),
    Evidence(LocalEvidence.REPLACE_REQUESTED, 6),
    Evidence(EventKind.ORDER_REJECTED, 3, reason=int(OrderReason.DUPLICATE)),
    Evidence(EventKind.ORDER_UNTRIGGERED, 2, 10),
    Evidence(EventKind.ORDER_REJECTED, 3),
    Evidence(EventKind.TRADE_CORRECTED, 9, 5, 2, 1003, time=9),
    Evidence(EventKind.ORDER_EXPIRED, 6, -1),
    Evidence(LocalEvidence.WITHHELD, 1),
]
USUAL: Final = 12
"""The pieces that come in sixes; all of them come in fives."""


def records(pieces: list[Evidence]) -> Records:
    """The pieces as EVENT rows; local ones by the number of their kind."""
    rows = np.concatenate([record_of(piece) for piece in pieces])
    rows["kind"] = [piece.kind for piece in pieces]
    return rows


def choices() -> list[tuple[int, ...]]:
    everything = range(len(PIECES))
    if not is_compiling():
        return [tuple(sorted((7 * n + step * step) % 18 for step in range(6))) for n in range(3)]
    sixes = list(combinations(range(USUAL), 6))
    return sixes + [each for count in range(2, 6) for each in combinations(everything, count)]


class Filing:
    """One order's tables, used again for every sequence."""

    def __init__(self, pieces: list[Evidence]) -> None:
        self.orders = registry(keep_finished=2)
        self.pieces, self.intents = records(pieces), intent(size=10)
        self.scratch = np.zeros(3 * WORDS, np.int64)
        self.permutations = {
            count: np.array(list(permutations(range(count))), np.int64) for count in range(1, 7)
        }

    def ends_that_differ(self, chosen: tuple[int, ...]) -> int:
        sequences = np.array(chosen, np.int64)[self.permutations[len(chosen)]]
        tables = self.orders.tables.handle
        return different_ends(tables, self.intents, self.pieces, sequences, self.scratch)


def test_i25_all_permutations_and_repetitions_of_six_pieces_end_in_the_same_order() -> None:
    filing = Filing(PIECES)
    for chosen in choices():
        assert not filing.ends_that_differ(chosen), [PIECES[place] for place in chosen]


@pytest.mark.parametrize("kind", [EventKind.ORDER_FILLED, EventKind.TRADE_CORRECTED])
def test_two_contents_of_one_report_are_no_evidence_set_and_found_to_differ(
    kind: EventKind,
) -> None:
    contents = [Evidence(kind, 2, size, 1, 1000, 5) for size in (4, 5)]
    assert Filing(contents).ends_that_differ((0, 1))
