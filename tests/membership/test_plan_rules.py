"""What taking a plan means, and what is left of plans from month to month: decided purely."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.months import month_after, month_of
from coworking.core.timespan import Span
from coworking.membership.allowance_rules import PlannedUse, PlansLeft, SubscriptionTerms, UsedOfPlans
from coworking.membership.beginning import PlanTerms
from coworking.membership.change_rules import MonthlyTerms
from coworking.membership.plan_rules import (
    FirstMonth,
    bound_after_pause,
    bound_until,
    changes_from,
    first_month_of,
    last_month_when_ending,
    later,
    month_price,
)
from coworking.pricing.group_rules import GroupPrices, Reduction

OCTOBER, NOVEMBER, DECEMBER, JANUARY = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
TUESDAY = date(2026, 11, 24)
EIGHT = SubscriptionTerms(1, "Huit", OCTOBER, None, 8, rollover_halfdays=4)
HOURS = SubscriptionTerms(2, "Salle", OCTOBER, None, 8, room_minutes=300, rollover_minutes=120)
STUDENTS = GroupPrices(7, "étudiant", {("plan", 0): Reduction(percent_bp=5000)})


def desk(day: date) -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    return PlannedUse(1, "desk", day, "am", Span(start, start + timedelta(hours=4)))


def room(day: date, minutes: int) -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    return PlannedUse(2, "room", day, None, Span(start, start + timedelta(minutes=minutes)))


def halves(**used: int) -> UsedOfPlans:
    """Half-days of plan 1, by month: ``october=3``."""
    months = {"october": OCTOBER, "november": NOVEMBER, "december": DECEMBER}
    return {(1, months[name], "half_day"): count for name, count in used.items()}


# From month to month --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("used", "left"), [(8, 8), (7, 9), (4, 12), (0, 12)])
def test_what_is_left_goes_over_up_to_its_limit(used, left):
    assert PlansLeft([EIGHT], halves(october=used), NOVEMBER).left(EIGHT, "half_day", NOVEMBER) == left


def test_what_came_over_and_was_not_used_goes_over_once_more():
    found = PlansLeft([EIGHT], halves(october=5, november=9), DECEMBER)
    assert [found.carried(EIGHT, "half_day", month) for month in (OCTOBER, NOVEMBER, DECEMBER)] == [0, 3, 2]


def test_a_month_to_come_gets_nothing_yet():
    """What is left of this month can still be used this month."""
    assert PlansLeft([EIGHT], halves(november=0), NOVEMBER).left(EIGHT, "half_day", DECEMBER) == 8


def test_a_month_that_is_over_keeps_what_a_later_one_has_drawn():
    """October left four; November used them. Written down late, October has none any more."""
    drawn = PlansLeft([EIGHT], halves(october=4, november=12), NOVEMBER)
    assert drawn.take(desk(date(2026, 10, 30))) is None
    spare = PlansLeft([EIGHT], halves(october=4, november=11), NOVEMBER)
    assert spare.take(desk(date(2026, 10, 30))) == (EIGHT, 3)
    assert spare.take(desk(date(2026, 10, 29))) is None, "one was to spare"


def test_without_roll_over_nothing_goes_over():
    plain = SubscriptionTerms(1, "Huit", OCTOBER, None, 8)
    assert PlansLeft([plain], {}, NOVEMBER).left(plain, "half_day", NOVEMBER) == 8


def test_a_plan_without_limit_leaves_nothing_over():
    former = SubscriptionTerms(1, "Libre", OCTOBER, OCTOBER, None)
    follows = SubscriptionTerms(2, "Huit", NOVEMBER, None, 8, rollover_halfdays=4, replaces_id=1)
    assert PlansLeft([former, follows], {}, NOVEMBER).left(follows, "half_day", NOVEMBER) == 8


def test_what_is_left_follows_a_change_and_waits_for_the_end_of_a_pause():
    former = SubscriptionTerms(1, "Huit", OCTOBER, OCTOBER, 8, rollover_halfdays=4)
    after_pause = SubscriptionTerms(2, "Vingt", DECEMBER, None, 20, rollover_halfdays=3, replaces_id=1)
    found = PlansLeft([former, after_pause], halves(october=2), DECEMBER)
    assert found.left(after_pause, "half_day", DECEMBER) == 23, "as much as the plan that follows takes over"


def test_who_comes_back_later_begins_anew():
    former = SubscriptionTerms(1, "Huit", OCTOBER, OCTOBER, 8, rollover_halfdays=4)
    again = SubscriptionTerms(2, "Huit", DECEMBER, None, 8, rollover_halfdays=4)
    assert PlansLeft([former, again], {}, DECEMBER).left(again, "half_day", DECEMBER) == 8


def test_what_was_added_to_a_month_goes_over_too():
    added = SubscriptionTerms(3, "Vingt", NOVEMBER, NOVEMBER, 2, from_day=TUESDAY)
    found = PlansLeft([EIGHT, added], halves(october=8, november=7), DECEMBER)
    assert found.left(EIGHT, "half_day", DECEMBER) == 8 + 1 + 2


def test_rooms_are_counted_in_minutes_beside_half_days():
    used: UsedOfPlans = {(2, OCTOBER, "hour"): 240, (2, NOVEMBER, "hour"): 270, (2, NOVEMBER, "half_day"): 8}
    found = PlansLeft([HOURS], used, NOVEMBER)
    assert found.left(HOURS, "hour", NOVEMBER) == 300 + 60 - 270
    assert found.take(room(TUESDAY, 120)) is None, "a use is held whole or not at all"
    assert found.take(room(TUESDAY, 90)) == (HOURS, 0)
    assert found.take(desk(TUESDAY)) is None
    assert PlansLeft([EIGHT], {}, NOVEMBER).take(room(TUESDAY, 30)) is None, "it gives no time in rooms"


def test_a_month_that_was_begun_holds_its_part_from_its_day_on():
    part = SubscriptionTerms(1, "Huit", NOVEMBER, None, 8, begins_on=date(2026, 11, 16), first_halfdays=4)
    found = PlansLeft([part], {}, None)
    assert found.take(desk(date(2026, 11, 13))) is None
    assert found.take(desk(TUESDAY)) == (part, 3)
    assert found.left(part, "half_day", DECEMBER) == 8


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 28)), max_size=60),
    st.integers(1, 6),
    st.integers(0, 8),
    st.integers(0, 4),
)
def test_nothing_is_used_twice_however_late_it_is_written_down(wanted, given_a_month, rollover, now):
    """Booked one by one in any order: no month, and no number of months together, holds more than was given."""
    plan = SubscriptionTerms(1, "N", OCTOBER, None, given_a_month, rollover_halfdays=rollover or None)
    this_month, used = month_after(OCTOBER, now), dict[tuple[int, date, str], int]()
    for ahead, day in wanted:
        use = desk(month_after(OCTOBER, ahead).replace(day=day))
        if PlansLeft([plan], used, this_month).take(use) is not None:  # type: ignore[arg-type] - a plain dict
            key = (1, month_of(use.day), "half_day")
            used[key] = used.get(key, 0) + 1
    counts = [used.get((1, month_after(OCTOBER, ahead), "half_day"), 0) for ahead in range(5)]
    kept = 0
    for ahead, count in enumerate(counts):
        available = given_a_month + (kept if ahead <= now else 0)
        assert count <= available
        kept = min(rollover, available - count)


# The first month ------------------------------------------------------------------------------------------------------


def first(day: date = TUESDAY, *, month: date = NOVEMBER, **more) -> FirstMonth:
    usual = {"price_cents": 6000, "trial_cents": None, "is_prorata": False, "halfdays": 10, "room_minutes": None}
    return first_month_of(day=day, first_month=month, **(usual | more))


def test_a_whole_month_is_like_any_other():
    assert first() == FirstMonth()
    assert first(is_prorata=True, month=DECEMBER) == FirstMonth(), "it begins on its first day"
    assert first(date(2026, 11, 1), is_prorata=True) == FirstMonth()


def test_a_part_of_a_month_costs_by_its_days():
    """24 to 30 November: seven of thirty days; 14.00 of 60.00, and 2.33 half-days are three."""
    found = first(is_prorata=True, room_minutes=300)
    assert found == FirstMonth(begins_on=TUESDAY, cents=1400, halfdays=3, room_minutes=70)
    assert first(is_prorata=True, halfdays=None).halfdays is None


def test_a_trial_costs_less_or_is_none():
    assert first(trial_cents=2000) == FirstMonth(cents=2000, is_trial=True)
    assert first(trial_cents=0) == FirstMonth(cents=0, is_trial=True)
    assert first(trial_cents=6000) == FirstMonth(), "it would cost nothing less"
    assert first(trial_cents=3000, is_prorata=True).cents == 700


# The minimum term -----------------------------------------------------------------------------------------------------


def test_a_plan_ends_with_its_term_and_later_with_any_month():
    bound = bound_until(NOVEMBER, 6)
    assert (bound, bound_until(NOVEMBER, None)) == (date(2027, 4, 1), None)
    assert last_month_when_ending(TUESDAY, NOVEMBER, bound) == date(2027, 4, 1)
    assert last_month_when_ending(date(2027, 7, 3), NOVEMBER, bound) == date(2027, 7, 1)
    assert last_month_when_ending(TUESDAY, DECEMBER, None) == DECEMBER


def test_a_trial_ends_with_its_month_whatever_the_term():
    bound = bound_until(NOVEMBER, 6)
    assert last_month_when_ending(TUESDAY, NOVEMBER, bound, has_trial=True) == NOVEMBER
    assert last_month_when_ending(date(2026, 12, 2), NOVEMBER, bound, has_trial=True) == date(2027, 4, 1)
    assert last_month_when_ending(TUESDAY, DECEMBER, bound_until(DECEMBER, 3), has_trial=True) == DECEMBER


def test_a_cheaper_plan_waits_for_the_term_and_a_dearer_one_does_not():
    assert changes_from(TUESDAY, date(2027, 4, 1), is_cheaper=True) == date(2027, 5, 1)
    assert changes_from(TUESDAY, date(2027, 4, 1), is_cheaper=False) == DECEMBER
    assert changes_from(TUESDAY, NOVEMBER, is_cheaper=True) == DECEMBER
    assert changes_from(TUESDAY, None, is_cheaper=True) == DECEMBER
    assert later(None, None) is None and later(DECEMBER, NOVEMBER) == DECEMBER


def test_a_pause_puts_off_what_is_left_of_the_term():
    """December to February were left; with a pause until February they are February to April."""
    assert bound_after_pause(date(2027, 2, 1), TUESDAY, date(2027, 2, 1)) == date(2027, 4, 1)
    assert bound_after_pause(NOVEMBER, TUESDAY, date(2027, 2, 1)) is None
    assert bound_after_pause(None, TUESDAY, date(2027, 2, 1)) is None


def test_prices_are_compared_without_vat():
    with_vat, without = MonthlyTerms(6000, "ttc", 2000, 10), MonthlyTerms(5100, "ht", 2000, 10)
    assert with_vat.is_cheaper_than(without) and not without.is_cheaper_than(with_vat)
    assert not without.is_cheaper_than(without)


# What a month costs ---------------------------------------------------------------------------------------------------


def held(**more) -> PlanTerms:
    return PlanTerms(3, "Dix", NOVEMBER, 6000, "ttc", 0, 10, **more)


def test_without_anything_each_month_costs_the_same():
    assert [month_price(held(), month, ()).cents for month in (NOVEMBER, DECEMBER)] == [6000, 6000]


def test_a_reduced_price_holds_while_there_is_the_right_to_it():
    reduced = held(reduced_cents=2500, price_group_id=7)
    assert month_price(reduced, NOVEMBER, ()).cents == 2500, "as it was said when it was taken"
    assert month_price(reduced, DECEMBER, [STUDENTS]).cents == 2500, "what was agreed, though half would be 30.00"
    assert month_price(reduced, DECEMBER, ()).cents == 6000
    found = month_price(reduced, JANUARY, [STUDENTS])
    assert (found.group_id, found.group, found.full_cents) == (7, "étudiant", 6000)


def test_who_gets_the_right_later_pays_less_from_then_on():
    assert month_price(held(), DECEMBER, [STUDENTS]).cents == 3000
    dearer = GroupPrices(8, "x", {("plan", 3): Reduction(cents=9000)})
    assert month_price(held(), DECEMBER, [dearer]).cents == 6000, "never more than was agreed"


def test_the_first_month_of_a_trial_names_no_group():
    trial = held(reduced_cents=3000, price_group_id=7, first_cents=1000, has_trial=True)
    assert (month_price(trial, NOVEMBER, [STUDENTS]).cents, month_price(trial, NOVEMBER, ()).group_id) == (1000, None)


def test_terms_are_read_as_they_were_written_also_from_before():
    terms = held(bound_until=date(2027, 4, 1), begins_on=TUESDAY, first_cents=1400, first_halfdays=3)
    assert PlanTerms.read(terms.written()) == terms
    before = {"plan_id": 3, "name": "Dix", "first_month": "2026-11-01", "monthly_cents": 6000, "basis": "ttc"}
    assert PlanTerms.read(before | {"vat_rate_bp": 0, "halfdays_per_month": 10}) == held()
