"""Ports promise and do nothing: whoever forgets to answer is told at once."""

from typing import Any

import pytest

from bot4_core.session.feed import FeedLink
from bot4_core.session.markets import SimulatedVenue
from bot4_core.session.ports import Clock, Connect, Market, Progress, Stop

PROPERTIES = {"instruments", "table", "share", "quarantined", "warnings", "now", "paper"}
METHODS = [
    (port, name)
    for port in (Clock, Connect, FeedLink, Market, Progress, Stop, SimulatedVenue)
    for name in vars(port)
    if callable(vars(port)[name]) or name in PROPERTIES
    if name == "__call__" or not name.startswith("_")
]


@pytest.mark.parametrize(("port", "name"), METHODS)
def test_a_port_has_no_answer_of_its_own(port: type[Any], name: str) -> None:
    member = vars(port)[name]
    function: Any = member.fget if isinstance(member, property) else member
    arguments = [None] * function.__code__.co_argcount
    if function.__annotations__["return"] is None:
        assert function(*arguments) is None
    else:
        with pytest.raises(NotImplementedError):
            function(*arguments)
