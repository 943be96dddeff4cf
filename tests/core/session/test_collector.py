"""The garbage collector is quiet during a run and as it was afterwards."""

import gc
from collections.abc import Iterator

import pytest

from bot4_core.session.collector import YOUNG, quiet_collector


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Begin with thresholds of its own and nothing frozen; leave things as they were."""
    before, callbacks = gc.get_threshold(), [*gc.callbacks]
    gc.unfreeze()
    gc.set_threshold(123, 4, 5)
    yield
    assert gc.callbacks == callbacks
    gc.set_threshold(*before)


def test_what_was_made_before_a_run_is_frozen_while_it_lasts() -> None:
    with quiet_collector(lambda: 0):
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == (123, 4, 5)


def test_an_error_ends_the_quiet() -> None:
    with pytest.raises(KeyError), quiet_collector(lambda: 0):
        raise KeyError
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == (123, 4, 5)


def test_what_a_program_froze_itself_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with quiet_collector(lambda: 0):
        assert gc.get_threshold()[0] == YOUNG
    assert 0.9 * frozen < gc.get_freeze_count() <= frozen
