"""Opening a session: what the caller may ask for, within Stripe's limits."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from coworking.demo.stripe_double.form_data import texts_by_key, whole_number
from coworking.demo.stripe_double.objects import METHODS, checkout_session, setup_intent
from coworking.demo.stripe_double.refusals import StripeRefusal, invalid_parameter, missing_parameter
from coworking.demo.stripe_double.store import StripeObject, StripeStore

ITEM = "line_items[]"
SESSION_PARAMETERS = {
    "mode",
    "client_reference_id",
    f"{ITEM}.quantity",
    f"{ITEM}.price_data.currency",
    f"{ITEM}.price_data.unit_amount",
    f"{ITEM}.price_data.product_data.name",
    f"{ITEM}.price_data.product_data.description",
    "payment_intent_data.description",
    "payment_intent_data.metadata.*",
    "setup_intent_data.description",
    "setup_intent_data.metadata.*",
    "customer",
    "currency",
    "metadata.*",
    "success_url",
    "cancel_url",
    "locale",
    "customer_email",
    "expires_at",
    "allowed_payment_method_types[]",
    "excluded_payment_method_types[]",
}
"""Of Stripe's parameters those that the double honours."""
LEAST_CENTS, MOST_CENTS = 50, 99_999_999
SHORTEST_S, LONGEST_S = 30 * 60, 24 * 60 * 60


def open_session(store: StripeStore, form: dict[str, Any], base_url: str) -> StripeObject:
    """Open a session whose page is under ``base_url``; raises `StripeRefusal`."""
    if form.get("mode") == "setup":
        return _open_setup(store, form, base_url)
    if form.get("mode") != "payment":
        raise invalid_parameter("mode", "this double takes payments and saves means")
    if "currency" in form or "setup_intent_data" in form:
        raise invalid_parameter("mode", "currency and setup_intent_data are for saving a means")
    current = store.seconds()
    label, cents, currency = _items(form)
    wanted = {
        **_common(form, current),
        "amount_subtotal": cents,
        "amount_total": cents,
        "currency": currency,
        "customer": _customer(store, form) if "customer" in form else None,
        "customer_email": _email(form),
    }
    data: dict[str, Any] = form.get("payment_intent_data") or {}
    session_id = store.new_id("cs_test_")
    intent = {"description": _text(data, "description", 1000), "metadata": texts_by_key(data, "metadata")}
    with store.lock:
        store.intent_data[session_id], store.labels[session_id] = intent, label
        return store.add(checkout_session(session_id, current, f"{base_url}c/pay/{session_id}", wanted, _methods(form)))


def _open_setup(store: StripeStore, form: dict[str, Any], base_url: str) -> StripeObject:
    """A session that takes no money: a card or an account is saved for its customer."""
    if "line_items" in form or "payment_intent_data" in form:
        raise invalid_parameter("line_items", "nothing is paid in setup mode")
    current = store.seconds()
    customer_id = _customer(store, form)
    if form.get("currency") != "eur":
        raise missing_parameter("currency") if "currency" not in form else invalid_parameter("currency", "not eur")
    methods = _methods(form)
    data: dict[str, Any] = form.get("setup_intent_data") or {}
    said = {"description": _text(data, "description", 1000), "metadata": texts_by_key(data, "metadata")}
    session_id = store.new_id("cs_test_")
    with store.lock:
        intent = setup_intent(store.new_id("seti_"), current, customer_id, methods, said, store.new_id(""))
        wanted = {
            **_common(form, current),
            "mode": "setup",
            "amount_subtotal": None,
            "amount_total": None,
            "currency": "eur",
            "customer": customer_id,
            "customer_email": None,
            "payment_status": "no_payment_required",
            "setup_intent": store.add(intent)["id"],
        }
        store.labels[session_id] = said["description"] or ""
        return store.add(checkout_session(session_id, current, f"{base_url}c/pay/{session_id}", wanted, methods))


def _common(form: dict[str, Any], current: int) -> dict[str, Any]:
    """What every session may be told."""
    expires_at = whole_number(form, "expires_at") or current + LONGEST_S
    if not current + SHORTEST_S <= expires_at <= current + LONGEST_S:
        raise invalid_parameter("expires_at", "it must be between 30 minutes and 24 hours from now")
    return {
        "cancel_url": _address(form, "cancel_url") if "cancel_url" in form else None,
        "success_url": _address(form, "success_url"),
        "client_reference_id": _text(form, "client_reference_id", 200),
        "expires_at": expires_at,
        "locale": _text(form, "locale", 10),
        "metadata": texts_by_key(form, "metadata"),
    }


def _customer(store: StripeStore, form: dict[str, Any]) -> str:
    customer_id = form.get("customer")
    if not isinstance(customer_id, str):
        raise missing_parameter("customer")
    return store.get("customer", customer_id, "customer")["id"]


def _items(form: dict[str, Any]) -> tuple[str, int, str]:
    """What is paid for, how much it is in all, and in which currency."""
    items = form.get("line_items")
    if not isinstance(items, list) or not items:
        raise missing_parameter("line_items")
    names: list[str] = []
    total, currencies = 0, set[str]()
    for number, item in enumerate(items):
        price = item.get("price_data") if isinstance(item, dict) else None
        name = (price.get("product_data") or {}).get("name") if isinstance(price, dict) else None
        if not isinstance(item, dict) or not isinstance(price, dict) or not isinstance(name, str) or not name:
            raise missing_parameter(f"line_items[{number}][price_data][product_data][name]")
        unit, quantity = whole_number(price, "unit_amount"), whole_number(item, "quantity")
        if unit is None or quantity is None or unit < 0 or quantity < 1:
            raise invalid_parameter(f"line_items[{number}]", "it needs a unit_amount and a quantity")
        names.append(name[:250])
        total += unit * quantity
        currencies.add(str(price.get("currency")))
    currency = currencies.pop()
    if currencies or currency != "eur":
        raise invalid_parameter("currency", "this account is paid in eur")
    if total < LEAST_CENTS:
        raise StripeRefusal(400, "The amount must be at least 0.50 EUR.", code="amount_too_small")
    if total > MOST_CENTS:
        raise StripeRefusal(400, "The amount must be at most 999,999.99 EUR.", code="amount_too_large")
    return ", ".join(names), total, currency


def _methods(form: dict[str, Any]) -> list[str]:
    allowed = form.get("allowed_payment_method_types") or METHODS
    excluded = form.get("excluded_payment_method_types") or ()
    methods = [method for method in METHODS if method in allowed and method not in excluded]
    if not methods:
        raise invalid_parameter("allowed_payment_method_types", "no enabled payment method is left")
    return methods


def _address(form: dict[str, Any], name: str) -> str:
    address = form.get(name)
    if not isinstance(address, str) or not address:
        raise missing_parameter(name)
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > 5000:
        raise StripeRefusal(400, "Not a valid URL.", code="url_invalid", param=name)
    return address


def _text(form: dict[str, Any], name: str, longest: int) -> str | None:
    text = form.get(name)
    if text is not None and (not isinstance(text, str) or not 0 < len(text) <= longest):
        raise invalid_parameter(name, f"it must have 1 to {longest} characters")
    return text


def _email(form: dict[str, Any]) -> str | None:
    email = _text(form, "customer_email", 512)
    if email is not None and ("@" not in email or " " in email):
        raise StripeRefusal(400, f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    return email
