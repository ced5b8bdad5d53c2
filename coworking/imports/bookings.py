"""Bookings to come from another program: when a line is at this lieu, what is there then, and booking it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking import emails
from coworking.booking import services as booking
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rules import BeyondHorizon, bookable_halves, touched
from coworking.claims import queries as claims
from coworking.claims.rules import ClaimConflict
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.folding import listed_by
from coworking.core.policy import Actor
from coworking.core.timespan import Span, local_minute
from coworking.imports.booking_rules import BookingEntry, OwnBooking, Place, PlaceTaken
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Resource
from coworking.spaces.rules import check_half_open, check_open

SOURCE = "import"


@dataclass(frozen=True, slots=True)
class BookingContext:
    """What is there for some lines: places by name, times by line, what each person has booked, what is taken."""

    places: Mapping[str, Place]
    spans: Mapping[int, Span | DomainError]
    own: Mapping[str, Sequence[OwnBooking]]
    taken: Sequence[tuple[int, Span]]


def places_named() -> dict[str, Place]:
    """Desks, rooms and offices in service by name, as `listed_by` has it (1 statement)."""
    today = spaces.today()
    rows = [row for row in spaces.resources() if row.in_service_until is None or row.in_service_until >= today]
    return {listed_by(row.name): Place(row.id, row.public_id, row.kind, row.name) for row in reversed(rows)}


def context_of(entries: Sequence[BookingEntry], public_ids: Sequence[str]) -> BookingContext:
    """What judging ``entries`` needs; ``public_ids``: the people they mean (4 statements)."""
    places, today = places_named(), spaces.today()
    ahead = [entry.day for entry in entries if entry.day >= today]
    days = spaces.days(min(ahead), max(ahead)) if ahead else {}
    spans = {entry.line: _span_or_why(entry, days.get(entry.day), places) for entry in entries if entry.day >= today}
    found = [span for span in spans.values() if isinstance(span, Span)]
    if not found:
        return BookingContext(places, spans, {}, ())
    reach = Span(min(span.start for span in found), max(span.end for span in found))
    every = claims.taken([place.id for place in places.values()], reach, now())
    return BookingContext(places, spans, _own(public_ids, reach), [(at, span) for at, span, _, _ in every])


def _span_or_why(entry: BookingEntry, day: LieuDay | None, places: Mapping[str, Place]) -> Span | DomainError:
    try:
        return _span(entry, day, _named(entry, places))
    except DomainError as why:
        return why


def _named(entry: BookingEntry, places: Mapping[str, Place]) -> Place | None:
    return places.get(listed_by(entry.place)) if entry.place else None


def _span(entry: BookingEntry, day: LieuDay | None, place: Place | None) -> Span:
    """When ``entry`` is: the hours of a room, the open half-days that a desk takes; raises why it cannot be then."""
    lieu, today = spaces.lieu(), spaces.today()
    last = today + timedelta(days=lieu.horizon_days)
    if day is None or entry.day > last:
        raise BeyondHorizon(last=last)
    halves = bookable_halves(entry.day, day)
    if entry.minutes is not None:
        start, end = (local_minute(entry.day, minute, lieu.tz) for minute in entry.minutes)
        hours = Span(start, end)
        wanted = [] if place is not None and place.kind != DESK else list(touched(halves, hours))
        if not wanted:
            check_open(day, hours)
            return hours
    else:
        wanted = [half for name, half in halves.items() if name in (entry.halves or ())]
        if len(wanted) < len(entry.halves or ()):
            check_half_open(day, None)
    return Span(wanted[0].span.start, wanted[-1].span.end)


def _own(public_ids: Sequence[str], reach: Span) -> dict[str, list[OwnBooking]]:
    rows = db.session.execute(
        select(Person.public_id, Resource.id, Resource.kind, BookingUnit.starts_at, BookingUnit.ends_at)
        .join(Booking, Booking.id == BookingUnit.booking_id)
        .join(Person, Person.id == Booking.person_id)
        .join(Resource, Resource.id == BookingUnit.resource_id)
        .where(
            Person.public_id.in_(public_ids),
            Booking.status == "confirmed",
            BookingUnit.starts_at < reach.end,
            BookingUnit.ends_at > reach.start,
        )
    )
    found: dict[str, list[OwnBooking]] = {}
    for public_id, resource_id, kind, start, end in rows:
        found.setdefault(public_id, []).append(OwnBooking(resource_id, kind, Span(start, end)))
    return found


def book(actor: Actor, entry: BookingEntry, person: str) -> Person:
    """Book it in the open unit, or nothing of it; nobody is asked to pay first, and no e-mail is sent."""
    place = _named(entry, places_named())
    span = _span(entry, spaces.days(entry.day, entry.day).get(entry.day), place)
    item = RequestedItem(resource=place.public_id) if place is not None else RequestedItem(kind=DESK)
    asked = Request(span, (item,), person=person, title=entry.title, source=SOURCE, pay_first=False)
    try:
        with db.session.begin_nested():  # what is refused concerns this line alone
            made = booking.book_in_unit(actor, asked)
    except ClaimConflict:
        if place is None:
            raise
        raise PlaceTaken(name=place.name) from None
    made.told = emails.standing(made)  # they know of it: what becomes of it later is news
    return made.person
