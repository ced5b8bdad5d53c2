"""Choosing what a booking takes: which resources would do, which are free, which desk is given.

Runs inside the unit of the use case that books or moves; the resources it returns are locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coworking.accounts.models import Person
from coworking.booking import queries
from coworking.booking.models import BookingUnit
from coworking.booking.rules import (
    AlreadyBooked,
    Desk,
    HalfDay,
    NoHalfDay,
    NothingFree,
    NotInService,
    check_room_span,
    choose_desk,
    half_days,
    touched,
)
from coworking.claims import queries as claim_queries
from coworking.claims import services as claims
from coworking.claims.rules import ClaimConflict
from coworking.core.errors import NotFound
from coworking.core.timespan import Span
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Lieu, LieuDay, Resource
from coworking.spaces.rules import check_open


@dataclass(frozen=True, slots=True)
class Item:
    """One thing wanted: a given resource, or any one of a ``kind`` (in a zone). Ids are public ids."""

    resource: str | None = None
    kind: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to book: all ``items`` for ``span``, or nothing. ``person`` is a public id; None: the actor."""

    span: Span
    items: tuple[Item, ...]
    person: str | None = None
    title: str | None = None
    guests: int = 0
    source: str = "web"


Chosen = tuple[Resource, Span, tuple[HalfDay, ...]]


def choose(
    request: Request,
    person: Person,
    lieu: Lieu,
    day: LieuDay,
    instant: datetime,
    *,
    leaving: int | None = None,
) -> list[Chosen]:
    """A resource and its use for each item, all different; resources are locked. ``leaving``: a booking being moved."""
    halves = touched(half_days(day.day, day), request.span)
    candidates = _candidates(request, day.day)
    locked_rows = claims.lock_resources({row.id for rows in candidates for row in rows})
    chosen: list[Chosen] = []
    for rows in candidates:
        rows = [locked_rows[row.id] for row in rows]
        if rows[0].kind == DESK:
            use = _desk_use(day, halves, request.span)
            _refuse_second_desk(person, use, leaving)
        else:
            check_open(day, request.span)
            check_room_span(request.span, at=instant, zone=lieu.tz)
            use = request.span
        free = _free(rows, use, day, instant, {resource.id for resource, _, _ in chosen}, leaving)
        if not free:
            raise ClaimConflict() if len(rows) == 1 else NothingFree()
        resource = (
            _pick(free, person, day, use, instant) if rows[0].kind == DESK and len(rows) > 1 else free[0]
        )
        chosen.append((resource, use, halves if resource.kind == DESK else ()))
    return chosen


def _candidates(request: Request, day: date) -> list[list[Resource]]:
    """For each item, the resources in service that would do; a given one is a list of one."""
    everything = spaces.resources(day=None)
    found: list[list[Resource]] = []
    for item in request.items:
        if item.resource is not None:
            rows = [row for row in everything if row.public_id == item.resource]
            if not rows:
                raise NotFound(field="resource_id")
            if not rows[0].in_service(day):
                raise NotInService(name=rows[0].name)
        else:
            rows = [
                row
                for row in everything
                if row.kind == (item.kind or DESK)
                and row.in_service(day)
                and row.seats > (request.guests if row.kind != DESK else 0)
                and (item.zone is None or row.zone.public_id == item.zone)
            ]
            if not rows:
                raise NothingFree()
            if rows[0].kind != DESK:  # the smallest room that holds everyone
                rows.sort(key=lambda row: (row.seats, row.position, row.id))
        found.append(rows)
    return found


def _desk_use(day: LieuDay, halves: tuple[HalfDay, ...], span: Span) -> Span:
    if not halves:
        check_open(day, span)
        raise NoHalfDay()
    return Span(halves[0].span.start, halves[-1].span.end)


def _free(
    rows: list[Resource], use: Span, day: LieuDay, instant: datetime, excluded: set[int], leaving: int | None
) -> list[Resource]:
    busy = {
        resource_id
        for resource_id, span, kind, holder in claim_queries.taken(
            [row.id for row in rows], day.span, instant
        )
        if span.overlaps(use) and (kind, holder) != ("booking", leaving)
    }
    return [row for row in rows if row.id not in busy and row.id not in excluded]


def _pick(free: list[Resource], person: Person, day: LieuDay, use: Span, instant: datetime) -> Resource:
    by_id = {row.id: row for row in free}
    half_taken = {resource_id for resource_id, _, _, _ in claim_queries.taken(list(by_id), day.span, instant)}
    whole_day = len(touched(half_days(day.day, day), use)) == 2
    desk = choose_desk(
        [
            Desk(
                id=row.id,
                zone_id=row.zone_id,
                position=row.position,
                other_half_free=not whole_day and row.id not in half_taken,
            )
            for row in free
        ],
        adjoining=queries.desks_held(person.id, day.day),
        usual=queries.usual_desk(person.id, instant - timedelta(days=90)),
        preferred_zone=person.preferred_zone_id,
    )
    assert desk is not None, "the caller checked that something is free"
    return by_id[desk.id]


def units_of(resource: Resource, use: Span, halves: tuple[HalfDay, ...], day: date) -> list[BookingUnit]:
    if not halves:
        return [
            BookingUnit(
                resource_id=resource.id, resource=resource, day=day, starts_at=use.start, ends_at=use.end
            )
        ]
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


def _refuse_second_desk(person: Person, use: Span, leaving: int | None) -> None:
    """One person sits at one desk at a time."""
    name = queries.own_desk_during(person.id, use, except_booking=leaving)
    if name is not None:
        raise AlreadyBooked(name=name)
