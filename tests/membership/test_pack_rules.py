"""What is given back of a pack: rounded once, never more than was paid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coworking.membership.pack_rules import given_back_cents


def test_the_part_that_is_left_goes_back():
    assert given_back_cents(8000, 10, 4) == 3200
    assert given_back_cents(1000, 3, 1) == 333
    assert given_back_cents(1000, 3, 2) == 667


@given(
    paid=st.integers(0, 100_000),
    units=st.integers(1, 600),
    parts=st.lists(st.integers(1, 200), max_size=6),
)
def test_however_often_something_goes_back_it_comes_to_no_more_than_was_paid(paid, units, parts):
    units_before = cents_before = 0
    for left in parts:
        if units_before + left > units:
            break
        cents = given_back_cents(paid, units, left, units_before=units_before, cents_before=cents_before)
        assert cents >= 0
        units_before, cents_before = units_before + left, cents_before + cents
    assert cents_before <= paid
    assert abs(cents_before * units - paid * units_before) * 2 <= units, "rounded once, not at each time"
