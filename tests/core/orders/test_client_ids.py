import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.errors import OrderError
from bot4_core.orders import client_order_id, parse_client_order_id, run_tag


@given(st.text(), st.integers(1, 2**64 - 1))
def test_an_id_tells_its_run_and_its_number(run: str, number: int) -> None:
    tag = run_tag(run)
    text = client_order_id(tag, number)
    assert len(text) == 32
    assert text == text.lower()
    assert parse_client_order_id(text) == (tag, number)


def test_different_runs_have_different_tags() -> None:
    assert run_tag("monday") != run_tag("tuesday")
    assert run_tag("monday") == run_tag("monday")


@pytest.mark.parametrize("text", ["", "0" * 32, "g" * 32, "A" * 32, "1" * 31, "1" * 33, "web_1"])
def test_an_id_of_somebody_else_is_refused(text: str) -> None:
    with pytest.raises(OrderError, match="not a client order id"):
        parse_client_order_id(text)


@pytest.mark.parametrize("number", [0, -1, 2**64])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(OrderError, match="order number"):
        client_order_id(run_tag("x"), number)


@pytest.mark.parametrize("tag", ["", "F" * 16, "0" * 15])
def test_a_tag_that_is_not_hexadecimal_is_refused(tag: str) -> None:
    with pytest.raises(OrderError, match="run tag"):
        client_order_id(tag, 1)
