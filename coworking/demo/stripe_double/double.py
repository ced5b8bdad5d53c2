"""The double as its tests and the demo hold it: what it knows, whom it tells, what goes wrong on demand."""

from __future__ import annotations

import threading

from flask import Flask, current_app

from coworking.demo.stripe_double import paying, refunding
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
        """Pay with a test card; a decline leaves the session open."""
        return paying.pay_by_card(self.store, session_id, number)

    def answer_authentication(self, session_id: str, agrees: bool) -> PaymentOutcome:
        """Confirm the payment at the payer's bank, or refuse it."""
        return paying.answer_authentication(self.store, session_id, agrees)

    def pay_by_debit(self, session_id: str, account: str = GOOD_IBAN, name: str = "Camille Roux") -> PaymentOutcome:
        """Give a SEPA mandate: processing until `settle_debit`."""
        outcome = paying.pay_by_debit(self.store, session_id, account, name)
        if self._settles_after_s is not None:
            timer = threading.Timer(
                self._settles_after_s, self._settle_unless_done, (session_id, debit_succeeds(account))
            )
            timer.daemon = True
            timer.start()
        return outcome

    # What banks and Stripe do later

    def settle_debit(self, session_id: str, ok: bool) -> None:
        """Let the bank pay a debit, or refuse it (``insufficient_funds``)."""
        paying.settle_debit(self.store, session_id, ok)

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

    def session_ids(self) -> list[str]:
        """The ids of all sessions, newest first."""
        with self.store.lock:
            return [session["id"] for session in self.store.newest_first("checkout.session")]

    def events(self, kind: str = "") -> list[StripeObject]:
        """The events so far, oldest first; ``kind``: of this type only."""
        with self.store.lock:
            found = [event for event in self.store.newest_first("event") if kind in ("", event["type"])]
        return found[::-1]

    def _settle_unless_done(self, session_id: str, ok: bool) -> None:
        try:
            self.settle_debit(session_id, ok)
        except SessionOver:
            return


def this_double() -> StripeDouble:
    """The double that the current request is for."""
    return current_app.extensions["stripe_double"]
