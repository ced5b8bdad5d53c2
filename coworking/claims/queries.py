"""Reading claims. Every query reads only the days around one day, however long the history is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select

from coworking.claims.models import Claim, DayVersion
from coworking.claims.rules import LONG
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.spaces.models import Resource

_LONG: ColumnElement[bool] = literal_column("claim.long")
_SHORT: ColumnElement[bool] = literal_column("NOT claim.long")


def overlapping(span: Span) -> ColumnElement[bool]:
    """The condition that a claim's guarded range overlaps ``span``, in a form that indexes can bound from below.

    ``long`` stands bare: SQLite takes the index of long claims only for the very words of that index's condition, and
    without it reads every claim there ever was.
    """
    return overlapping_bounds(span.start, span.end, span.start - LONG)


def bounds(span: Span) -> dict[str, datetime]:
    """The values for ``start``, ``end`` and ``earliest`` in a statement built once with `overlapping_bounds`."""
    return {"start": span.start, "end": span.end, "earliest": span.start - LONG}


def overlapping_bounds(start: Any, end: Any, earliest: Any) -> ColumnElement[bool]:
    """As `overlapping`, of instants or parameters; see `bounds`."""
    return or_(
        and_(_SHORT, Claim.starts_at < end, Claim.starts_at >= earliest, Claim.ends_at > start),
        and_(_LONG, Claim.starts_at < end, Claim.ends_at > start),
    )


def in_force(instant: Any) -> ColumnElement[bool]:
    """The condition that a claim holds its resource at ``instant``: live, and not an expired hold."""
    return and_(Claim.live.is_(True), or_(Claim.expires_at.is_(None), Claim.expires_at > instant))


CANDIDATES = (
    select(Resource)
    .where(
        or_(
            Resource.public_id.in_(bindparam("named", expanding=True)),
            and_(
                Resource.kind.in_(bindparam("kinds", expanding=True)),
                Resource.in_service_from <= bindparam("day"),
                or_(Resource.in_service_until.is_(None), Resource.in_service_until >= bindparam("day")),
            ),
        )
    )
    .order_by(Resource.id)
)
"""The resources that are ``named`` by public id, and all of ``kinds`` in service on ``day``, by id."""


def candidates(named: Collection[str], kinds: Collection[str], day: date) -> list[Resource]:
    """The resources `CANDIDATES` finds, for showing what could be taken; see `claims.services.lock_candidates`."""
    return list(db.session.scalars(CANDIDATES, {"named": list(named), "kinds": list(kinds), "day": day}))


_RESOURCE = Claim.resource_id + 0
_TAKEN = (  # built once: every booking asks it
    select(Claim.resource_id, Claim.starts_at, Claim.ends_at, Claim.holder_kind, Claim.holder_id, Claim.expires_at)
    .where(
        _RESOURCE.in_(bindparam("resources", expanding=True)),
        overlapping_bounds(bindparam("start"), bindparam("end"), bindparam("earliest")),
        Claim.live.is_(True),
    )
    .order_by(_RESOURCE, Claim.starts_at)
)


def taken(resource_ids: Collection[int], span: Span, instant: datetime) -> list[tuple[int, Span, str, int]]:
    """``(resource_id, guarded span, holder kind, holder id)`` of every claim in force that overlaps ``span``."""
    return taken_and_expired(resource_ids, span, instant)[0]


def taken_and_expired(
    resource_ids: Collection[int], span: Span, instant: datetime
) -> tuple[list[tuple[int, Span, str, int]], set[int]]:
    """The same, and the resources with holds that have run out and are in the way until they are released.

    The sum keeps the index by resource out of it: that way would read the whole history of each resource.
    """
    found: list[tuple[int, Span, str, int]] = []
    expired: set[int] = set()
    rows = db.session.execute(_TAKEN, {"resources": list(resource_ids), **bounds(span)})
    for resource, start, end, kind, holder, expires in rows:
        if expires is not None and expires <= instant:
            expired.add(resource)
        else:
            found.append((resource, Span(start, end), kind, holder))
    return found, expired


DAY_VERSION = func.coalesce(
    select(DayVersion.version).where(DayVersion.day == bindparam("day")).scalar_subquery(), literal_column("0")
)
"""The counter of what can be seen on ``day``, 0 before anything happened, for statements that ask more than that."""

_VERSION = select(DAY_VERSION)


def day_version(day: date) -> int:
    """The counter of what can be seen on ``day``; 0 before anything happened."""
    return db.session.scalars(_VERSION, {"day": day}).one()
