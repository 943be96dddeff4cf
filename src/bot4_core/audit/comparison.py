"""Where two runs went apart, by their audit logs: the first difference, and all, order by order."""

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import attrs

from bot4_core.audit.queries import AuditQuery, read_records, search
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError

__all__ = ["Comparison", "FieldDifference", "Parting", "compare_runs"]

ABOUT_THE_LOG: Final = frozenset(
    {AuditKind.RUN_START, AuditKind.RUN_END, AuditKind.CHECKPOINT, AuditKind.SEGMENT}
)
"""Records that say how a run was kept, not what it did."""
ABSENT: Final = ""


@attrs.frozen
class FieldDifference:
    """One thing that two records say differently; empty where one does not say it."""

    field: str
    left: str
    right: str


@attrs.frozen(kw_only=True)
class Parting:
    """Where the records on one order, or on none, part ways.

    Attributes
    ----------
    order : int
        By first mention in its run, from 1; 0 for records that are about no order.
    step : int
        Place among the records on that order, from 1.
    left, right : int
        Record numbers in their logs; 0 where a run has nothing more to say.
    fields : tuple of FieldDifference
        What the two records say differently.
    further : int
        How many records follow on either side, whichever has more.
    """

    order: int
    step: int
    left: int
    right: int
    fields: tuple[FieldDifference, ...]
    further: int


@attrs.frozen(kw_only=True)
class Comparison:
    """Two runs, compared; ``first`` is the earliest difference in the order of the left log."""

    left_run: str
    right_run: str
    left_records: int
    right_records: int
    orders: int
    differences: tuple[Parting, ...]

    @property
    def same(self) -> bool:
        """Whether both did the same."""
        return not self.differences

    @property
    def first(self) -> Parting | None:
        """The difference that came first."""
        return min(self.differences, key=_when, default=None)


def _when(difference: Parting) -> tuple[int, int]:
    return difference.left or difference.right, difference.right


class _Steps:
    """What one run did, order by order, as numbers of records and digests of what they say."""

    def __init__(self, path: Path, run: str) -> None:
        self.path, self.run = path, run
        self.orders: dict[int, list[tuple[int, int]]] = {}
        self.count = 0
        names: dict[str, int] = {"": 0}
        for record in search(path, AuditQuery(run=run)):
            if record.kind in ABOUT_THE_LOG:
                continue
            order = names.setdefault(record.correlation, len(names))
            steps = self.orders.setdefault(order, [])
            steps.append((record.sequence, hash(_said(record))))
            self.count += 1

    def facts(self, number: int) -> Mapping[str, str]:
        """Return what a record says, field by field; nothing for record 0."""
        if not number:
            return {}
        record = next(iter(read_records(self.path, number)))
        facts = {"kind": record.kind.value, "actor": record.actor, "time": str(record.event_time)}
        return facts | dict(_leaves("", json.loads(record.payload)))


def compare_runs(
    left: Path | str, right: Path | str, *, left_run: str = "", right_run: str = ""
) -> Comparison:
    """Compare what two runs did, leaving out names of runs, client order ids and wall times.

    Parameters
    ----------
    left, right : Path or str
        Audit logs; may be the same one.
    left_run, right_run : str
        Names of runs; the last one of each log if not given.

    Raises
    ------
    AuditError
        If a log cannot be read, or holds no such run.
    ChainError
        If a record was changed.
    """
    one = _Steps(Path(left), _run_of(Path(left), left_run))
    other = _Steps(Path(right), _run_of(Path(right), right_run))
    orders = sorted({*one.orders, *other.orders})
    found = (_difference(order, one, other) for order in orders)
    return Comparison(
        left_run=one.run,
        right_run=other.run,
        left_records=one.count,
        right_records=other.count,
        orders=len([order for order in orders if order]),
        differences=tuple(each for each in found if each is not None),
    )


def _run_of(path: Path, wanted: str) -> str:
    """Return the name of a log's run: the wanted one, or the last."""
    names = [record.run for record in search(path, AuditQuery(kinds=(AuditKind.RUN_START,)))]
    if wanted not in (*names, ""):
        known = ", ".join(names[-5:])
        raise AuditError(f"{path}: holds no run {wanted!r}; the last ones are {known}")
    return wanted or next(reversed(names), "")


def _said(record: AuditRecord) -> tuple[str, str, int, bytes]:
    return record.kind.value, record.actor, record.event_time, record.payload


def _difference(order: int, one: _Steps, other: _Steps) -> Parting | None:
    """Return where the records on one order part ways; None where they do not."""
    steps = one.orders.get(order, []), other.orders.get(order, [])
    for place, (mine, theirs) in enumerate(zip_longest(*steps, fillvalue=(0, 0))):
        if mine[1] == theirs[1] and mine[0] and theirs[0]:
            continue
        fields = tuple(_fields(one.facts(mine[0]), other.facts(theirs[0])))
        return Parting(
            order=order,
            step=place + 1,
            left=mine[0],
            right=theirs[0],
            fields=fields,
            further=max(map(len, steps)) - place - 1,
        )
    return None


def _fields(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[FieldDifference]:
    for name in dict.fromkeys((*left, *right)):
        mine, theirs = left.get(name, ABSENT), right.get(name, ABSENT)
        if mine != theirs:
            yield FieldDifference(name, mine, theirs)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every plain value in a payload with the way to it."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, each)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(f"{path}[{place}]", each)
    else:
        yield path, str(value)
