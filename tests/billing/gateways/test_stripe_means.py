"""Saved means, by the product's adapter against the double over HTTP: saved on its page, charged while nobody is there."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Thread

import pytest

from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.demo.stripe_double.cards import FAILING_IBAN, GOOD_IBAN
from tests.support.stripe import WEBHOOK_SECRET, collection, saved, saving

ALWAYS_ASKS, SAVED_THEN_DECLINED = "4000 0027 6000 3184", "4000 0000 0000 0341"


@pytest.fixture
def means(gateway):
    return gateway.saved_means


def test_a_card_is_saved_on_the_page(means, double, running):
    opened = means.begin_saving(saving())
    assert opened.url.startswith(f"{running.url}/c/pay/{opened.checkout_id}")
    assert means.fetch_saving(opened.checkout_id).state == "open"
    double.pay_by_card(opened.checkout_id)
    fact = means.fetch_saving(opened.checkout_id)
    assert fact.state == "saved"
    assert (fact.means.kind, fact.means.brand, fact.means.last4) == ("card", "visa", "4242")
    assert (fact.means.expires_on, fact.means.mandate, fact.means.is_live) == (date(2034, 12, 31), None, False)
    assert means.fetch_means(fact.means.means_id, None) == fact.means


def test_an_account_is_saved_with_its_mandate(means, gateway, double):
    kept = saved(gateway, double, account=GOOD_IBAN).means
    assert (kept.kind, kept.last4, kept.brand, kept.expires_on) == ("debit", "2606", "20041", None)
    assert kept.mandate.startswith("CWK") and kept.mandate_id.startswith("mandate_")
    assert means.fetch_means(kept.means_id, kept.mandate_id) == kept


def test_asked_again_with_the_same_key_it_is_the_same_page(means, double):
    assert means.begin_saving(saving()) == means.begin_saving(saving())
    assert len(double.session_ids()) == 1


def test_a_page_that_was_left_has_expired(means, double):
    opened = means.begin_saving(saving())
    double.expire(opened.checkout_id)
    assert means.fetch_saving(opened.checkout_id).state == "expired"


def test_a_card_that_the_bank_refuses_is_not_saved(means, double):
    opened = means.begin_saving(saving())
    assert double.pay_by_card(opened.checkout_id, "4000000000000002") == "declined"
    assert double.pay_by_card(opened.checkout_id, "4000002500003155") == "wants_authentication"
    double.answer_authentication(opened.checkout_id, False)
    assert means.fetch_saving(opened.checkout_id).state == "open"


def test_pages_to_save_on_are_no_pages_to_pay_on(gateway, double, clock):
    saved(gateway, double)
    assert list(gateway.opened_since(clock.now - timedelta(hours=1))) == []


def test_a_saved_card_pays_while_its_owner_is_away(gateway, means, double):
    for number, key in (("4242424242424242", "one"), ("4000002500003155", "two")):
        fact = means.collect(collection(saved(gateway, double, number), key))
        assert (fact.state, fact.key, fact.cents, fact.currency) == ("paid", key, 6000, "EUR")
        assert (fact.means, fact.is_live, fact.payment_id) == ("card", False, fact.checkout_id)
        assert gateway.fetch(fact.checkout_id) == fact


@pytest.mark.parametrize(
    ("number", "reason"), [(SAVED_THEN_DECLINED, "insufficient_funds"), (ALWAYS_ASKS, "authentication_required")]
)
def test_a_refused_card_is_a_fact_and_stays_one(gateway, means, double, number, reason):
    kept = saved(gateway, double, number)
    fact = means.collect(collection(kept))
    assert (fact.state, fact.reason) == ("failed", reason)
    assert means.collect(collection(kept)) == fact, "the same key is the same refusal"
    assert gateway.fetch(fact.checkout_id) == fact
    assert len(double.intent_ids()) == 1


def test_a_debit_is_under_way_for_days_and_is_dated(gateway, means, double, clock, ask_double):
    kept = saved(gateway, double, account=GOOD_IBAN)
    day = clock.now.date() + timedelta(days=3)
    fact = means.collect(collection(kept, debited_on=day))
    assert (fact.state, fact.means) == ("pending", "debit")
    held = ask_double(f"/v1/payment_intents/{fact.checkout_id}")
    assert held["payment_method_options"] == {"sepa_debit": {"target_date": day.isoformat()}}
    double.settle_collected(fact.checkout_id, True)
    assert gateway.fetch(fact.checkout_id).state == "paid"
    failing = means.collect(collection(saved(gateway, double, account=FAILING_IBAN), "collection-2"))
    double.settle_collected(failing.checkout_id, False)
    fact = gateway.fetch(failing.checkout_id)
    assert (fact.state, fact.reason) == ("failed", "insufficient_funds")


@pytest.fixture
def ask_double(double):
    def asked(path: str):
        return double.app.test_client().get(path, headers={"Authorization": "Bearer sk_test_of_the_tests"}).get_json()

    return asked


@pytest.mark.parametrize("days", [2, 16])
def test_a_debit_is_dated_three_to_fifteen_days_ahead(gateway, means, double, clock, days):
    kept = saved(gateway, double, account=GOOD_IBAN)
    with pytest.raises(GatewayRefused):
        means.collect(collection(kept, debited_on=clock.now.date() + timedelta(days=days)))


def test_the_same_key_charges_once(gateway, means, double):
    kept = saved(gateway, double)
    assert means.collect(collection(kept)) == means.collect(collection(kept))
    assert len(double.intent_ids()) == 1


def test_at_once_the_same_key_charges_once(gateway, means, double):
    kept, found = saved(gateway, double), []
    double.faults.delay_next(1, 0.3, "POST /v1/payment_intents")

    def collect() -> None:
        try:
            found.append(means.collect(collection(kept)).state)
        except GatewayUnavailable:
            found.append("later")

    threads = [Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(double.intent_ids()) == 1 and "paid" in found


def test_after_a_lost_answer_the_charge_is_found(gateway, means, double, clock):
    kept = saved(gateway, double)
    double.faults.lose_next(2, "POST /v1/payment_intents")
    with pytest.raises(GatewayUnavailable):
        means.collect(collection(kept))
    since = clock.now - timedelta(hours=1)
    assert means.earlier(kept.customer_id, since, "collection-1").state == "paid"
    assert means.earlier(kept.customer_id, since, "another") is None
    other = saved(gateway, double)
    assert means.earlier(other.customer_id, since, "collection-1") is None
    assert means.earlier(kept.customer_id, clock.now + timedelta(hours=1), "collection-1") is None


def test_what_was_forgotten_is_charged_no_more(gateway, means, double):
    for account in (None, GOOD_IBAN):
        kept = saved(gateway, double, account=account)
        means.forget(kept.means.means_id)
        means.forget(kept.means.means_id)
        assert not means.fetch_means(kept.means.means_id, kept.means.mandate_id).is_usable
        with pytest.raises(GatewayRefused):
            means.collect(collection(kept, f"after-{account}"))
    assert double.intent_ids() == []


def test_a_mandate_that_the_bank_ended_is_no_longer_usable(gateway, means, double):
    kept = saved(gateway, double, account=GOOD_IBAN)
    double.revoke_mandate(kept.means.mandate_id)
    assert not means.fetch_means(kept.means.means_id, kept.means.mandate_id).is_usable
    with pytest.raises(GatewayRefused, match="mandate"):
        means.collect(collection(kept))


@pytest.mark.parametrize("body", ["[]", "{}", "<html>", '{"object": "payment_intent"}'])
def test_nonsense_is_no_answer(gateway, means, double, body):
    kept = saved(gateway, double)
    double.faults.answer_next(3, 200, body, what="POST /v1/payment_intents")
    with pytest.raises(GatewayUnavailable):
        means.collect(collection(kept))


def told(gateway, double, kind: str) -> list[tuple[str | None, str | None, str | None]]:
    """What the notifications of a kind are about."""
    read = [gateway.read_notification(*double.notifications.signed(event["id"])) for event in double.events(kind)]
    return [(hint.checkout_id, hint.saving_id, hint.means_id) for hint in read]


def test_notifications_say_what_they_are_about(gateway, means, double):
    assert WEBHOOK_SECRET
    kept = saved(gateway, double, account=GOOD_IBAN)
    fact = means.collect(collection(kept))
    double.settle_collected(fact.checkout_id, False)
    means.forget(kept.means.means_id)
    assert told(gateway, double, "checkout.session.completed") == [(None, kept.checkout_id, None)]
    assert told(gateway, double, "payment_intent.processing") == [(fact.checkout_id, None, None)]
    assert told(gateway, double, "payment_intent.payment_failed") == [(fact.checkout_id, None, None)]
    assert told(gateway, double, "payment_method.detached") == [(None, None, kept.means.means_id)]
    assert told(gateway, double, "mandate.updated") == [(None, None, kept.means.means_id)]
    assert told(gateway, double, "setup_intent.succeeded") == [(None, None, None)]
