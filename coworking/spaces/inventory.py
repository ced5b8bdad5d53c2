"""The manager's changes of zones and of the desks, rooms and offices in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from coworking.core import audit, displaced
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.displaced import Toll
from coworking.core.errors import N_, DomainError
from coworking.core.policy import Actor
from coworking.core.timespan import local_date
from coworking.core.units import write_unit
from coworking.spaces import queries
from coworking.spaces.calendar import (
    lock_lieu,
)
from coworking.spaces.models import (
    FormerSeats,
    Resource,
    Zone,
)
from coworking.spaces.services import InThePast

before_retiring: list[Callable[[Resource, date], None]] = []
"""What the packages above refuse before a resource is taken out of service after a day, in the open unit."""


class NameTaken(DomainError):
    code = "name_taken"
    status = 409
    message = N_("There is already something called %(name)s here.")


def add_zone(actor: Actor, name: str) -> Zone:
    """Add a zone behind the others."""
    with write_unit():
        lock_lieu()
        _refuse_zone_name(name)
        last = db.session.scalar(select(func.max(Zone.position)))
        zone = Zone(name=name, position=0 if last is None else last + 1)
        db.session.add(zone)
        db.session.flush()
        audit.record(actor, "zone.added", ("zone", zone.id))
        return zone


def rename_zone(actor: Actor, public_id: str, name: str) -> Zone:
    with write_unit():
        lock_lieu()
        zone = queries.zone_by_public_id(public_id)
        if zone.name != name:
            _refuse_zone_name(name)
            zone.name = name
            audit.record(actor, "zone.renamed", ("zone", zone.id))
        return zone


def add_resources(
    actor: Actor,
    *,
    kind: str,
    zone_public_id: str,
    names: Sequence[str],
    seats: int = 1,
    in_service_from: date | None = None,
) -> list[Resource]:
    """Add one resource per name behind those of the zone, in service from a day (by default today) on."""
    with write_unit():
        lieu = lock_lieu()
        today = local_date(now(), lieu.tz)
        first_day = in_service_from or today
        if first_day < today:
            raise InThePast(field="in_service_from")
        zone = queries.zone_by_public_id(zone_public_id)
        for name in names:
            _refuse_resource_name(name, first_day)
        last = db.session.scalar(select(func.max(Resource.position)).where(Resource.zone_id == zone.id))
        start = 0 if last is None else last + 1
        added = [
            Resource(kind=kind, zone=zone, name=name, seats=seats, position=start + n, in_service_from=first_day)
            for n, name in enumerate(names)
        ]
        db.session.add_all(added)
        db.session.flush()
        for resource in added:
            audit.record(actor, "resource.added", ("resource", resource.id), kind=kind)
        return added


def update_resource(actor: Actor, public_id: str, *, zone_public_id: str | None = None, **values: Any) -> Resource:
    """Set ``name``, ``seats``, ``description``, ``buffer_after`` or ``position``, or move it to another zone.

    Days that are over keep the seats they had.
    """
    with write_unit():
        lieu = lock_lieu()
        resource = queries.resource_by_public_id(public_id)
        if zone_public_id is not None:
            values["zone"] = queries.zone_by_public_id(zone_public_id)
        changed = sorted(name for name, value in values.items() if getattr(resource, name) != value)
        if "name" in changed:
            _refuse_resource_name(values["name"], local_date(now(), lieu.tz))
        if "seats" in changed:
            _keep_former_seats(resource, local_date(now(), lieu.tz))
        for name in changed:
            setattr(resource, name, values[name])
        if changed:
            audit.record(actor, "resource.updated", ("resource", resource.id), changed=changed)
        return resource


def retire_resource(actor: Actor, public_id: str, last_day: date, *, agreed: Toll | None = None) -> Resource:
    """Take a resource out of service after ``last_day``: yesterday (gone from now on) at the earliest.

    What is booked there afterwards moves to free resources of the same kind; what finds none is cancelled.
    """
    with write_unit():
        lieu = lock_lieu()
        resource = queries.resource_by_public_id(public_id)
        yesterday = local_date(now(), lieu.tz) - timedelta(days=1)
        if last_day < max(yesterday, resource.in_service_from):
            raise InThePast(field="last_day")
        for refuse in before_retiring:
            refuse(resource, last_day)
        resource.in_service_until = last_day
        db.session.flush()
        toll = displaced.announce(displaced.RESOURCE, {"resource": resource.public_id}, agreed=agreed)
        told = {name: n for name in ("moved", "shortened", "cancelled") if (n := getattr(toll, name))}
        audit.record(actor, "resource.retired", ("resource", resource.id), last_day=last_day.isoformat(), **told)
        return resource


def _keep_former_seats(resource: Resource, today: date) -> None:
    """Note what ``resource`` seated until yesterday. What it seats for an hour of today counts for no day."""
    known = select(FormerSeats.id).where(FormerSeats.resource_id == resource.id, FormerSeats.until == today)
    if resource.in_service_from < today and db.session.scalar(known) is None:
        db.session.add(FormerSeats(resource_id=resource.id, until=today, seats=resource.seats))


def _refuse_zone_name(name: str) -> None:
    if db.session.scalar(select(Zone.id).where(func.lower(Zone.name) == name.lower())) is not None:
        raise NameTaken(name=name)


def _refuse_resource_name(name: str, on: date) -> None:
    """People call a desk by its name: no two in service may share one."""
    if any(r.name.casefold() == name.casefold() for r in queries.resources() if r.in_service(on)):
        raise NameTaken(name=name)
