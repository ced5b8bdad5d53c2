"""What follows at the bank when a payment provider tells that a payout failed."""

from __future__ import annotations

from coworking.accounting import bank_matching
from coworking.billing import payout_queries, payouts
from coworking.core import outbox
from coworking.core.formats import money


@outbox.handler(payouts.FAILED)
def payout_failed(job: outbox.Job) -> None:
    """Let the bank line wait again that counted as the payout, and tell a manager that the money did not arrive."""
    bank_matching.undo_failed_payout(job.payload["payout"])
    payout = payout_queries.payout_named(job.payload["payout"])
    raise outbox.GiveUp(
        f"the payout of {money(payout.cents, payout.currency)} by {payout.gateway} was sent back ({payout.reason}): "
        "look at the bank account that is set there"
    )
