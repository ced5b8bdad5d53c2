"""The double as its tests and the demo hold it: what it knows, whom it tells, what goes wrong on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from flask import Flask, current_app

from coworking.demo.stripe_double import disputing, off_session, paying, paying_out, refunding, saving
from coworking.demo.stripe_double.cards import GOOD_CARD, GOOD_IBAN, debit_succeeds
from coworking.demo.stripe_double.faults import Faults
from coworking.demo.stripe_double.notifications import Notifications
from coworking.demo.stripe_double.paying import PaymentOutcome, SessionOver
from coworking.demo.stripe_double.replays import ReplayedAnswers
from coworking.demo.stripe_double.store import StripeObject, StripeStore


class StripeDouble:
    """One account at Stripe. ``settles_after_s``: how long until a debit is paid or fails by itself; None: never."""

    def __init__(
        self,
        app: Flask,
        secret_key: str,
        webhook_secret: str,
        notify_url: str | None,
        account_name: str,
        settles_after_s: float | None,
    ) -> None:
        self.app, self.account_name, self._settles_after_s = app, account_name, settles_after_s
        self.store = StripeStore()
        self.began_at = self.store.seconds()
        self.replays = ReplayedAnswers()
        self.faults = Faults({secret_key})
        self.notifications = Notifications(self.store, notify_url, webhook_secret)
        app.extensions["stripe_double"] = self

    # What a payer does on the hosted page

    def pay_by_card(self, session_id: str, number: str = GOOD_CARD) -> PaymentOutcome:
        """Pay with a test card, or save it where the session is for that; a decline leaves the session open."""
        if saving.is_saving(self.store, session_id):
            return saving.save_card(self.store, session_id, number)
        return paying.pay_by_card(self.store, session_id, number)

    def answer_authentication(self, session_id: str, agrees: bool) -> PaymentOutcome:
        """Confirm the payment or the saving at the payer's bank, or refuse it."""
        if saving.is_saving(self.store, session_id):
            return saving.answer_authentication(self.store, session_id, agrees)
        return paying.answer_authentication(self.store, session_id, agrees)

    def pay_by_debit(self, session_id: str, account: str = GOOD_IBAN, name: str = "Camille Roux") -> PaymentOutcome:
        """Give a SEPA mandate: to pay, which is processing until `settle_debit`, or to be debited later."""
        if saving.is_saving(self.store, session_id):
            return saving.save_account(self.store, session_id, account, name)
        outcome = paying.pay_by_debit(self.store, session_id, account, name)
        self._settle_later(self.settle_debit, session_id, debit_succeeds(account))
        return outcome

    def charge_saved(self, form: dict[str, Any]) -> StripeObject:
        """Charge a saved means; a debit is processing until `settle_collected`."""
        intent = off_session.charge_saved(self.store, form)
        if intent["status"] == "processing":
            account = self.store.saved_accounts[intent["payment_method"]]
            self._settle_later(self.settle_collected, intent["id"], debit_succeeds(account))
        return intent

    # What banks and Stripe do later

    def settle_debit(self, session_id: str, ok: bool) -> None:
        """Let the bank pay a debit, or refuse it (``insufficient_funds``)."""
        paying.settle_debit(self.store, session_id, ok)

    def settle_collected(self, intent_id: str, ok: bool) -> None:
        """Let the bank pay the debit of a saved account, or refuse it (``insufficient_funds``)."""
        off_session.settle(self.store, intent_id, ok)

    def revoke_mandate(self, mandate_id: str) -> None:
        """Let the payer's bank end a mandate."""
        saving.revoke_mandate(self.store, mandate_id)

    def intent_ids(self) -> list[str]:
        """The ids of all payment intents, newest first."""
        with self.store.lock:
            return [intent["id"] for intent in self.store.newest_first("payment_intent")]

    def expire(self, session_id: str) -> StripeObject:
        """End an open session."""
        return paying.expire(self.store, session_id)

    def expire_due(self) -> None:
        """Expire the sessions whose time is over."""
        paying.expire_due(self.store)

    def refund(self, payment_intent: str, cents: int | None = None) -> StripeObject:
        """Refund a payment as a person would in Stripe's dashboard; give the refund."""
        wanted = {"payment_intent": payment_intent} | ({} if cents is None else {"amount": str(cents)})
        return refunding.refund_charge(self.store, wanted)

    def fail_refund(self, refund_id: str) -> None:
        """Let the payer's bank return a refund."""
        refunding.fail_refund(self.store, refund_id)

    def dispute(self, payment_intent: str, cents: int | None = None, reason: str = "fraudulent") -> StripeObject:
        """Let the payer's bank want the money back; give the dispute."""
        return disputing.dispute_payment(self.store, payment_intent, cents, reason)

    def decide(self, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
        """End a dispute."""
        disputing.decide(self.store, dispute_id, outcome)

    def pay_out(self, *, is_automatic: bool = True, cents: int | None = None) -> StripeObject:
        """Transfer the balance to the lieu's bank, or ``cents`` of it by hand; give the payout, which is on its way."""
        return paying_out.pay_out(self.store, is_automatic=is_automatic, cents=cents)

    def settle_payout(self, payout_id: str, ok: bool) -> None:
        """Let a payout arrive, or let the bank send it back."""
        paying_out.settle_payout(self.store, payout_id, ok)

    def charge_fee(self, cents: int) -> StripeObject:
        """Take a fee that is for no single payment."""
        return paying_out.charge_fee(self.store, cents)

    def move_otherwise(self, cents: int) -> StripeObject:
        """Let something move the balance that is neither a payment nor a fee."""
        return paying_out.move_otherwise(self.store, cents)

    def session_ids(self) -> list[str]:
        """The ids of all sessions, newest first."""
        with self.store.lock:
            return [session["id"] for session in self.store.newest_first("checkout.session")]

    def events(self, kind: str = "") -> list[StripeObject]:
        """The events so far, oldest first; ``kind``: of this type only."""
        with self.store.lock:
            found = [event for event in self.store.newest_first("event") if kind in ("", event["type"])]
        return found[::-1]

    def _settle_later(self, settle: Callable[[str, bool], None], object_id: str, ok: bool) -> None:
        """Let the bank answer by itself after a while, where the double was made so."""

        def unless_done() -> None:
            with suppress(SessionOver):
                settle(object_id, ok)

        if self._settles_after_s is not None:
            timer = threading.Timer(self._settles_after_s, unless_done)
            timer.daemon = True
            timer.start()


def this_double() -> StripeDouble:
    """The double that the current request is for."""
    return current_app.extensions["stripe_double"]
