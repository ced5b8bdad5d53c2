"""Choose the resources of a booking: which are suitable, which are free, which desk is given.

Runs inside the unit of the use case that books or moves; the resources it returns are locked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.accounts.models import Person
from coworking.booking import queries
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import (
    AlreadyBooked,
    AlreadyInRoom,
    BookableHalf,
    Desk,
    NoHalfDay,
    NothingFree,
    NotInService,
    NotOnOneDay,
    OnePlaceEach,
    TooMany,
    bookable_halves,
    check_open_over,
    check_room_span,
    choose_desk,
    still_fits,
    touched,
)
from coworking.claims import queries as claim_queries
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict, Wanted
from coworking.core.errors import NotFound
from coworking.core.timespan import Span
from coworking.membership.allowance_rules import PlannedUse
from coworking.membership.entitlement import Payer
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Lieu, LieuDay, Resource
from coworking.spaces.rules import check_open


@dataclass(frozen=True, slots=True)
class RequestedItem:
    """One thing wanted: a given resource, or any one of a ``kind`` (in a zone). Ids are public ids."""

    resource: str | None = None
    kind: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to book: all ``items`` for ``span``, or nothing. ``person`` is a public id; None: the actor.

    ``payer`` None: the employer where its agreement covers, else the person. ``agreed_cents``: what the person was told
    they would owe; booking at another price is refused. None: they were told nothing (staff, programs).
    ``pay_first``: whether what the lieu's rules ask to be paid before it counts is held until then; None: where people
    book for themselves. ``ask_how``: staff have not said yet (`ChooseHowToPay`). ``several_places``: staff say that the
    person takes more than one desk or room at a time (for guests).
    """

    span: Span
    items: tuple[RequestedItem, ...]
    person: str | None = None
    title: str | None = None
    guests: int = 0
    source: str = "web"
    payer: Payer | None = None
    agreed_cents: int | None = None
    several_places: bool = False
    pay_first: bool | None = None
    ask_how: bool = False


Chosen = tuple[Resource, Span, tuple[BookableHalf, ...]]

Find = Callable[[Collection[str], Collection[str], date], list[Resource]]
"""Reads the resources that are named by public id, and those of some kinds in service on a day."""


def choose(
    request: Request,
    person: Person,
    lieu: Lieu,
    on: date,
    instant: datetime,
    *,
    leaving: Booking | None = None,
    several: bool = False,
    find: Find = claims.lock_candidates,
    clear_way: bool = False,
) -> list[Chosen]:
    """A resource and its use on the day ``on`` for each item, all different; resources are locked.

    ``leaving``: a booking being moved. ``several``: more than one desk or room at a time is meant. ``find``: how resources
    are read; `claims.queries.candidates` locks none, for showing what would be given. What the person has just cancelled
    is free for them and is given first; ``clear_way`` releases that, and holds that ran out, for what will be booked there.
    """
    dates = spaces.dates_of(request.span)
    candidates = _candidates(request, dates, find)
    # Read behind the locks: a closure waits for them before it cancels what was booked.
    days = spaces.known_days(on, dates[-1])
    halves = touched(bookable_halves(on, days[0]), request.span)
    everything = {row.id: row for rows in candidates for row in rows}
    reach = Span(days[0].starts_at, days[-1].ends_at)
    current, cancelled = queries.current_and_cancelled(
        person.id, reach, except_booking=leaving.id if leaving is not None else None
    )
    kept = cancelled if leaving is None else []
    stays_out = {leaving.id} if leaving is not None else {place.booking_id for place in kept}
    tidying = timedelta(minutes=max((row.buffer_after for row in everything.values()), default=0))
    claimed, expired = claim_queries.taken_and_expired(
        everything, reach.widened(before=timedelta(), after=tidying), instant
    )
    taken = [
        (resource_id, span)
        for resource_id, span, kind, holder in claimed
        if kind != "booking" or holder not in stays_out
    ]
    chosen: list[Chosen] = []
    for item, rows in zip(request.items, candidates, strict=True):
        is_desk = rows[0].kind == DESK
        if not several and any((resource.kind == DESK) == is_desk for resource, _, _ in chosen):
            raise OnePlaceEach()
        if is_desk:
            use = _desk_use(days, halves, request.span)
        else:
            _check_open(days, request.span)
            begun = instant if leaving is None else min(instant, leaving.starts_at)  # what runs may go on elsewhere
            check_room_span(request.span, at=begun, zone=lieu.tz)
            use = request.span
        given = {resource.id for resource, _, _ in chosen}
        free = [row for row in rows if row.id not in given and queries.is_free(row, use, taken)]
        if not free:
            raise ClaimConflict(item=item) if len(rows) == 1 else NothingFree(item=item)
        if not several:
            _refuse_second_place(current, rows[0].kind, use, leaving)
        if is_desk:
            resource = (
                _pick(free, person, current, cancelled, taken, instant, use, whole_day=len(halves) == 2)
                if free[1:]
                else free[0]
            )
        else:
            resource = free[0]
        chosen.append((resource, use, halves if is_desk else ()))
    if clear_way:
        _release_kept(kept, chosen)
        if given := expired.intersection(resource.id for resource, _, _ in chosen):
            claims.release_expired(given)
    return chosen


def _release_kept(kept: Collection[queries.OwnPlace], chosen: Collection[Chosen]) -> None:
    """Release what was kept for undoing a cancellation, where its person books the same place again."""
    again = {
        place.booking_id
        for place in kept
        for resource, use, _ in chosen
        if place.resource_id == resource.id
        and place.span.widened(before=timedelta(), after=timedelta(minutes=resource.buffer_after)).overlaps(
            Wanted(resource.id, use, resource.buffer_after).guarded
        )
    }
    for booking_id in sorted(again):
        claims.release(queries.live_claims(booking_id))


def _candidates(request: Request, dates: Sequence[date], find: Find) -> list[list[Resource]]:
    """For each item, the resources in service that would do; a given one is a list of one."""
    named = {item.resource for item in request.items if item.resource is not None}
    kinds = {item.kind or DESK for item in request.items if item.resource is None}
    rows = find(named, kinds, dates[0])
    zones = {item.zone for item in request.items if item.zone is not None}
    zone_ids = {zone.public_id: zone.id for zone in spaces.zones()} if zones else {}
    found: list[list[Resource]] = []
    for item in request.items:
        if item.resource is not None:
            suitable = [row for row in rows if row.public_id == item.resource]
            if not suitable:
                raise NotFound(field="resource_id")
            if not all(suitable[0].in_service(day) for day in dates):
                raise NotInService(name=suitable[0].name)
            if suitable[0].kind != DESK and request.guests >= suitable[0].seats:
                raise TooMany(name=suitable[0].name, seats=suitable[0].seats)
        else:
            suitable = _suitable(rows, item, request.guests, dates, zone_ids)
            if not suitable:
                raise NothingFree(item=item)
        found.append(suitable)
    return found


def _suitable(
    rows: list[Resource], item: RequestedItem, guests: int, dates: Sequence[date], zone_ids: dict[str, int]
) -> list[Resource]:
    """The rows of the item's kind and zone; of rooms those that seat everyone, the smallest first."""
    kind = item.kind or DESK
    of_kind = [
        row
        for row in rows
        if row.kind == kind
        and all(row.in_service(day) for day in dates)
        and (item.zone is None or row.zone_id == zone_ids.get(item.zone))
    ]
    if kind == DESK:
        return of_kind
    return sorted((row for row in of_kind if row.seats > guests), key=lambda row: (row.seats, row.position, row.id))


def _desk_use(days: Sequence[LieuDay], halves: tuple[BookableHalf, ...], span: Span) -> Span:
    if len(days) > 1:
        raise NotOnOneDay()
    if not halves:
        check_open(days[0], span)
        raise NoHalfDay()
    return Span(halves[0].span.start, halves[-1].span.end)


def _check_open(days: Sequence[LieuDay], span: Span) -> None:
    """Raise unless the lieu is open for the whole of ``span``, which begins on the first of ``days``."""
    if len(days) == 1:
        check_open(days[0], span)
    else:
        check_open_over(days[0], days[1], days[1].starts_at, span)


def _pick(
    free: list[Resource],
    person: Person,
    current: list[queries.OwnPlace],
    cancelled: list[queries.OwnPlace],
    taken: list[tuple[int, Span]],
    instant: datetime,
    use: Span,
    *,
    whole_day: bool,
) -> Resource:
    """The free desk to give by the lieu's rule."""
    touched_that_day = {resource_id for resource_id, _ in taken}
    desk = choose_desk(
        [Desk(row.id, row.zone_id, row.position, not whole_day and row.id not in touched_that_day) for row in free],
        kept={place.resource_id for place in cancelled if place.span.overlaps(use)},
        adjoining={place.resource_id for place in current if place.kind == DESK},
        usual=queries.usual_desk(person.id, instant - timedelta(days=90)),
        preferred_zone=person.preferred_zone_id,
    )
    assert desk is not None, "the caller checked that something is free"
    return next(row for row in free if row.id == desk.id)


def units_of(resource: Resource, use: Span, halves: tuple[BookableHalf, ...], day: date) -> list[BookingUnit]:
    if not halves:
        return [BookingUnit(resource_id=resource.id, resource=resource, day=day, starts_at=use.start, ends_at=use.end)]
    return [
        BookingUnit(
            resource_id=resource.id,
            resource=resource,
            day=day,
            half=half.half,
            starts_at=half.span.start,
            ends_at=half.span.end,
        )
        for half in halves
    ]


def check_still_there(
    booking: Booking,
    resources: Mapping[int, Resource],
    units: Sequence[BookingUnit],
    *,
    leaving: Booking | None = None,
) -> None:
    """Raise what keeps ``booking`` from coming back to the places of ``units``, whose locked rows are ``resources``.

    Since it left them the desk may have been retired, the day closed, or the person have sat down elsewhere.
    ``leaving``: the booking, where it stands elsewhere now.
    """
    on = units[0].day
    dates = spaces.dates_of(Span(min(unit.starts_at for unit in units), max(unit.ends_at for unit in units)))
    days = spaces.known_days(on, dates[-1])
    reach = Span(days[0].starts_at, days[-1].ends_at)
    current, _cancelled = queries.current_and_cancelled(booking.person_id, reach, except_booking=booking.id)
    for unit in units:
        resource = resources[unit.resource_id]
        if not all(resource.in_service(day) for day in dates):
            raise NotInService(name=resource.name)
        if not still_fits(days, on, unit.half, unit.span):
            _check_open(days, unit.span)
        _refuse_second_place(current, resource.kind, unit.span, leaving)


def uses_of(units: Iterable[BookingUnit]) -> list[PlannedUse]:
    """What the units use, as the rules of prices see it."""
    return [PlannedUse(unit.resource_id, unit.resource.kind, unit.day, unit.half, unit.span) for unit in units]


def _refuse_second_place(current: list[queries.OwnPlace], kind: str, use: Span, leaving: Booking | None = None) -> None:
    """One person has one desk and one room at a time. What stood beside the booking that is moved may go on to."""
    for place in current:
        beside = leaving is not None and place.span.overlaps(leaving.span)
        if (place.kind == DESK) == (kind == DESK) and place.span.overlaps(use) and not beside:
            raise (AlreadyBooked if kind == DESK else AlreadyInRoom)(name=place.name)
