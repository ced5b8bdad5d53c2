"""What an assigned place costs and when it can end, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.months import month_end, month_of, months_between
from coworking.residents.rules import (
    AlreadyEnds,
    EndsWithinMonth,
    NoticeTooShort,
    ResidentTerms,
    can_go_on,
    check_end,
    days_of,
    earliest_end,
    minimum_until,
    month_cents,
    months_due,
    residency_state,
)

TERMS = ResidentTerms(
    first_day=date(2026, 11, 24),
    last_day=None,
    monthly_cents=30000,
    basis="ttc",
    vat_rate_bp=2000,
    is_prorata=True,
    bound_until=None,
    notice_months=1,
)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("month", "last_day", "cents"),
    [
        (date(2026, 10, 1), None, 0),
        (date(2026, 11, 1), None, 7000),  # 7 of 30 days
        (date(2026, 12, 1), None, 30000),
        (date(2026, 12, 1), date(2026, 12, 31), 30000),
        (date(2026, 12, 1), date(2026, 12, 10), 9677),  # 10 of 31 days, 9677.4
        (date(2027, 1, 1), date(2026, 12, 31), 0),
    ],
)
def test_a_part_of_a_month_costs_by_its_days(month, last_day, cents):
    assert month_cents(replace(TERMS, last_day=last_day), month) == cents


def test_a_month_that_has_begun_costs_as_a_whole_one_where_that_was_agreed():
    terms = replace(TERMS, is_prorata=False, last_day=date(2026, 12, 10))
    assert [month_cents(terms, month) for month in months_due(terms, date(2027, 3, 1))] == [30000, 30000]


@given(DAYS, st.integers(0, 700), st.integers(0, 200_000), st.booleans())
def test_the_months_of_an_assignment_are_its_days_and_no_more(first, length, cents, is_prorata):
    last = first + timedelta(days=length)
    terms = replace(TERMS, first_day=first, last_day=last, monthly_cents=cents, is_prorata=is_prorata)
    months = months_due(terms, date(2099, 1, 1))
    assert months == months_between(first, last)
    days = [days_of(terms, month) for month in months]
    assert days[0][0] == first and days[-1][1] == last
    assert sum((end - start).days + 1 for start, end in days) == length + 1
    total = sum(month_cents(terms, month) for month in months)
    assert total <= cents * len(months)
    if is_prorata:  # half a cent of each month at most
        exact = sum(cents * ((end - start).days + 1) / month_end(start).day for start, end in days)
        assert abs(total - exact) <= len(months) / 2


@pytest.mark.parametrize(
    ("today", "notice", "bound", "let_off", "last"),
    [
        (date(2027, 2, 10), 0, None, False, date(2027, 2, 28)),
        (date(2027, 2, 10), 1, None, False, date(2027, 3, 31)),
        (date(2027, 2, 1), 1, None, False, date(2027, 2, 28)),  # a whole month of notice is left
        (date(2027, 2, 10), 3, None, False, date(2027, 5, 31)),
        (date(2027, 2, 10), 1, date(2027, 11, 23), False, date(2027, 11, 30)),
        (date(2027, 2, 10), 3, date(2027, 11, 23), True, date(2027, 2, 28)),
        (date(2026, 9, 1), 0, None, False, date(2026, 11, 30)),  # it has not begun
    ],
)
def test_it_ends_after_its_notice_and_minimum_term(today, notice, bound, let_off, last):
    assert earliest_end(today, replace(TERMS, notice_months=notice, bound_until=bound), let_off=let_off) == last


def test_an_end_too_early_within_a_month_or_twice_is_refused():
    today = date(2027, 2, 10)
    check_end(today, TERMS, date(2027, 3, 31))
    with pytest.raises(NoticeTooShort) as short:
        check_end(today, TERMS, date(2027, 2, 28))
    assert short.value.params == {"last": date(2027, 3, 31)}
    with pytest.raises(EndsWithinMonth):
        check_end(today, TERMS, date(2027, 4, 15))
    with pytest.raises(AlreadyEnds):
        check_end(today, replace(TERMS, last_day=date(2027, 4, 30)), date(2027, 5, 31))


def test_a_minimum_term_is_whole_months_from_its_first_day():
    assert minimum_until(date(2026, 11, 24), 6) == date(2027, 5, 23)
    assert minimum_until(date(2026, 11, 24), None) is None


@pytest.mark.parametrize(
    ("last_day", "is_prorata", "can"),
    [
        (None, True, False),
        (date(2027, 1, 31), True, True),
        (date(2027, 1, 15), True, False),  # its part of January may be billed
        (date(2027, 1, 15), False, True),
        (date(2027, 2, 15), True, True),
        (date(2027, 1, 9), False, False),
    ],
)
def test_an_end_can_be_taken_back_while_no_part_of_a_month_is_billed(last_day, is_prorata, can):
    assert can_go_on(date(2027, 1, 10), replace(TERMS, last_day=last_day, is_prorata=is_prorata)) is can


@given(DAYS, st.none() | st.integers(0, 400), DAYS)
def test_a_state_is_what_the_days_say(first, length, today):
    terms = replace(TERMS, first_day=first, last_day=None if length is None else first + timedelta(days=length))
    state = residency_state(terms, today, taken_back=False)
    assert state == (
        "to_come" if today < first else "in_force" if terms.last_day is None or today <= terms.last_day else "over"
    )
    assert (month_of(today) in months_due(terms, today)) or state != "in_force"
    assert residency_state(terms, today, taken_back=True) == "taken_back"
