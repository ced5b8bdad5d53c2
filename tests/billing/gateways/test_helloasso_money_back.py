"""Refunds and contested payments at HelloAsso, as the adapter tells them, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from coworking.billing.gateways.helloasso_gateway import HelloAssoGateway
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.core.clock import now
from coworking.demo.helloasso_double import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORGANISATION,
    HelloAssoDouble,
    create_helloasso,
)
from tests.support.live import Live
from tests.support.redis import free_port
from tests.support.stripe import wanted


@pytest.fixture
def double(clock) -> HelloAssoDouble:
    return HelloAssoDouble()


@pytest.fixture
def gateway(double) -> Iterator[HelloAssoGateway]:
    server = Live(create_helloasso(double), free_port()).start()
    yield HelloAssoGateway(CLIENT_ID, CLIENT_SECRET, ORGANISATION, server.url)
    server.stop()


@pytest.fixture
def paid(gateway, double) -> tuple[str, str]:
    """The name of a payment of 60 €, and its checkout's."""
    checkout = gateway.open_checkout(wanted("payment-1")).checkout_id
    double.pay(int(checkout))
    return gateway.fetch(checkout).payment_id, checkout


def test_a_refund_that_is_known_is_not_taken_for_another(gateway, double, paid):
    payment, checkout = paid
    assert not gateway.fetch(checkout).has_money_back
    first = gateway.refund(payment, 1000, "refund-1", ())
    assert (first.state, first.cents) == ("done", 1000)
    assert gateway.refund(payment, 1000, "refund-1", ()).refund_id == first.refund_id, "its answer may have been lost"
    second = gateway.refund(payment, 1000, "refund-2", {first.refund_id})
    assert second.refund_id != first.refund_id
    assert [one.cents for one in gateway.money_back(payment).refunds] == [1000, 1000]
    assert gateway.fetch(checkout).has_money_back


def test_one_that_is_under_way_is_pending_until_the_payment_is_refunded(gateway, double, paid):
    payment, _checkout = paid
    double.refund(int(payment), 6000, "Processing")
    assert gateway.money_back(payment).refunds[0].state == "pending"
    double.payment(int(payment))["state"] = "Refunded"
    assert gateway.money_back(payment).refunds[0].state == "done"


def test_what_its_payer_contested_is_lost_at_once(gateway, double, paid):
    payment, checkout = paid
    double.contest(int(payment))
    (dispute,) = gateway.money_back(payment).disputes
    assert (dispute.state, dispute.cents, dispute.respond_by) == ("lost", 6000, None)
    assert gateway.fetch(checkout).has_money_back


def test_payments_of_which_money_went_back_are_listed_page_by_page(gateway, double):
    double.page_size = 2
    payments = []
    for number in range(5):
        checkout = gateway.open_checkout(wanted(f"payment-{number}")).checkout_id
        double.pay(int(checkout))
        payments.append(gateway.fetch(checkout).payment_id)
    for payment in payments[1:]:
        double.refund(int(payment), 100)
    assert list(gateway.money_back_since(now() - timedelta(days=1))) == payments[1:]


def test_refusals_and_nonsense(gateway, double, paid):
    payment, _checkout = paid
    with pytest.raises(GatewayRefused):
        gateway.refund(payment, 6001, "refund-1", ())
    for name in ("x", "../payments"):
        with pytest.raises(GatewayRefused):
            gateway.money_back(name)
    for body in (b"[]", b"<html>", b'{"amount": "60"}', b'{"amount": 6000, "refundOperations": [{"id": "x"}]}'):
        double.answers.append((200, body))
        with pytest.raises(GatewayUnavailable):
            gateway.money_back(payment)
