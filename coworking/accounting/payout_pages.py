"""What the pages about payouts show, ready for their templates."""

from __future__ import annotations

from typing import Any

from coworking.accounting import bank_queries
from coworking.billing import payout_queries
from coworking.core.errors import N_
from coworking.core.months import month_before
from coworking.spaces import queries as spaces

PAGE_SIZE = 30
PROVIDERS = {"stripe": "Stripe", "helloasso": "HelloAsso"}
STATES: dict[str, tuple[str, str]] = {
    "under_way": (N_("on its way"), ""),
    "paid": (N_("paid out"), "mine"),
    "failed": (N_("sent back"), "harm"),
}
"""The word for a state, and the kind of its tag."""
KINDS: dict[str, str] = {
    "payment": N_("payment"),
    "refund": N_("refund"),
    "dispute": N_("taken back by a bank"),
    "fee": N_("fee"),
    "returned": N_("earlier payout that came back"),
    "other": N_("something else"),
}


def payouts_page(before: int | None) -> dict[str, Any]:
    """Payouts, the newest first, and what providers took month by month of the last year (4 statements)."""
    rows = payout_queries.payouts(before, limit=PAGE_SIZE)
    first = month_before(spaces.today(), 12)
    return {
        "rows": rows,
        "totals": payout_queries.totals_of(rows),
        "matches": bank_queries.payout_matches([row.id for row in rows]),
        "fees": payout_queries.fees_by_month(first) if before is None else [],
        "following": rows[-1].id if len(rows) == PAGE_SIZE else None,
        "providers": PROVIDERS,
        "states": STATES,
    }


def payout_page(public_id: str) -> dict[str, Any]:
    """One payout and its movements, with the invoices that each is for."""
    row = payout_queries.payout_named(public_id)
    return {
        "row": row,
        "totals": payout_queries.totals_of([row]).get(row.id),
        "match": bank_queries.payout_matches([row.id]).get(row.id),
        "providers": PROVIDERS,
        "states": STATES,
        "kinds": KINDS,
    }
