"""The only writer of claims. Everything here runs inside the caller's unit, except `release_expired`.

Taking locks the resources first, in id order: the constraint alone never double-books, but makes crowds deadlock. The
constraint stays the backstop that nobody can pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache

from sqlalchemy import Insert, bindparam, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from coworking.claims import queries
from coworking.claims.models import Claim, DayVersion
from coworking.claims.rules import ClaimConflict, Wanted, is_long
from coworking.core import guards
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.sql import table_of, upsert
from coworking.core.units import for_update, locked, require_unit, write_unit
from coworking.spaces.models import Resource


def lock_resources(ids: Collection[int]) -> dict[int, Resource]:
    """The resources with ``ids``, locked in id order and freshly read."""
    rows = db.session.scalars(locked(select(Resource).where(Resource.id.in_(ids)).order_by(Resource.id)))
    return {row.id: row for row in rows}


_CANDIDATES = for_update(queries.CANDIDATES)  # built once: every booking carries it out


def lock_candidates(named: Collection[str], kinds: Collection[str], day: date) -> list[Resource]:
    """The resources ``named`` by public id and all of ``kinds`` in service on ``day``, locked in id order, fresh."""
    require_unit()
    return list(db.session.scalars(_CANDIDATES, {"named": list(named), "kinds": list(kinds), "day": day}))


def release_expired(resource_ids: Collection[int] | None = None) -> int:
    """Release the holds that have run out (of ``resource_ids``, in the open unit; of all, in a unit of its own)."""
    if resource_ids is None:
        with write_unit():
            return _release_expired(None)
    return _release_expired(resource_ids)


# Built once, of tables and not of mapped classes: every booking carries them out. The release speaks in the words of the
# index of running holds, which are few; by resource, a booking would read all that the resource ever was used for.
_TAKE = insert(table_of(Claim))
_RELEASE = (
    update(table_of(Claim))
    .where(literal_column("claim.live"), Claim.expires_at.is_not(None), Claim.expires_at <= bindparam("instant"))
    .values(live=False, released_at=bindparam("instant"))
)
_RELEASE_OF = _RELEASE.where((Claim.resource_id + 0).in_(bindparam("resources", expanding=True)))


def _release_expired(resource_ids: Collection[int] | None) -> int:
    if resource_ids is None:
        return db.session.execute(_RELEASE, {"instant": now()}).rowcount  # type: ignore[attr-defined] - as below
    values = {"instant": now(), "resources": list(resource_ids)}
    return db.session.execute(_RELEASE_OF, values).rowcount  # type: ignore[attr-defined] - a cursor result has one


def take(
    wanted: Sequence[Wanted],
    *,
    holder: tuple[str, int],
    expires_at: datetime | None = None,
    none_expired: bool = False,
) -> None:
    """Take all of ``wanted`` for ``holder`` (kind, id), or raise `ClaimConflict` and take none.

    The caller has locked the resources (`lock_resources`) and looked; the database looks again and has the last word.
    ``expires_at`` makes them holds. ``none_expired``: the caller has seen that no hold which ran out is in the way.
    """
    require_unit()
    if not none_expired:
        release_expired({want.resource_id for want in wanted})
    instant = now()
    rows = [
        {
            "resource_id": want.resource_id,
            "holder_kind": holder[0],
            "holder_id": holder[1],
            "starts_at": want.guarded.start,
            "ends_at": want.guarded.end,
            "use_starts_at": want.use.start,
            "use_ends_at": want.use.end,
            "long": is_long(want.guarded),
            "expires_at": expires_at,
            "created_at": instant,
        }
        for want in wanted
    ]
    with _conflicts():
        db.session.flush()  # what was released in this unit goes first
        db.session.execute(_TAKE, rows)


def release(claims: Iterable[Claim], *, held_until: datetime | None = None) -> None:
    """Give ``claims`` back: at once, or as a hold that anyone may release after ``held_until`` (time for an undo)."""
    require_unit()
    for claim in claims:
        if held_until is None:
            claim.live = False
            claim.released_at = now()
        else:
            claim.expires_at = held_until
    with _conflicts():
        db.session.flush()


def restore(claims: Iterable[Claim]) -> bool:
    """Turn holds that have not run out back into firm claims; False (and nothing done) when one is lost."""
    require_unit()
    claims = list(claims)
    instant = now()
    if not all(claim.live and claim.expires_at is not None and claim.expires_at > instant for claim in claims):
        return False
    for claim in claims:
        claim.expires_at = None
    return True


def take_again(claims: Iterable[Claim]) -> None:
    """Make released ``claims`` firm again, as they were; `ClaimConflict` where somebody else has that time by now."""
    require_unit()
    claims = list(claims)
    release_expired({claim.resource_id for claim in claims})
    for claim in claims:
        claim.live, claim.released_at = True, None
    with _conflicts():
        db.session.flush()


def end_early(claims: Iterable[Claim], at: datetime) -> None:
    """Free what lies after ``at`` of claims that are in use, the time for tidying up kept behind it; a claim that has
    not begun is released whole."""
    require_unit()
    for claim in claims:
        if claim.use_starts_at >= at:
            claim.live, claim.released_at = False, now()
        elif claim.use_ends_at > at:
            claim.ends_at -= claim.use_ends_at - at
            claim.use_ends_at = at
            claim.long = is_long(claim.guarded)
    with _conflicts():
        db.session.flush()


def extend(claims: Iterable[Claim], until: datetime) -> None:
    """Let claims that end before ``until`` last until then; `ClaimConflict` where somebody else has that time."""
    require_unit()
    for claim in claims:
        if claim.use_ends_at < until:
            claim.ends_at += until - claim.use_ends_at
            claim.use_ends_at = until
            claim.long = is_long(claim.guarded)
    with _conflicts():
        db.session.flush()


def touch(*days: date) -> None:
    """Tell the pages that show ``days`` that something changed there. Last in a unit: counters are locked last.

    The database itself raises the versions of days on which a claim, a booking's title or an outcome changes, one after
    the other. This is for other changes, and for units that change several days: locked in order, they never wait for
    each other in a circle.
    """
    require_unit()
    statement = _touching(db.engine.dialect.name)
    for day in sorted(set(days)):
        db.session.execute(statement, {"day": day})


@cache
def _touching(_dialect: str) -> Insert:
    values = {"day": bindparam("day"), "version": 1}
    return upsert(DayVersion, ["day"], values, {"version": DayVersion.version + 1})


@contextmanager
def _conflicts() -> Iterator[None]:
    """Read a guard's refusal as a conflict."""
    try:
        yield
    except IntegrityError as error:
        if guards.refused_by(error) == "claim_overlap":
            raise ClaimConflict() from error
        raise
