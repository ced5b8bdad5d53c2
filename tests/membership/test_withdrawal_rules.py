"""Until when one can withdraw from what was bought at a distance, and how much of it stays owed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.months import month_end
from coworking.membership.withdrawal_rules import (
    LetterDayWrong,
    Served,
    WithdrawalOver,
    check_sent_on,
    kept_of,
    last_day_to_withdraw,
)
from coworking.spaces.rules import holiday_on

TUESDAY = date(2026, 11, 24)


def mainland(day: date) -> bool:
    return holiday_on(day, None) is not None


def moselle(day: date) -> bool:
    return holiday_on(day, "57") is not None


@pytest.mark.parametrize(
    ("contract", "last", "where"),
    [
        (TUESDAY, date(2026, 12, 8), mainland),  # the day of the contract does not count
        (date(2026, 11, 28), date(2026, 12, 14), mainland),  # a Saturday
        (date(2026, 11, 29), date(2026, 12, 14), mainland),  # a Sunday
        (date(2026, 12, 11), date(2026, 12, 28), mainland),  # Christmas, on a Friday
        (date(2027, 3, 12), date(2027, 3, 26), mainland),  # Good Friday is a working day there
        (date(2027, 3, 12), date(2027, 3, 30), moselle),  # and none in Moselle, nor is Easter Monday anywhere
        (date(2024, 12, 12), date(2024, 12, 26), mainland),
        (date(2024, 12, 12), date(2024, 12, 27), moselle),
    ],
)
def test_the_last_day_is_a_working_day(contract, last, where):
    assert last_day_to_withdraw(contract, where) == last


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_nobody_has_less_than_fourteen_days(contract):
    last = last_day_to_withdraw(contract, mainland)
    assert timedelta(days=14) <= last - contract <= timedelta(days=18)
    assert last.weekday() < 5
    assert not mainland(last)


def test_what_counts_is_the_day_it_was_sent():
    late = date(2026, 12, 20)
    for sent in (TUESDAY, date(2026, 12, 8)):
        check_sent_on(sent, TUESDAY, late, mainland)
    with pytest.raises(WithdrawalOver) as over:
        check_sent_on(date(2026, 12, 9), TUESDAY, late, mainland)
    assert over.value.params == {"day": date(2026, 12, 8)}
    for sent in (TUESDAY - timedelta(days=1), late + timedelta(days=1)):
        with pytest.raises(LetterDayWrong):
            check_sent_on(sent, TUESDAY, late, mainland)


@pytest.mark.parametrize(
    ("until", "kept"),
    [
        (None, 0),
        (date(2026, 11, 23), 0),
        (TUESDAY, 857),  # 60.00 € × 1 ÷ 7
        (date(2026, 11, 26), 2571),
        (date(2026, 11, 30), 6000),
        (date(2026, 12, 5), 6000),  # never more than the price
    ],
)
def test_the_days_gone_by_are_owed_in_proportion_to_the_price(until, kept):
    assert Served(6000, TUESDAY, date(2026, 11, 30)).kept_until(until) == kept


def test_months_are_counted_each_by_its_own_days():
    parts = [Served(6000, TUESDAY, date(2026, 11, 30)), Served(6200, date(2026, 12, 1), date(2026, 12, 31))]
    assert kept_of(parts, date(2026, 12, 2)) == 6000 + 400


@given(st.integers(0, 100_000), st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.integers(-5, 40))
def test_what_stays_owed_grows_with_the_days_up_to_the_price(cents, first, days):
    part, until = Served(cents, first, month_end(first)), first + timedelta(days=days)
    assert 0 <= part.kept_until(until) <= part.kept_until(until + timedelta(days=1)) <= cents
