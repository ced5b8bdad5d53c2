"""Payers' banks that want their money back: disputes of cards, and direct debits returned after they were paid."""

from __future__ import annotations

from typing import Literal

from coworking.demo.stripe_double.objects import balance_transaction, dispute_of
from coworking.demo.stripe_double.store import StripeObject, StripeStore

ANSWERED_WITHIN_S = 14 * 86_400


def dispute_payment(
    store: StripeStore, intent_id: str, cents: int | None = None, reason: str = "fraudulent"
) -> StripeObject:
    """Dispute a payment, in whole or part: the money is withdrawn at once. A debit's return is lost from the start."""
    with store.lock:
        charge = store.get("charge", store.get("payment_intent", intent_id)["latest_charge"])
        wanted: int = charge["amount"] - charge["amount_refunded"] if cents is None else cents
        is_debit = charge["payment_method_details"]["type"] == "sepa_debit"
        created = store.seconds()
        due = None if is_debit else created + ANSWERED_WITHIN_S
        dispute = store.add(dispute_of(store.new_id("du_"), created, charge, wanted, reason, due))
        charge["disputed"] = True
        store.tell("charge.dispute.created", dispute)
        _move(store, dispute, -wanted)
        store.tell("charge.dispute.funds_withdrawn", dispute)
        if is_debit:
            decide(store, dispute["id"], "lost")
        return dispute


def decide(store: StripeStore, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
    """End a dispute; what was won is given back to the account."""
    with store.lock:
        dispute = store.get("dispute", dispute_id)
        dispute["status"] = outcome
        if outcome == "won":
            _move(store, dispute, dispute["amount"])
            store.tell("charge.dispute.funds_reinstated", dispute)
        store.tell("charge.dispute.closed", dispute)


def _move(store: StripeStore, dispute: StripeObject, cents: int) -> None:
    moved = balance_transaction(store.new_id("txn_"), store.seconds(), "adjustment", dispute, cents, 0)
    dispute["balance_transactions"].append(store.add(moved))
