"""Charging a saved means while its owner is away: cards at once, SEPA debits days later."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from coworking.demo.stripe_double import saving
from coworking.demo.stripe_double.cards import FAILED_DEBIT
from coworking.demo.stripe_double.form_data import texts_by_key, whole_number
from coworking.demo.stripe_double.objects import (
    card_details,
    charge_of,
    debit_details,
    payment_error,
    payment_intent,
)
from coworking.demo.stripe_double.opening import LEAST_CENTS, MOST_CENTS
from coworking.demo.stripe_double.paying import SessionOver, succeed
from coworking.demo.stripe_double.refusals import StripeRefusal, invalid_parameter, missing_parameter
from coworking.demo.stripe_double.store import StripeObject, StripeStore

SEPA = "payment_method_options.sepa_debit"
INTENT_PARAMETERS = (
    "amount",
    "currency",
    "customer",
    "payment_method",
    "off_session",
    "confirm",
    "automatic_payment_methods.enabled",
    "automatic_payment_methods.allow_redirects",
    "mandate",
    "description",
    "metadata.*",
    f"{SEPA}.target_date",
)
SOONEST_DAYS, LATEST_DAYS = 3, 15
"""How far ahead a SEPA debit may be dated."""


def charge_saved(store: StripeStore, form: dict[str, Any]) -> StripeObject:
    """Create and confirm an intent with a customer's saved means; a card that is declined is refused with 402.

    The intent of a declined card stays, as at Stripe, with its error.
    """
    cents, currency = whole_number(form, "amount"), form.get("currency")
    if form.get("confirm") != "true" or form.get("off_session") != "true":
        raise invalid_parameter("confirm", "this double confirms at once, off session")
    if cents is None or currency != "eur":
        raise missing_parameter("amount" if cents is None else "currency")
    if cents < LEAST_CENTS:
        raise StripeRefusal(400, "The amount must be at least 0.50 EUR.", code="amount_too_small")
    if cents > MOST_CENTS:
        raise StripeRefusal(400, "The amount must be at most 999,999.99 EUR.", code="amount_too_large")
    metadata = texts_by_key(form, "metadata")
    target = _target_date(store, form)
    with store.lock:
        owner = store.get("customer", str(form.get("customer")), "customer")
        method = store.get("payment_method", str(form.get("payment_method")), "payment_method")
        if method["customer"] != owner["id"]:
            raise StripeRefusal(400, "The payment method does not belong to this customer.", param="payment_method")
        given = saving.mandate_of(store, method["id"])
        if given is not None and given["status"] != "active":
            raise StripeRefusal(400, "The mandate is inactive.", code="payment_intent_mandate_invalid", param="mandate")
        asked = {"amount_total": cents, "currency": currency, "payment_method_types": [method["type"]]}
        said = {"description": form.get("description"), "metadata": metadata}
        intent = store.add(payment_intent(store.new_id("pi_"), store.seconds(), asked, said, store.new_id("")))
        intent |= {"customer": owner["id"], "payment_method": method["id"]}
        if target is not None:
            intent["payment_method_options"] = {"sepa_debit": {"target_date": target}}
        return _charge_card(store, intent, method) if given is None else _debit(store, intent, method, given)


def settle(store: StripeStore, intent_id: str, ok: bool) -> None:
    """Let the bank pay a debit, or refuse it for want of money."""
    with store.lock:
        intent = store.get("payment_intent", intent_id)
        if intent["status"] != "processing":
            raise SessionOver(intent_id)
        charge = store.get("charge", intent["latest_charge"])
        if ok:
            succeed(store, intent, charge)
            store.tell("payment_intent.succeeded", intent)
            return
        charge |= {"status": "failed", "failure_code": FAILED_DEBIT, "failure_message": "The account had no money."}
        _fail(store, intent, FAILED_DEBIT, "", charge["id"])


def cancel(store: StripeStore, intent_id: str) -> StripeObject:
    """End an intent that has not been paid; raises `StripeRefusal`."""
    with store.lock:
        intent = store.get("payment_intent", intent_id)
        if intent["status"] in {"succeeded", "processing", "canceled"}:
            raise StripeRefusal(
                400, f"It cannot be canceled: it is {intent['status']}.", code="payment_intent_unexpected_state"
            )
        intent |= {"status": "canceled", "canceled_at": store.seconds(), "cancellation_reason": None}
        intent["next_action"] = None
        store.tell("payment_intent.canceled", intent)
        return intent


def _target_date(store: StripeStore, form: dict[str, Any]) -> str | None:
    options: Any = form.get("payment_method_options") or {}
    said = (options.get("sepa_debit") or {}).get("target_date") if isinstance(options, dict) else None
    if said is None:
        return None
    name = "payment_method_options[sepa_debit][target_date]"
    try:
        ahead = (date.fromisoformat(str(said)) - datetime.fromtimestamp(store.seconds(), UTC).date()).days
    except ValueError as error:
        raise invalid_parameter(name, "it must be a date") from error
    if not SOONEST_DAYS <= ahead <= LATEST_DAYS:
        raise invalid_parameter(name, f"it must be {SOONEST_DAYS} to {LATEST_DAYS} days ahead")
    return str(said)


def _charge(store: StripeStore, intent: StripeObject, method: StripeObject, details: dict[str, Any]) -> StripeObject:
    payer = {name: method["billing_details"][name] for name in ("email", "name")}
    charge = store.add(charge_of(store.new_id("ch_"), store.seconds(), intent, details, payer))
    charge["customer"] = intent["customer"]
    intent["latest_charge"] = charge["id"]
    return charge


def _charge_card(store: StripeStore, intent: StripeObject, method: StripeObject) -> StripeObject:
    card = store.saved_cards[method["id"]]
    if card.always_authenticates:
        raise _declined(store, intent, "authentication_required", "authentication_required", None)
    charge = _charge(store, intent, method, card_details(card, is_authenticated=False))
    if card.code:
        charge |= {"status": "failed", "failure_code": card.code, "failure_message": "The card was declined."}
        raise _declined(store, intent, card.code, card.decline_code, charge["id"])
    succeed(store, intent, charge)
    store.tell("payment_intent.succeeded", intent)
    return intent


def _declined(
    store: StripeStore, intent: StripeObject, code: str, decline_code: str, charge_id: str | None
) -> StripeRefusal:
    _fail(store, intent, code, decline_code, charge_id)
    return StripeRefusal(
        402, f"The card was declined: {decline_code}.", kind="card_error", code=code, is_kept=True,
        more={"decline_code": decline_code, "payment_intent": dict(intent)},
    )  # fmt: skip


def _debit(store: StripeStore, intent: StripeObject, method: StripeObject, given: StripeObject) -> StripeObject:
    account = store.saved_accounts[method["id"]]
    _charge(store, intent, method, debit_details(account, given["id"]))
    intent["status"] = "processing"
    store.tell("payment_intent.processing", intent)
    return intent


def _fail(store: StripeStore, intent: StripeObject, code: str, decline_code: str, charge_id: str | None) -> None:
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    intent["last_payment_error"] = payment_error(code, decline_code, charge_id)
    store.tell("payment_intent.payment_failed", intent)
