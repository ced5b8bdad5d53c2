"""What a provider pays out, written down once, as it states it; what it does not explain is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from coworking.billing import online, online_opening, online_queries, payout_checks, payout_queries, payouts, services
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable, Notification
from coworking.billing.models import Invoice
from coworking.billing.online_handlers import notified, reconcile
from coworking.billing.online_models import OnlinePayment
from coworking.billing.online_rules import FactDisagrees
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.billing.payout_rules import HeldMovement, next_payout_state, payout_totals
from coworking.core import guards, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, snapshot
from tests.support.billing import OCTOBER
from tests.support.gateway import moved
from tests.support.threads import at_once


@pytest.fixture
def invoice(billing_lieu, session) -> Invoice:
    """66 € of October, for Lise."""
    rows = services.run(billing_lieu.manager, OCTOBER).issued
    return next(row for row in rows if row.payer_person_id == billing_lieu.cast.stranger.id)


@pytest.fixture
def paid(gateway, invoice) -> OnlinePayment:
    payment = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://lieu.test/x", locale="fr")
    gateway.become(payment.checkout_id, "paid")
    online.settle("stripe", payment.checkout_id)
    return online_queries.online_payment(payment.public_id)


def settled(payout_id: str = "po_1") -> OnlinePayout:
    end_read()
    payouts.settle_payout("stripe", payout_id)
    end_read()
    db.session.expire_all()
    return db.session.scalars(select(OnlinePayout).where(OnlinePayout.foreign_id == payout_id)).one()


def wrong() -> list[str]:
    end_read()
    with snapshot():
        return list(payout_checks.explained())


# What it consists of --------------------------------------------------------------------------------------------------


def test_a_payout_is_explained_by_its_payments_and_the_fees_that_the_provider_states(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), moved("t2", "fee", -30))
    row = settled()
    assert (row.state, row.cents, row.unexplained_cents) == ("paid", 6446, 0)
    found = payout_queries.totals_of([row])[row.id]
    assert (found.payments, found.payment_cents, found.fee_cents, found.unexplained_cents) == (1, 6600, 154, 0)
    (month,) = payout_queries.fees_by_month(now().date() - timedelta(days=40))
    assert (month.payments, month.payment_cents, month.fee_cents, month.gateway) == (1, 6600, 154, "stripe")
    assert wrong() == []


def test_what_is_none_of_ours_is_said_and_its_fee_is_still_a_fee(gateway, paid):
    gateway.payouts.pay_out(
        "po_1",
        moved("t1", "payment", 6600, 124, paid.foreign_id),
        moved("t2", "payment", 1000, 40, "pi_of_a_shop"),
        moved("t3", "other", -7),
        moved("t4", "refund", -200, 0, None),
    )
    row = settled()
    assert (row.cents, row.unexplained_cents) == (6600 - 124 + 960 - 7 - 200, 793)
    assert payout_queries.totals_of([row])[row.id].fee_cents == 164 and wrong() == []


def test_what_is_missing_in_the_list_is_said(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), cents=6000)
    assert settled().unexplained_cents == 6000 - 6476 and wrong() == []


def test_one_ordered_by_hand_is_not_explained(gateway, paid):
    gateway.payouts.pay_out("po_1", cents=5000, listed="never")
    assert settled().unexplained_cents == 5000
    assert gateway.payouts.asked_for == []


def test_while_the_provider_adds_up_nothing_is_said_of_what_it_consists_of(gateway, paid):
    gateway.payouts.pay_out(
        "po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), state="under_way", listed="later"
    )
    row = settled()
    assert (row.state, row.parts_read_at, row.unexplained_cents, payout_queries.totals_of([row])) == (
        "under_way",
        None,
        None,
        {},
    )
    gateway.payouts.become("po_1", state="paid", listed="now")
    assert (settled().state, settled().unexplained_cents) == ("paid", 0)
    assert gateway.payouts.asked_for == ["po_1"]


def test_a_payment_that_nobody_told_of_is_settled_by_the_payout_that_holds_it(gateway, invoice):
    payment = online_opening.open_payment([invoice.public_id], "stripe", pay_url="http://lieu.test/x", locale="fr")
    gateway.become(payment.checkout_id, "paid")
    fact = gateway.facts[payment.checkout_id]
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, fact.payment_id, key=payment.public_id))
    assert settled().unexplained_cents == 0
    assert online_queries.online_payment(payment.public_id).state == "paid"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["payment", "refund", "dispute", "fee", "returned", "other"]),
            st.integers(-100_000, 100_000),
            st.integers(-500, 500),
            st.booleans(),
        )
    ),
    st.integers(-100_000, 100_000),
)
def test_totals_add_up_to_the_payout_whatever_it_holds(rows, cents):
    found = payout_totals(cents, [HeldMovement(*row) for row in rows])
    assert (
        found.payment_cents + found.back_cents + found.returned_cents - found.fee_cents + found.unexplained_cents
        == cents
    )


def test_no_state_goes_back():
    order = ("under_way", "paid", "failed")
    for at, state in enumerate(order):
        for to, found in enumerate(order):
            assert next_payout_state(state, found) == order[max(at, to)]


# Refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"currency": "USD"}, {"is_live": True}])
def test_another_currency_or_kind_of_money_is_for_a_person(gateway, paid, change):
    gateway.payouts.pay_out("po_1", cents=100, **change)
    with pytest.raises(FactDisagrees):
        settled()
    assert db.session.scalar(select(func.count()).select_from(OnlinePayout)) == 0


@pytest.mark.parametrize(
    "parts",
    [
        [("t1", "EUR"), ("t1", "EUR")],
        [("t1", "USD")],
    ],
)
def test_a_part_told_twice_or_in_another_currency_is_for_a_person(gateway, paid, parts):
    gateway.payouts.pay_out("po_1", *(moved(name, "payment", 100, currency=currency) for name, currency in parts))
    with pytest.raises(FactDisagrees):
        settled()


def test_a_part_that_another_payout_holds_is_for_a_person(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id))
    gateway.payouts.pay_out("po_2", moved("t1", "payment", 6600, 124, paid.foreign_id))
    settled()
    with pytest.raises(FactDisagrees):
        settled("po_2")
    end_read()
    assert db.session.scalar(select(func.count()).select_from(OnlinePayout)) == 1


def test_a_payment_of_test_money_explains_no_real_payout(gateway, paid, monkeypatch):
    monkeypatch.setattr(type(gateway), "is_live", True)
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), is_live=True)
    assert settled().unexplained_cents == 6600


def test_the_payout_of_another_account_is_refused(gateway, paid):
    with pytest.raises(GatewayRefused):
        settled("po_of_somebody")
    gateway.away = True
    with pytest.raises(GatewayUnavailable):
        settled()
    gateway.away = False
    payload = {"gateway": "stripe", "checkout": None, "payment": None, "payout": "po_of_somebody"}
    with pytest.raises(outbox.GiveUp):
        notified(outbox.Job(id="1", topic=online.NOTIFIED, key="k", payload=payload, attempt=1))


def test_another_amount_than_before_is_for_a_person(gateway, paid):
    gateway.payouts.pay_out("po_1", cents=100, listed="later", state="under_way")
    settled()
    gateway.payouts.become("po_1", cents=101, state="paid")
    with pytest.raises(FactDisagrees):
        settled()


# Told, again and at once ----------------------------------------------------------------------------------------------


def test_a_notification_or_the_days_look_writes_it_once(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id))
    end_read()
    for event in ("e1", "e1", "e2"):
        online.notified("stripe", Notification(event, "payout.paid", None, False, payout_id="po_1"))
    rows = db.session.scalars(select(outbox.OutboxRow).where(outbox.OutboxRow.topic == online.NOTIFIED)).all()
    jobs = [outbox.Job(id=str(row.id), topic=row.topic, key=row.key, payload=row.payload, attempt=1) for row in rows]
    assert len([job for job in jobs if job.payload.get("payout") == "po_1"]) == 2
    end_read()
    for job in jobs * 2:
        notified(job)
    for _again in range(2):
        reconcile(outbox.Job(id="1", topic="billing.reconcile", key="k", payload={}, attempt=1))
    assert gateway.payouts.asked_for == ["po_1"]
    assert db.session.scalar(select(func.count()).select_from(OnlinePayoutPart)) == 1


def test_sixteen_who_tell_at_once_write_it_once(gateway, paid, app):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), moved("t2", "fee", -30))
    end_read()

    def work() -> bool:
        with app.app_context():
            payouts.settle_payout("stripe", "po_1")
            return True

    assert all(at_once([work] * 16))
    end_read()
    assert db.session.scalar(select(func.count()).select_from(OnlinePayout)) == 1
    assert db.session.scalar(select(func.count()).select_from(OnlinePayoutPart)) == 2
    assert wrong() == []


def test_the_days_look_leaves_what_disagrees_and_reads_the_rest(gateway, paid):
    gateway.payouts.pay_out("po_0", cents=100, currency="USD")
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id))
    end_read()
    payouts.reconcile_payouts()
    end_read()
    assert db.session.scalars(select(OnlinePayout.foreign_id)).all() == ["po_1"]
    gateway.away = True
    payouts.reconcile_payouts()


def test_one_that_fails_later_says_so_once_and_its_money_comes_with_the_next(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id))
    assert settled().state == "paid"
    gateway.payouts.become("po_1", state="failed", reason="account_closed")
    for _again in range(2):
        assert (settled().state, settled().reason) == ("failed", "account_closed")
    gateway.payouts.become("po_1", state="paid", reason=None)
    assert settled().state == "failed"  # old news
    told = db.session.scalars(select(outbox.OutboxRow).where(outbox.OutboxRow.topic == payouts.FAILED)).all()
    assert len(told) == 1
    gateway.payouts.pay_out("po_2", moved("t2", "returned", 6476))
    assert (settled("po_2").unexplained_cents, wrong()) == (0, [])


# The database ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "guard"),
    [
        ("UPDATE online_payout SET cents = cents + 1", "online_payout_frozen"),
        ("UPDATE online_payout SET state = 'under_way'", "online_payout_frozen"),
        ("UPDATE online_payout SET unexplained_cents = 0", "online_payout_frozen"),
        ("UPDATE online_payout SET parts_read_at = NULL, unexplained_cents = NULL", "online_payout_frozen"),
        ("DELETE FROM online_payout", "online_payout_frozen"),
        ("UPDATE online_payout_part SET fee_cents = 0", "online_payout_part_append_only"),
        ("DELETE FROM online_payout_part", "online_payout_part_append_only"),
        (
            "INSERT INTO online_payout_part (payout_id, foreign_id, kind, cents, fee_cents, moved_on)"
            " SELECT id, 'x', 'fee', 40, 0, '2026-11-24' FROM online_payout",
            "online_payout_whole",
        ),
    ],
)
def test_the_database_refuses_to_rewrite_it(gateway, paid, sql, guard):
    gateway.payouts.pay_out(
        "po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), moved("t2", "payment", 1000, 40, "pi_of_a_shop")
    )
    assert settled().unexplained_cents == 1000
    with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
        connection.execute(text(sql))
    assert guards.refused_by(refused.value) == guard


def test_the_database_lets_nobody_say_that_it_is_explained_when_it_is_not(gateway, paid):
    gateway.payouts.pay_out("po_1", moved("t1", "payment", 6600, 124, paid.foreign_id), listed="later")
    settled()
    for said in ("0", "6475"):
        with pytest.raises(IntegrityError) as refused, db.engine.begin() as connection:
            connection.execute(text(f"UPDATE online_payout SET parts_read_at = changed_at, unexplained_cents = {said}"))
        assert guards.refused_by(refused.value) == "online_payout_frozen"
