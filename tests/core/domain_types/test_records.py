import numpy as np
import pytest

from bot4_core.domain_types import records
from bot4_core.domain_types.records import EVENT_DTYPE, EventKind, Side

DTYPES = [name for name in records.__all__ if name.endswith("_DTYPE")]


def test_an_event_record_has_64_bytes_and_no_padding() -> None:
    assert EVENT_DTYPE.itemsize == 64
    assert sum(EVENT_DTYPE[name].itemsize for name in EVENT_DTYPE.names or ()) == 64


@pytest.mark.parametrize("name", DTYPES)
def test_record_layouts_are_little_endian_packed_and_aligned(name: str) -> None:
    layout: np.dtype[np.void] = getattr(records, name)
    names = layout.names or ()
    assert layout.itemsize == sum(layout[field].itemsize for field in names)
    offset = 0
    for field in names:
        kind = layout[field]
        assert kind.base.byteorder in "<|="
        assert offset % kind.base.itemsize == 0
        offset += kind.itemsize


def test_kinds_fit_their_byte_and_a_sides_value_is_its_sign() -> None:
    assert all(0 < kind < 256 for kind in EventKind)
    assert [Side.SELL, Side.NONE, Side.BUY] == [-1, 0, 1]


def test_every_kind_stands_in_the_table_of_field_meanings() -> None:
    text = EventKind.__doc__ or ""
    for kind in EventKind:
        assert kind.name in text
