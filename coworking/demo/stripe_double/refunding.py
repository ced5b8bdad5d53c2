"""Money that goes back: refunds that succeed, and refunds that the payer's bank returns days later."""

from __future__ import annotations

from typing import Any

from coworking.demo.stripe_double.form_data import texts_by_key, whole_number
from coworking.demo.stripe_double.objects import balance_transaction, refund_of
from coworking.demo.stripe_double.refusals import StripeRefusal, invalid_parameter, missing_parameter
from coworking.demo.stripe_double.store import StripeObject, StripeStore

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def refund_charge(store: StripeStore, wanted: dict[str, Any]) -> StripeObject:
    """Refund a charge, or an intent's, in whole or part; raises `StripeRefusal`."""
    cents, reason = whole_number(wanted, "amount"), wanted.get("reason")
    if reason is not None and reason not in REASONS:
        raise invalid_parameter("reason", f"it must be one of {', '.join(REASONS)}")
    metadata = texts_by_key(wanted, "metadata")
    with store.lock:
        charge = _charge_meant(store, wanted)
        left = charge["amount_captured"] - charge["amount_refunded"]
        if charge["status"] != "succeeded":
            raise StripeRefusal(400, "This charge has not succeeded.", code="charge_not_refundable", param="charge")
        if left == 0:
            raise StripeRefusal(400, "This charge is refunded already.", code="charge_already_refunded")
        cents = left if cents is None else cents
        if cents < 1:
            raise invalid_parameter("amount", "it must be positive", "parameter_invalid_integer")
        if cents > left:
            raise StripeRefusal(400, f"Only {left} of this charge can still be refunded.", param="amount")
        refund = refund_of(
            store.new_id("re_"), store.seconds(), charge, cents, {"metadata": metadata, "reason": reason}
        )
        refund["balance_transaction"] = _move(store, refund, charge, -cents, "refund")
        charge["amount_refunded"] += cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        store.add(refund)
        store.tell("refund.created", refund)
        store.tell("charge.refunded", charge)
        return refund


def fail_refund(store: StripeStore, refund_id: str) -> None:
    """Let the payer's bank return a refund: the money is the account's again."""
    with store.lock:
        refund = store.get("refund", refund_id)
        charge = store.get("charge", refund["charge"])
        if refund["status"] != "succeeded":
            raise ValueError(f"the refund {refund_id} is {refund['status']}")
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        refund["failure_balance_transaction"] = _move(store, refund, charge, refund["amount"], "refund_failure")
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        store.tell("refund.updated", refund)
        store.tell("refund.failed", refund)


def _charge_meant(store: StripeStore, wanted: dict[str, Any]) -> StripeObject:
    if (charge_id := wanted.get("charge")) is not None:
        return store.get("charge", charge_id, "charge")
    if (intent_id := wanted.get("payment_intent")) is None:
        raise missing_parameter("payment_intent")
    intent = store.get("payment_intent", intent_id, "payment_intent")
    if intent["latest_charge"] is None:
        raise StripeRefusal(400, "This intent has no charge to refund.", param="payment_intent")
    return store.get("charge", intent["latest_charge"])


def _move(store: StripeStore, refund: StripeObject, charge: StripeObject, cents: int, kind: str) -> str:
    if charge["payment_method_details"]["type"] != "card":
        kind = {"refund": "payment_refund", "refund_failure": "payment_failure_refund"}[kind]
    moved = balance_transaction(store.new_id("txn_"), store.seconds(), kind, refund, cents, 0)
    return store.add(moved)["id"]
