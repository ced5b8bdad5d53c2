"""Promise 3 on the live data: a payout is what it consists of, or says how much of it is not explained."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from coworking.billing import payout_queries
from coworking.billing.payout_models import OnlinePayout
from coworking.core.checks import check
from coworking.core.db import db


@check(3, "a payout comes to what it consists of less the fees, or says how much of it is not explained")
def explained() -> Iterator[str]:
    rows = list(db.session.scalars(select(OnlinePayout).where(OnlinePayout.parts_read_at.is_not(None))))
    found = payout_queries.totals_of(rows)
    for row in rows:
        if found[row.id].unexplained_cents != row.unexplained_cents:
            yield (
                f"online_payout {row.public_id} says that {row.unexplained_cents} of it are not explained, "
                f"and its parts leave {found[row.id].unexplained_cents}"
            )
