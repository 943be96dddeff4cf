"""Conformance kits: numbered cases that every plugin of a kind passes, with pytest or without.

A plugin brings a short subclass of its kind's kit that says how to make the part. Each case is a
method ``test_<number>_<what>``; its docstring is what it demands. pytest runs them as they are,
``run_conformance`` without it. A case that the part does not claim to meet is skipped, with why.
"""

import inspect
import re
import unittest
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Final, NoReturn

import attrs

__all__ = [
    "KIT_VERSION",
    "CaseOutcome",
    "CaseResult",
    "ConformanceKit",
    "demand",
    "exempt",
    "run_conformance",
]

KIT_VERSION: Final = 1
"""Rises when a case is added or demands more."""
NAME: Final = re.compile(r"test_([a-z]\d{2})_\w+")
LONGEST: Final = 500


class CaseOutcome(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    EXEMPT = "exempt"  # the part does not claim it


@attrs.frozen(kw_only=True)
class CaseResult:
    """One case: its number, what it demands, what became of it, and why."""

    number: str
    demand: str
    outcome: CaseOutcome
    reason: str = ""


def demand(condition: object, otherwise: str) -> None:
    """Fail the case, saying what was wrong, unless a condition holds.

    Raises
    ------
    AssertionError
        Also where Python drops ``assert`` statements.
    """
    if not condition:
        raise AssertionError(otherwise)


def exempt(reason: str) -> NoReturn:
    """End a case that the part does not claim to meet."""
    raise unittest.SkipTest(reason)


class ConformanceKit:
    """What all kits share: their cases in order.

    ``exemptions`` names cases that a plugin does not meet, by number, each with its reason; they
    show in the matrix as what they are.
    """

    exemptions: ClassVar[Mapping[str, str]] = {}

    def cases(self) -> Iterator[tuple[str, str]]:
        """Yield the number and the method name of each case."""
        found = ((NAME.fullmatch(name), name) for name in dir(self))
        yield from sorted((match[1].upper(), name) for match, name in found if match)

    def setup_method(self, method: object) -> None:
        """Skip what the plugin is exempt from; called by both runners before each case."""
        match = NAME.fullmatch(getattr(method, "__name__", ""))
        if match and match[1].upper() in self.exemptions:
            exempt(self.exemptions[match[1].upper()])


def run_conformance(kit: ConformanceKit) -> Sequence[CaseResult]:
    """Run all cases of a kit, each on parts of its own, and return what became of them.

    Whatever a case raises makes it fail, with the error's text as reason.
    """
    return [_run(kit, number, name) for number, name in kit.cases()]


def _run(kit: ConformanceKit, number: str, name: str) -> CaseResult:
    case = getattr(kit, name)
    outcome, reason = CaseOutcome.PASSED, ""
    try:
        kit.setup_method(case)
        case()
    except unittest.SkipTest as skip:
        outcome, reason = CaseOutcome.EXEMPT, str(skip)
    except Exception as error:  # noqa: BLE001 - whatever a foreign part raises
        text = " ".join(str(error).split())[:LONGEST]
        kind = "" if isinstance(error, AssertionError) and text else f"{type(error).__name__}: "
        outcome, reason = CaseOutcome.FAILED, (kind + text).strip(": ")
    demand = (inspect.getdoc(case) or name).splitlines()[0]
    return CaseResult(number=number, demand=demand, outcome=outcome, reason=reason)
