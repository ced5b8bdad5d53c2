"""Promise 1 on the live data: read again, row by row, what the guards refuse."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from coworking.claims.models import Claim
from coworking.claims.rules import is_long
from coworking.core.checks import check
from coworking.core.db import db


@check(1, "no resource is taken twice")
def overlaps() -> Iterator[str]:
    previous: Claim | None = None
    statement = select(Claim).where(Claim.live).order_by(Claim.resource_id, Claim.starts_at, Claim.id)
    for claim in db.session.scalars(statement.execution_options(yield_per=2000)):
        if previous is not None and previous.resource_id == claim.resource_id and previous.ends_at > claim.starts_at:
            yield f"claims {previous.id} and {claim.id} both hold resource {claim.resource_id} at {claim.starts_at}"
        if previous is None or previous.resource_id != claim.resource_id or previous.ends_at < claim.ends_at:
            previous = claim


@check(1, "long claims are marked as long")
def marks() -> Iterator[str]:
    for claim in db.session.scalars(select(Claim).execution_options(yield_per=2000)):
        if claim.long != is_long(claim.guarded):
            yield f"claim {claim.id} is marked {'long' if claim.long else 'short'} and is not"
