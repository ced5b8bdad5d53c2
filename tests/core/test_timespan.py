"""Promise 5: spans against an oracle that counts minutes one by one; days as long as the clocks make them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.timespan import (
    EndsBeforeStart,
    NonexistentLocalTime,
    Span,
    intersect,
    local_date,
    local_day,
    local_instant,
    local_minute,
    subtract,
    total_minutes,
    union,
)

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")
ORIGIN = datetime(2027, 3, 28, tzinfo=UTC)
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def minute(number: int) -> datetime:
    return ORIGIN + timedelta(minutes=number)


def span(first: int, last: int) -> Span:
    return Span(minute(first), minute(last))


spans = st.tuples(st.integers(0, 120), st.integers(1, 40)).map(lambda pair: span(pair[0], pair[0] + pair[1]))
several = st.lists(spans, max_size=8)


def minutes_of(*many: Span) -> set[int]:
    """The oracle: every minute that lies in one of ``many``."""
    return {number for number in range(-5, 200) if any(one.start <= minute(number) < one.end for one in many)}


def assert_tidy(result: list[Span]) -> None:
    """Sorted, and neither overlapping nor touching."""
    assert all(left.end < right.start for left, right in pairwise(result))


@given(several)
def test_a_union_covers_the_same_minutes_without_overlap(many):
    assert minutes_of(*union(many)) == minutes_of(*many)
    assert_tidy(union(many))
    assert total_minutes(many) == len(minutes_of(*many))


@given(several, several)
def test_subtract_leaves_the_minutes_outside(many, taken):
    result = subtract(many, taken)
    assert minutes_of(*result) == minutes_of(*many) - minutes_of(*taken)
    assert_tidy(result)


@given(several, several)
def test_intersect_keeps_the_minutes_in_both(left, right):
    result = intersect(left, right)
    assert minutes_of(*result) == minutes_of(*left) & minutes_of(*right)
    assert result == sorted(result)
    assert sum(one.minutes for one in result) == len(minutes_of(*result)), "no minute twice"


@given(spans, spans)
def test_two_spans_overlap_when_they_share_a_minute(left, right):
    shared = minutes_of(left) & minutes_of(right)
    assert left.overlaps(right) == bool(shared)
    assert left.covers(right) == (minutes_of(right) <= minutes_of(left))
    common = left.intersection(right)
    assert (minutes_of(common) if common else set()) == shared


@given(spans, st.integers(-5, 199))
def test_a_span_holds_its_start_and_not_its_end(one, number):
    assert one.contains(minute(number)) == (number in minutes_of(one))


def test_neighbours_do_not_overlap():
    assert not span(0, 30).overlaps(span(30, 60))
    assert union([span(30, 60), span(0, 30)]) == [span(0, 60)]


@pytest.mark.parametrize(("first", "last"), [(10, 10), (11, 10)])
def test_a_span_ends_after_it_starts(first, last):
    with pytest.raises(EndsBeforeStart) as refused:
        span(first, last)
    assert refused.value.at_field == "ends_at"


def test_a_span_needs_a_zone():
    with pytest.raises(ValueError, match="aware"):
        Span(datetime(2027, 3, 1, 9), datetime(2027, 3, 1, 10))  # noqa: DTZ001 - that is what is refused


def test_widening_moves_both_ends():
    assert span(10, 20).widened(before=timedelta(minutes=5), after=timedelta(minutes=15)) == span(5, 35)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (SPRING - timedelta(days=1), PARIS, 24),
        (SPRING, PARIS, 23),
        (AUTUMN, PARIS, 25),
        (SPRING, REUNION, 24),
        (AUTUMN, REUNION, 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day, zone, hours):
    assert local_day(day, zone).minutes == hours * 60


def test_days_follow_each_other_without_gap_or_overlap_all_year():
    days = [local_day(date(2027, 1, 1) + timedelta(days=n), PARIS) for n in range(365)]
    assert all(left.end == right.start for left, right in pairwise(days))


@given(st.integers(-300 * 1440, 700 * 1440), st.sampled_from([PARIS, REUNION]))
def test_an_instant_lies_in_the_day_of_its_local_date(number, zone):
    instant = minute(number)
    assert local_day(local_date(instant, zone), zone).contains(instant)


def test_the_date_changes_at_the_lieus_midnight_not_at_utcs():
    assert local_date(datetime(2027, 6, 30, 21, 59, tzinfo=UTC), PARIS) == date(2027, 6, 30)
    assert local_date(datetime(2027, 6, 30, 22, 0, tzinfo=UTC), PARIS) == date(2027, 7, 1)
    assert local_date(datetime(2027, 12, 31, 22, 59, tzinfo=UTC), PARIS) == date(2027, 12, 31)
    assert local_date(datetime(2027, 12, 31, 23, 0, tzinfo=UTC), PARIS) == date(2028, 1, 1)


def test_a_time_that_never_comes_is_refused_by_name():
    with pytest.raises(NonexistentLocalTime) as refused:
        local_instant(SPRING, time(2, 30), PARIS)
    assert refused.value.params == {"time": "02:30", "date": SPRING}
    assert local_instant(SPRING, time(3, 0), PARIS) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_first():
    assert local_instant(AUTUMN, time(2, 30), PARIS) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@given(st.dates(date(2026, 1, 1), date(2029, 1, 1)), st.times())
def test_local_time_survives_the_passage_through_utc(day, at):
    try:
        instant = local_instant(day, at, PARIS)
    except NonexistentLocalTime:
        assert day.month == 3
        assert at.hour == 2
    else:
        assert instant.astimezone(PARIS).replace(tzinfo=None) == datetime.combine(day, at)


@pytest.mark.parametrize(
    ("minutes", "utc_hour", "utc_minute"), [(60, 0, 0), (120, 1, 0), (150, 1, 0), (179, 1, 0), (180, 1, 0), (181, 1, 1)]
)
def test_opening_inside_the_spring_gap_is_opening_at_its_end(minutes, utc_hour, utc_minute):
    assert local_minute(SPRING, minutes, PARIS) == datetime(2027, 3, 28, utc_hour, utc_minute, tzinfo=UTC)


@given(st.sampled_from([SPRING, AUTUMN, date(2027, 7, 1)]), st.integers(0, 1440), st.integers(0, 1440))
def test_minutes_of_a_day_never_run_backwards(day, first, second):
    earlier, later = sorted((first, second))
    assert local_minute(day, earlier, PARIS) <= local_minute(day, later, PARIS)
