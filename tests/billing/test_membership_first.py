"""A plan's first month and an adhesion that are paid first: invoiced once, as paid, and on no month's invoice again."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing import charges, drafts, online, online_queries, rules, sale_opening, services
from coworking.billing.models import Charge, Invoice, Payment
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.membership import paying_first
from coworking.membership import services as membership
from coworking.membership.models import Adhesion, Plan, Subscription
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.booking.held import faults
from tests.membership.first import ask_first, sale_now
from tests.support import emails as golden
from tests.support.threads import at_once

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


@pytest.fixture
def first(billing_lieu, inside, gateway):
    """A lieu where plans and adhesions must be paid first, and a gateway in memory."""
    with write_unit():
        lock_lieu().is_simulation = True
    ask_first()
    return billing_lieu


@pytest.fixture
def plan(first) -> Plan:
    return factories.make_plan(cents=6000, halfdays=10)


def count(model, *conditions) -> int:
    end_read()
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def asks(made, plan: Plan, month: date = DECEMBER) -> str:
    return paying_first.sell_plan(made.cast.stranger.actor(), plan.public_id, first_month=month).public_id


def joins(made) -> str:
    return paying_first.sell_adhesion(made.cast.stranger.actor()).public_id


def opened(made, sale: str) -> str:
    """The checkout of the page where the sale is paid."""
    actor = made.cast.stranger.actor()
    url = f"http://lieu.test/to-pay/{sale}"
    return sale_opening.open_sale(sale, "stripe", pay_url=url, locale="fr", actor=actor).checkout_id


def paid(made, gateway, sale: str) -> None:
    checkout = opened(made, sale)
    gateway.become(checkout, "paid")
    for _time in range(2):
        online.settle("stripe", checkout)


@pytest.mark.parametrize("month", [NOVEMBER, DECEMBER])
def test_the_first_month_is_charged_once_and_the_next_one_as_ever(first, plan, gateway, clock, month):
    paid(first, gateway, asks(first, plan, month))
    (invoice,) = db.session.scalars(select(Invoice)).all()
    (money,) = db.session.scalars(select(Payment)).all()
    assert (invoice.payable_cents, money.cents, money.invoice_id) == (6000, 6000, invoice.id)
    assert faults() == []
    clock.set(clock.now + timedelta(days=70))
    for due in (NOVEMBER, DECEMBER, JANUARY):
        services.run(first.manager, due)
    months = db.session.scalars(
        select(Charge.month).where(Charge.source == "subscription").order_by(Charge.month)
    ).all()
    every = [NOVEMBER, DECEMBER, JANUARY, date(2027, 2, 1)]
    assert (
        months == every[every.index(month) : every.index(month) + len(months)] and len(set(months)) == len(months) > 1
    )
    assert count(Charge, Charge.source == "subscription", Charge.invoice_id == invoice.id) == 1
    assert faults() == []


def test_an_adhesion_is_charged_once(first, gateway, clock):
    paid(first, gateway, joins(first))
    assert (count(Adhesion), count(Invoice), count(Payment)) == (1, 1, 1)
    clock.set(clock.now + timedelta(days=40))
    for due in (NOVEMBER, DECEMBER):
        services.run(first.manager, due)
    assert count(Charge, Charge.source == "adhesion") == 1
    assert faults() == []


def test_what_is_not_paid_in_time_leaves_nothing(first, plan, gateway, clock, run_outbox):
    sale = asks(first, plan)
    checkout = opened(first, sale)
    clock.advance(minutes=16)
    run_outbox()
    assert gateway.expired == [checkout] and sale_now(sale).state == "expired"
    assert (count(Subscription), count(Charge), count(Invoice)) == (0, 0, 0)
    assert faults() == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_money_for_a_plan_that_somebody_got_meanwhile_goes_back_by_itself_and_is_told(
    first, plan, gateway, mailbox, run_outbox, language
):
    with write_unit():
        db.session.get_one(Person, first.cast.stranger.id).locale = language
    sale = asks(first, plan)
    checkout = opened(first, sale)
    membership.subscribe(first.manager, plan.public_id, first_month=DECEMBER, person=first.cast.stranger.public_id)
    gateway.become(checkout, "paid")  # in the second before its page was ended
    online.settle("stripe", checkout)
    assert [one.cents for one in online_queries.surpluses()] == [6000]
    run_outbox()
    assert online_queries.surpluses() == []
    assert (count(Subscription), count(Invoice)) == (1, 0)
    golden.check(mailbox()[-1], "billing/too_late-plan")
    assert faults() == []


def test_sixteen_who_tell_at_once_begin_and_invoice_once(first, plan, gateway, app):
    sale = asks(first, plan)
    checkout = opened(first, sale)
    gateway.become(checkout, "paid")
    end_read()

    def tell(what) -> None:
        with app.app_context():
            what()

    acts = [partial(online.settle, "stripe", checkout), partial(sale_opening.end_sale, sale)] * 8
    at_once([partial(tell, act) for act in acts])
    assert (count(Subscription), count(Invoice), count(Payment), faults()) == (1, 1, 1, [])


def test_the_months_run_and_the_payment_at_once_charge_it_once(first, plan, gateway, app):
    checkout = opened(first, asks(first, plan, NOVEMBER))
    gateway.become(checkout, "paid")
    end_read()

    def act(what) -> None:
        with app.app_context():
            what()

    at_once(
        [partial(act, partial(online.settle, "stripe", checkout)), partial(act, partial(charges.gather, NOVEMBER))] * 4
    )
    charges.gather(NOVEMBER)
    assert (count(Charge), count(Invoice), faults()) == (1, 1, [])


def test_an_invoice_that_cannot_be_issued_follows_and_the_plan_begins_at_once(
    first, plan, gateway, run_outbox, monkeypatch
):
    problems = [rules.SellerIncomplete(missing="SIRET")]
    checkout = opened(first, asks(first, plan))
    monkeypatch.setattr(drafts, "_problem", lambda *_given: problems[0] if problems else None)
    gateway.become(checkout, "paid")
    online.settle("stripe", checkout)
    assert (count(Subscription), count(Invoice)) == (1, 0)
    problems.clear()
    run_outbox()
    assert (count(Invoice), count(Payment), faults()) == (1, 1, [])
