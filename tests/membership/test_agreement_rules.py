"""What an employer pays of each use: its days of the week, its euros of the month, its share, its rooms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.timespan import Span
from coworking.membership.agreement_rules import (
    AgreementCapReached,
    AgreementTerms,
    AgreementUse,
    AgreementWeekFull,
    NoAgreement,
)
from coworking.membership.allowance_rules import PlannedUse, SubscriptionTerms
from coworking.membership.employer_rules import forecast
from coworking.membership.entitlement import AllowanceHeld, Entitlements, decide, owed, personal_cents
from coworking.pricing.rules import Prices

MONDAY = date(2026, 11, 23)
NOVEMBER = date(2026, 11, 1)
PRICES = Prices({"desk": 900, "room": 1500}, {})
AGREEMENT = AgreementTerms(1, 10, "Durand", NOVEMBER, None, None, None, "person", None, NOVEMBER, None)


def on(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def desk(day: date = MONDAY, half: str = "am") -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 8 if half == "am" else 12, tzinfo=UTC)
    return PlannedUse(1, "desk", day, half, Span(start, start + timedelta(hours=4)))


def room(minutes: int = 60, day: date = MONDAY) -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return PlannedUse(2, "room", day, None, Span(start, start + timedelta(minutes=minutes)))


def used(day: date, *, cents: int = 900, mine: bool = True, places: int = 1) -> AgreementUse:
    return AgreementUse(1, day, mine, places, cents)


def decided(uses, *, uses_before=(), payer=None, beyond="person", subscriptions=(), **terms):
    agreement = replace(AGREEMENT, beyond=beyond, **terms)
    entitlements = Entitlements([agreement], subscriptions, uses_of_agreement=uses_before)
    return decide(uses, payer, entitlements, {use.day: PRICES for use in uses})


def parts(decisions) -> list[tuple[int | None, str, int]]:
    return [(part.organisation_id, part.cover, part.amount_cents) for one in decisions for part in one.parts]


# A share --------------------------------------------------------------------------------------------------------------


def test_an_employer_pays_its_share_and_the_person_the_rest():
    (found,) = decided([desk()], share_bp=7000)
    assert parts([found]) == [(10, "agreement", 630), (None, "share", 270)]
    assert personal_cents([found]) == 270
    assert (owed([found]).cents, owed([found]).by_employer, owed([found]).total) == (270, 1, 900)


def test_half_a_cent_is_the_employer_s():
    (found,) = decided([desk()], share_bp=5000, halfday_cents=875)
    assert [cents for _, _, cents in parts([found])] == [438, 437]


def test_a_share_leaves_the_person_s_own_plan_alone():
    plan = SubscriptionTerms(5, "Dix", NOVEMBER, None, 2)
    found = decided([desk(), desk(half="pm")], share_bp=7000, subscriptions=[plan])
    assert [cover for _, cover, _ in parts(found)] == ["agreement", "share"] * 2
    assert [one.cover for one in decided([desk()], share_bp=7000, subscriptions=[plan], payer="me")] == ["subscription"]


@given(price=st.integers(0, 100_000), share=st.integers(1, 9999), cap=st.none() | st.integers(1, 50_000))
def test_both_parts_come_to_the_price_whatever_the_share_and_the_cap(price, share, cap):
    (found,) = decided([desk()], share_bp=share, halfday_cents=price, cap_cents=cap, cap_of=cap and "person")
    assert sum(cents for _, _, cents in parts([found])) == price
    assert all(cents >= 0 for _, _, cents in parts([found]))
    employer = sum(cents for payer, _, cents in parts([found]) if payer == 10)
    assert abs(employer * 10_000 - price * share) <= 5_000 or employer == cap


# A cap ----------------------------------------------------------------------------------------------------------------


def test_a_cap_ends_what_the_employer_pays_in_a_month():
    found = decided([desk(on(n)) for n in range(3)], cap_cents=2000, cap_of="person")
    assert parts(found) == [
        (10, "agreement", 900),
        (10, "agreement", 900),
        (10, "agreement", 200),
        (None, "share", 700),
    ]
    (after,) = decided([desk()], uses_before=[used(on(-7), cents=2000)], cap_cents=2000, cap_of="person")
    assert (after.cover, after.amount_cents, after.beyond) == ("tariff", 900, "cap")


def test_an_agreement_that_refuses_more_pays_its_whole_share_or_nothing():
    before = [used(on(-7), cents=1500)]
    with pytest.raises(AgreementCapReached):
        decided([desk()], uses_before=before, beyond="refuse", cap_cents=2000, cap_of="person")
    (whole,) = decided([desk()], uses_before=before, beyond="refuse", cap_cents=2400, cap_of="person")
    assert parts([whole]) == [(10, "agreement", 900)]


def test_each_month_has_a_cap_of_its_own():
    found = decided([desk(date(2026, 12, 1))], uses_before=[used(MONDAY, cents=900)], cap_cents=900, cap_of="person")
    assert parts(found) == [(10, "agreement", 900)]


@pytest.mark.parametrize(("cap_of", "cover"), [("person", "agreement"), ("organisation", "tariff")])
def test_what_colleagues_used_counts_only_in_a_cap_for_all(cap_of, cover):
    (found,) = decided([desk()], uses_before=[used(on(1), mine=False, cents=900)], cap_cents=900, cap_of=cap_of)
    assert found.cover == cover


# Days a week ----------------------------------------------------------------------------------------------------------


def test_any_days_of_a_week_up_to_their_number():
    found = decided([desk(on(n)) for n in (0, 2, 4, 7)], days_per_week=2)
    assert [one.cover for one in found] == ["agreement", "agreement", "tariff", "agreement"]
    assert found[2].beyond == "week"


def test_the_second_half_of_a_day_is_not_another_day():
    found = decided([desk(), desk(on(1)), desk(half="pm"), desk(on(2))], days_per_week=2)
    assert [one.cover for one in found] == ["agreement", "agreement", "agreement", "tariff"]


def test_a_week_runs_from_monday_to_sunday_over_the_end_of_a_month():
    sunday, monday, tuesday = date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1)
    (found,) = decided([desk(tuesday)], uses_before=[used(monday)], days_per_week=1, beyond="person")
    assert found.cover == "tariff"
    (found,) = decided([desk(monday)], uses_before=[used(sunday)], days_per_week=1)
    assert found.cover == "agreement"


def test_a_full_week_is_refused_where_the_agreement_says_so():
    with pytest.raises(AgreementWeekFull) as refusal:
        decided([desk(on(1))], uses_before=[used(MONDAY)], days_per_week=1, beyond="refuse")
    assert refusal.value.params == {"name": "Durand", "limit": 1}


def test_what_is_left_first_makes_room_again():
    held = AllowanceHeld(1, None, None, MONDAY, 1, 900)
    agreement = replace(AGREEMENT, days_per_week=1, cap_cents=900, cap_of="person")
    full = Entitlements([agreement], uses_of_agreement=[used(MONDAY)])
    (before,) = decide([desk(on(1))], None, full, {on(1): PRICES})
    (after,) = decide([desk(on(1))], None, full.without([held]), {on(1): PRICES})
    assert (before.cover, after.cover) == ("tariff", "agreement")


# Rooms ----------------------------------------------------------------------------------------------------------------


def test_rooms_are_the_employer_s_where_it_was_agreed():
    (mine,) = decided([room()])
    assert (mine.cover, mine.organisation_id) == ("tariff", None)
    with pytest.raises(NoAgreement):
        decided([room()], payer="employer")
    (theirs,) = decided([room(90)], pays_rooms=True, share_bp=5000)
    assert parts([theirs]) == [(10, "agreement", 1125), (None, "share", 1125)]
    assert theirs.left is None


def test_a_room_takes_no_half_day():
    found = decided([room(), desk(), desk(half="pm")], pays_rooms=True, halfdays_per_month=1)
    assert [one.cover for one in found] == ["agreement", "agreement", "tariff"]


# Random histories -----------------------------------------------------------------------------------------------------

HALVES = st.tuples(st.integers(0, 13), st.sampled_from(["am", "pm"]))


@given(
    halves=st.lists(HALVES, unique=True, max_size=16),
    days=st.none() | st.integers(1, 6),
    cap=st.none() | st.integers(1, 9000),
    share=st.none() | st.integers(1, 9999),
)
def test_no_history_goes_beyond_what_was_agreed(halves, days, cap, share):
    uses = [desk(on(offset), half) for offset, half in halves]
    found = decided(uses, days_per_week=days, cap_cents=cap, cap_of=cap and "person", share_bp=share)
    assert sum(cents for _, _, cents in parts(found)) == 900 * len(uses)
    paid = [one for one in found if one.organisation_id is not None]
    for month in {one.use.month for one in paid}:
        assert cap is None or sum(one.amount_cents for one in paid if one.use.month == month) <= cap
    for monday in {one.use.day - timedelta(days=one.use.day.weekday()) for one in paid}:
        week = {one.use.day for one in paid if monday <= one.use.day < monday + timedelta(days=7)}
        assert days is None or len(week) <= days


# A forecast -----------------------------------------------------------------------------------------------------------


def test_a_forecast_goes_on_at_the_same_pace_and_never_beyond_the_cap():
    assert forecast(9000, 10, 21, None) == 18_900
    assert forecast(9000, 10, 21, 15_000) == 15_000
    assert forecast(0, 10, 21, None) == 0


def test_a_forecast_waits_until_enough_days_are_over():
    assert forecast(9000, 4, 21, None) is None
