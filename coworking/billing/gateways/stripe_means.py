"""Stripe's saved means: a customer for each, saved in Checkout's setup mode, charged by an intent off session.

A collection's key is in its intent's metadata as ``collection``; the ``key`` of a page to pay on is another name, so that
neither is taken for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, cast

from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutState,
    CollectionWanted,
    GatewayRefused,
    GatewayUnavailable,
    Means,
    MeansFact,
    OpenedSaving,
    SavingFact,
    SavingWanted,
)
from coworking.billing.gateways.stripe_answers import each_row, plain, time_said
from coworking.billing.gateways.stripe_money_back import has_money_back
from coworking.core.clock import now
from coworking.core.months import month_end

METHODS: dict[str, Means] = {"card": "card", "sepa_debit": "debit"}
INTENT = "pi_"
"""How Stripe begins the names of intents; a collection's own name is its intent's."""

_REPLAYED_FOR = timedelta(days=2)
"""Beyond the time for which Stripe remembers a key."""
_SAVED = ["setup_intent.payment_method", "setup_intent.mandate"]

_Asked = Callable[[Callable[[], Any]], dict[str, Any]]


class StripeMeans:
    """Saved means under the keys of a `StripeGateway`: its client, and how it asks."""

    def __init__(self, client: Any, asked: _Asked) -> None:
        self._client, self._asked = client, asked

    def begin_saving(self, wanted: SavingWanted) -> OpenedSaving:
        who: dict[str, Any] = {"name": wanted.name[:250], "metadata": {"key": wanted.key}}
        if wanted.email:
            who["email"] = wanted.email
        customer = plain(
            self._asked(lambda: self._client.v1.customers.create(who, {"idempotency_key": f"customer-{wanted.key}"})),
            "customer",
        )
        params: dict[str, Any] = {
            "mode": "setup",
            "customer": customer["id"],
            "currency": wanted.currency.lower(),
            "allowed_payment_method_types": list(METHODS),
            "client_reference_id": wanted.key,
            "metadata": {"key": wanted.key},
            "setup_intent_data": {"metadata": {"key": wanted.key}, "description": wanted.label[:250]},
            "success_url": wanted.return_url,
            "cancel_url": wanted.cancel_url,
            "locale": wanted.locale,
        }
        session = plain(
            self._asked(
                lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": f"saving-{wanted.key}"})
            ),
            "checkout.session",
        )
        if not isinstance(session.get("url"), str):
            raise GatewayUnavailable("Stripe opened a page without an address")
        return OpenedSaving(customer["id"], session["id"], session["url"], time_said(session.get("expires_at")))

    def fetch_saving(self, checkout_id: str) -> SavingFact:
        session = plain(
            self._asked(lambda: self._client.v1.checkout.sessions.retrieve(checkout_id, {"expand": _SAVED})),
            "checkout.session",
        )
        intent = session.get("setup_intent")
        if session.get("status") == "expired":
            return SavingFact(session["id"], "expired")
        if session.get("status") != "complete" or not isinstance(intent, dict) or intent.get("status") != "succeeded":
            return SavingFact(session["id"], "open")
        mandate = intent.get("mandate")
        return SavingFact(
            session["id"],
            "saved",
            _means(
                plain(intent.get("payment_method"), "payment_method"), plain(mandate, "mandate") if mandate else None
            ),
        )

    def fetch_means(self, means_id: str, mandate_id: str | None) -> MeansFact:
        method = plain(self._asked(lambda: self._client.v1.payment_methods.retrieve(means_id)), "payment_method")
        mandate = None
        if mandate_id is not None:
            mandate = plain(self._asked(lambda: self._client.v1.mandates.retrieve(mandate_id)), "mandate")
        return _means(method, mandate)

    def forget(self, means_id: str) -> None:
        try:
            self._asked(lambda: self._client.v1.payment_methods.detach(means_id))
        except GatewayRefused:
            if self.fetch_means(means_id, None).is_usable:  # else it was detached before
                raise

    def collect(self, wanted: CollectionWanted) -> CheckoutFact:
        params: dict[str, Any] = {
            "amount": wanted.cents,
            "currency": wanted.currency.lower(),
            "customer": wanted.customer_id,
            "payment_method": wanted.means_id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "off_session": True,
            "confirm": True,
            "description": wanted.label[:250],
            "metadata": {"collection": wanted.key},
            "expand": ["latest_charge"],
        }
        if wanted.mandate_id is not None:
            params["mandate"] = wanted.mandate_id
        if wanted.debited_on is not None:
            params["payment_method_options"] = {"sepa_debit": {"target_date": wanted.debited_on.isoformat()}}
        try:
            made = self._asked(
                lambda: self._client.v1.payment_intents.create(params, {"idempotency_key": f"collect-{wanted.key}"})
            )
        except GatewayRefused as refusal:
            if refusal.code == "idempotency_error":  # another worker's call with this key is being carried out
                raise GatewayUnavailable(str(refusal)) from refusal
            declined = self.earlier(wanted.customer_id, now() - _REPLAYED_FOR, wanted.key)
            if declined is None:
                raise
            return declined
        return self._ended(made)

    def fetch_collection(self, intent_id: str) -> CheckoutFact:
        """How a collection stands now, by its intent's name."""
        return self._ended(
            self._asked(lambda: self._client.v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))
        )

    def earlier(self, customer_id: str, since: datetime, key: str) -> CheckoutFact | None:
        wanted = {
            "customer": customer_id,
            "created": {"gte": int(since.timestamp())},
            "expand": ["data.latest_charge"],
        }
        for row in each_row(self._asked, self._client.v1.payment_intents, wanted, "payment_intent"):
            if _key(row) == key:
                return self._ended(row)
        return None

    def _ended(self, answer: object) -> CheckoutFact:
        """The fact of an intent. One that waits for its owner, who is away, is cancelled: nobody could pay it later."""
        intent = plain(answer, "payment_intent")
        if intent.get("status") in {"requires_action", "requires_confirmation"}:
            cancelled = self._asked(
                lambda: self._client.v1.payment_intents.cancel(intent["id"], {"expand": ["latest_charge"]})
            )
            return _fact(plain(cancelled, "payment_intent"), "authentication_required")
        return _fact(intent)


def _means(method: dict[str, Any], mandate: dict[str, Any] | None) -> MeansFact:
    kind = METHODS.get(str(method.get("type")))
    details = method.get(str(method.get("type")))
    if kind is None or not isinstance(details, dict):
        raise GatewayUnavailable("Stripe saved a means that is neither a card nor an account")
    expires_on: date | None = None
    if kind == "card":
        year, month = details.get("exp_year"), details.get("exp_month")
        if not isinstance(year, int) or not isinstance(month, int) or not (2000 <= year <= 9000 and 1 <= month <= 12):
            raise GatewayUnavailable("Stripe saved a card without an expiry")
        expires_on = month_end(date(year, month, 1))
    agreed = ((mandate or {}).get("payment_method_details") or {}).get("sepa_debit") or {}
    return MeansFact(
        means_id=method["id"],
        kind=kind,
        brand=str(details.get("brand" if kind == "card" else "bank_code") or "")[:40],
        last4=str(details.get("last4") or "")[-4:],
        is_usable=method.get("customer") is not None and (mandate or {}).get("status") != "inactive",
        is_live=method.get("livemode") is True,
        expires_on=expires_on,
        mandate_id=mandate["id"] if mandate else None,
        mandate=str(agreed["reference"])[:40] if agreed.get("reference") else None,
    )


def _key(intent: dict[str, Any]) -> str | None:
    metadata = intent.get("metadata")
    key = metadata.get("collection") if isinstance(metadata, dict) else None
    return key if isinstance(key, str) else None


def _fact(intent: dict[str, Any], reason: str | None = None) -> CheckoutFact:
    charge = intent.get("latest_charge")
    details = (charge.get("payment_method_details") or {}) if isinstance(charge, dict) else {}
    cents, currency = intent.get("amount"), intent.get("currency")
    if not isinstance(cents, int) or not isinstance(currency, str):
        raise GatewayUnavailable("Stripe answered an intent without an amount")
    state: CheckoutState = "pending"
    if intent.get("status") == "succeeded":
        state, reason = "paid", None
    elif intent.get("status") in {"requires_payment_method", "canceled"}:
        state, reason = "failed", reason or _why(intent)
    return CheckoutFact(
        checkout_id=intent["id"],
        key=_key(intent),
        state=state,
        cents=cents,
        currency=currency.upper(),
        is_live=intent.get("livemode") is True,
        means=METHODS.get(str(details.get("type"))),
        payment_id=intent["id"],
        reason=reason,
        has_money_back=isinstance(charge, dict) and has_money_back(charge),
    )


def _why(intent: dict[str, Any]) -> str:
    """Why it failed: the bank's own word where it gives one that says more than that it declined."""
    error = intent.get("last_payment_error")
    error = cast(dict[str, Any], error) if isinstance(error, dict) else {}
    said = error.get("decline_code")
    if said in {None, "generic_decline"}:
        said = error.get("code") or intent.get("cancellation_reason")
    return str(said or "unknown")[:80]
