"""What the adapter makes of answers that are lost, late or nonsense: try again later, or refused for good."""

from __future__ import annotations

import pytest

from coworking.billing.gateways import stripe_gateway
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.billing.gateways.stripe_gateway import StripeGateway
from tests.support.stripe import SECRET_KEY, WEBHOOK_SECRET, wanted

NONSENSE = {
    "a list": "[]",
    "an empty object": "{}",
    "another object": '{"object": "customer", "id": "cus_1"}',
    "an object without id": '{"object": "checkout.session"}',
    "a page of a proxy": "<html><body>Welcome to the hotel</body></html>",
    "nothing": "",
    "a number": "7",
    "null": "null",
    "deep nesting": "[" * 100_000,
    "an incomplete session": '{"object": "checkout.session", "id": "cs_1", "amount_total": null}',
}
CALLS = {
    "look": lambda gateway: gateway.look(),
    "open": lambda gateway: gateway.open_checkout(wanted()),
    "fetch": lambda gateway: gateway.fetch("cs_test_1"),
    "list": lambda gateway: list(gateway.opened_since(stripe_gateway.now())),
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """The SDK waits half a second before it tries again."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", NONSENSE)
@pytest.mark.parametrize("status", [200, 404])
def test_nonsense_is_no_answer(gateway, double, body, call, status):
    kind = "text/html" if body == "a page of a proxy" else "application/json"
    double.faults.answer_next(10, status, NONSENSE[body], kind)
    with pytest.raises(GatewayUnavailable):
        CALLS[call](gateway)


@pytest.mark.parametrize("rows", ['["row"]', '[{"object": "checkout.session"}]', "{}", "null"])
def test_a_list_of_nonsense_is_no_answer(gateway, double, rows):
    double.faults.answer_next(10, 200, f'{{"object": "list", "data": {rows}, "has_more": false}}')
    with pytest.raises(GatewayUnavailable):
        list(gateway.opened_since(stripe_gateway.now()))
    with pytest.raises(GatewayUnavailable):
        gateway.look()


def test_a_list_that_never_ends_is_left(gateway, double):
    row = '{"object": "checkout.session", "id": "cs_1", "mode": "setup"}'
    double.faults.answer_next(10, 200, f'{{"object": "list", "data": [{row}], "has_more": true}}')
    with pytest.raises(GatewayUnavailable, match="same page"):
        list(gateway.opened_since(stripe_gateway.now()))


@pytest.mark.parametrize("status", [500, 502, 503, 409, 429])
def test_trouble_at_stripe_may_be_over_later(gateway, double, status):
    double.faults.answer_next(2, status, '{"error": {"type": "api_error", "message": "Trouble."}}')
    with pytest.raises(GatewayUnavailable):
        gateway.open_checkout(wanted())
    double.faults.clear()
    assert gateway.open_checkout(wanted()).checkout_id == double.session_ids()[0]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", "parameter_unknown"),
        (402, "card_error", "card_declined"),
        (403, "invalid_request_error", "more_permissions_required"),
        (404, "invalid_request_error", "resource_missing"),
    ],
)
def test_what_stripe_refuses_it_will_refuse_again(gateway, double, status, kind, code):
    error = f'{{"error": {{"type": "{kind}", "code": "{code}", "message": "Not for you"}}}}'
    double.faults.answer_next(1, status, error)
    with pytest.raises(GatewayRefused, match="Not for you") as refused:
        gateway.open_checkout(wanted())
    assert refused.value.code in {code, str(status)}


def test_a_withdrawn_key_is_refused_everywhere_and_says_nothing_of_the_checkout(gateway, double):
    opened = gateway.open_checkout(wanted())
    double.faults.withdraw_keys()
    for call in (*CALLS.values(), lambda gateway: gateway.expire_checkout(opened.checkout_id)):
        with pytest.raises(GatewayRefused) as refused:
            call(gateway)
        assert refused.value.code == "401"


def test_a_restricted_key_of_the_same_account_opens_it(running):
    running.double.faults.admit_key("rk_test_of_the_tests")
    other = StripeGateway("rk_test_of_the_tests", WEBHOOK_SECRET, running.url)
    assert other.look().name == StripeGateway(SECRET_KEY, WEBHOOK_SECRET, running.url).look().name


def test_a_checkout_whose_answer_was_lost_is_the_same_the_next_time(gateway, double):
    double.faults.lose_next(2)
    with pytest.raises(GatewayUnavailable):
        gateway.open_checkout(wanted())
    assert gateway.open_checkout(wanted()).checkout_id == double.session_ids()[0]
    assert len(double.session_ids()) == 1


def test_one_lost_answer_is_asked_for_again_at_once(gateway, double):
    double.faults.lose_next(1, "POST /v1/checkout/sessions")
    assert gateway.open_checkout(wanted()).checkout_id == double.session_ids()[0]
    assert double.faults.calls == ["POST /v1/checkout/sessions"] * 2


def test_a_late_answer_is_not_waited_for_without_end(running, monkeypatch):
    monkeypatch.setattr(stripe_gateway, "TIMEOUT_S", (0.2, 0.2))
    gateway = StripeGateway(SECRET_KEY, WEBHOOK_SECRET, running.url)
    running.double.faults.delay_next(2, 30)
    with pytest.raises(GatewayUnavailable):
        gateway.open_checkout(wanted())
    running.double.faults.clear()
    assert gateway.open_checkout(wanted()).checkout_id == running.double.session_ids()[0]
    assert len(running.double.session_ids()) == 1


def test_without_stripe_everything_may_be_tried_later(running, gateway):
    running.live.stop()
    for call in CALLS.values():
        with pytest.raises(GatewayUnavailable):
            call(gateway)


def test_a_live_key_is_sent_to_stripe_alone(running):
    with pytest.raises(ValueError, match="live key"):
        StripeGateway("sk_live_of_a_lieu", WEBHOOK_SECRET, running.url)


def test_the_version_of_the_double_is_the_products():
    from coworking.demo.stripe_double.objects import API_VERSION

    assert stripe_gateway.API_VERSION == API_VERSION
