"""A checkout from opening to its end, by the product's adapter against the double over HTTP."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest

from coworking.billing.gateways.port import (
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    NotExpirable,
    OpenedCheckout,
)
from tests.support.stripe import wanted


@pytest.fixture
def opened(gateway) -> OpenedCheckout:
    return gateway.open_checkout(wanted())


def test_the_account_says_its_name_and_what_it_takes(gateway):
    assert gateway.look() == GatewayAccount("La Fabrique du Pont", False, ("card", "debit"))


def test_an_opened_checkout_is_open_for_a_day(gateway, running, clock, opened):
    assert opened.url.startswith(f"{running.url}/c/pay/{opened.checkout_id}")
    assert gateway.pages == (running.url,)
    assert opened.expires_at == clock.now.replace(microsecond=0) + timedelta(hours=24)
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.key, fact.cents, fact.currency, fact.is_live) == ("open", "payment-1", 6000, "EUR", False)
    assert (fact.means, fact.payment_id, fact.reason) == (None, None, None)


def test_a_card_that_pays(gateway, double, opened):
    assert double.pay_by_card(opened.checkout_id) == "paid"
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.means, fact.reason) == ("paid", "card", None)
    assert fact.payment_id is not None and fact.payment_id.startswith("pi_")


@pytest.mark.parametrize("number", ["4000000000000002", "4000000000009995", "4111 1111 1111 1111"])
def test_a_declined_card_leaves_the_checkout_open(gateway, double, opened, number):
    assert double.pay_by_card(opened.checkout_id, number) == "declined"
    assert gateway.fetch(opened.checkout_id).state == "open"
    assert double.pay_by_card(opened.checkout_id) == "paid"
    assert gateway.fetch(opened.checkout_id).state == "paid"


@pytest.mark.parametrize(("agrees", "state"), [(True, "paid"), (False, "open")])
def test_a_card_that_wants_its_owners_confirmation(gateway, double, opened, agrees, state):
    assert double.pay_by_card(opened.checkout_id, "4000002500003155") == "wants_authentication"
    assert gateway.fetch(opened.checkout_id).state == "open"
    double.answer_authentication(opened.checkout_id, agrees)
    assert gateway.fetch(opened.checkout_id).state == state


@pytest.mark.parametrize(("ok", "state", "reason"), [(True, "paid", None), (False, "failed", "insufficient_funds")])
def test_a_debit_is_pending_until_the_bank_answers(gateway, double, opened, ok, state, reason):
    assert double.pay_by_debit(opened.checkout_id) == "processing"
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.means, fact.reason) == ("pending", "debit", None)
    double.settle_debit(opened.checkout_id, ok)
    fact = gateway.fetch(opened.checkout_id)
    assert (fact.state, fact.reason) == (state, reason)


def test_an_expired_checkout_cannot_be_paid(gateway, double, opened):
    gateway.expire_checkout(opened.checkout_id)
    assert gateway.fetch(opened.checkout_id).state == "expired"
    with pytest.raises(Exception, match=opened.checkout_id):
        double.pay_by_card(opened.checkout_id)


def test_a_checkout_expires_by_itself_after_a_day(gateway, clock, opened):
    clock.advance(hours=23, minutes=59)
    assert gateway.fetch(opened.checkout_id).state == "open"
    clock.advance(minutes=1)
    assert gateway.fetch(opened.checkout_id).state == "expired"


def test_what_is_over_cannot_be_expired(gateway, double, opened):
    double.pay_by_card(opened.checkout_id)
    with pytest.raises(NotExpirable, match="complete"):
        gateway.expire_checkout(opened.checkout_id)
    other = gateway.open_checkout(wanted("payment-2"))
    gateway.expire_checkout(other.checkout_id)
    with pytest.raises(NotExpirable, match="expired"):
        gateway.expire_checkout(other.checkout_id)


def test_an_unknown_checkout_is_refused_and_not_taken_for_paid(gateway):
    with pytest.raises(GatewayRefused) as refused:
        gateway.fetch("cs_test_of_yesterdays_demo")
    assert refused.value.code == "resource_missing"
    with pytest.raises(GatewayRefused) as refused:
        gateway.expire_checkout("cs_test_of_yesterdays_demo")
    assert refused.value.code == "resource_missing"


def test_the_same_key_opens_one_checkout(gateway, double, opened):
    assert gateway.open_checkout(wanted()) == opened
    assert len(double.session_ids()) == 1


def test_the_same_key_for_another_amount_is_refused_for_good(gateway, double, opened):
    with pytest.raises(GatewayRefused) as refused:
        gateway.open_checkout(wanted(cents=7000))
    assert refused.value.code == "idempotency_error"
    assert len(double.session_ids()) == 1


def test_a_key_is_forgotten_after_a_day(gateway, clock, opened):
    clock.advance(hours=24)
    assert gateway.open_checkout(wanted()).checkout_id != opened.checkout_id


def test_sixteen_equal_calls_at_once_open_one_checkout(gateway, double):
    found: list[object] = []

    def open_it() -> None:
        try:
            found.append(gateway.open_checkout(wanted()))
        except GatewayUnavailable as busy:  # the key is in use: the same call may be tried again
            found.append(busy)

    threads = [Thread(target=open_it) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(double.session_ids()) == 1
    assert {entry for entry in found if isinstance(entry, OpenedCheckout)} == {gateway.open_checkout(wanted())}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cents": 49}, "amount_too_small"),
        ({"email": "nobody"}, "email_invalid"),
        ({"return_url": "/pay/back"}, "url_invalid"),
        ({"currency": "USD"}, "parameter_invalid"),
    ],
)
def test_what_stripe_does_not_take_is_refused(gateway, double, changes, code):
    with pytest.raises(GatewayRefused) as refused:
        gateway.open_checkout(wanted(**changes))
    assert refused.value.code == code
    assert double.session_ids() == []


def test_every_checkout_since_an_instant_is_found_page_by_page(gateway, clock):
    gateway.open_checkout(wanted("too-early"))
    clock.advance(seconds=1)
    since = clock.now
    for number in range(205):
        gateway.open_checkout(wanted(f"payment-{number}", cents=100 + number))
        clock.advance(seconds=number % 2)
    found = [fact.key for fact in gateway.opened_since(since)]
    assert len(found) == 205
    assert set(found) == {f"payment-{number}" for number in range(205)}


def test_no_checkout_since_an_instant(gateway, clock, opened):
    clock.advance(hours=1)
    assert list(gateway.opened_since(clock.now)) == []


def test_the_states_of_all_checkouts_are_in_the_list(gateway, double, clock):
    since = clock.now
    ids = [gateway.open_checkout(wanted(f"payment-{number}")).checkout_id for number in range(4)]
    double.pay_by_card(ids[1])
    double.pay_by_debit(ids[2])
    double.expire(ids[3])
    facts = {fact.checkout_id: (fact.state, fact.means) for fact in gateway.opened_since(since)}
    assert [facts[checkout_id] for checkout_id in ids] == [
        ("open", None),
        ("paid", "card"),
        ("pending", "debit"),
        ("expired", None),
    ]
