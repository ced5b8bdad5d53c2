"""Reading the lieu, its resources and its days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from flask import g
from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.util import identity_key

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import use_zone
from coworking.core.page_versions import Keep, lieu_version
from coworking.core.place import NotSetUp
from coworking.core.timespan import Span, local_date, local_dates
from coworking.spaces.models import Closure, Lieu, LieuDay, Resource, Schedule, Zone
from coworking.spaces.rules import Closing, HalfDay, Opening, half_days, usual_minutes

_LIEU = identity_key(Lieu, 1)
_kept_lieux, _kept_places = Keep[Lieu](8), Keep[list["PlainResource"]](8)


def lieu_or_none() -> Lieu | None:
    """The lieu, or None before it is set up. Instants are shown in its zone from then on.

    What a worker keeps under the lieu's version is for reading; a unit that has locked the lieu sees its own, which alone
    can be changed.
    """
    version = lieu_version()
    found = db.session.identity_map.get(_LIEU) or (_kept_lieux.get(version) if version is not None else None)
    if found is None:
        found = db.session.get(Lieu, 1)
        g.lieu = found  # the session forgets what nobody holds
        if found is not None and version is not None:
            db.session.expunge(found)
            _kept_lieux.put(version, found)
    if found is not None:
        use_zone(found.tz)
    return found


def lieu() -> Lieu:
    """The lieu; raises `NotSetUp` before there is one."""
    found = lieu_or_none()
    if found is None:
        raise NotSetUp()
    return found


def today() -> date:
    """The date on the lieu's wall calendar."""
    return local_date(now(), lieu().tz)


def zones() -> list[Zone]:
    """Every zone in order, with all its resources, retired ones included."""
    return list(db.session.scalars(select(Zone).options(selectinload(Zone.resources)).order_by(Zone.position, Zone.id)))


def zone_by_public_id(public_id: str) -> Zone:
    """The zone; raises `NotFound`."""
    found = db.session.scalar(select(Zone).where(Zone.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def resources(kind: str | None = None, day: date | None = None) -> list[Resource]:
    """Resources with their zones, in the order people see: of ``kind``, and in service on ``day``, when given."""
    statement = (
        select(Resource)
        .join(Resource.zone)
        .options(joinedload(Resource.zone))
        .order_by(Zone.position, Zone.id, Resource.position, Resource.id)
    )
    if kind is not None:
        statement = statement.where(Resource.kind == kind)
    if day is not None:
        statement = statement.where(_in_service(day))
    return list(db.session.scalars(statement))


def _in_service(day: Any) -> ColumnElement[bool]:
    return and_(
        Resource.in_service_from <= day, or_(Resource.in_service_until.is_(None), Resource.in_service_until >= day)
    )


class PlainResource(NamedTuple):
    """A resource as plain values that outlive the session."""

    id: int
    public_id: str
    name: str
    kind: str
    seats: int
    zone_id: int
    zone_name: str
    in_service_from: date
    in_service_until: date | None


_PLACES = (
    select(
        Resource.id,
        Resource.public_id,
        Resource.name,
        Resource.kind,
        Resource.seats,
        Resource.zone_id,
        Zone.name,
        Resource.in_service_from,
        Resource.in_service_until,
    )
    .join(Resource.zone)
    .order_by(Zone.position, Zone.id, Resource.position, Resource.id)
)


def places(day: date) -> list[PlainResource]:
    """The resources in service on ``day``, in the order people see: a statement once per version of the lieu.

    In a unit always a statement: while it waited for a lock others may have changed them, and its version is older.
    """
    version = lieu_version() if "unit" not in db.session.info else None
    every = _kept_places.get(version) if version is not None else None
    if every is None:
        every = [PlainResource(*row) for row in db.session.execute(_PLACES)]
        if version is not None:
            _kept_places.put(version, every)
    return [
        place
        for place in every
        if place.in_service_from <= day and (place.in_service_until is None or day <= place.in_service_until)
    ]


def resource_by_public_id(public_id: str) -> Resource:
    """The resource with its zone; raises `NotFound`."""
    found = db.session.scalar(
        select(Resource).options(joinedload(Resource.zone)).where(Resource.public_id == public_id)
    )
    if found is None:
        raise NotFound()
    return found


# What every booking asks is built once: building a statement costs more than carrying it out.
_DAYS = (
    select(LieuDay)
    .options(joinedload(LieuDay.open_spans))
    .where(LieuDay.day.between(bindparam("first"), bindparam("last")))
    .order_by(LieuDay.day)
)


def days(first: date, last: date) -> dict[date, LieuDay]:
    """The days from ``first`` to ``last`` inclusive that are known, with their open spans: one statement."""
    return {row.day: row for row in db.session.scalars(_DAYS, {"first": first, "last": last}).unique()}


def day(on: date) -> LieuDay:
    """That day; raises `NotFound` outside what is known (long ago, or beyond the horizon)."""
    found = days(on, on).get(on)
    if found is None:
        raise NotFound()
    return found


def known_days(first: date, last: date) -> list[LieuDay]:
    """Each day from ``first`` to ``last``; raises `NotFound` where one is not known: one statement."""
    found = list(days(first, last).values())
    if len(found) <= (last - first).days:
        raise NotFound()
    return found


def dates_of(span: Span) -> tuple[date, ...]:
    """The dates on the lieu's wall calendar in which some of ``span`` lies."""
    return local_dates(span, lieu().tz)


def half_days_between(first: date, last: date) -> dict[date, dict[str, HalfDay]]:
    """Of each known day the halves (``am``, ``pm``) its weekly hours open, whether offered or not (3 statements)."""
    known, dated = days(first, last), schedules()
    return {on: half_days(row, _usual(dated, on)) for on, row in known.items()}


def _usual(dated: Sequence[Schedule], on: date) -> dict[str, int]:
    schedule = in_force(dated, on)
    return usual_minutes(openings(schedule), on.weekday(), schedule.split_minute) if schedule else {}


def schedules() -> list[Schedule]:
    """Every dated schedule with its hours, oldest first."""
    return list(db.session.scalars(select(Schedule).order_by(Schedule.valid_from)))


def in_force(dated: Iterable[Schedule], on: date) -> Schedule | None:
    """The schedule of ``dated`` that rules on ``on``: the latest that has begun."""
    return max((s for s in dated if s.valid_from <= on), key=lambda s: s.valid_from, default=None)


def schedule_on(on: date) -> Schedule | None:
    """The schedule in force on ``on``; None before the first one."""
    return db.session.scalar(
        select(Schedule).where(Schedule.valid_from <= on).order_by(Schedule.valid_from.desc()).limit(1)
    )


def openings(schedule: Schedule) -> list[Opening]:
    """The hours of ``schedule`` as plain values for the rules."""
    return [Opening(row.weekday, row.layer, row.opens, row.closes) for row in schedule.hours]


def closures_between(first: date, last: date) -> list[Closure]:
    """Closures that touch ``first`` to ``last``, in order."""
    return list(
        db.session.scalars(
            select(Closure)
            .where(Closure.first_day <= last, Closure.last_day >= first)
            .order_by(Closure.first_day, Closure.id)
        )
    )


def closings_between(first: date, last: date) -> list[Closing]:
    """The same as plain values for the rules."""
    return [
        Closing(row.first_day, row.last_day, row.from_minute, row.to_minute, row.reason)
        for row in closures_between(first, last)
    ]


def closure_by_public_id(public_id: str) -> Closure:
    """The closure; raises `NotFound`."""
    found = db.session.scalar(select(Closure).where(Closure.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def last_known_day() -> date | None:
    """The furthest day there is a row for."""
    return db.session.scalar(select(LieuDay.day).order_by(LieuDay.day.desc()).limit(1))
