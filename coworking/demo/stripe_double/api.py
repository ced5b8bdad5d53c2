"""Stripe's HTTP API, as far as the double knows it."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from coworking.core.clock import now
from coworking.demo.stripe_double import listing, off_session, opening, paying, refunding, saving
from coworking.demo.stripe_double.double import StripeDouble, this_double
from coworking.demo.stripe_double.form_data import read_form
from coworking.demo.stripe_double.objects import account_named, payment_method_configuration
from coworking.demo.stripe_double.refusals import StripeRefusal
from coworking.demo.stripe_double.store import StripeObject

blueprint = Blueprint("api", __name__, url_prefix="/v1")

FormValues = dict[str, Any]


def _route(
    method: str, rule: str, *parameters: str
) -> Callable[[Callable[..., StripeObject]], Callable[..., StripeObject]]:
    """Answer ``method`` on ``rule`` by a function of the double, the form (only ``parameters``) and the ids of the path."""
    allowed = {"expand[]", *parameters}

    def register(handler: Callable[..., StripeObject]) -> Callable[..., StripeObject]:
        def view(**ids: str) -> Response:
            return _answer(handler, allowed, ids)

        blueprint.add_url_rule(rule, handler.__name__, view, methods=[method])
        return handler

    return register


def _answer(handler: Callable[..., StripeObject], allowed: set[str], ids: dict[str, str]) -> Response:
    double, call = this_double(), f"{request.method} {request.path}"
    if (canned := double.faults.canned(call)) is not None:
        status, body, kind = canned
        return _response(status, body, kind)
    try:
        double.faults.check_key(request.headers.get("Authorization", ""))
        double.expire_due()
        status, body = _once(double, handler, allowed, ids)
    except StripeRefusal as refusal:
        status, body = refusal.status, json.dumps(refusal.body())
    double.faults.wait(call)
    if double.faults.loses(call):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return _response(status, body)


def _once(
    double: StripeDouble, handler: Callable[..., StripeObject], allowed: set[str], ids: dict[str, str]
) -> tuple[int, str]:
    """The answer; of a POST with an idempotency key the same one for a day."""
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    pairs = list((request.form if request.method == "POST" else request.args).items(multi=True))
    if key and (stored := double.replays.begin(key, request.path, pairs, now())) is not None:
        return stored
    try:
        form = read_form(pairs, allowed)
        paths = form.pop("expand", [])
        held = handler(double, form, **ids)
        answer = 200, json.dumps(double.store.expanded(held, paths))
    except StripeRefusal as refusal:
        if not refusal.is_kept:
            if key:
                double.replays.abandon(key)
            raise
        answer = refusal.status, json.dumps(refusal.body())
    except BaseException:
        if key:
            double.replays.abandon(key)
        raise
    if key:
        double.replays.finish(key, answer)
    return answer


def _response(status: int, body: str, kind: str = "application/json") -> Response:
    response = Response(body, status, content_type=kind)
    response.headers["Request-Id"] = f"req_{secrets.token_hex(7)}"
    return response


# The routes -----------------------------------------------------------------------------------------------------------


@_route("GET", "/account")
def account(double: StripeDouble, form: FormValues) -> StripeObject:
    return account_named(double.account_name, double.began_at)


@_route("GET", "/payment_method_configurations", "limit")
def payment_method_configurations(double: StripeDouble, form: FormValues) -> StripeObject:
    return {"object": "list", "data": [payment_method_configuration()], "has_more": False, "url": request.path}


@_route("POST", "/checkout/sessions", *opening.SESSION_PARAMETERS)
def create_session(double: StripeDouble, form: FormValues) -> StripeObject:
    return opening.open_session(double.store, form, request.host_url)


@_route("GET", "/checkout/sessions", *listing.PAGING, "payment_intent", "status")
def sessions(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "checkout.session", form, ("payment_intent", "status"))


@_route("GET", "/checkout/sessions/<session_id>")
def session(double: StripeDouble, form: FormValues, session_id: str) -> StripeObject:
    return double.store.get("checkout.session", session_id)


@_route("POST", "/checkout/sessions/<session_id>/expire")
def expire_session(double: StripeDouble, form: FormValues, session_id: str) -> StripeObject:
    return paying.expire(double.store, session_id)


@_route("POST", "/customers", *saving.CUSTOMER_PARAMETERS)
def create_customer(double: StripeDouble, form: FormValues) -> StripeObject:
    return saving.create_customer(double.store, form)


@_route("GET", "/customers", *listing.PAGING, "email")
def customers(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "customer", form, ("email",))


@_route("GET", "/customers/<customer_id>")
def customer(double: StripeDouble, form: FormValues, customer_id: str) -> StripeObject:
    return double.store.get("customer", customer_id)


@_route("GET", "/customers/<customer_id>/payment_methods", *listing.PAGING, "type")
def customer_payment_methods(double: StripeDouble, form: FormValues, customer_id: str) -> StripeObject:
    double.store.get("customer", customer_id)
    return listing.page(
        double.store, "payment_method", form, ("type",), lambda method: method["customer"] == customer_id
    )


@_route("GET", "/setup_intents", *listing.PAGING, "customer", "payment_method")
def setup_intents(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "setup_intent", form, ("customer", "payment_method"))


@_route("GET", "/setup_intents/<intent_id>")
def setup_intent(double: StripeDouble, form: FormValues, intent_id: str) -> StripeObject:
    return double.store.get("setup_intent", intent_id)


@_route("GET", "/mandates/<mandate_id>")
def mandate(double: StripeDouble, form: FormValues, mandate_id: str) -> StripeObject:
    return double.store.get("mandate", mandate_id)


@_route("GET", "/payment_methods/<method_id>")
def payment_method(double: StripeDouble, form: FormValues, method_id: str) -> StripeObject:
    return double.store.get("payment_method", method_id)


@_route("POST", "/payment_methods/<method_id>/detach")
def detach(double: StripeDouble, form: FormValues, method_id: str) -> StripeObject:
    return saving.detach(double.store, method_id)


@_route("POST", "/payment_intents", *off_session.INTENT_PARAMETERS)
def create_payment_intent(double: StripeDouble, form: FormValues) -> StripeObject:
    return double.charge_saved(form)


@_route("POST", "/payment_intents/<intent_id>/cancel")
def cancel_payment_intent(double: StripeDouble, form: FormValues, intent_id: str) -> StripeObject:
    return off_session.cancel(double.store, intent_id)


@_route("GET", "/payment_intents", *listing.PAGING, "customer")
def payment_intents(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "payment_intent", form, ("customer",))


@_route("GET", "/payment_intents/<intent_id>")
def payment_intent(double: StripeDouble, form: FormValues, intent_id: str) -> StripeObject:
    return double.store.get("payment_intent", intent_id)


@_route("GET", "/charges/<charge_id>")
def charge(double: StripeDouble, form: FormValues, charge_id: str) -> StripeObject:
    return double.store.get("charge", charge_id)


@_route("POST", "/refunds", "charge", "payment_intent", "amount", "reason", "metadata.*")
def create_refund(double: StripeDouble, form: FormValues) -> StripeObject:
    return refunding.refund_charge(double.store, form)


@_route("GET", "/refunds", *listing.PAGING, "charge", "payment_intent")
def refunds(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "refund", form, ("charge", "payment_intent"))


@_route("GET", "/refunds/<refund_id>")
def refund(double: StripeDouble, form: FormValues, refund_id: str) -> StripeObject:
    return double.store.get("refund", refund_id)


@_route("GET", "/disputes", *listing.PAGING, "charge", "payment_intent")
def disputes(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "dispute", form, ("charge", "payment_intent"))


@_route("GET", "/disputes/<dispute_id>")
def dispute(double: StripeDouble, form: FormValues, dispute_id: str) -> StripeObject:
    return double.store.get("dispute", dispute_id)


@_route("GET", "/events", *listing.PAGING, "type", "types[]", "delivery_success")
def events(double: StripeDouble, form: FormValues) -> StripeObject:
    kinds, wanted = form.pop("types", None), form.pop("delivery_success", None)
    arrived = double.notifications.arrived_ids()
    return listing.page(
        double.store,
        "event",
        form,
        ("type",),
        lambda event: (
            (not kinds or event["type"] in kinds) and (wanted is None or (wanted == "true") == (event["id"] in arrived))
        ),
    )


@_route("GET", "/balance_transactions", *listing.PAGING, "source", "type", "payout")
def balance_transactions(double: StripeDouble, form: FormValues) -> StripeObject:
    payout = form.pop("payout", None)
    if payout is not None:
        double.store.get("payout", payout, "payout")
    return listing.page(
        double.store,
        "balance_transaction",
        form,
        ("source", "type"),
        lambda moved: payout is None or double.store.paid_out.get(moved["id"]) == payout,
    )


@_route("GET", "/payouts", *listing.PAGING, "status", "destination")
def payouts(double: StripeDouble, form: FormValues) -> StripeObject:
    return listing.page(double.store, "payout", form, ("status", "destination"))


@_route("GET", "/payouts/<payout_id>")
def payout(double: StripeDouble, form: FormValues, payout_id: str) -> StripeObject:
    return double.store.get("payout", payout_id)
