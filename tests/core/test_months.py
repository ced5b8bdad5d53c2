"""Months are read, written and counted the same way everywhere."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.months import (
    MonthUnreadable,
    month_after,
    month_before,
    month_days,
    month_end,
    month_of,
    months_between,
    read_month,
    write_month,
)

DAYS = st.dates(date(2000, 1, 1), date(2199, 12, 31))


def test_a_month_is_read_as_its_first_day():
    assert read_month("2026-11") == date(2026, 11, 1)
    assert read_month("2000-01") == date(2000, 1, 1) and read_month("2199-12") == date(2199, 12, 1)


@pytest.mark.parametrize(
    "text",
    [None, "", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", " 2026-11", "2026-11\n", "٢٠٢٦-11"]
    + ["1999-12", "2200-01", "0000-01", "2026/11", "-026-11", "2026-+1"],
)
def test_anything_else_is_refused_with_one_public_code(text: str | None):
    with pytest.raises(MonthUnreadable) as refused:
        read_month(text)
    assert (refused.value.code, refused.value.status, refused.value.at_field) == ("month_unreadable", 422, "month")


@given(DAYS)
def test_what_is_written_is_read_again(day: date):
    assert read_month(write_month(day)) == month_of(day)


@given(DAYS, st.integers(-300, 300))
def test_months_before_and_after_undo_each_other_from_any_day(day: date, count: int):
    assert month_before(month_after(day, count), count) == month_of(day)


@given(DAYS)
def test_a_month_ends_the_day_before_the_next_one_begins(day: date):
    first, last = month_days(day)
    assert first <= day <= last == month_end(day)
    assert last + timedelta(days=1) == month_after(day)


def test_lengths_and_ranges():
    assert month_end(date(2028, 2, 10)) == date(2028, 2, 29) and month_end(date(2100, 2, 1)) == date(2100, 2, 28)
    assert month_after(date(2026, 12, 5)) == date(2027, 1, 1) and month_before(date(2026, 1, 31)) == date(2025, 12, 1)
    assert months_between(date(2026, 11, 30), date(2027, 1, 1)) == [date(2026, m, 1) for m in (11, 12)] + [
        date(2027, 1, 1)
    ]
    assert months_between(date(2026, 11, 1), date(2026, 10, 31)) == []
