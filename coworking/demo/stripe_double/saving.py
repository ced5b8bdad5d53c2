"""Means that are saved to be charged later: customers, cards and accounts on the hosted page, mandates, detaching."""

from __future__ import annotations

from typing import Any

from coworking.demo.stripe_double.cards import TestCard, card_numbered
from coworking.demo.stripe_double.form_data import texts_by_key
from coworking.demo.stripe_double.objects import customer, mandate, payment_error, payment_method, saved_account
from coworking.demo.stripe_double.objects import saved_card as card_fields
from coworking.demo.stripe_double.paying import AUTHENTICATION_FAILED, PaymentOutcome, SessionOver
from coworking.demo.stripe_double.refusals import StripeRefusal, invalid_parameter
from coworking.demo.stripe_double.store import StripeObject, StripeStore

CUSTOMER_PARAMETERS = ("name", "email", "description", "preferred_locales[]", "metadata.*")


def create_customer(store: StripeStore, form: dict[str, Any]) -> StripeObject:
    """Keep somebody who pays; raises `StripeRefusal`."""
    for name in ("name", "email", "description"):
        if len(str(form.get(name, ""))) > 512:
            raise invalid_parameter(name, "it is too long")
    wanted = {name: form.get(name) for name in ("name", "email", "description")}
    wanted |= {"metadata": texts_by_key(form, "metadata"), "preferred_locales": form.get("preferred_locales") or []}
    with store.lock:
        return store.add(customer(store.new_id("cus_"), store.seconds(), wanted, store.new_id("")[:8].upper()))


def is_saving(store: StripeStore, session_id: str) -> bool:
    """Whether the session saves a means instead of taking money."""
    return store.get("checkout.session", session_id)["mode"] == "setup"


def save_card(store: StripeStore, session_id: str, number: str) -> PaymentOutcome:
    """Try to save the card of ``number``; a decline leaves the session open."""
    card = card_numbered(number)
    with store.lock:
        session, intent = _open(store, session_id)
        if card.wants_authentication:
            store.cards_to_confirm[intent["id"]] = card
            intent |= {"status": "requires_action", "last_setup_error": None}
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": None, "url": f"{session['url']}/confirm"},
            }
            store.tell("setup_intent.requires_action", intent)
            return "wants_authentication"
        return _keep_card(store, session, intent, card)


def answer_authentication(store: StripeStore, session_id: str, agrees: bool) -> PaymentOutcome:
    """Confirm at the bank that the card is saved, or refuse it."""
    with store.lock:
        session, intent = _open(store, session_id)
        card = store.cards_to_confirm.pop(intent["id"], None)
        if card is None:
            return "declined"
        if agrees:
            return _keep_card(store, session, intent, card)
        return _fail(store, intent, AUTHENTICATION_FAILED, "")


def save_account(store: StripeStore, session_id: str, account: str, name: str) -> PaymentOutcome:
    """Give a SEPA mandate for ``account``."""
    compact = account.replace(" ", "").upper()
    with store.lock:
        session, intent = _open(store, session_id)
        kept = _method(store, session, saved_account(compact), name)
        store.saved_accounts[kept["id"]] = compact
        given = mandate(store.new_id("mandate_"), store.seconds(), kept["id"], f"CWK{store.new_id('')[:13].upper()}")
        intent["mandate"] = store.add(given)["id"]
        _succeed(store, session, intent, kept)
        return "paid"


def detach(store: StripeStore, method_id: str) -> StripeObject:
    """Let a saved means be charged no more; raises `StripeRefusal` where it is detached already."""
    with store.lock:
        held = store.get("payment_method", method_id)
        if held["customer"] is None:
            raise StripeRefusal(400, "The payment method you provided is not attached to a customer.")
        held["customer"] = None
        store.tell("payment_method.detached", held)
        for given in store.newest_first("mandate"):
            if given["payment_method"] == method_id and given["status"] == "active":
                given["status"] = "inactive"
                store.tell("mandate.updated", given)
        return held


def revoke_mandate(store: StripeStore, mandate_id: str) -> None:
    """Let the payer's bank end a mandate."""
    with store.lock:
        given = store.get("mandate", mandate_id)
        given["status"] = "inactive"
        store.tell("mandate.updated", given)


def mandate_of(store: StripeStore, method_id: str) -> StripeObject | None:
    """The mandate that was given with an account; None: it is a card."""
    return next((given for given in store.newest_first("mandate") if given["payment_method"] == method_id), None)


def _open(store: StripeStore, session_id: str) -> tuple[StripeObject, StripeObject]:
    session = store.get("checkout.session", session_id)
    if session["status"] != "open" or session["expires_at"] <= store.seconds():
        raise SessionOver(session_id)
    return session, store.get("setup_intent", session["setup_intent"])


def _method(store: StripeStore, session: StripeObject, details: dict[str, Any], name: str | None) -> StripeObject:
    owner = store.get("customer", session["customer"])
    made = payment_method(
        store.new_id("pm_"), store.seconds(), owner["id"], details, name or owner["name"], owner["email"]
    )
    return store.add(made)


def _keep_card(store: StripeStore, session: StripeObject, intent: StripeObject, card: TestCard) -> PaymentOutcome:
    if card.code and not card.fails_once_saved:
        return _fail(store, intent, card.code, card.decline_code)
    kept = _method(store, session, card_fields(card), None)
    store.saved_cards[kept["id"]] = card
    _succeed(store, session, intent, kept)
    return "paid"


def _succeed(store: StripeStore, session: StripeObject, intent: StripeObject, kept: StripeObject) -> None:
    intent |= {"status": "succeeded", "payment_method": kept["id"], "next_action": None, "last_setup_error": None}
    session |= {"status": "complete", "url": None}
    store.tell("setup_intent.succeeded", intent)
    store.tell("checkout.session.completed", session)


def _fail(store: StripeStore, intent: StripeObject, code: str, decline_code: str) -> PaymentOutcome:
    intent |= {"status": "requires_payment_method", "next_action": None}
    intent["last_setup_error"] = payment_error(code, decline_code, None)
    store.tell("setup_intent.setup_failed", intent)
    return "declined"
