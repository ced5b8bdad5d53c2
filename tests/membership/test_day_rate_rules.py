"""The day rate as plain decisions: what the second half-day of a day costs, and when it stands alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from coworking.core.timespan import Span
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.day_rate_rules import Days, PaidHalf, dearer, standing_alone, unpaired
from coworking.membership.entitlement import Entitlements, decide
from coworking.pricing.group_rules import GroupPrices, Reduction
from coworking.pricing.rules import DayPriceInvalid, Prices, check_day_price, day_cents_of

DAY, NEXT = date(2026, 11, 26), date(2026, 11, 27)
EMPLOYER = 7
PRICES = Prices({"desk": 900, "room": 1500}, {}, "ttc", 2000, {"desk": 1500})


def use(half: str, day: date = DAY, resource: int = 1) -> PlannedUse:
    hour = 8 if half == "am" else 13
    begins = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    span = Span(begins, begins + timedelta(hours=4))
    return PlannedUse(resource, "desk", day, half, span)


def first(half: str = "am", payer: int | None = None, quote_id: int = 1) -> PaidHalf:
    return PaidHalf(DAY, half, payer, 900, quote_id=quote_id)


def second(half: str = "pm", payer: int | None = None, quote_id: int = 2) -> PaidHalf:
    return PaidHalf(DAY, half, payer, 600, 900, quote_id)


def amounts(uses: list[PlannedUse], prices: Prices = PRICES, **terms: Any) -> list[tuple[int, int | None]]:
    days = {one.day: prices for one in uses}
    return [(one.amount_cents, one.alone_cents) for one in decide(uses, "me", Entitlements(**terms), days)]


def test_a_whole_day_costs_the_day_rate_in_two_parts():
    assert amounts([use("am"), use("pm")]) == [(900, None), (600, 900)]


def test_each_day_has_its_own():
    found = amounts([use("am"), use("am", NEXT), use("pm", NEXT), use("pm")])
    assert found == [(900, None), (900, None), (600, 900), (600, 900)]


@pytest.mark.parametrize(
    ("held", "wanted", "cents"),
    [
        ([first("am")], "pm", (600, 900)),
        ([first("pm")], "am", (600, 900)),
        ([first("am")], "am", (900, None)),  # the same half again is no day
        ([first("am"), second("pm")], "pm", (900, None)),  # that day is full
        ([first("am", EMPLOYER)], "pm", (900, None)),  # the other half is another's
    ],
)
def test_what_is_held_already_counts(held: list[PaidHalf], wanted: str, cents: tuple[int, int | None]):
    assert amounts([use(wanted)], paid_halves=held) == [cents]


def test_one_first_half_makes_one_other_cheaper():
    assert amounts([use("pm"), use("pm")], paid_halves=[first("am")]) == [(600, 900), (900, None)]


def test_without_a_day_rate_two_half_days_cost_two_half_days():
    assert amounts([use("am"), use("pm")], Prices({"desk": 900}, {})) == [(900, None), (900, None)]


def test_a_desk_with_a_price_of_its_own_has_its_own_day_rate_or_none():
    own = Prices({"desk": 900}, {1: 1200, 2: 1200}, day_by_kind={"desk": 1500}, day_by_resource={2: 2000})
    assert amounts([use("am"), use("pm")], own) == [(1200, None), (1200, None)]
    assert amounts([use("am", resource=2), use("pm", resource=2)], own) == [(1200, None), (800, 1200)]


@pytest.mark.parametrize(
    ("reduction", "found"),
    [
        (Reduction(percent_bp=5000), [(450, None), (300, 450)]),
        (Reduction(cents=800), [(800, None), (700, 800)]),
        (Reduction(cents=500), [(500, None), (500, None)]),  # twice that is less than the day rate
    ],
)
def test_nobody_pays_more_than_the_day_rate_at_a_reduced_price(
    reduction: Reduction, found: list[tuple[int, int | None]]
):
    group = GroupPrices(3, "student", {("desk", 0): reduction})
    assert amounts([use("am"), use("pm")], reduced={DAY: [group]}) == found


def test_a_day_that_costs_a_half_day_makes_the_second_free():
    (_, free) = decide(
        [use("am"), use("pm")], "me", Entitlements(), {DAY: Prices({"desk": 900}, {}, day_by_kind={"desk": 900})}
    )
    assert (free.cover, free.amount_cents, free.alone_cents) == ("free", 0, 900)


def test_the_second_stands_alone_once_the_first_goes():
    assert dearer([second()], [first()]) == [second()]
    assert dearer([first()], [second()]) == []
    assert dearer([second()], [first()], [PaidHalf(DAY, "am", None, 900)]) == [], "moved on the same day"
    assert dearer([second()], [first()], [PaidHalf(NEXT, "am", None, 900)]) == [second()]
    assert dearer([second(), first("am", quote_id=3)], [first()]) == [], "another first one is there"
    assert dearer([second()], [first("am", EMPLOYER)]) == [], "it stood alone before"


def test_who_belongs_to_whom():
    assert unpaired([first(), second(), first("pm", quote_id=4)]) == [first("pm", quote_id=4)]
    assert standing_alone([second(), second("am", quote_id=5), first()]) == [second("am", quote_id=5)]
    assert Days([first()]).second_cents(use("pm"), None, 900, 800) == 0, "never less than nothing"


@pytest.mark.parametrize("cents", [899, 1800, 1801])
def test_a_day_costs_between_one_half_day_and_two(cents: int):
    with pytest.raises(DayPriceInvalid):
        check_day_price(cents, 900)


def test_what_is_typed():
    assert day_cents_of("15", 900) == 1500
    assert day_cents_of("18,00", 900) is None, "twice the half-day needs no saying"
    with pytest.raises(DayPriceInvalid):
        day_cents_of("20", 900)
