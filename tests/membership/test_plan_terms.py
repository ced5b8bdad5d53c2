"""Plans with room hours, roll-over, a minimum term, a trial, a part of a month, reduced prices: taken, used and invoiced."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.booking import services as booking
from coworking.booking.offers import offer
from coworking.booking.placing import Request, RequestedItem
from coworking.core.db import db
from coworking.core.errors import Forbidden
from coworking.core.timespan import Span
from coworking.core.units import end_read, snapshot, write_unit
from coworking.membership import change_offers, changing, checks, queries, services
from coworking.membership.change_rules import BookedMoreThanPlan, OnlyAfterTerm
from coworking.membership.entitlement import PriceChanged
from coworking.membership.entitlement_queries import remaining
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.models import Subscription
from coworking.membership.plan_rules import PlanForAdherents, PlanForGroup, PlanGivenByTeam
from coworking.pricing import group_services
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Quote
from tests.factories import make_group, make_plan, make_reduced, make_subscription, make_tariff
from tests.support.threads import at_once

TODAY = date(2026, 11, 24)
OCTOBER, NOVEMBER, DECEMBER, JANUARY = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
THURSDAY = date(2026, 11, 26)
MORNING = frozenset({"am"})


@pytest.fixture
def priced(inside, place, cast):
    make_tariff()
    return cast


def take(person, plan, month: date = NOVEMBER, **more) -> Subscription:
    return services.subscribe(person.actor(), plan.public_id, first_month=month, **more)


def book(person, day: date = THURSDAY, half: str = "am"):
    return booking.book_half_days(person.actor(), day, frozenset({half}), agreed_cents=None)  # type: ignore[arg-type]


def room_request(place, day: date, hours: float, start: int = 9) -> Request:
    begins = datetime(day.year, day.month, day.day, start - 1, tzinfo=UTC)
    return Request(Span(begins, begins + timedelta(hours=hours)), (RequestedItem(resource=place.rooms[0].public_id),))


def book_room(person, place, day: date = THURSDAY, hours: float = 1, start: int = 9):
    return booking.book(person.actor(), room_request(place, day, hours, start))


def covers() -> list[str]:
    end_read()
    return list(db.session.scalars(select(Quote.cover).order_by(Quote.id)))


def charged() -> list[tuple[str, int]]:
    """What plans cost on invoices: label and cents."""
    end_read()
    rows = db.session.scalars(select(Charge).where(Charge.source == "subscription").order_by(Charge.month, Charge.id))
    return [(row.label, row.amount_cents) for row in rows]


def faults() -> list[str]:
    with snapshot():
        return [*checks.overdrawn(), *checks.of_plans(), *checks.entries()]


# Room hours -----------------------------------------------------------------------------------------------------------


def test_a_plan_s_hours_cover_rooms_until_they_are_used_up(priced, place):
    make_subscription(priced.member, room_minutes=120)
    said = offer(priced.member.actor(), room_request(place, THURSDAY, 1.5)).terms
    assert (said.cents, said.plan_minutes, said.by_plan, said.left) == (0, 90, 0, 30)
    book_room(priced.member, place, hours=1.5)
    book_room(priced.member, place, hours=1, start=14)
    assert covers() == ["subscription", "tariff"], "an hour does not fit into thirty minutes"
    book(priced.member)
    (half_days,) = [one for one in remaining(priced.member.id, TODAY) if one.unit == "half_day"]
    (hours,) = [one for one in remaining(priced.member.id, TODAY) if one.unit == "hour"]
    assert (half_days.left, hours.left, hours.total) == (9, 30, 120)
    assert faults() == []


def test_a_room_cancelled_in_time_gives_its_minutes_back(priced, place):
    make_subscription(priced.member, room_minutes=120)
    made = book_room(priced.member, place, hours=2)
    booking.cancel(priced.member.actor(), made.public_id)
    book_room(priced.member, place, hours=2)
    assert covers() == ["subscription", "subscription"] and faults() == []
    accounts = {one.unit: one for one in accounts_of(priced.member.id, NOVEMBER, TODAY)}
    assert (accounts["hour"].given, accounts["hour"].booked, accounts["half_day"].booked) == (120, 120, 0)
    assert [(line.units, line.went) for line in accounts["hour"].lines] == [(120, "back"), (120, "booked")]


def test_sixteen_at_once_take_the_last_hour_once(app, inside, priced, place):
    make_subscription(priced.member, room_minutes=60)

    def one(number: int) -> None:
        with app.app_context():
            book_room(priced.member, place, THURSDAY + timedelta(days=number // 8), start=9 + number % 8)

    at_once([partial(one, number) for number in range(16)])
    assert sorted(covers()) == ["subscription"] + ["tariff"] * 15
    assert faults() == []


def test_the_nightly_check_finds_hours_beyond_the_plan(priced, place):
    held = make_subscription(priced.member, room_minutes=60)
    book_room(priced.member, place, hours=1)
    with write_unit():
        db.session.get_one(Subscription, held.id).room_minutes = 30
    assert any("more than it holds" in said for said in faults())


# Roll-over ------------------------------------------------------------------------------------------------------------


def test_what_is_left_of_a_month_is_there_in_the_next(priced, clock):
    make_subscription(priced.member, halfdays=2, first_month=NOVEMBER, rollover_halfdays=1)
    book(priced.member, date(2026, 12, 1))
    book(priced.member, date(2026, 12, 2))
    book(priced.member, date(2026, 12, 3))
    assert covers() == ["subscription", "subscription", "tariff"], "November is not over: its two can still be used"
    clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
    book(priced.member, date(2026, 12, 4))
    book(priced.member, date(2026, 12, 7))
    assert covers()[3:] == ["subscription", "tariff"], "one came over"
    (account,) = accounts_of(priced.member.id, DECEMBER, date(2026, 12, 1))
    assert (account.given, account.carried, account.left) == (3, 1, 0)
    (left,) = remaining(priced.member.id, date(2026, 12, 1))
    assert (left.total, left.carried, left.left) == (3, 1, 0)
    assert faults() == []


def test_a_cancelled_half_day_that_came_over_comes_back(priced, clock):
    make_subscription(priced.member, halfdays=1, first_month=NOVEMBER, rollover_halfdays=1)
    clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
    made = book(priced.member, date(2026, 12, 10))
    book(priced.member, date(2026, 12, 11))
    booking.cancel(priced.member.actor(), made.public_id)
    book(priced.member, date(2026, 12, 14))
    assert covers() == ["subscription"] * 3 and faults() == []


# The minimum term -----------------------------------------------------------------------------------------------------


def test_a_plan_ends_with_its_term_and_a_manager_can_let_off(priced):
    held = take(priced.member, make_plan(min_months=6))
    assert held.bound_until == date(2027, 4, 1)
    assert services.end_subscription(priced.member.actor(), held.public_id).last_month == date(2027, 4, 1)
    changing.keep(priced.member.actor(), held.public_id)
    with pytest.raises(Forbidden):
        services.end_subscription(priced.member.actor(), held.public_id, let_off=True)
    ended = services.end_subscription(priced.manager.actor(), held.public_id, let_off=True)
    assert ended.last_month == NOVEMBER


def test_less_is_changed_to_after_the_term_and_more_at_any_time(priced):
    take(priced.member, make_plan(min_months=6))
    small, large = make_plan(cents=3000, halfdays=5), make_plan(cents=12000, halfdays=20)
    following = changing.change_plan(priced.member.actor(), small.public_id, at_once=False)
    former = db.session.get_one(Subscription, following.replaces_id)
    assert (former.last_month, following.first_month) == (date(2027, 4, 1), date(2027, 5, 1))
    changing.take_back(priced.member.actor(), following.public_id)
    following = changing.change_plan(priced.member.actor(), large.public_id, at_once=False)
    assert (following.first_month, following.bound_until) == (DECEMBER, date(2027, 4, 1)), "the term goes on"


def test_a_pause_puts_the_term_off(priced):
    take(priced.member, make_plan(min_months=6))
    after = changing.pause(priced.member.actor(), back=date(2027, 2, 1))
    assert (after.first_month, after.bound_until) == (date(2027, 2, 1), date(2027, 6, 1))


# The first month ------------------------------------------------------------------------------------------------------


def test_a_cheaper_plan_adds_nothing_before_the_term_is_over(priced):
    """It would give its half-days for nothing in a month of the dearer plan."""
    held = take(priced.member, make_plan(min_months=6))
    wanted = make_plan("Onze", halfdays=11, cents=5000)
    (offer,) = change_offers.others(held, [wanted], by_team=True)
    assert (offer.added, offer.terms.first_month) == (None, date(2027, 5, 1))
    with pytest.raises(OnlyAfterTerm) as refused:
        changing.change_plan(priced.member.actor(), wanted.public_id, at_once=True)
    assert refused.value.params == {"month": "mai 2027"}
    larger = make_plan("Vingt", halfdays=20, cents=12000)
    (offer,) = change_offers.others(held, [larger], by_team=True)
    assert offer.added is not None and offer.added.cents > 0


def test_a_trial_is_given_once_and_can_end_with_its_month(priced):
    plan = make_plan(trial_cents=2000, min_months=3)
    held = take(priced.member, plan, agreed_cents=2000)
    assert (held.has_trial, held.first_cents, held.bound_until) == (True, 2000, JANUARY)
    assert services.end_subscription(priced.member.actor(), held.public_id).last_month == NOVEMBER
    again = take(priced.member, plan, DECEMBER)
    assert (again.has_trial, again.first_cents) == (None, None)
    charges.gather(NOVEMBER)
    assert charged() == [("Abonnement Dix demi-journées, novembre 2026, essai\u202f: 10 demi-journées de poste", 2000)]


def test_a_trial_that_was_taken_back_was_none(priced):
    plan = make_plan(trial_cents=0)
    changing.take_back(priced.member.actor(), take(priced.member, plan).public_id)
    assert take(priced.member, plan).has_trial


def test_a_month_that_was_begun_counts_in_part(priced, clock):
    held = take(priced.member, make_plan(cents=6000, halfdays=10, is_prorata=True, room_minutes=300))
    assert (held.begins_on, held.first_cents, held.first_halfdays, held.first_room_minutes) == (TODAY, 1400, 3, 70)
    for day in (26, 27, 30):
        book(priced.member, date(2026, 11, day))
    book(priced.member, THURSDAY, "pm")
    assert covers() == ["subscription"] * 3 + ["tariff"] and faults() == []
    charges.gather(NOVEMBER)
    label = "Abonnement Dix demi-journées, du 24 novembre au 30 novembre 2026\u202f: 3 demi-journées de poste"
    ((said, cents),) = charged()
    assert said.startswith(label) and cents == 1400
    clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
    charges.gather(NOVEMBER)
    assert [cents for _, cents in charged()] == [1400, 6000]


# Who pays less, and who may take it -----------------------------------------------------------------------------------


@pytest.fixture
def students(priced):
    """Students pay half of any plan; the member is one until the end of the year."""
    group = make_group("étudiant", plan=Reduction(percent_bp=5000))
    make_reduced(priced.member, group, valid_until=date(2026, 12, 31))
    return group


def test_a_reduced_plan_costs_less_while_the_proof_holds(priced, students, clock):
    plan = make_plan()
    assert take(priced.stranger, plan).reduced_cents is None
    held = take(priced.member, plan, agreed_cents=3000)
    assert (held.monthly_cents, held.reduced_cents, held.price_group_id) == (6000, 3000, students.id)
    for month in (DECEMBER, JANUARY):
        clock.now = datetime(month.year, month.month, 1, 8, tzinfo=UTC)
        charges.gather_recent()
    mine = [
        (row.month, row.amount_cents, "tarif étudiant" in row.label)
        for row in db.session.scalars(
            select(Charge).where(Charge.payer_person_id == priced.member.id).order_by(Charge.month)
        )
    ]
    assert mine == [(NOVEMBER, 3000, True), (DECEMBER, 3000, True), (JANUARY, 6000, False)]


def test_a_group_s_new_price_never_raises_what_was_agreed(priced, students, clock):
    take(priced.member, make_plan())
    dearer = {("plan", 0): Reduction(percent_bp=1000)}
    group_services.set_group_prices(priced.manager.actor(), students.public_id, valid_from=THURSDAY, reductions=dearer)
    clock.now = datetime(2026, 12, 1, 8, tzinfo=UTC)
    charges.gather_recent()
    assert [cents for _, cents in charged()] == [3000, 3000]


def test_a_page_that_is_old_is_told_the_price_of_now(priced, students):
    with pytest.raises(PriceChanged):
        take(priced.stranger, make_plan(), agreed_cents=3000)


def test_a_plan_is_for_whom_it_is_for(priced, students):
    adherents, theirs = make_plan(taken_by="adherents"), make_plan(taken_by="group", group_id=students.id)
    given = make_plan(taken_by="team")
    for plan, refusal in ((adherents, PlanForAdherents), (theirs, PlanForGroup), (given, PlanGivenByTeam)):
        with pytest.raises(refusal):
            take(priced.stranger, plan)
    assert take(priced.member, theirs).plan_id == theirs.id
    services.record_adhesion(priced.manager.actor(), priced.stranger.public_id, valid_from=TODAY, cents=0)
    assert take(priced.stranger, adherents).plan_id == adherents.id
    gift = services.subscribe(
        priced.manager.actor(), given.public_id, first_month=NOVEMBER, person=priced.host.public_id
    )
    assert gift.plan_id == given.id, "the team gives what it wants"


def test_a_smaller_plan_must_hold_the_rooms_that_are_booked(priced, place):
    make_subscription(priced.member, room_minutes=300)
    book_room(priced.member, place, date(2026, 12, 3), hours=3)
    small = make_plan(cents=3000, room_minutes=120)
    with pytest.raises(BookedMoreThanPlan) as refused:
        changing.change_plan(priced.member.actor(), small.public_id, at_once=False)
    assert (refused.value.params["booked"], refused.value.params["limit"]) == ("3\u202fh", "2\u202fh")


def test_what_only_the_team_gives_is_not_on_the_public_page(priced, students):
    make_plan("Libre"), make_plan("Adhérents", taken_by="adherents"), make_plan("Équipe", taken_by="team")
    make_plan("Étudiants", taken_by="group", group_id=students.id)
    assert [plan.name for plan in queries.public_plans()] == ["Libre", "Adhérents"]
