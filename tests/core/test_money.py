"""Sums shared out to the cent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.money import apportion


@pytest.mark.parametrize(
    ("total", "parts", "shares"),
    [
        (10, ["10/3", "10/3", "10/3"], [4, 3, 3]),
        (5, ["5/2", "5/2"], [3, 2]),
        (7, ["2", "7/3", "8/3"], [2, 2, 3]),
        (4, ["5/2", "5/2"], [2, 2]),
        (6, ["1", "2", "3"], [1, 2, 3]),
        (253, ["505/2"], [253]),
        (0, [], []),
    ],
)
def test_shares_come_to_the_total_and_whole_parts_stay(total, parts, shares):
    assert apportion(total, [Fraction(part) for part in parts]) == shares


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=12))
def test_each_share_is_its_part_rounded_down_or_up(twelfths):
    parts = [Fraction(number, 12) for number in twelfths]
    for share, part in zip(apportion(round(sum(parts)), parts), parts, strict=True):
        assert abs(share - part) < 1 or sum(parts) % 1 == Fraction(1, 2)
