"""Refunds and disputes at Stripe, as the adapter tells them, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.core.clock import now
from tests.support.stripe import wanted


@pytest.fixture
def paid(gateway, double):
    """The name of a payment of 60 € by card, and its checkout's."""
    checkout = gateway.open_checkout(wanted("payment-1")).checkout_id
    double.pay_by_card(checkout)
    return gateway.fetch(checkout).payment_id, checkout


def test_a_refund_is_made_once_for_a_key(gateway, double, paid):
    payment, checkout = paid
    assert not gateway.fetch(checkout).has_money_back
    first = gateway.refund(payment, 1000, "refund-1", ())
    assert (first.state, first.cents, first.key) == ("done", 1000, "refund-1")
    assert gateway.refund(payment, 1000, "refund-1", ()) == first
    assert gateway.refund(payment, 1000, "refund-2", ()) != first
    assert [one.key for one in gateway.money_back(payment).refunds] == ["refund-2", "refund-1"]
    assert gateway.fetch(checkout).has_money_back


def test_an_answer_that_was_lost_is_found_again_when_the_key_is_forgotten(gateway, double, paid, clock):
    payment, _checkout = paid
    double.faults.lose_next(2, "POST /v1/refunds")  # the SDK tries a second time by itself
    with pytest.raises(GatewayUnavailable):
        gateway.refund(payment, 1000, "refund-1", ())
    clock.advance(days=2)
    assert gateway.refund(payment, 1000, "refund-1", ()).state == "done"
    assert len(gateway.money_back(payment).refunds) == 1


def test_more_than_was_paid_is_refused(gateway, paid):
    with pytest.raises(GatewayRefused):
        gateway.refund(paid[0], 6001, "refund-1", ())


def test_what_the_dashboard_refunds_has_no_key_of_ours_and_may_fail_later(gateway, double, paid):
    payment, _checkout = paid
    refund = double.refund(payment, 2000)
    (found,) = gateway.money_back(payment).refunds
    assert (found.key, found.state, found.refund_id) == (None, "done", refund["id"])
    double.fail_refund(refund["id"])
    (failed,) = gateway.money_back(payment).refunds
    assert (failed.state, failed.reason) == ("failed", "expired_or_canceled_card")


def test_a_dispute_is_told_with_its_deadline_until_it_is_decided(gateway, double, paid):
    payment, checkout = paid
    dispute = double.dispute(payment)
    (told,) = gateway.money_back(payment).disputes
    assert (told.state, told.cents, told.reason) == ("open", 6000, "fraudulent")
    assert timedelta(days=13) < told.respond_by - now() < timedelta(days=15)
    assert gateway.fetch(checkout).has_money_back
    double.decide(dispute["id"], "lost")
    assert gateway.money_back(payment).disputes[0].state == "lost"


def test_a_debit_that_is_returned_is_lost_at_once(gateway, double):
    checkout = gateway.open_checkout(wanted("payment-1")).checkout_id
    double.pay_by_debit(checkout)
    double.settle_debit(checkout, True)
    payment = gateway.fetch(checkout).payment_id
    double.dispute(payment, reason="insufficient_funds")
    (told,) = gateway.money_back(payment).disputes
    assert (told.state, told.respond_by) == ("lost", None)


def test_payments_of_which_money_went_back_are_listed(gateway, double, paid):
    payment, _checkout = paid
    assert set(gateway.money_back_since(now() - timedelta(days=1))) == set()
    double.refund(payment, 100)
    double.dispute(payment, 100)
    assert list(gateway.money_back_since(now() - timedelta(days=1))) == [payment, payment]
    assert list(gateway.money_back_since(now() + timedelta(days=1))) == []


@pytest.mark.parametrize("body", ["[]", "{}", "<html>", '{"object": "list", "data": [{}], "has_more": false}'])
def test_an_answer_that_is_not_stripes_is_not_believed(gateway, double, paid, body):
    double.faults.answer_next(4, 200, body, what="GET /v1/refunds")
    with pytest.raises(GatewayUnavailable):
        gateway.money_back(paid[0])


@pytest.mark.parametrize("act", ["refund", "dispute"])
def test_notifications_name_the_payment(gateway, double, paid, act):
    getattr(double, act)(paid[0])
    kinds = {"refund": ["refund.created", "charge.refunded"], "dispute": ["charge.dispute.created"]}
    for kind in kinds[act]:
        body, headers = double.notifications.signed(double.events(kind)[0]["id"])
        told = gateway.read_notification(body, headers)
        assert (told.payment_id, told.checkout_id) == (paid[0], None)
