"""Bookings that no longer fit: the lieu closed then, the desk or room was retired, the account was closed.

Who had a retired place gets a free one of the same kind, who loses half a day keeps the other; nobody pays more by it.
What cannot be kept is cancelled, free of charge whatever the deadline. An e-mail says what became of it and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from coworking.accounts.models import Person
from coworking.booking import calls, emails, queries
from coworking.booking.access import own_booking
from coworking.booking.cancelling import cancel_in_unit
from coworking.booking.former import keep_former
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.remedies import Remedy, remedy, vacancies
from coworking.booking.rules import Cause, still_fits
from coworking.claims import services as claims
from coworking.claims.rules import Wanted
from coworking.core import audit, displaced, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.displaced import Toll, ToPhone
from coworking.core.formats import day_long
from coworking.core.policy import SYSTEM
from coworking.core.timespan import Span
from coworking.core.units import write_unit
from coworking.membership import coverage
from coworking.pricing import sales
from coworking.pricing.queries import prices_on
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay, Resource

WHY: dict[str, Cause] = {displaced.DAYS: "closed", displaced.RESOURCE: "retired", displaced.PERSON: "left"}


@dataclass(frozen=True, slots=True)
class Affected:
    """A booking to come, and those of its units that cannot stay as they are."""

    booking: Booking
    lost: tuple[BookingUnit, ...]


@displaced.weighed_by
def weigh(topic: str, payload: dict[str, Any]) -> Toll:
    """What the announced change, already made in the open unit, would do to bookings (a fixed number of statements)."""
    found = [row for row in affected(topic, payload) if not row.booking.is_held]  # what is only held counts nowhere
    if not found:
        return displaced.NO_TOLL
    remedies = (
        _remedies(found) if topic == displaced.RESOURCE else [remedy(row.booking, row.lost, None) for row in found]
    )
    if topic == displaced.PERSON:
        return Toll(cancelled=len(found))
    counts = Counter(one.became for one in remedies)
    unreachable = tuple(_unreachable(one.booking) for one in remedies if one.booking.person.email is None)
    return Toll(counts["moved"], counts["shortened"], counts["cancelled"], unreachable)


@outbox.handler(displaced.DAYS)
@outbox.handler(displaced.RESOURCE)
@outbox.handler(displaced.PERSON)
def settle_affected(job: outbox.Job) -> None:
    """Each booking in a unit of its own, looked at again there; doing it twice finds nothing more."""
    if job.topic == displaced.DAYS:
        _let_bookings_end()
    for public_id in [row.booking.public_id for row in affected(job.topic, job.payload)]:
        _settle_one(public_id, job.topic, job.payload)


def _let_bookings_end() -> None:
    """Wait for the bookings that may have read their day before it changed: they hold a resource until they commit.

    Those that come after read the changed day. A retired desk and a closed account need no such wait: whoever books
    holds their rows.
    """
    with write_unit():
        claims.lock_resources([row.id for row in spaces.resources()])


def affected(topic: str, payload: dict[str, Any], only: str | None = None) -> list[Affected]:
    """Bookings to come that do not fit what is true now, soonest first; ``only``: that booking if it is one.

    What has begun is left to the host, but for the half-days that have not.
    """
    instant = now()
    statement = (
        select(Booking)
        .where(Booking.status.in_(("confirmed", "held")))
        .options(
            joinedload(Booking.person),
            selectinload(Booking.units).joinedload(BookingUnit.resource),
        )
        .order_by(Booking.starts_at, Booking.id)
    )
    if only is not None:
        statement = statement.where(Booking.public_id == only)
    to_come = Booking.starts_at > instant
    if topic == displaced.PERSON:
        gone = select(Person.id).where(Person.public_id == payload["person"], Person.deactivated_at.is_not(None))
        rows = db.session.scalars(statement.where(to_come, Booking.person_id.in_(gone))).unique()
        return [Affected(row, tuple(row.units)) for row in rows]
    if topic == displaced.RESOURCE:
        used = (
            select(BookingUnit.booking_id)
            .join(Resource)
            .where(Resource.public_id == payload["resource"], BookingUnit.day >= Resource.in_service_until)
        )
        rows = db.session.scalars(statement.where(to_come, Booking.id.in_(used))).unique()
        lost = [(row, tuple(unit for unit in row.units if not _in_service(unit))) for row in rows]
        return [Affected(row, units) for row, units in lost if units]
    days = [date.fromisoformat(text) for text in payload["days"]]
    evenings = [day - timedelta(days=1) for day in days]  # what begins then may go on into those days
    found = db.session.scalars(statement.where(Booking.day.in_({*days, *evenings}), Booking.ends_at > instant)).unique()
    known = spaces.days(min(evenings), max(days) + timedelta(days=1))
    closed = [(row, tuple(unit for unit in row.units if _is_lost(unit, known, instant))) for row in found]
    return [Affected(row, units) for row, units in closed if units]


def _in_service(unit: BookingUnit) -> bool:
    return all(unit.resource.in_service(day) for day in spaces.dates_of(unit.span))


def _is_lost(unit: BookingUnit, known: Mapping[date, LieuDay], instant: datetime) -> bool:
    dates = spaces.dates_of(unit.span)
    if unit.starts_at <= instant or not all(day in known for day in dates):
        return False
    return not still_fits([known[day] for day in dates], unit.day, unit.half, unit.span)


def _remedies(found: Sequence[Affected]) -> list[Remedy]:
    """What becomes of bookings whose places are gone, each beside what those before it take."""
    first, last = min(row.booking.day for row in found), max(_last_date(row.booking) for row in found)
    free = vacancies(spaces.resources(), spaces.days(first, last))
    near = _places_of({row.booking.person_id for row in found}, first, last)
    return [
        remedy(row.booking, row.lost, free, near.get((row.booking.person_id, row.booking.day), ())) for row in found
    ]


def _last_date(booking: Booking) -> date:
    return spaces.dates_of(booking.span)[-1]


def _places_of(people: Iterable[int], first: date, last: date) -> dict[tuple[int, date], set[int]]:
    """The resources each of ``people`` has on each day, by person and day: one statement."""
    rows = db.session.execute(
        select(Booking.person_id, BookingUnit.day, BookingUnit.resource_id)
        .join(Booking)
        .where(Booking.person_id.in_(people), Booking.day.between(first, last), Booking.status == "confirmed")
    )
    places: dict[tuple[int, date], set[int]] = {}
    for person, day, resource in rows:
        places.setdefault((person, day), set()).add(resource)
    return places


def _unreachable(booking: Booking) -> ToPhone:
    names = ", ".join(dict.fromkeys(unit.resource.name for unit in booking.units))
    what = f"{names}, {day_long(booking.day)}, {queries.worded_time(booking)}"
    return ToPhone(booking.person.name, booking.person.phone, what)


def _settle_one(public_id: str, topic: str, payload: dict[str, Any]) -> None:
    with write_unit():
        booking = own_booking(SYSTEM, public_id)
        had = emails.standing(booking)
        for row in affected(topic, payload, only=public_id):
            if booking.is_held:
                cancel_in_unit(SYSTEM, booking, WHY[topic])
                continue
            kinds = {unit.resource.kind for unit in row.lost} if topic == displaced.RESOURCE else set[str]()
            own = {unit.resource.public_id for unit in row.booking.units}
            resources = claims.lock_candidates(own, kinds, booking.day)
            one = remedy(booking, row.lost, None)
            if topic == displaced.RESOURCE:
                near = _places_of([booking.person_id], booking.day, booking.day)
                days = spaces.days(booking.day, _last_date(booking))
                free = vacancies(resources, days, {booking.day: prices_on(booking.day)})
                one = remedy(booking, row.lost, free, near.get((booking.person_id, booking.day), ()))
            became = one.became  # read before what it counts is changed
            if one.places and topic != displaced.PERSON:
                _keep_in_unit(one, WHY[topic])
            else:
                cancel_in_unit(SYSTEM, booking, WHY[topic], keep_place=False)
            if had is not None and booking.person.email is None and topic != displaced.PERSON:
                calls.note(booking, had, became)


def _keep_in_unit(one: Remedy, why: Cause) -> None:
    """Let the booking go on with what ``one`` keeps of it, at the places it names; the resources are locked.

    Half-days that are kept cost what they cost, or less where the new place does; those that are lost cost nothing.
    """
    booking, units, became = one.booking, list(one.booking.units), one.became
    held = queries.live_claims(booking.id)
    keep_former(booking, units, held, now(), why)
    changed = [unit for unit in units if one.places.get(unit.id) is not unit.resource]
    touched = {unit.resource_id for unit in changed} | {one.places[u.id].id for u in changed if u.id in one.places}
    claims.release(claim for claim in held if claim.resource_id in touched)
    quotes = {unit.id: unit.quote for unit in units if unit.quote is not None}
    coverage.release(quotes[unit.id] for unit in changed if unit.id not in one.places and unit.id in quotes)
    for unit in changed:
        place = one.places.get(unit.id)
        if place is None:
            booking.units.remove(unit)
            db.session.delete(unit)
        else:
            was, unit.resource = unit.resource, place
            if (quote := quotes.get(unit.id)) is not None:
                unit.quote = coverage.rehouse(quote, place.kind, was.id, place.id)
    booking.starts_at = min(unit.starts_at for unit in booking.units)
    booking.ends_at = max(unit.ends_at for unit in booking.units)
    db.session.flush()
    again = {unit.resource_id for unit in booking.units if unit.resource_id in touched}
    claims.take([_wanted(booking, resource_id) for resource_id in sorted(again)], holder=("booking", booking.id))
    audit.record(
        SYSTEM, "booking.displaced", ("booking", booking.id), person_id=booking.person_id, why=why, became=became
    )
    emails.note(booking)
    if booking.sale_id is not None:
        sales.changed("booking", booking.id, after=timedelta())


def _wanted(booking: Booking, resource_id: int) -> Wanted:
    units = [unit for unit in booking.units if unit.resource_id == resource_id]
    use = Span(min(unit.starts_at for unit in units), max(unit.ends_at for unit in units))
    return Wanted(resource_id, use, units[0].resource.buffer_after)
