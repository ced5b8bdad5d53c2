"""A plan or an adhesion that is paid first does not exist before its payment, and begins once with it."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import partial

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.core import sales
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.outbox import OutboxRow
from coworking.core.units import end_read, write_unit
from coworking.membership import entitlement_queries, paying_first, queries, services
from coworking.membership.entitlement import PriceChanged
from coworking.membership.models import Adhesion, Subscription
from coworking.membership.rules import (
    AdhesionOverlaps,
    AlreadySubscribed,
    MustBePaidFirst,
    NothingToPayFirst,
    PlanClosed,
    adhesion_begins,
)
from coworking.pricing.models import Sale
from tests.factories import make_plan
from tests.membership.first import ask_first, expire, pay, sale_now
from tests.support.threads import at_once

NOVEMBER = date(2026, 11, 1)
DECEMBER = date(2026, 12, 1)


@pytest.fixture(autouse=True)
def payable(app, monkeypatch):
    """Anything can be paid at once here."""
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])


@pytest.fixture
def plan(inside, place, cast):
    ask_first()
    return make_plan(cents=6000, halfdays=10)


def count(model) -> int:
    end_read()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def asks(cast, plan, month: date = DECEMBER, **more) -> str:
    return paying_first.sell_plan(cast.member.actor(), plan.public_id, first_month=month, **more).public_id


def joins(cast, **more) -> str:
    return paying_first.sell_adhesion(cast.member.actor(), **more).public_id


def test_before_it_is_paid_there_is_no_plan_and_nothing_that_counts(plan, cast, clock):
    sale = sale_now(asks(cast, plan, NOVEMBER, agreed_cents=6000))
    assert (sale.state, sale.cents, [line["label"] for line in sale.lines]) == (
        "open",
        6000,
        [f"{plan.name}, novembre 2026"],
    )
    assert (sale.expires_at - clock.now).seconds == 15 * 60
    assert count(Subscription) == 0
    assert entitlement_queries.remaining(cast.member.id, clock.now.date()) == []
    assert not queries.has_plan(cast.member.id, {NOVEMBER})


def test_the_payment_begins_the_plan_once_on_the_terms_that_were_quoted(plan, cast):
    sale = asks(cast, plan)
    services.set_plan_open(cast.manager.actor(), plan.public_id, False)
    assert pay(sale) and pay(sale)
    (held,) = queries.subscriptions_of(cast.member.id)
    assert (held.name, held.first_month, held.monthly_cents, held.halfdays_per_month) == (plan.name, DECEMBER, 6000, 10)
    assert (sale_now(sale).state, sale_now(sale).made_id) == ("paid", held.id)


def test_when_its_time_is_over_nothing_remains_but_the_sale(plan, cast):
    plan_sale, year = asks(cast, plan), joins(cast)
    for sale in (plan_sale, year):
        expire(sale)
        expire(sale)
        assert sale_now(sale).state == "expired"
    assert (count(Subscription), count(Adhesion)) == (0, 0)
    services.subscribe(cast.manager.actor(), plan.public_id, first_month=DECEMBER, person=cast.member.public_id)


def test_taking_it_without_paying_is_refused(plan, cast):
    with pytest.raises(MustBePaidFirst):
        services.subscribe(cast.member.actor(), plan.public_id, first_month=DECEMBER)
    assert count(Subscription) == 0


def test_a_free_plan_and_a_lieu_without_a_gateway_ask_for_nothing(plan, cast, monkeypatch):
    free = make_plan(cents=0, halfdays=2)
    services.subscribe(cast.member.actor(), free.public_id, first_month=DECEMBER)
    monkeypatch.setattr(sales, "_asked", [lambda cents: False])
    services.subscribe(cast.stranger.actor(), plan.public_id, first_month=DECEMBER)
    with pytest.raises(NothingToPayFirst):
        paying_first.sell_plan(cast.colleague.actor(), plan.public_id, first_month=DECEMBER)


def test_late_money_begins_it_where_it_can_still_be_had(plan, cast, clock):
    sale = asks(cast, plan)
    clock.advance(minutes=16)
    expire(sale)
    assert pay(sale)
    assert count(Subscription) == 1


def test_late_money_for_a_plan_that_is_closed_by_then_begins_nothing(plan, cast, clock):
    sale = asks(cast, plan)
    clock.advance(minutes=16)
    expire(sale)
    services.set_plan_open(cast.manager.actor(), plan.public_id, False)
    assert not pay(sale)
    assert (count(Subscription), sale_now(sale).state) == (0, "expired")


def test_late_money_for_a_month_that_is_over_begins_nothing(plan, cast, clock):
    sale = asks(cast, plan, NOVEMBER)
    clock.advance(minutes=16)
    expire(sale)
    clock.advance(days=10)
    assert not pay(sale)


def test_who_has_a_plan_meanwhile_gets_no_second_one(plan, cast):
    sale = asks(cast, plan)
    services.subscribe(cast.manager.actor(), plan.public_id, first_month=NOVEMBER, person=cast.member.public_id)
    assert sale_now(sale).state == "expired", "nobody pays for it any more"
    assert not pay(sale)
    assert count(Subscription) == 1
    with pytest.raises(AlreadySubscribed):
        asks(cast, plan)


def test_an_account_that_was_closed_meanwhile_gets_nothing(plan, cast, clock):
    sale = asks(cast, plan)
    with write_unit():
        db.session.get_one(Person, cast.member.id).deactivated_at = clock.now
    assert not pay(sale)


def test_a_second_tap_is_the_same_sale_and_another_plan_lets_the_first_go(plan, cast):
    first = asks(cast, plan)
    assert asks(cast, plan) == first
    other = asks(cast, make_plan(cents=9000, halfdays=20))
    assert (sale_now(first).state, sale_now(other).state) == ("expired", "open")
    ended = db.session.scalars(select(OutboxRow.key).where(OutboxRow.topic == sales.DUE, OutboxRow.key.endswith("now")))
    assert ended.all() == [f"sale.due:{first}:now"]
    assert not pay(first), "she chose another one: its money is given back"
    assert pay(other)


def test_a_price_that_changed_since_the_page_is_said_and_one_that_changes_later_is_not_asked(plan, cast):
    with pytest.raises(PriceChanged):
        joins(cast, agreed_cents=1500)
    sale = joins(cast, agreed_cents=2000)
    ask_first(adhesion_cents=3000)
    assert pay(sale)
    (year,) = queries.adhesions_of(cast.member.id)
    assert (year.cents, year.valid_from, year.valid_until) == (2000, date(2026, 11, 24), date(2027, 11, 23))


def test_a_member_renews_from_the_day_after(plan, cast, clock):
    pay(joins(cast))
    pay(joins(cast))
    assert [row.valid_from for row in queries.adhesions_of(cast.member.id)] == [date(2027, 11, 24), date(2026, 11, 24)]
    today = date(2026, 11, 24)
    assert adhesion_begins(None, today) == adhesion_begins(date(2026, 11, 23), today) == today


def test_one_who_was_made_a_member_meanwhile_is_not_one_twice(plan, cast):
    sale = joins(cast)
    services.record_adhesion(cast.manager.actor(), cast.member.public_id, valid_from=date(2026, 11, 20), cents=0)
    assert not pay(sale)
    with pytest.raises(AdhesionOverlaps):
        paying_first.sell_adhesion(
            cast.manager.actor(), person=cast.member.public_id, valid_from=date(2026, 12, 1), cents=2000
        )


def test_giving_it_up_is_ones_own_affair(plan, cast):
    sale = asks(cast, plan)
    with pytest.raises(NotFound):
        paying_first.let_go(cast.stranger.actor(), sale)
    for _time in range(2):
        paying_first.let_go(cast.member.actor(), sale)
    assert sale_now(sale).state == "expired"
    assert not pay(sale)


def test_only_managers_ask_someone_else_and_at_their_own_price(plan, cast, clock):
    asked = {"person": cast.member.public_id}
    with pytest.raises(Forbidden):
        paying_first.sell_adhesion(cast.stranger.actor(), cents=1)
    with pytest.raises(NotFound):
        paying_first.sell_plan(cast.host.actor(), plan.public_id, first_month=DECEMBER, **asked)
    sale = paying_first.sell_plan(cast.manager.actor(), plan.public_id, first_month=DECEMBER, **asked)
    assert sale_now(sale.public_id).expires_at - clock.now == paying_first.sales.TIME_WHEN_ASKED
    year = paying_first.sell_adhesion(cast.manager.actor(), valid_from=date(2026, 11, 1), cents=1000, **asked)
    assert pay(year.public_id)
    assert [(row.cents, row.created_by_id) for row in queries.adhesions_of(cast.member.id)] == [(1000, cast.manager.id)]


def test_a_plan_that_is_closed_cannot_be_asked_for(plan, cast):
    services.set_plan_open(cast.manager.actor(), plan.public_id, False)
    with pytest.raises(PlanClosed):
        asks(cast, plan)


def test_sixteen_taps_at_once_are_one_sale(app, place, cast):
    with app.app_context():
        ask_first()
        plan = make_plan(cents=6000, halfdays=10)

    def tap() -> str:
        with app.app_context():
            return asks(cast, plan)

    assert len(set(at_once([tap] * 16))) == 1
    with app.app_context():
        assert count(Sale) == 1


def test_payment_expiry_and_another_way_to_the_plan_race_and_one_plan_begins(app, place, cast):
    with app.app_context():
        ask_first()
        plan = make_plan(cents=6000, halfdays=10)
        sale = asks(cast, plan)

    def act(what) -> None:
        with app.app_context():
            what()

    def given() -> None:
        with suppress(AlreadySubscribed):
            services.subscribe(cast.manager.actor(), plan.public_id, first_month=DECEMBER, person=cast.member.public_id)

    at_once([partial(act, what) for what in (partial(pay, sale), partial(expire, sale), given) * 5])
    with app.app_context():
        assert count(Subscription) == 1
        made = db.session.scalars(select(Subscription.id)).one()
        assert (sale_now(sale).state, sale_now(sale).made_id) in (("paid", made), ("expired", None))
