"""What Stripe pays out, as the adapter tells it, over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.core.clock import now
from tests.support.stripe import collection, saved, wanted


@pytest.fixture
def paid(gateway, double):
    """The name of a payment of 60 € by card."""
    checkout = gateway.open_checkout(wanted("payment-1")).checkout_id
    double.pay_by_card(checkout)
    return gateway.fetch(checkout).payment_id


def test_a_payout_says_what_it_consists_of_once_stripe_has_added_it_up(gateway, double, paid):
    payout = double.pay_out()["id"]
    (told,) = gateway.payouts.since(now() - timedelta(days=1))
    assert (told.payout_id, told.state, told.listed, told.currency, told.is_live) == (
        payout,
        "under_way",
        "later",
        "EUR",
        False,
    )
    double.settle_payout(payout, True)
    told = gateway.payouts.fetch(payout)
    assert (told.state, told.listed, told.cents) == (
        "paid",
        "now",
        6000 - 115,
    )  # 1.5 % and 25 cents, as the double states
    assert told.arrives_on == (now() + timedelta(days=3)).date() and told.reference.startswith("CWK")
    (part,) = gateway.payouts.parts(payout)
    assert (part.kind, part.cents, part.fee_cents, part.payment_id, part.key) == (
        "payment",
        6000,
        115,
        paid,
        "payment-1",
    )


def test_every_kind_of_movement_is_told_apart_and_all_add_up(gateway, double, paid):
    gateway.refund(paid, 1000, "refund-1", ())
    double.dispute(paid, 500)
    double.charge_fee(30)
    double.move_otherwise(-7)
    card = saved(gateway, double)
    collected = gateway.saved_means.collect(collection(card, "collection-1"))
    double.settle_payout(lost := double.pay_out()["id"], False)
    assert (told := gateway.payouts.fetch(lost)).state == "failed" and told.reason == "account_closed"
    double.charge_fee(2)
    double.settle_payout(second := double.pay_out()["id"], True)
    parts = gateway.payouts.parts(lost)
    assert sorted((one.kind, one.cents) for one in parts) == [
        ("dispute", -500),
        ("fee", -30),
        ("other", -7),
        ("payment", 6000),
        ("payment", 6000),
        ("refund", -1000),
    ]
    assert {one.payment_id for one in parts if one.kind != "fee" and one.kind != "other"} == {
        paid,
        collected.payment_id,
    }
    assert {one.key for one in parts if one.kind == "payment"} == {"payment-1", "collection-1"}
    assert sum(one.cents - one.fee_cents for one in parts) == told.cents
    assert sorted((one.kind, one.cents) for one in gateway.payouts.parts(second)) == [
        ("fee", -2),
        ("returned", told.cents),
    ]


def test_one_ordered_by_hand_says_nothing_of_what_it_consists_of(gateway, double, paid):
    double.settle_payout(payout := double.pay_out(is_automatic=False, cents=2000)["id"], True)
    assert (gateway.payouts.fetch(payout).listed, gateway.payouts.parts(payout)) == ("never", ())


def test_a_payout_of_another_account_is_refused(gateway):
    with pytest.raises(GatewayRefused) as refused:
        gateway.payouts.fetch("po_of_somebody_else")
    assert refused.value.code == "resource_missing"


@pytest.mark.parametrize(
    "change",
    [
        {"fee": 114},
        {"fee_details": [{"amount": 114}]},
        {"fee_details": [{"amount": 115}, "x"]},
        {"fee_details": None},
        {"net": 6000},
        {"amount": "6000"},
        {"amount": True},
        {"currency": None},
        {"created": None},
        {"object": "charge"},
    ],
)
def test_a_movement_that_does_not_add_up_is_not_believed(gateway, double, paid, change):
    double.settle_payout(payout := double.pay_out()["id"], True)
    (row,) = [
        row
        for row in double.store.newest_first("balance_transaction")
        if double.store.paid_out.get(row["id"]) == payout and row["type"] == "charge"
    ]
    answer = {"object": "list", "data": [row | change], "has_more": False}
    double.faults.answer_next(4, 200, json.dumps(answer), what="GET /v1/balance_transactions")
    with pytest.raises(GatewayUnavailable):
        gateway.payouts.parts(payout)


@pytest.mark.parametrize(
    "change",
    [{"amount": 0}, {"amount": "1"}, {"status": "lost"}, {"currency": 1}, {"created": None}, {"arrival_date": "x"}],
)
def test_a_payout_without_what_matters_is_not_believed(gateway, double, paid, change):
    row = double.pay_out() | change
    double.faults.answer_next(4, 200, json.dumps(row), what="GET /v1/payouts")
    with pytest.raises(GatewayUnavailable):
        gateway.payouts.fetch(row["id"])


def test_long_lists_are_read_to_their_end(gateway, double, paid):
    for _fee in range(130):
        double.charge_fee(1)
    double.settle_payout(payout := double.pay_out()["id"], True)
    assert len(gateway.payouts.parts(payout)) == 131


def test_notifications_name_the_payout(gateway, double, paid):
    double.settle_payout(payout := double.pay_out()["id"], True)
    for kind in ("payout.created", "payout.paid", "payout.reconciliation_completed"):
        body, headers = double.notifications.signed(double.events(kind)[0]["id"])
        told = gateway.read_notification(body, headers)
        assert (told.payout_id, told.payment_id, told.checkout_id) == (payout, None, None)
