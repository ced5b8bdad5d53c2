"""Booking's decisions, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.booking.rules import (
    REGRET,
    BeyondHorizon,
    Desk,
    InPast,
    NotOnOneDay,
    OffStep,
    bookable_halves,
    check_open_over,
    check_room_span,
    check_window,
    choose_desk,
    deadline_of,
    is_late,
    reminder_minute,
    touched,
)
from coworking.core.timespan import Span
from coworking.spaces.rules import Closed, Closing, Opening, OutsideOpeningHours, day_plan

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 11, 24, 9, 36, tzinfo=UTC)


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def window(start: datetime, end: datetime) -> date:
    return check_window(Span(start, end), at=AT, horizon_days=90, zone=PARIS)


def test_a_span_in_the_future_gives_its_local_date():
    assert window(paris(26, 9), paris(26, 13)) == date(2026, 11, 26)


def test_what_has_begun_may_be_booked_and_what_is_over_may_not():
    assert window(paris(24, 9), paris(24, 13)) == date(2026, 11, 24)
    with pytest.raises(InPast):
        window(paris(24, 9), AT)


def test_a_time_over_midnight_is_of_the_day_it_begins_on_and_no_longer_than_24_hours():
    assert window(paris(26, 23), paris(27, 0)) == window(paris(26, 23), paris(27, 23)) == date(2026, 11, 26)
    with pytest.raises(NotOnOneDay):
        window(paris(26, 23), paris(27, 23, 15))


def test_no_time_touches_three_dates_not_even_where_the_second_is_short():
    at = datetime(2027, 3, 1, tzinfo=UTC)
    start = datetime(2027, 3, 27, 22, 30, tzinfo=UTC)  # 23:30 on Saturday; on Sunday clocks go forward

    def over(**length: int) -> date:
        return check_window(Span(start, start + timedelta(**length)), at=at, horizon_days=90, zone=PARIS)

    assert over(hours=23, minutes=30) == date(2027, 3, 27)
    with pytest.raises(NotOnOneDay):
        over(hours=24)


OPEN = (0, 1440)


def over_midnight(evening: tuple[int, int], morning: tuple[int, int], until: int = 1, **second: str) -> None:
    """Friday 27 November, from eleven in the evening before, at a lieu with these hours on the two days."""
    hours = ((3, evening), (4, morning))
    openings = [Opening(weekday, "accessible", *minutes) for weekday, minutes in hours]
    closings = [Closing(date(2026, 11, 27), date(2026, 11, 27), None, None, reason) for reason in second.values()]
    days = [day_plan(date(2026, 11, day), openings, 780, closings, None, PARIS) for day in (26, 27)]
    check_open_over(days[0], days[1], paris(27, 0), Span(paris(26, 23), paris(27, until)))


def test_what_goes_over_midnight_needs_both_days_open():
    over_midnight(OPEN, OPEN)
    for evening, morning in (((480, 1410), (480, 1080)), (OPEN, (480, 1080)), ((480, 1410), OPEN)):
        with pytest.raises(NotOnOneDay):
            over_midnight(evening, morning)
    over_midnight(OPEN, (0, 120), until=2)
    with pytest.raises(OutsideOpeningHours):
        over_midnight(OPEN, (0, 120), until=3)


def test_a_closure_of_the_second_day_is_named():
    with pytest.raises(Closed):
        over_midnight(OPEN, OPEN, closed="Travaux")


def test_the_horizon_counts_local_days():
    last = AT.astimezone(PARIS).date() + timedelta(days=90)
    start = datetime(last.year, last.month, last.day, 9, tzinfo=PARIS)
    assert window(start, start + timedelta(hours=1)) == last
    with pytest.raises(BeyondHorizon):
        window(start + timedelta(days=1), start + timedelta(days=1, hours=1))


@pytest.mark.parametrize(("start", "end"), [(paris(26, 9, 10), paris(26, 10)), (paris(26, 9), paris(26, 10, 5))])
def test_rooms_keep_to_quarters_of_an_hour(start, end):
    with pytest.raises(OffStep):
        check_room_span(Span(start, end), at=AT, zone=PARIS)


def test_a_room_may_be_taken_up_to_a_quarter_of_an_hour_late():
    at = paris(24, 10, 10)
    check_room_span(Span(paris(24, 10), paris(24, 11)), at=at, zone=PARIS)
    with pytest.raises(InPast):
        check_room_span(Span(paris(24, 9, 45), paris(24, 11)), at=at, zone=PARIS)


def plan(*hours: tuple[int, int]):
    openings = [Opening(3, "accessible", start, end) for start, end in hours]
    return day_plan(date(2026, 11, 26), openings, 13 * 60, [], None, PARIS)


def test_halves_are_cut_at_the_split():
    halves = bookable_halves(date(2026, 11, 26), plan((540, 1080)))
    assert halves["am"].span == Span(paris(26, 9), paris(26, 13))
    assert halves["pm"].span == Span(paris(26, 13), paris(26, 18))


def test_a_lunch_break_belongs_to_neither_half():
    halves = bookable_halves(date(2026, 11, 26), plan((540, 720), (840, 1080)))
    assert halves["am"].span == Span(paris(26, 9), paris(26, 12))
    assert halves["pm"].span == Span(paris(26, 14), paris(26, 18))


def test_a_half_that_is_shut_is_absent():
    assert set(bookable_halves(date(2026, 11, 26), plan((540, 780)))) == {"am"}


def test_a_desk_is_taken_by_every_half_it_touches():
    halves = bookable_halves(date(2026, 11, 26), plan((540, 1080)))
    names = lambda start, end: [half.half for half in touched(halves, Span(start, end))]  # noqa: E731 - a shorthand
    assert names(paris(26, 10), paris(26, 11)) == ["am"]
    assert names(paris(26, 12), paris(26, 14)) == ["am", "pm"]
    assert names(paris(26, 13), paris(26, 14)) == ["pm"]
    assert names(paris(26, 19), paris(26, 20)) == []


def desk(id: int, *, zone: int = 1, other_half_free: bool = True) -> Desk:
    return Desk(id, zone, position=id, other_half_free=other_half_free)


def choice(
    desks: list[Desk], adjoining: set[int] = frozenset(), usual: int | None = None, zone: int | None = None
) -> int:
    found = choose_desk(desks, adjoining=adjoining, usual=usual, preferred_zone=zone)
    assert found is not None
    return found.id


def test_desks_are_given_in_the_order_of_the_lieu():
    desks = [desk(1), desk(2), desk(3, zone=2), desk(4, other_half_free=False)]
    assert choice(desks, adjoining={3}, usual=2) == 3
    assert choice(desks, usual=2, zone=2) == 2
    assert choice(desks, zone=2) == 3
    assert choice(desks) == 4, "the one that breaks up no free day"
    assert choice(desks[:3]) == 1
    assert choose_desk([], adjoining=(), usual=None, preferred_zone=None) is None


@given(st.lists(st.integers(1, 20), min_size=1, unique=True), st.sets(st.integers(1, 20)), st.integers(1, 20))
def test_the_choice_is_one_of_those_free_and_does_not_depend_on_their_order(ids, adjoining, usual):
    desks = [desk(i, zone=i % 3, other_half_free=i % 2 == 0) for i in ids]
    assert choice(desks, adjoining, usual) == choice(desks[::-1], adjoining, usual)
    assert choice(desks, adjoining, usual) in ids


def late(at: datetime, created: datetime = AT - timedelta(days=5)) -> bool:
    return is_late(starts_at=paris(26, 9), created_at=created, at=at, free_cancel_minute=18 * 60, zone=PARIS)


def test_cancelling_is_free_until_six_the_evening_before():
    assert deadline_of(paris(26, 9), free_cancel_minute=18 * 60, zone=PARIS) == paris(25, 18)
    assert not late(paris(25, 17, 59))
    assert late(paris(25, 18))


@pytest.mark.parametrize(
    ("free_until_hour", "hour"),
    [(18, 17), (23, 17), (12, 11), (8, 8), (0, 8)],
)
def test_the_reminder_is_sent_while_cancelling_is_free(free_until_hour, hour):
    assert reminder_minute(free_until_hour * 60) == hour * 60


def test_cancelling_is_free_for_ten_minutes_but_not_after_the_start():
    booked = paris(25, 20)
    assert not late(booked + REGRET - timedelta(seconds=1), created=booked)
    assert late(booked + REGRET, created=booked)
    assert late(paris(26, 9, 1), created=paris(26, 8, 59))


def test_the_deadline_is_local_across_a_clock_change():
    """Clocks go back on 25 October 2026: six in the evening before is 16:00 UTC, not 24 h before the same hour."""
    deadline = deadline_of(paris(25, 9, month=10), free_cancel_minute=18 * 60, zone=PARIS)
    assert deadline == datetime(2026, 10, 24, 16, tzinfo=UTC)
