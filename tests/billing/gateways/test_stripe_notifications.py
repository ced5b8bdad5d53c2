"""Notifications: what the double sends, and what the adapter believes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from coworking.billing.gateways.port import NotificationInvalid
from coworking.billing.gateways.stripe_gateway import StripeGateway
from coworking.demo.stripe_double.notifications import signature
from tests.support.listener import listening
from tests.support.stripe import SECRET_KEY, WEBHOOK_SECRET, running_double, wanted

EVENT = {"id": "evt_1", "object": "event", "type": "checkout.session.completed", "livemode": False}
SESSION = {"id": "cs_test_1", "object": "checkout.session"}


@pytest.fixture
def listener():
    with listening() as listener:
        yield listener


@pytest.fixture
def running(clock, listener):
    """As in the other tests, but it tells the listener."""
    with running_double(listener.url) as running:
        yield running


def signed(body: bytes, clock, *, secret: str = WEBHOOK_SECRET, **away: float) -> dict[str, str]:
    return {"Stripe-Signature": signature(secret, body, int((clock.now + timedelta(**away)).timestamp()))}


def body_of(**changes: object) -> bytes:
    return json.dumps(EVENT | {"data": {"object": SESSION}} | changes).encode()


def told(listener, gateway) -> list[str]:
    """The kinds of what arrived, each believed by the adapter."""
    return [gateway.read_notification(body, headers).kind for body, headers in listener.received]


# What the double sends ------------------------------------------------------------------------------------------------


def test_a_payment_is_told_and_believed(gateway, double, listener):
    checkout_id = gateway.open_checkout(wanted()).checkout_id
    double.pay_by_card(checkout_id)
    double.notifications.wait()
    found = [gateway.read_notification(body, headers) for body, headers in listener.received]
    assert [told.kind for told in found] == ["payment_intent.succeeded", "checkout.session.completed"]
    assert [told.checkout_id for told in found] == [None, checkout_id]
    assert [told.id for told in found] == [event["id"] for event in double.events()]
    assert not any(told.is_live for told in found)


def test_every_turn_of_a_debit_and_a_refund_is_told(gateway, double, listener):
    ids = [gateway.open_checkout(wanted(f"payment-{number}")).checkout_id for number in range(4)]
    for checkout_id, ok in zip(ids, (True, False), strict=False):
        double.pay_by_debit(checkout_id)
        double.settle_debit(checkout_id, ok)
    double.pay_by_card(ids[2], "4000000000000002")
    double.expire(ids[2])
    double.pay_by_card(ids[3])
    refund = double.refund(gateway.fetch(ids[3]).payment_id)
    double.fail_refund(refund["id"])
    double.notifications.wait()
    assert told(listener, gateway) == [
        "payment_intent.processing",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
        "payment_intent.processing",
        "checkout.session.completed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
    ]


def test_notifications_can_be_held_back_reversed_and_sent_again(gateway, double, listener):
    double.notifications.hold()
    double.pay_by_card(gateway.open_checkout(wanted()).checkout_id)
    double.notifications.wait()
    assert listener.received == []
    double.notifications.release(reverse=True)
    double.notifications.wait()
    assert told(listener, gateway) == ["checkout.session.completed", "payment_intent.succeeded"]
    double.notifications.send_again(double.events("checkout.session.completed")[0]["id"])
    double.notifications.wait()
    found = [gateway.read_notification(body, headers) for body, headers in listener.received]
    assert found[0] == found[2]


def test_lost_and_refused_notifications_are_listed(running, gateway, double, listener):
    checkout_id = gateway.open_checkout(wanted()).checkout_id
    double.notifications.lose()
    double.pay_by_debit(checkout_id)
    double.notifications.release()
    listener.status = 503
    double.settle_debit(checkout_id, True)
    double.notifications.wait()
    listener.status = 200
    double.refund(gateway.fetch(checkout_id).payment_id)
    double.notifications.wait()
    client = double.app.test_client()
    head = {"Authorization": f"Bearer {SECRET_KEY}"}

    def kinds(query: str) -> list[str]:
        return [event["type"] for event in client.get(f"/v1/events?{query}", headers=head).get_json()["data"]]

    assert kinds("delivery_success=true") == ["charge.refunded", "refund.created"]
    assert kinds("delivery_success=false") == [
        "checkout.session.async_payment_succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "payment_intent.processing",
    ]
    assert kinds("delivery_success=false&types[]=checkout.session.completed") == ["checkout.session.completed"]
    assert [delivery.status for delivery in double.notifications.deliveries] == [503, 503, 200, 200]


def test_a_lieu_that_is_down_is_not_waited_for(gateway, double, listener):
    listener.live.stop()
    assert double.pay_by_card(gateway.open_checkout(wanted()).checkout_id) == "paid"
    double.notifications.wait()
    assert [delivery.is_success for delivery in double.notifications.deliveries] == [False, False]
    assert all(delivery.error for delivery in double.notifications.deliveries)
    listener.live.start()


# What the adapter believes --------------------------------------------------------------------------------------------


def test_a_signed_event_is_believed(gateway, clock):
    found = gateway.read_notification(body := body_of(), signed(body, clock))
    assert (found.id, found.kind, found.checkout_id, found.is_live) == ("evt_1", EVENT["type"], "cs_test_1", False)


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_clocks_may_differ_a_little(gateway, clock, minutes):
    body = body_of()
    assert gateway.read_notification(body, signed(body, clock, minutes=minutes)).id == "evt_1"


@pytest.mark.parametrize("minutes", [-5.1, -100_000, 5.1, 100_000])
def test_the_past_and_the_future_are_refused(gateway, clock, minutes):
    body = body_of()
    with pytest.raises(NotificationInvalid, match="not from now"):
        gateway.read_notification(body, signed(body, clock, minutes=minutes))


def test_a_time_beyond_all_numbers_is_refused(gateway):
    body = body_of()
    header = signature(WEBHOOK_SECRET, body, 10**400)
    with pytest.raises(NotificationInvalid):
        gateway.read_notification(body, {"Stripe-Signature": header})


def test_another_secret_another_body_or_no_signature_is_refused(gateway, clock):
    body = body_of()
    headers = [signed(body, clock, secret="whsec_of_somebody"), signed(body_of(id="evt_2"), clock), {}]
    for odd in ("", "t=1", "v1=00", "t=now,v1=00", "t=1,v1=\u00e9", "=,=,="):
        headers.append({"Stripe-Signature": odd})
    for header in headers:
        with pytest.raises(NotificationInvalid):
            gateway.read_notification(body, header)


@pytest.mark.parametrize("secret", [None, "", " "])
def test_without_a_secret_nothing_is_believed(clock, secret):
    body = body_of()
    with pytest.raises(NotificationInvalid):
        StripeGateway(SECRET_KEY, secret).read_notification(body, signed(body, clock, secret=secret or ""))


SIGNED_NONSENSE = {
    "a list": b"[]",
    "a list of events": b"[" + body_of() + b"]",
    "not JSON": b"paid!",
    "nothing": b"",
    "not UTF-8": b'{"object": "event", "id": "\xff"}',
    "deep nesting": b"[" * 100_000,
    "an object that is no event": json.dumps(SESSION).encode(),
    "a thin event": body_of(object="v2.core.event"),
    "no id": body_of(id=None),
    "no type": body_of(type=None),
    "half a character": body_of(id="evt_\ud800"),
    "a zero byte": body_of(id="evt_\x00"),
    "a long id": body_of(id="e" * 101),
    "a session without id": body_of(data={"object": {"object": "checkout.session"}}),
    "a session whose id is a list": body_of(data={"object": SESSION | {"id": ["cs_1"]}}),
}


@pytest.mark.parametrize("name", SIGNED_NONSENSE)
def test_signed_nonsense_is_refused(gateway, clock, name):
    body = SIGNED_NONSENSE[name]
    with pytest.raises(NotificationInvalid):
        gateway.read_notification(body, signed(body, clock))


@pytest.mark.parametrize("data", [None, [], {}, {"object": None}, {"object": []}, {"object": {"id": "pi_1"}}])
def test_an_event_about_no_checkout_names_none(gateway, clock, data):
    body = body_of(data=data)
    assert gateway.read_notification(body, signed(body, clock)).checkout_id is None
