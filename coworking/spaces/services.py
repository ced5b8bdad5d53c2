"""The manager's use cases: set the lieu up, change its hours and closures.

Each opens its own unit, except `set_up`, which is one half of a larger one. Those that change when the lieu opens
return the days whose opening changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.policy import Actor
from coworking.core.timespan import local_date
from coworking.core.units import require_unit, write_unit
from coworking.spaces import queries
from coworking.spaces.calendar import (
    BEYOND_HORIZON,
    ensure_days,
    extend_horizon,
    freeze_past_days,
    lock_lieu,
    rebuild_ahead,
    rebuild_days,
)
from coworking.spaces.models import (
    DESK,
    ROOM,
    Closure,
    Lieu,
    Resource,
    Schedule,
    ScheduleHours,
    Zone,
)
from coworking.spaces.rules import (
    Closing,
    Opening,
    check_closing,
    check_openings,
    place_of,
)

__all__ = ["ensure_days", "extend_horizon", "freeze_past_days", "rebuild_ahead", "rebuild_days"]


class InThePast(DomainError):
    code = "in_the_past"
    message = N_("This day is over and stays as it was. Choose today or later.")


@dataclass(frozen=True, slots=True)
class SetUp:
    """The answers about the lieu. ``rooms`` are names and seats; zone and desk names are in the manager's language."""

    name: str
    address: str
    postcode: str
    city: str
    legal_status: str
    vat_status: str
    openings: Sequence[Opening]
    desk_names: Sequence[str]
    zone_name: str
    rooms: Sequence[tuple[str, int]] = ()
    rooms_zone_name: str = ""
    split_minute: int = 13 * 60
    siret: str | None = None
    observes_holidays: bool = True
    holiday_area: str | None = None
    is_simulation: bool = False


def set_up(answers: SetUp) -> Lieu:
    """Make the lieu with its hours, spaces and days, in the open unit; raises `NotFound` when there is one already."""
    require_unit()
    check_openings(answers.openings, answers.split_minute)
    own = {f.name: getattr(answers, f.name) for f in fields(answers) if f.name in Lieu.__table__.columns}
    lieu = Lieu(id=1, timezone=place_of(answers.postcode)[1], **own)
    if db.session.get(Lieu, 1) is not None:
        raise NotFound()
    db.session.add(lieu)
    try:
        db.session.flush()
    except IntegrityError as error:  # someone else finished a moment ago
        raise NotFound() from error
    today = local_date(now(), lieu.tz)
    db.session.add(_schedule(today, answers.split_minute, answers.openings))
    desks = Zone(name=answers.zone_name, position=0)
    desks.resources = [
        Resource(kind=DESK, name=name, position=position, in_service_from=today)
        for position, name in enumerate(answers.desk_names)
    ]
    db.session.add(desks)
    if answers.rooms:
        rooms = desks
        if answers.rooms_zone_name and answers.rooms_zone_name != answers.zone_name:
            rooms = Zone(name=answers.rooms_zone_name, position=1)
            db.session.add(rooms)
        rooms.resources += [
            Resource(kind=ROOM, name=name, seats=seats, position=1000 + n, in_service_from=today)
            for n, (name, seats) in enumerate(answers.rooms)
        ]
    db.session.flush()
    ensure_days(today, today + timedelta(days=lieu.horizon_days) + BEYOND_HORIZON)
    return lieu


def update_lieu(actor: Actor, *, agreed: Toll | None = None, **values: Any) -> list[date]:
    """Set columns of the lieu. A new address changes the time zone, and it or the holidays may change days ahead.

    Here and below, ``agreed`` says what may become of bookings by a change, `WouldDisplace` that it would be more;
    None asks nobody.
    """
    with write_unit():
        lieu = lock_lieu()
        if "postcode" in values:
            values = {"timezone": place_of(values["postcode"])[1], **values}
        changed = sorted(name for name, value in values.items() if getattr(lieu, name) != value)
        for name in changed:
            setattr(lieu, name, values[name])
        if not changed:
            return []
        audit.record(actor, "lieu.updated", ("lieu", 1), changed=changed)
        db.session.flush()
        today = local_date(now(), lieu.tz)
        if "horizon_days" in changed:
            ensure_days(today, today + timedelta(days=lieu.horizon_days) + BEYOND_HORIZON)
        if {"observes_holidays", "holiday_area", "timezone"} & set(changed):
            return rebuild_ahead(agreed=agreed)
        return []


def set_schedule(
    actor: Actor, *, valid_from: date, split_minute: int, openings: Sequence[Opening], agreed: Toll | None = None
) -> list[date]:
    """Let these weekly hours rule from ``valid_from`` (today or later) until the next dated schedule."""
    check_openings(openings, split_minute)
    with write_unit():
        lieu = lock_lieu()
        if valid_from < local_date(now(), lieu.tz):
            raise InThePast(field="valid_from")
        schedule = db.session.scalar(select(Schedule).where(Schedule.valid_from == valid_from))
        if schedule is not None:
            schedule.hours = []
            db.session.flush()  # the old hours leave before new ones with the same opening minute arrive
            schedule.split_minute = split_minute
            schedule.hours = _hours(openings)
        else:
            schedule = _schedule(valid_from, split_minute, openings)
            db.session.add(schedule)
        db.session.flush()
        audit.record(actor, "schedule.set", ("schedule", schedule.id), valid_from=valid_from.isoformat())
        return rebuild_ahead(valid_from, agreed=agreed)


def remove_schedule(actor: Actor, valid_from: date, *, agreed: Toll | None = None) -> list[date]:
    """Give up hours that have not begun yet; the ones before them go on."""
    with write_unit():
        lieu = lock_lieu()
        schedule = db.session.scalar(select(Schedule).where(Schedule.valid_from == valid_from))
        if schedule is None:
            raise NotFound()
        if valid_from <= local_date(now(), lieu.tz):
            raise InThePast(field="valid_from")
        audit.record(actor, "schedule.removed", ("schedule", schedule.id), valid_from=valid_from.isoformat())
        db.session.delete(schedule)
        db.session.flush()
        return rebuild_ahead(valid_from, agreed=agreed)


def add_closure(actor: Actor, closing: Closing, *, agreed: Toll | None = None) -> tuple[Closure, list[date]]:
    """Close the lieu, for whole days or part of each; return the closure and the days whose opening changed."""
    check_closing(closing)
    with write_unit():
        lieu = lock_lieu()
        if closing.first_day < local_date(now(), lieu.tz):
            raise InThePast(field="first_day")
        closure = Closure(**closing._asdict())
        db.session.add(closure)
        db.session.flush()
        audit.record(actor, "closure.added", ("closure", closure.id), dates=_dates(closure))
        return closure, rebuild_days(closure.first_day, closure.last_day, agreed=agreed)


def remove_closure(actor: Actor, public_id: str) -> list[date]:
    """Take a closure back. What is over stays closed: one that has begun ends yesterday instead."""
    with write_unit():
        lieu = lock_lieu()
        today = local_date(now(), lieu.tz)
        closure = queries.closure_by_public_id(public_id)
        if closure.last_day < today:
            raise InThePast()
        audit.record(actor, "closure.removed", ("closure", closure.id), dates=_dates(closure))
        first, last = closure.first_day, closure.last_day
        if first < today:
            closure.last_day = today - timedelta(days=1)
        else:
            db.session.delete(closure)
        db.session.flush()
        return rebuild_days(first, last)


def _schedule(valid_from: date, split_minute: int, openings: Sequence[Opening]) -> Schedule:
    return Schedule(valid_from=valid_from, split_minute=split_minute, hours=_hours(openings))


def _hours(openings: Sequence[Opening]) -> list[ScheduleHours]:
    return [ScheduleHours(**opening._asdict()) for opening in openings]


def _dates(closure: Closure) -> list[str]:
    return [closure.first_day.isoformat(), closure.last_day.isoformat()]
