"""First the payer, then that payer's entitlements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.core.months import month_of
from coworking.core.timespan import Span
from coworking.membership.agreement_rules import AgreementExhausted, AgreementTerms, NoAgreement
from coworking.membership.allowance_rules import PlannedUse, SubscriptionTerms, UsedOfPlans
from coworking.membership.entitlement import Entitlements, decide
from coworking.membership.rules import expiry_state, months_cross, weekdays_mask, year_from
from coworking.pricing.rules import NO_PRICES, Prices, Unit

TUESDAY = date(2026, 11, 24)
NOVEMBER = date(2026, 11, 1)
PRICES = Prices({"desk": 900, "room": 1500}, {})
AGREEMENT = AgreementTerms(1, 10, "Durand", NOVEMBER, None, None, None, "person", None, NOVEMBER, None)
SUBSCRIPTION = SubscriptionTerms(5, "Dix", NOVEMBER, None, 2)


def desk(day: date = TUESDAY, half: str = "am") -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 8 if half == "am" else 12, tzinfo=UTC)
    return PlannedUse(1, "desk", day, half, Span(start, start + timedelta(hours=4)))


def room(minutes: int, day: date = TUESDAY) -> PlannedUse:
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return PlannedUse(2, "room", day, None, Span(start, start + timedelta(minutes=minutes)))


def one(use: PlannedUse, payer=None, agreements=(), subscriptions=(), used=None, used_sub=None, prices=PRICES):
    entitlements = Entitlements(agreements, subscriptions, used, used_sub)
    return decide([use], payer, entitlements, {use.day: prices})[0]


def test_without_anything_the_person_pays_the_tariff():
    found = one(desk())
    assert (found.cover, found.amount_cents, found.organisation_id, found.beyond) == ("tariff", 900, None, None)


def test_the_employer_pays_unless_one_says_otherwise():
    assert one(desk(), agreements=[AGREEMENT]).organisation_id == 10
    assert one(desk(), "employer", [AGREEMENT]).cover == "agreement"
    mine = one(desk(), "me", [AGREEMENT], [SUBSCRIPTION])
    assert (mine.cover, mine.organisation_id, mine.left) == ("subscription", None, 1)


def test_the_agreed_price_comes_before_the_tariff_s():
    found = one(desk(), agreements=[replace(AGREEMENT, halfday_cents=750)])
    assert (found.unit_cents, found.amount_cents) == (750, 750)
    assert one(desk(), agreements=[AGREEMENT]).amount_cents == 900
    assert one(desk(), agreements=[AGREEMENT], prices=NO_PRICES).cover == "agreement"


@pytest.mark.parametrize(
    "terms",
    [
        replace(AGREEMENT, weekdays=0b0000001),
        replace(AGREEMENT, valid_from=TUESDAY + timedelta(days=1)),
        replace(AGREEMENT, valid_until=TUESDAY - timedelta(days=1)),
        replace(AGREEMENT, member_from=TUESDAY + timedelta(days=1)),
        replace(AGREEMENT, member_until=TUESDAY - timedelta(days=1)),
    ],
    ids=["weekday", "not yet", "no longer", "not a member yet", "no longer a member"],
)
def test_an_agreement_that_does_not_apply_leaves_it_to_the_person(terms):
    found = one(desk(), agreements=[terms])
    assert (found.cover, found.beyond) == ("tariff", None)
    with pytest.raises(NoAgreement):
        one(desk(), "employer", [terms])


def test_edges_of_an_agreement_are_inside():
    edge = replace(AGREEMENT, valid_from=TUESDAY, valid_until=TUESDAY, member_from=TUESDAY, member_until=TUESDAY)
    assert one(desk(), agreements=[replace(edge, weekdays=0b0000010)]).cover == "agreement"


def test_beyond_the_limit_the_person_pays_and_reads_so():
    terms = replace(AGREEMENT, halfdays_per_month=3)
    found = one(desk(), None, [terms], used={(1, NOVEMBER): 3})
    assert (found.cover, found.beyond) == ("tariff", "halfdays")
    assert one(desk(), "employer", [terms], [SUBSCRIPTION], {(1, NOVEMBER): 3}).cover == "subscription"
    assert one(desk(), None, [terms], used={(1, NOVEMBER): 2}).left == 0


def test_beyond_the_limit_some_employers_refuse():
    terms = replace(AGREEMENT, halfdays_per_month=3, beyond="refuse")
    for payer in (None, "employer"):
        with pytest.raises(AgreementExhausted) as refusal:
            one(desk(), payer, [terms], used={(1, NOVEMBER): 3})
        assert (refusal.value.status, refusal.value.params["limit"]) == (422, 3)
    assert one(desk(), "me", [terms], used={(1, NOVEMBER): 3}).cover == "tariff"


def test_a_whole_day_may_be_covered_by_half():
    terms = replace(AGREEMENT, halfdays_per_month=1)
    both = [desk(half="am"), desk(half="pm")]
    found = decide(both, None, Entitlements([terms]), {TUESDAY: PRICES})
    assert [(d.cover, d.amount_cents, d.beyond) for d in found] == [
        ("agreement", 900, None),
        ("tariff", 900, "halfdays"),
    ]
    with pytest.raises(AgreementExhausted):
        decide(both, None, Entitlements([replace(terms, beyond="refuse")]), {TUESDAY: PRICES})


def test_a_second_agreement_with_room_comes_before_any_refusal():
    spent = replace(AGREEMENT, halfdays_per_month=1, beyond="refuse")
    other = replace(AGREEMENT, id=2, organisation_id=20)
    assert one(desk(), None, [spent, other], used={(1, NOVEMBER): 1}).organisation_id == 20


def test_the_allowance_is_that_of_the_month_of_use():
    used: UsedOfPlans = {(5, NOVEMBER, "half_day"): 2}
    assert one(desk(), subscriptions=[SUBSCRIPTION], used_sub=used).cover == "tariff"
    december = desk(date(2026, 12, 1))
    assert one(december, subscriptions=[SUBSCRIPTION], used_sub=used).cover == "subscription"
    ended = replace(SUBSCRIPTION, last_month=NOVEMBER)
    assert one(december, subscriptions=[ended]).cover == "tariff"


def test_unlimited_plans_count_nothing_down():
    found = one(
        desk(), subscriptions=[replace(SUBSCRIPTION, halfdays_per_month=None)], used_sub={(5, NOVEMBER, "half_day"): 99}
    )
    assert (found.cover, found.left) == ("subscription", None)


def test_what_is_free_spends_no_allowance():
    found = one(desk(), subscriptions=[SUBSCRIPTION], prices=NO_PRICES)
    assert (found.cover, found.amount_cents, found.subscription_id) == ("free", 0, None)


def test_rooms_are_paid_by_the_person_by_the_hour():
    found = one(room(90), None, [AGREEMENT], [SUBSCRIPTION])
    assert (found.cover, found.unit, found.unit_cents, found.amount_cents) == ("tariff", "hour", 1500, 2250)
    with pytest.raises(NoAgreement):
        one(room(90), "employer", [AGREEMENT])


days = st.dates(date(2026, 11, 1), date(2027, 1, 31))
uses = st.lists(st.builds(desk, days, st.sampled_from(["am", "pm"])), max_size=30)


@given(uses, st.integers(1, 5), st.integers(1, 5), st.lists(st.sampled_from([None, "me", "employer"]), min_size=1))
def test_no_allowance_is_ever_exceeded_nor_taken_by_the_other_payer(wanted, employer_s, own, payers):
    """Booked one by one with any payer, an oracle counting beside."""
    terms, plan = replace(AGREEMENT, halfdays_per_month=employer_s), replace(SUBSCRIPTION, halfdays_per_month=own)
    used: dict[tuple[int, date], int] = {}
    of_plan: dict[tuple[int, date, Unit], int] = {}
    for number, use in enumerate(wanted):
        payer = payers[number % len(payers)]
        entitlements = Entitlements([terms], [plan], used, of_plan)
        (found,) = decide([use], payer, entitlements, {use.day: PRICES})
        assert found.cover != "agreement" if payer == "me" else True
        assert (found.organisation_id is not None) == (found.cover == "agreement")
        month = month_of(use.day)
        if found.cover == "agreement":
            used[terms.id, month] = used.get((terms.id, month), 0) + 1
        elif found.cover == "subscription":
            of_plan[plan.id, month, "half_day"] = of_plan.get((plan.id, month, "half_day"), 0) + 1
        else:
            assert of_plan.get((plan.id, month, "half_day"), 0) == own
            assert payer == "me" or used.get((terms.id, month), 0) == employer_s
    assert all(count <= employer_s for count in used.values())
    assert all(count <= own for count in of_plan.values())


@given(st.sets(st.integers(0, 6)))
def test_weekdays_become_a_mask_and_none_or_all_of_them_no_limit(weekdays):
    mask = weekdays_mask(weekdays)
    if 0 < len(weekdays) < 7:
        assert mask is not None
        assert [day for day in range(7) if mask >> day & 1] == sorted(weekdays)
    else:
        assert mask is None


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_year_ends_the_day_before_it_began(first):
    last = year_from(first)
    assert last.year in (first.year, first.year + 1)
    assert 364 <= (last - first).days <= 365


def test_adhesions_say_when_they_end():
    assert [expiry_state(TUESDAY + timedelta(days=n), TUESDAY) for n in (-1, 0, 30, 31)] == [
        "expired",
        "soon",
        "soon",
        "current",
    ]


def test_open_ends_cross():
    assert months_cross(NOVEMBER, None, date(2030, 1, 1), None)
    assert not months_cross(NOVEMBER, NOVEMBER, date(2026, 12, 1), None)
