"""What Stripe transfers to the lieu's bank: of which movements it consists, whether it arrived or was sent back."""

from __future__ import annotations

from coworking.demo.stripe_double.objects import balance_transaction, payout_of
from coworking.demo.stripe_double.store import StripeObject, StripeStore

ARRIVES_AFTER_S = 3 * 86_400


class NothingToPayOut(Exception):
    """The balance is empty."""


def pay_out(store: StripeStore, *, is_automatic: bool = True, cents: int | None = None) -> StripeObject:
    """Transfer the balance, or ``cents`` of it by hand; an automatic payout says of what it consists.

    ``in_transit`` until `settle_payout`. Raises `NothingToPayOut`.
    """
    with store.lock:
        waiting = [row for row in store.newest_first("balance_transaction") if row["id"] not in store.paid_out]
        amount: int = sum(row["net"] for row in waiting) if cents is None else cents
        if not amount:
            raise NothingToPayOut
        created = store.seconds()
        arrives = (created + ARRIVES_AFTER_S) // 86_400 * 86_400
        payout = store.add(payout_of(store.new_id("po_"), created, arrives, amount, is_automatic))
        moved = _move(store, payout, "payout", -amount)
        payout["balance_transaction"] = moved["id"]
        store.paid_out |= dict.fromkeys([moved["id"], *(row["id"] for row in waiting if is_automatic)], payout["id"])
        store.tell("payout.created", payout)
        return payout


def settle_payout(store: StripeStore, payout_id: str, ok: bool) -> None:
    """Let a payout arrive, or let the bank send it back, also days after it had arrived: the balance has it again."""
    with store.lock:
        payout = store.get("payout", payout_id)
        if payout["automatic"] and payout["reconciliation_status"] == "in_progress":
            payout["reconciliation_status"] = "completed"
            store.tell("payout.reconciliation_completed", payout)
        if ok:
            payout["status"] = "paid"
            store.tell("payout.paid", payout)
            return
        payout |= {
            "status": "failed",
            "failure_code": "account_closed",
            "failure_message": "The bank account has been closed.",
            "failure_balance_transaction": _move(store, payout, "payout_failure", payout["amount"])["id"],
        }
        store.tell("payout.failed", payout)


def charge_fee(store: StripeStore, cents: int) -> StripeObject:
    """Let Stripe take a fee that is for no single payment."""
    with store.lock:
        source = {"id": None, "currency": "eur", "description": "Radar"}
        return store.add(balance_transaction(store.new_id("txn_"), store.seconds(), "stripe_fee", source, -cents, 0))


def move_otherwise(store: StripeStore, cents: int) -> StripeObject:
    """Let something else move the balance: a contribution, a reserve."""
    with store.lock:
        source = {"id": None, "currency": "eur", "description": "Climate"}
        return store.add(balance_transaction(store.new_id("txn_"), store.seconds(), "contribution", source, cents, 0))


def _move(store: StripeStore, payout: StripeObject, kind: str, cents: int) -> StripeObject:
    return store.add(balance_transaction(store.new_id("txn_"), store.seconds(), kind, payout, cents, 0))
