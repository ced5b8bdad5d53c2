"""Promises 1 and 3 on the live data: who has a place has it to the exclusion of everyone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sqlalchemy import select

from coworking.claims.models import Claim
from coworking.core.checks import check
from coworking.core.db import db
from coworking.residents.models import Residency, ResidentPlace
from coworking.residents.rules import span_of
from coworking.spaces import queries as spaces


@check(1, "an assigned place is taken for its resident on all of its days, and on no other")
def claimed() -> Iterator[str]:
    lieu = spaces.lieu_or_none()
    if lieu is None:
        return
    claims = dict[int, list[Claim]]()
    for claim in db.session.scalars(select(Claim).where(Claim.holder_kind == "resident", Claim.live)):
        claims.setdefault(claim.holder_id, []).append(claim)
    rows = db.session.execute(
        select(ResidentPlace, Residency.withdrawn_at).join(ResidentPlace.residency).order_by(ResidentPlace.id)
    )
    for place, withdrawn_at in rows:
        held = claims.pop(place.id, [])
        wanted = (
            [] if withdrawn_at is not None else [(place.resource_id, span_of(place.first_day, place.last_day, lieu.tz))]
        )
        if [(one.resource_id, one.guarded) for one in held] != wanted or any(one.expires_at for one in held):
            yield f"resident place {place.id}: its claims are not those of its days"
    for holder in sorted(claims):
        yield f"a claim is held by resident place {holder}, which is not there"


@check(3, "an assigned place follows itself without a gap, within what was agreed")
def places() -> Iterator[str]:
    for row in db.session.scalars(select(Residency).order_by(Residency.id).execution_options(yield_per=500)):
        steps = list(row.places)
        if not steps or steps[0].first_day != row.first_day or steps[-1].last_day != row.last_day:
            yield f"residency {row.id}: its places do not last as long as it does"
        for one, following in pairwise(steps):
            if one.last_day is None or (following.first_day - one.last_day).days != 1:
                yield f"residency {row.id}: its places leave a gap, or overlap"
