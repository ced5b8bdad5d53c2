"""Tell reminders which invoices a transfer may have paid that nobody matched yet: their payers are not reminded."""

from __future__ import annotations

from coworking.accounting import bank_queries
from coworking.billing.reminder_queries import found_elsewhere


def maybe_paid() -> set[int]:
    """The ids of the invoices that a bank line which waits most likely pays (1 statement where none waits)."""
    waiting = bank_queries.waiting()
    proposed = bank_queries.proposals(waiting)
    return {
        share.invoice.id
        for row in waiting
        for proposal in proposed.get(row.line.id, ())[:1]
        for share in proposal.shares
    }


found_elsewhere.append(maybe_paid)
