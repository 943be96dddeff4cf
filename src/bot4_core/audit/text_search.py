"""Finding records by words: through the index, or by reading, with the same result.

A record's text is its kind, actor, order and payload as they are written. Words are runs of
letters, digits and anything outside ASCII; capitals do not count. A query is terms between blanks,
which all must occur; what has several words (``0.0012``, ``post-only``) must occur in that order
side by side; a star at the end stands for any ending.
"""

import re
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring_ascii as _quote
from pathlib import Path
from typing import Final

from bot4_core.audit.index_file import RecordIndex, index_path
from bot4_core.audit.queries import read_records, records_at
from bot4_core.audit.segments import find_ranges
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.errors import AuditError

__all__ = ["SMALL_LOG", "search_text", "worth_indexing"]

SMALL_LOG: Final = 20_000
"""A log with no more records than this is read rather than indexed."""

_WORD: Final = re.compile("[0-9a-z\x80-\U0010ffff]+")
Term = tuple[tuple[str, ...], bool]


def search_text(
    path: Path | str,
    text: str,
    *,
    limit: int = 0,
    indexed: bool = True,
    progress: Callable[[int], None] | None = None,
) -> list[AuditRecord]:
    """Return the newest records that hold all terms of a text, oldest first.

    Parameters
    ----------
    path : Path or str
    text : str
    limit : int
        At most so many; 0 for all.
    indexed : bool
        Use the index, and make it where the log is large; otherwise read the log.
    progress : callable, optional
        Called with the number of records indexed so far.

    Raises
    ------
    AuditError
        If there is no word in the text, or the log cannot be read.
    ChainError
        If a record was changed.
    """
    place, terms = Path(path), _terms(text)
    if not terms:
        raise AuditError(f"{text!r} holds no word to search for")
    mark, numbers = 0, list[int]()
    if indexed and worth_indexing(place):
        try:
            with RecordIndex.opened(place) as index:
                index.try_to_update("words", progress)
                mark = index.mark("words")
                numbers = index.words(_expression(terms), limit or -1)
        except sqlite3.Error:
            mark, numbers = 0, []
    later = (each for each in read_records(place, mark + 1) if _holds(each, terms))
    newest = deque(later, maxlen=limit or None)
    older = len(numbers) if not limit else limit - len(newest)
    return [*records_at(place, sorted(numbers[:older])), *newest]


def worth_indexing(path: Path) -> bool:
    """Whether a log has an index or is large enough for one."""
    ranges = find_ranges(path)
    if not ranges or index_path(path).exists():
        return bool(ranges)
    return ranges[-1].segment.ends()[1] > SMALL_LOG


def _terms(text: str) -> list[Term]:
    found = []
    for part in text.split():
        words = tuple(_WORD.findall(_quote(part)[1:-1].lower()))
        if words:
            found.append((words, part.endswith("*")))
    return found


def _expression(terms: Iterable[Term]) -> str:
    return " AND ".join(
        f'"{" ".join(words)}"{" *" if open_ended else ""}' for words, open_ended in terms
    )


def _holds(record: AuditRecord, terms: Sequence[Term]) -> bool:
    text = f"{record.kind.value} {record.actor} {record.correlation} {record.payload.decode()}"
    words = _WORD.findall(_lowered(text))
    return all(_occurs(words, term) for term in terms)


def _lowered(text: str) -> str:
    """Lower the capitals of ASCII alone, as the index does."""
    return text.translate(_CAPITALS)


_CAPITALS: Final = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}


def _occurs(words: Sequence[str], term: Term) -> bool:
    wanted, open_ended = term
    *body, last = wanted
    for place in range(len(words) - len(body)):
        end = words[place + len(body)]
        fits = end.startswith(last) if open_ended else end == last
        if fits and list(words[place : place + len(body)]) == body:
            return True
    return False
