"""What payers and their banks do with a session: pay it by card or debit, refuse, let it expire.

Every function holds the store's lock for the whole of its change, so that two tabs cannot both pay.
"""

from __future__ import annotations

from typing import Any, Literal

from coworking.demo.stripe_double.cards import FAILED_DEBIT, TestCard, card_numbered
from coworking.demo.stripe_double.objects import (
    balance_transaction,
    card_details,
    charge_of,
    debit_details,
    payment_error,
    payment_intent,
)
from coworking.demo.stripe_double.refusals import StripeRefusal
from coworking.demo.stripe_double.store import StripeObject, StripeStore

PaymentOutcome = Literal["paid", "processing", "declined", "wants_authentication"]
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"
_FEES = {"card": (150, 25), "sepa_debit": (0, 35)}
"""Invented: so many hundredths of a per cent, and so many cents."""


class SessionOver(Exception):
    """Nobody can pay there any more: the session is complete or has expired."""


def pay_by_card(store: StripeStore, session_id: str, number: str) -> PaymentOutcome:
    """Try to pay with the card of ``number``; a decline leaves the session open."""
    card = card_numbered(number)
    with store.lock:
        session = _open_session(store, session_id)
        intent = _intent_for(store, session)
        intent["payment_method"] = store.new_id("pm_")
        if card.wants_authentication:
            store.cards_to_confirm[intent["id"]] = card
            intent |= {"status": "requires_action", "last_payment_error": None}
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": None, "url": f"{session['url']}/confirm"},
            }
            store.tell("payment_intent.requires_action", intent)
            return "wants_authentication"
        return _charge_card(store, session, intent, card, is_authenticated=False)


def answer_authentication(store: StripeStore, session_id: str, agrees: bool) -> PaymentOutcome:
    """Confirm the payment at the payer's bank, or refuse it."""
    with store.lock:
        session = _open_session(store, session_id)
        intent = store.get("payment_intent", session["payment_intent"] or "")
        card = store.cards_to_confirm.pop(intent["id"], None)
        if card is None:
            return "declined"
        if agrees:
            return _charge_card(store, session, intent, card, is_authenticated=True)
        _fail(store, intent, AUTHENTICATION_FAILED, "", None)
        return "declined"


def pay_by_debit(store: StripeStore, session_id: str, account: str, name: str) -> PaymentOutcome:
    """Give a SEPA mandate: the session is complete, and paid or failed days later (`settle_debit`)."""
    compact = account.replace(" ", "").upper()
    with store.lock:
        session = _open_session(store, session_id)
        intent = _intent_for(store, session)
        intent["payment_method"] = store.new_id("pm_")
        charge = _charge(store, session, intent, debit_details(compact, store.new_id("mandate_")), name)
        intent |= {"status": "processing", "latest_charge": charge["id"], "next_action": None}
        intent["last_payment_error"] = None
        _complete(store, session, "unpaid", name)
        store.tell("payment_intent.processing", intent)
        store.tell("checkout.session.completed", session)
        return "processing"


def settle_debit(store: StripeStore, session_id: str, ok: bool) -> None:
    """Let the bank pay the debit of the session, or refuse it for want of money."""
    with store.lock:
        session = store.get("checkout.session", session_id)
        intent = store.get("payment_intent", session["payment_intent"] or "")
        if intent["status"] != "processing":
            raise SessionOver(session_id)
        charge = store.get("charge", intent["latest_charge"])
        if ok:
            succeed(store, intent, charge)
            session["payment_status"] = "paid"
            store.tell("payment_intent.succeeded", intent)
            store.tell("checkout.session.async_payment_succeeded", session)
        else:
            charge |= {"status": "failed", "failure_code": FAILED_DEBIT, "failure_message": "The account had no money."}
            _fail(store, intent, FAILED_DEBIT, "", charge["id"])
            store.tell("checkout.session.async_payment_failed", session)


def expire(store: StripeStore, session_id: str) -> StripeObject:
    """End an open session; raises `StripeRefusal` 400 for any other."""
    with store.lock:
        session = store.get("checkout.session", session_id)
        if session["status"] != "open":
            raise StripeRefusal(400, f"Only open sessions can be expired; this one is {session['status']}.")
        session |= {"status": "expired", "url": None}
        if session["payment_intent"] is not None:
            intent = store.get("payment_intent", session["payment_intent"])
            store.cards_to_confirm.pop(intent["id"], None)
            intent |= {"status": "canceled", "canceled_at": store.seconds(), "cancellation_reason": "automatic"}
            intent["next_action"] = None
            store.tell("payment_intent.canceled", intent)
        store.tell("checkout.session.expired", session)
        return session


def expire_due(store: StripeStore) -> None:
    """Expire every session whose time is over."""
    with store.lock:
        current = store.seconds()
        due = [held["id"] for held in store.newest_first("checkout.session") if _is_due(held, current)]
        for session_id in due:
            expire(store, session_id)


def _is_due(session: StripeObject, current: int) -> bool:
    return session["status"] == "open" and session["expires_at"] <= current


def _open_session(store: StripeStore, session_id: str) -> StripeObject:
    session = store.get("checkout.session", session_id)
    if session["status"] != "open" or session["expires_at"] <= store.seconds():
        raise SessionOver(session_id)
    return session


def _intent_for(store: StripeStore, session: StripeObject) -> StripeObject:
    """The session's intent, made at the first attempt as Stripe does."""
    if session["payment_intent"] is not None:
        return store.get("payment_intent", session["payment_intent"])
    data = store.intent_data.get(session["id"], {})
    made = payment_intent(store.new_id("pi_"), store.seconds(), session, data, store.new_id(""))
    session["payment_intent"] = made["id"]
    return store.add(made)


def _charge(
    store: StripeStore, session: StripeObject, intent: StripeObject, details: dict[str, Any], name: str | None
) -> StripeObject:
    payer = {"email": session["customer_email"], "name": name}
    return store.add(charge_of(store.new_id("ch_"), store.seconds(), intent, details, payer))


def _charge_card(
    store: StripeStore, session: StripeObject, intent: StripeObject, card: TestCard, *, is_authenticated: bool
) -> PaymentOutcome:
    charge = _charge(store, session, intent, card_details(card, is_authenticated), None)
    intent |= {"latest_charge": charge["id"], "next_action": None}
    if card.code:
        charge |= {"status": "failed", "failure_code": card.code, "failure_message": "The card was declined."}
        _fail(store, intent, card.code, card.decline_code, charge["id"])
        return "declined"
    succeed(store, intent, charge)
    _complete(store, session, "paid", None)
    store.tell("payment_intent.succeeded", intent)
    store.tell("checkout.session.completed", session)
    return "paid"


def fee_of(means: str, cents: int) -> int:
    """What the double takes of a payment of ``cents``."""
    rate, fixed = _FEES[means]
    return (cents * rate + 5_000) // 10_000 + fixed


def succeed(store: StripeStore, intent: StripeObject, charge: StripeObject) -> None:
    """Let the money of ``charge`` arrive, less the fee."""
    means = charge["payment_method_details"]["type"]
    fee = fee_of(means, charge["amount"])
    kind = "charge" if means == "card" else "payment"
    moved = balance_transaction(store.new_id("txn_"), store.seconds(), kind, charge, charge["amount"], fee)
    charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
    charge["balance_transaction"] = store.add(moved)["id"]
    intent |= {"status": "succeeded", "amount_received": charge["amount"], "last_payment_error": None}


def _fail(store: StripeStore, intent: StripeObject, code: str, decline_code: str, charge_id: str | None) -> None:
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    intent["last_payment_error"] = payment_error(code, decline_code, charge_id)
    store.tell("payment_intent.payment_failed", intent)


def _complete(store: StripeStore, session: StripeObject, payment_status: str, name: str | None) -> None:
    session |= {"status": "complete", "payment_status": payment_status, "url": None}
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": session["customer_email"],
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }
