"""A plan's life: changed now or later, at rest, taken back; what is booked meanwhile, what it costs, what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import charges
from coworking.billing.models import Charge
from coworking.billing.rules import AlreadyInvoiced
from coworking.booking import services as booking
from coworking.booking.rules import Half
from coworking.core import sales
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_days
from coworking.core.timespan import Span
from coworking.core.units import end_read, snapshot, write_unit
from coworking.membership import changing, checks, entitlement_queries, expiring, paying_first, queries, services
from coworking.membership.allowance_rules import PlannedUse, SubscriptionTerms
from coworking.membership.change_rules import (
    BookedMoreThanPlan,
    MonthlyTerms,
    NotAChange,
    OnlyFromNextMonth,
    PauseOutOfReach,
    TooLateToTakeBack,
    UsedAlready,
    supplement,
)
from coworking.membership.entitlement import PriceChanged
from coworking.membership.ledger_queries import accounts_of
from coworking.membership.models import Plan, Subscription
from coworking.membership.rules import (
    AlreadyEnded,
    AlreadySubscribed,
    BookedWhileResting,
    MustBePaidFirst,
)
from coworking.pricing.group_rules import Reduction
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.statistics import subscriptions as counted
from tests.factories import make_group, make_plan, make_reduced, make_subscription, make_tariff
from tests.membership.first import ask_first, pay
from tests.support import emails as golden
from tests.support.threads import at_once

TODAY = date(2026, 11, 24)
NOVEMBER, DECEMBER, JANUARY, FEBRUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)
THURSDAY, IN_DECEMBER = date(2026, 11, 26), date(2026, 12, 3)
MORNING: frozenset[Half] = frozenset({"am"})
AFTERNOON: frozenset[Half] = frozenset({"pm"})


@pytest.fixture
def plans(inside, place, cast):
    """A member with eight half-days for 60 €; beside it one of twenty for 120 €, and one without limit for 200 €."""
    make_tariff()
    held = make_subscription(cast.member, halfdays=8, first_month=date(2026, 10, 1))
    with write_unit():
        db.session.get_one(Subscription, held.id).vat_rate_bp = 0  # as one that was taken here: no VAT is charged
    return SimpleNamespace(
        member=cast.member,
        manager=cast.manager,
        stranger=cast.stranger,
        held=held,
        small=db.session.get_one(Plan, held.plan_id),
        large=make_plan(name="Vingt demi-journées", halfdays=20, cents=12000),
        endless=make_plan(name="Temps plein", halfdays=None, cents=20000),
    )


def change(plans, plan: Plan, *, at_once: bool = False, **more):
    return changing.change_plan(plans.member.actor(), plan.public_id, at_once=at_once, **more)


def book(person, day: date = THURSDAY, halves: frozenset[Half] = MORNING):
    return booking.book_half_days(person.actor(), day, halves, agreed_cents=None)


def covers() -> list[str]:
    return list(db.session.scalars(select(Quote.cover).order_by(Quote.id)))


def faults() -> list[str]:
    with snapshot():
        return [*checks.overdrawn(), *checks.of_plans(), *checks.entries()]


def months(person) -> list[tuple[str, date, date | None]]:
    rows = sorted(queries.subscriptions_of(person.id), key=lambda row: row.id)
    return [(row.name, row.first_month, row.last_month) for row in rows]


# What is added to a month ---------------------------------------------------------------------------------------------


def terms(cents: int, halfdays: int | None, basis: str = "ttc") -> MonthlyTerms:
    return MonthlyTerms(cents, basis, 0, halfdays)


def test_a_larger_plan_adds_its_part_of_the_days_that_are_left():
    added = supplement(terms(6000, 8), terms(12000, 20), date(2026, 11, 16))
    assert added is not None and (added.halfdays, added.cents) == (6, 3000)
    last = supplement(terms(6000, 8), terms(12000, 20), date(2026, 11, 30))
    assert last is not None and (last.halfdays, last.cents) == (1, 200)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (terms(6000, 8), terms(3000, 4)),
        (terms(6000, 8), terms(9000, 8)),
        (terms(20000, None), terms(12000, 20)),
        (terms(6000, 8), terms(12000, 20, "ht")),
    ],
)
def test_what_is_not_larger_or_priced_otherwise_begins_with_the_next_month(held, wanted):
    assert supplement(held, wanted, TODAY) is None


def test_more_for_less_is_added_for_nothing():
    added = supplement(terms(6000, 8), terms(5000, 10), TODAY)
    assert added is not None and added.cents == 0


@given(
    st.integers(0, 50000),
    st.integers(0, 50000),
    st.integers(1, 30),
    st.integers(1, 31),
    st.dates(date(2024, 1, 1), date(2028, 12, 31)),
)
def test_nobody_pays_more_than_the_difference_nor_gets_more_than_it(cents, more, halfdays, extra, day):
    added = supplement(terms(cents, halfdays), terms(cents + more, halfdays + extra), day)
    assert added is not None
    assert 0 <= added.cents <= more and 1 <= (added.halfdays or 0) <= extra
    first, last = month_days(day)
    if day == first:
        assert (added.cents, added.halfdays) == (more, extra)
    assert added.first == day <= last


# Changing -------------------------------------------------------------------------------------------------------------


def test_a_change_from_the_next_month_leaves_this_one_as_it_is(plans):
    following = change(plans, plans.large)
    assert months(plans.member) == [
        (plans.small.name, date(2026, 10, 1), NOVEMBER),
        ("Vingt demi-journées", DECEMBER, None),
    ]
    assert following.replaces_id == plans.held.id
    assert entitlement_queries.remaining(plans.member.id, TODAY)[0].left == 8
    assert entitlement_queries.remaining(plans.member.id, IN_DECEMBER)[0].left == 20


def test_a_change_at_once_adds_half_days_from_today_and_charges_the_days_left(plans):
    change(plans, plans.large, at_once=True, agreed_cents=1400)
    assert [(one.left, one.total) for one in entitlement_queries.remaining(plans.member.id, TODAY)] == [(8, 8), (3, 3)]
    charges.gather(NOVEMBER)
    lines = db.session.execute(
        select(Charge.label, Charge.amount_cents)
        .where(Charge.source == "subscription", Charge.due_month == NOVEMBER)
        .order_by(Charge.id)
    ).all()
    said = "Abonnement Vingt demi-journées, en plus du 24 novembre au 30 novembre 2026\u202f: 3 demi-journées de poste"
    assert [tuple(line) for line in lines][-1] == (said, 1400)


def test_what_was_booked_on_the_former_plan_counts_in_the_one_that_follows(plans):
    book(plans.member, IN_DECEMBER)
    change(plans, plans.large)
    book(plans.member, IN_DECEMBER + timedelta(days=1))
    assert covers() == ["subscription", "subscription"]
    assert entitlement_queries.remaining(plans.member.id, IN_DECEMBER)[0].left == 18
    account = accounts_of(plans.member.id, DECEMBER, TODAY)[0]
    assert (account.name, account.given, account.booked, len(account.lines)) == ("Vingt demi-journées", 20, 2, 2)
    assert faults() == []


def test_a_smaller_plan_waits_until_its_half_days_hold_what_is_booked(plans):
    tiny = make_plan(name="Deux", halfdays=1, cents=900)
    for day in (IN_DECEMBER, IN_DECEMBER + timedelta(days=1)):
        book(plans.member, day)
    with pytest.raises(BookedMoreThanPlan):
        change(plans, tiny)
    assert months(plans.member)[0][2] is None


def test_added_half_days_hold_from_their_day_on(plans):
    for halves in (MORNING, AFTERNOON):
        book(plans.member, THURSDAY, halves)
    change(plans, plans.endless, at_once=True)
    terms_now = entitlement_queries.entitlements_of(plans.member.id, [TODAY]).subscriptions
    added = next(one for one in terms_now if one.from_day is not None)
    assert added.from_day == TODAY and added.halfdays_per_month is None


def test_added_half_days_cover_nothing_before_their_day():
    added = SubscriptionTerms(1, "Vingt", NOVEMBER, NOVEMBER, 3, TODAY)
    span = Span(datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC))
    use = PlannedUse(1, "desk", TODAY - timedelta(days=1), "am", span)
    assert not added.applies(use)
    assert added.applies(replace(use, day=TODAY))
    assert not added.applies(replace(use, day=DECEMBER))


def test_a_change_must_be_a_change_and_a_smaller_plan_cannot_begin_at_once(plans):
    with pytest.raises(NotAChange):
        change(plans, plans.small)
    with pytest.raises(OnlyFromNextMonth):
        change(plans, make_plan(name="Quatre", halfdays=4, cents=3000), at_once=True)
    with pytest.raises(PriceChanged):
        change(plans, plans.large, at_once=True, agreed_cents=1300)
    with pytest.raises(NotFound):
        changing.change_plan(plans.stranger.actor(), plans.large.public_id, at_once=False)


def test_a_plan_changed_twice_in_a_minute_changes_once(plans):
    change(plans, plans.large)
    with pytest.raises(AlreadyEnded):
        change(plans, plans.endless)


def test_of_sixteen_changes_at_once_one_counts(app, plans):
    end_read()

    def one(number: int) -> str:
        with app.app_context():
            try:
                change(plans, plans.large if number % 2 else plans.endless, at_once=True)
            except AlreadyEnded:
                return "refused"
            return "changed"

    said = at_once([partial(one, number) for number in range(16)])
    assert sorted(said) == ["changed"] + ["refused"] * 15
    db.session.rollback()
    assert len(months(plans.member)) == 3


def test_who_changes_plans_neither_joins_nor_leaves(plans):
    change(plans, plans.large, at_once=True)
    november, december = counted.of_month(NOVEMBER), counted.of_month(DECEMBER)
    assert november is not None and december is not None
    assert (november.active, november.joined, november.left) == (1, 0, 0)
    assert (december.active, december.joined, december.left) == (1, 0, 0)


def test_where_plans_are_paid_first_what_is_added_is(plans, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    ask_first()
    with pytest.raises(MustBePaidFirst):
        change(plans, plans.large, at_once=True, agreed_cents=1400)
    sale = paying_first.sell_change(plans.member.actor(), plans.large.public_id, agreed_cents=1400)
    assert sale.cents == 1400 and months(plans.member)[0][2] is None
    assert pay(sale.public_id)
    assert [row[1:] for row in months(plans.member)] == [
        (date(2026, 10, 1), NOVEMBER),
        (NOVEMBER, NOVEMBER),
        (DECEMBER, None),
    ]


def test_money_for_a_change_that_was_made_meanwhile_goes_back(plans, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    ask_first()
    sale = paying_first.sell_change(plans.member.actor(), plans.large.public_id)
    change(plans, plans.endless)
    assert not pay(sale.public_id)
    assert len(months(plans.member)) == 2


# At rest --------------------------------------------------------------------------------------------------------------


def test_a_plan_rests_and_goes_on_as_it_was(plans):
    services.set_plan_open(plans.manager.actor(), plans.small.public_id, False)
    changing.pause(plans.member.actor(), back=FEBRUARY)
    assert [row[1:] for row in months(plans.member)] == [(date(2026, 10, 1), NOVEMBER), (FEBRUARY, None)]
    assert entitlement_queries.remaining(plans.member.id, IN_DECEMBER) == []
    book(plans.member, IN_DECEMBER)
    assert covers() == ["tariff"]


def test_a_pause_has_its_limits(plans):
    for back in (NOVEMBER, DECEMBER, date(2027, 7, 1)):
        with pytest.raises(PauseOutOfReach):
            changing.pause(plans.member.actor(), back=back)
    book(plans.member, IN_DECEMBER)
    with pytest.raises(BookedWhileResting) as refused:
        changing.pause(plans.member.actor(), back=JANUARY)
    assert refused.value.params == {"last": IN_DECEMBER}


# Taking back ----------------------------------------------------------------------------------------------------------


def test_a_change_is_taken_back_and_the_former_plan_goes_on(plans):
    book(plans.member, IN_DECEMBER)
    following = change(plans, plans.large, at_once=True)
    changing.take_back(plans.member.actor(), following.public_id)
    changing.take_back(plans.member.actor(), following.public_id)
    assert months(plans.member) == [(plans.small.name, date(2026, 10, 1), None)]
    assert entitlement_queries.remaining(plans.member.id, IN_DECEMBER)[0].left == 7
    charges.gather(NOVEMBER)
    assert list(db.session.scalars(select(Charge.amount_cents).where(Charge.amount_cents == 1400))) == []
    assert faults() == []


def test_ten_minutes_after_it_began_a_plan_counts(plans, clock):
    taken = services.subscribe(plans.stranger.actor(), plans.small.public_id, first_month=NOVEMBER)
    clock.advance(minutes=11)
    with pytest.raises(TooLateToTakeBack):
        changing.take_back(plans.stranger.actor(), taken.public_id)


def test_a_plan_that_begins_later_is_taken_back_until_it_does(plans, clock):
    taken = services.subscribe(plans.stranger.actor(), plans.small.public_id, first_month=DECEMBER)
    clock.advance(days=3)
    changing.take_back(plans.stranger.actor(), taken.public_id)
    assert months(plans.stranger) == []
    assert not queries.has_plan(plans.stranger.id, [DECEMBER])


def test_what_was_added_stays_when_the_plan_that_follows_is_taken_back_later(plans, clock):
    following = change(plans, plans.large, at_once=True)
    clock.advance(hours=1)
    changing.take_back(plans.member.actor(), following.public_id)
    assert [row[1:] for row in months(plans.member)] == [(date(2026, 10, 1), None), (NOVEMBER, NOVEMBER)]


def test_what_was_added_and_invoiced_stays_while_the_plan_that_follows_is_taken_back(plans, monkeypatch):
    following = change(plans, plans.large, at_once=True)

    def invoiced(taken: Subscription) -> None:
        if taken.from_day is not None:
            raise AlreadyInvoiced()

    monkeypatch.setattr(changing, "before_taking_back", [invoiced])
    changing.take_back(plans.member.actor(), following.public_id)
    assert [row[1:] for row in months(plans.member)] == [(date(2026, 10, 1), None), (NOVEMBER, NOVEMBER)]


def test_what_is_used_cannot_be_taken_back(plans):
    taken = services.subscribe(plans.stranger.actor(), plans.small.public_id, first_month=NOVEMBER)
    book(plans.stranger)
    with pytest.raises(UsedAlready):
        changing.take_back(plans.stranger.actor(), taken.public_id)


def test_what_was_charged_already_goes_with_it(plans):
    taken = services.subscribe(plans.stranger.actor(), plans.small.public_id, first_month=NOVEMBER)
    charges.gather(NOVEMBER)
    mine = select(Charge.id).where(Charge.source == "subscription", Charge.source_id == taken.id)
    assert len(db.session.scalars(mine).all()) == 1
    changing.take_back(plans.stranger.actor(), taken.public_id)
    charges.gather(NOVEMBER)
    assert db.session.scalars(mine).all() == []


def test_a_plan_that_was_ended_by_mistake_goes_on(plans, clock):
    member = plans.member.actor()
    services.end_subscription(member, plans.held.public_id)
    with pytest.raises(NotFound):
        changing.keep(plans.stranger.actor(), plans.held.public_id)
    changing.keep(member, plans.held.public_id)
    changing.keep(member, plans.held.public_id)
    assert [row[1:] for row in months(plans.member)] == [(date(2026, 10, 1), None)]
    change(plans, plans.large)
    with pytest.raises(AlreadySubscribed):
        changing.keep(member, plans.held.public_id)
    clock.advance(days=20)
    with pytest.raises(AlreadyEnded):
        changing.keep(member, plans.held.public_id)


def test_nobody_takes_back_anothers(plans):
    following = change(plans, plans.large)
    with pytest.raises(NotFound):
        changing.take_back(plans.stranger.actor(), following.public_id)
    with pytest.raises(NotFound):
        changing.take_back(plans.stranger.actor(), following.public_id, plans.member.public_id)
    changing.take_back(plans.manager.actor(), following.public_id, plans.member.public_id)


def test_the_nightly_check_finds_what_a_plan_taken_back_still_holds(plans):
    taken = services.subscribe(plans.stranger.actor(), plans.small.public_id, first_month=NOVEMBER)
    book(plans.stranger)
    with write_unit():
        db.session.get_one(Subscription, taken.id).withdrawn_at = taken.created_at
    assert any("has no plan" in said for said in faults())


# E-mails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", ["membership/plan_news-begun-trial", "membership/plan_news-begun-part"])
def test_the_terms_of_a_plan_are_told(plans, run_outbox, mailbox, language, name):
    with write_unit():
        db.session.get_one(Person, plans.stranger.id).locale = language
    group = make_group("étudiant", plan=Reduction(percent_bp=5000))
    make_reduced(plans.stranger, group)
    trial = {"trial_cents": 2000, "min_months": 6, "room_minutes": 300}
    plan = make_plan("Mi-temps", **(trial if name.endswith("trial") else {"is_prorata": True}))
    services.subscribe(plans.stranger.actor(), plan.public_id, first_month=NOVEMBER)
    run_outbox()
    golden.check(mailbox()[-1], name)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_change_is_told(plans, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, plans.member.id).locale = language
    member = plans.member.actor()

    def told(name: str) -> None:
        run_outbox()
        golden.check(mailbox()[-1], name)

    following = change(plans, plans.large, at_once=True)
    told("membership/plan_news-changed")
    changing.take_back(member, following.public_id)
    told("membership/plan_news-taken_back")
    resting = changing.pause(member, back=JANUARY)
    told("membership/plan_news-paused")
    changing.take_back(member, resting.public_id)
    told("membership/plan_news-pause_lifted")
    resting = changing.pause(member, back=JANUARY)
    run_outbox()
    clock.advance(days=35)
    expiring.warn_of_ending()
    told("membership/plan_news-goes_on_soon")
    assert resting.first_month == JANUARY
    clock.advance(days=7)
    services.end_subscription(member, resting.public_id)
    told("membership/plan_news-ended")
    changing.keep(member, resting.public_id)
    told("membership/plan_news-kept")
    services.end_subscription(member, resting.public_id)
    services.subscribe(member, plans.large.public_id, first_month=FEBRUARY)
    told("membership/plan_news-begun")
    before = len(mailbox())
    expiring.warn_of_ending()
    run_outbox()
    assert len(mailbox()) == before


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_end_of_a_plan_and_of_an_adhesion_are_told_once(plans, clock, run_outbox, mailbox, language):
    with write_unit():
        db.session.get_one(Person, plans.member.id).locale = language
    services.set_adhesion_price(plans.manager.actor(), 2000)
    services.record_adhesion(plans.manager.actor(), plans.member.public_id, valid_from=date(2025, 12, 10), cents=2000)
    run_outbox()
    before = len(mailbox())
    for _day in range(36):
        end_read()
        expiring.warn_of_ending()
        run_outbox()
        clock.advance(days=1)
        if spaces.today() == DECEMBER:
            services.end_subscription(plans.member.actor(), plans.held.public_id)
    adhesion, _ended, plan = mailbox()[before:]
    golden.check(adhesion, "membership/adhesion_ending")
    golden.check(plan, "membership/plan_news-ends_soon")
