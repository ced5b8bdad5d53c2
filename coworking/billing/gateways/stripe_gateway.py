"""Stripe: the hosted page of Checkout, and none of its invoices, taxes or e-mails. The only file that imports ``stripe``.

What Stripe answers is checked before it is believed: a proxy in between may answer 200 with anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, urlsplit

import stripe

from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutState,
    CheckoutWanted,
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    Means,
    MoneyBack,
    NotExpirable,
    Notification,
    NotificationInvalid,
    OpenedCheckout,
    RefundFact,
)
from coworking.billing.gateways.stripe_answers import each_row
from coworking.billing.gateways.stripe_answers import plain as _plain
from coworking.billing.gateways.stripe_answers import rows as _rows
from coworking.billing.gateways.stripe_answers import time_said as _instant
from coworking.billing.gateways.stripe_means import INTENT, StripeMeans
from coworking.billing.gateways.stripe_means import METHODS as _METHODS
from coworking.billing.gateways.stripe_money_back import StripeMoneyBack, has_money_back, payment_of
from coworking.billing.gateways.stripe_payouts import StripePayouts
from coworking.core.clock import now

stripe.enable_telemetry = False  # it would write into the home directory, and without one every call would raise

API_VERSION = "2026-10-28.endive"
"""What the SDK speaks; the notification address is registered with the same."""
API = "https://api.stripe.com"
HOSTED = "https://checkout.stripe.com"
TIMEOUT_S = (3.0, 20.0)
"""To connect, and to answer."""
TOLERANCE_S = 300
"""How far from our clock a signed notification may be, either way."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_REFUSALS = (
    stripe.InvalidRequestError,
    stripe.AuthenticationError,
    stripe.PermissionError,
    stripe.CardError,
    stripe.IdempotencyError,
)
"""Stripe understood, and the same call will be refused again."""
_EXPANDED = ["payment_intent.latest_charge"]


class StripeGateway:
    """Stripe under one secret or restricted key. ``api_base``: another address than Stripe's own, for test keys only."""

    name = "stripe"
    least_cents = 50
    refunds_by_key = True

    def __init__(self, secret_key: str, webhook_secret: str | None = None, api_base: str | None = None) -> None:
        if api_base is not None and "_live_" in secret_key:
            raise ValueError("a live key is sent to Stripe's own address only")
        self._secret_key, self._webhook_secret, self._api_base = secret_key, webhook_secret, api_base or API
        origin = urlsplit(self._api_base)
        self.pages = (HOSTED,) if api_base is None else (f"{origin.scheme}://{origin.netloc}",)
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._api_base},
            max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
        )
        self._means = StripeMeans(self._client, self._asked)
        self._money_back = StripeMoneyBack(self._client, self._asked)
        self._payouts = StripePayouts(self._client, self._asked)

    @property
    def saved_means(self) -> StripeMeans:
        return self._means

    @property
    def payouts(self) -> StripePayouts:
        return self._payouts

    @property
    def is_live(self) -> bool:
        return "_live_" in self._secret_key

    def look(self) -> GatewayAccount:
        account = _plain(self._asked(self._client.v1.accounts.retrieve_current), "account")
        found = self._asked(lambda: self._client.v1.payment_method_configurations.list({"limit": 100}))
        enabled: list[Means] = []
        for configuration in (_plain(row, "payment_method_configuration") for row in _rows(found)):
            for method, means in _METHODS.items():
                state = configuration.get(method)
                if isinstance(state, dict) and state.get("available") is True and means not in enabled:
                    enabled.append(means)
        profile = account.get("business_profile")
        named = profile.get("name") if isinstance(profile, dict) else None
        return GatewayAccount(str(named or account["id"]), self.is_live, tuple(enabled))

    def open_checkout(self, wanted: CheckoutWanted) -> OpenedCheckout:
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": wanted.key,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": wanted.currency.lower(),
                        "unit_amount": wanted.cents,
                        "product_data": {"name": wanted.label[:250]},
                    },
                }
            ],
            "payment_intent_data": {"metadata": {"key": wanted.key}, "description": wanted.label[:250]},
            "metadata": {"key": wanted.key},
            "success_url": wanted.return_url,
            "cancel_url": wanted.cancel_url,
            "locale": wanted.locale,
        }
        if wanted.email:
            params["customer_email"] = wanted.email
        if wanted.cards_only:
            params["allowed_payment_method_types"] = ["card"]
        if wanted.ends_at is not None:
            params["expires_at"] = int(wanted.ends_at.timestamp())
        session = _plain(
            self._asked(
                lambda: self._client.v1.checkout.sessions.create(
                    cast(Any, params), {"idempotency_key": f"checkout-{wanted.key}"}
                )
            ),
            "checkout.session",
        )
        if not isinstance(session.get("url"), str):
            raise GatewayUnavailable("Stripe opened a checkout without an address")
        return OpenedCheckout(session["id"], session["url"], _instant(session.get("expires_at")))

    def expire_checkout(self, checkout_id: str) -> None:
        try:
            self._asked(lambda: self._client.v1.checkout.sessions.expire(checkout_id))
        except GatewayRefused as refusal:
            if refusal.code != "400":  # unknown, or the key is refused: nothing is known of the checkout
                raise
            raise NotExpirable(str(refusal)) from refusal

    def fetch(self, checkout_id: str) -> CheckoutFact:
        if checkout_id.startswith(INTENT):
            return self._means.fetch_collection(checkout_id)
        # As plain values at once: objects of the SDK's classes and back cost a tenth of settling a payment.
        path = f"/v1/checkout/sessions/{quote(checkout_id, safe='')}"
        found = self._asked(lambda: self._client.raw_request("get", path, expand=_EXPANDED).data)
        return _fact(_plain(found, "checkout.session"))

    def opened_since(self, instant: datetime) -> Iterator[CheckoutFact]:
        wanted = {
            "created": {"gte": int(instant.timestamp())},
            "expand": [f"data.{path}" for path in _EXPANDED],
        }
        found = each_row(self._asked, self._client.v1.checkout.sessions, wanted, "checkout.session")
        return (_fact(row) for row in found if row.get("mode") == "payment")

    def refund(self, payment_id: str, cents: int, key: str, known: Collection[str]) -> RefundFact:
        return self._money_back.refund(payment_id, cents, key)

    def money_back(self, payment_id: str) -> MoneyBack:
        return self._money_back.money_back(payment_id)

    def money_back_since(self, instant: datetime) -> Iterator[str]:
        return self._money_back.money_back_since(instant)

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        header = headers.get("Stripe-Signature", "")
        try:
            text = body.decode()
            stripe.WebhookSignature.verify_header(text, header, self._webhook_secret)
            sent_at = next(int(part[2:]) for part in header.split(",") if part.startswith("t="))
            event = json.loads(text)
        except (stripe.SignatureVerificationError, ValueError, StopIteration, TypeError, RecursionError) as error:
            raise NotificationInvalid("the signature is not Stripe's, or what it signs cannot be read") from error
        if abs(sent_at - int(now().timestamp())) > TOLERANCE_S:  # the SDK would let the future pass
            raise NotificationInvalid("the notification is not from now")
        if not isinstance(event, dict) or event.get("object") != "event":
            raise NotificationInvalid("this is no event")
        data = event.get("data")
        concerned = data.get("object") if isinstance(data, dict) else None
        concerned = concerned if isinstance(concerned, dict) else {}
        kind, metadata = concerned.get("object"), concerned.get("metadata")
        is_collection = kind == "payment_intent" and isinstance(metadata, dict) and "collection" in metadata
        is_saving = kind == "checkout.session" and concerned.get("mode") == "setup"
        is_checkout = (kind == "checkout.session" and not is_saving) or is_collection
        means = {"payment_method": "id", "mandate": "payment_method"}.get(str(kind))
        return Notification(
            id=_name(event.get("id")),
            kind=_name(event.get("type")),
            checkout_id=_name(concerned.get("id")) if is_checkout else None,
            is_live=event.get("livemode") is True,
            saving_id=_name(concerned.get("id")) if is_saving else None,
            means_id=_name(concerned.get(means)) if means is not None else None,
            payment_id=None if (intent := payment_of(concerned)) is None else _name(intent),
            payout_id=_name(concerned.get("id")) if kind == "payout" else None,
        )

    def _asked(self, call: Callable[[], Any]) -> dict[str, Any]:
        """The answer as plain values; what went wrong as the port's two errors."""
        try:
            answer = call()
        except _REFUSALS as error:
            code = "idempotency_error" if isinstance(error, stripe.IdempotencyError) else error.code
            raise GatewayRefused(code or str(error.http_status), error.user_message or str(error)) from error
        except stripe.StripeError as error:  # no answer, too many calls, 409, 5xx, or a body that is not Stripe's
            raise GatewayUnavailable(str(error)) from error
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            raise GatewayUnavailable("Stripe's answer cannot be read") from error
        plain = answer.to_dict() if hasattr(answer, "to_dict") else answer
        if not isinstance(plain, dict):
            raise GatewayUnavailable("Stripe's answer is not an object")
        return plain


def _name(value: object) -> str:
    """An id or a kind in a notification, fit to be stored."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise NotificationInvalid("this event has no id or no type, or is about nothing")
    return value


def _fact(session: dict[str, Any]) -> CheckoutFact:
    _plain(session, "checkout.session")
    intent = session.get("payment_intent")
    intent = intent if isinstance(intent, dict) else {}
    charge = intent.get("latest_charge")
    details = (charge.get("payment_method_details") or {}) if isinstance(charge, dict) else {}
    state, reason = _state(session, intent)
    cents, currency = session.get("amount_total"), session.get("currency")
    if not isinstance(cents, int) or not isinstance(currency, str):
        raise GatewayUnavailable("Stripe answered a checkout without an amount")
    return CheckoutFact(
        checkout_id=session["id"],
        key=_key(session),
        state=state,
        cents=cents,
        currency=currency.upper(),
        is_live=session.get("livemode") is True,
        means=_METHODS.get(str(details.get("type")), "card") if state in {"paid", "pending"} else None,
        payment_id=intent.get("id"),
        reason=reason,
        has_money_back=isinstance(charge, dict) and has_money_back(charge),
    )


def _key(session: dict[str, Any]) -> str | None:
    """Our key in its metadata. A payer can choose the reference of a payment link, and no metadata."""
    metadata = session.get("metadata")
    key = metadata.get("key") if isinstance(metadata, dict) else None
    return key if isinstance(key, str) else None


def _state(session: dict[str, Any], intent: dict[str, Any]) -> tuple[CheckoutState, str | None]:
    """How a checkout stands, and why it failed. A completed one may still be unpaid: a debit takes days."""
    if session.get("status") == "expired":
        return "expired", None
    if session.get("status") != "complete":
        return "open", None
    if session.get("payment_status") in {"paid", "no_payment_required"}:
        return "paid", None
    if intent.get("status") in {"processing", "requires_capture"}:
        return "pending", None
    if intent.get("status") in {"requires_payment_method", "canceled"}:
        error = intent.get("last_payment_error") or {}
        return "failed", str(error.get("code") or intent.get("cancellation_reason") or "unknown")[:80]
    return "pending", None
