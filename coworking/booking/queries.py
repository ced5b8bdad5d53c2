"""Reading bookings: one person's, one day's, what is free."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload, selectinload

from coworking.accounts import booking_proxies
from coworking.accounts.twin_queries import same_person
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import (
    UNDO,
    BeyondHorizon,
    BookableHalf,
    Half,
    InPast,
    bookable_halves,
    cancel_free_until,
    touched,
)
from coworking.claims import queries as claims
from coworking.claims.models import Claim
from coworking.claims.rules import Wanted
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.formats import span_hours
from coworking.core.i18n import _
from coworking.core.policy import Actor
from coworking.core.timespan import Span, local_minute
from coworking.pricing.models import Quote
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, Lieu, Resource
from coworking.spaces.rules import hours_from

A_DAY = timedelta(hours=25)
"""No booking is longer: it stays within one local day, or goes over midnight for 24 hours at most."""


def runs_on(row: type[Booking | BookingUnit], first: date, last: date) -> ColumnElement[bool]:
    """The condition that some of a booking or unit lies in the local dates ``first`` to ``last``: it begins then, or the
    evening before and goes on."""
    midnight = local_minute(first, 0, spaces.lieu().tz)
    return and_(row.day.between(first - timedelta(days=1), last), row.ends_at > midnight)


def open_halves(day: date) -> dict[Half, BookableHalf]:
    """The half-days that are open on ``day``; `InPast` or `BeyondHorizon` where no day is known."""
    row = spaces.days(day, day).get(day)
    if row is None:
        today = spaces.today()
        raise InPast() if day < today else BeyondHorizon(last=today + timedelta(days=spaces.lieu().horizon_days))
    return bookable_halves(day, row)


def stays_open(day: date) -> bool:
    """Whether the lieu stays open at the end of ``day``, so that a room can be booked into the next one."""
    days = spaces.days(day, day + timedelta(days=1))
    if (row := days.get(day)) is None:
        return False
    return any(span.end > row.ends_at for span in hours_from(row, days.get(day + timedelta(days=1))))


_LIVE_CLAIMS = (
    select(Claim)
    .where(Claim.holder_kind == "booking", Claim.holder_id == bindparam("booking"), Claim.live.is_(True))
    .order_by(Claim.resource_id)
    .execution_options(populate_existing=True)
)


def live_claims(booking_id: int) -> list[Claim]:
    """The claims a booking still holds, freshly read."""
    return list(db.session.scalars(_LIVE_CLAIMS, {"booking": booking_id}))


def free_from(booking_id: int) -> datetime:
    """When what a booking holds is free for others: its end and the time for tidying up."""
    return max(claim.ends_at for claim in live_claims(booking_id))


def quotes_of(booking_id: int) -> list[Quote]:
    """The quotes of a booking's units, in the units' order, freshly read. Bookings older than prices have none."""
    return list(
        db.session.scalars(
            select(Quote)
            .join(BookingUnit, BookingUnit.quote_id == Quote.id)
            .where(BookingUnit.booking_id == booking_id)
            .order_by(BookingUnit.starts_at, BookingUnit.id)
            .execution_options(populate_existing=True)
        )
    )


def every_quote_of(booking_id: int | None) -> CompoundSelect[int | None]:
    """The ids of all quotes of a booking, of each unit one for every payer, as a selection."""
    of_units = select(Quote.id, Quote.rest_id).join(BookingUnit, BookingUnit.quote_id == Quote.id)
    found = of_units.where(BookingUnit.booking_id == booking_id).subquery()
    return select(found.c.id).union_all(select(found.c.rest_id).where(found.c.rest_id.is_not(None)))


def priced_by(quote_id: Any) -> ColumnElement[bool]:
    """The condition that a unit's price is the quote of that id, or that this is the rest of it."""
    whole = aliased(Quote)
    of_rest = select(whole.id).where(whole.rest_id == quote_id).correlate_except(whole).scalar_subquery()
    return BookingUnit.quote_id == func.coalesce(of_rest, quote_id)


def claims_by_id(ids: Collection[int]) -> list[Claim]:
    """Claims that a booking once held, freshly read."""
    statement = select(Claim).where(Claim.id.in_(ids)).order_by(Claim.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def quotes_by_id(ids: Collection[int]) -> dict[int, Quote]:
    """Quotes that a booking once had, by id, freshly read."""
    statement = select(Quote).where(Quote.id.in_(ids)).execution_options(populate_existing=True)
    return {quote.id: quote for quote in db.session.scalars(statement)}


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """A desk someone has for a half-day, or a room for a time. ``cancelled``: they have just cancelled it, and nobody else
    can have it before `UNDO` is over."""

    resource_id: int
    name: str
    kind: str
    span: Span
    booking_id: int
    booking: str
    cancelled: bool


# What every booking asks is built once.
_OWN_PLACES = (
    select(
        Resource.id,
        Resource.name,
        Resource.kind,
        BookingUnit.starts_at,
        BookingUnit.ends_at,
        Booking.id,
        Booking.public_id,
        Booking.status,
    )
    .join(BookingUnit, BookingUnit.resource_id == Resource.id)
    .join(Booking)
    .where(
        Booking.person_id == bindparam("person"),
        or_(Booking.status.in_(("confirmed", "held")), Booking.cancelled_at > bindparam("kept_since")),
        Booking.starts_at >= bindparam("since"),  # by the instant, as the person's index goes: by the date, one would
        Booking.starts_at < bindparam("end"),  # read all that the person or the day ever had
    )
    .order_by(BookingUnit.starts_at)
)
_USUAL_DESK = (
    select(BookingUnit.resource_id)
    .join(Booking)
    .where(
        Booking.person_id == bindparam("person"),
        Booking.starts_at >= bindparam("since"),
        Booking.status == "confirmed",
        BookingUnit.half.is_not(None),
    )
    .group_by(BookingUnit.resource_id)
    .having(func.count() >= 2)
    .order_by(func.count().desc(), BookingUnit.resource_id)
    .limit(1)
)


def own_places(person_id: int, span: Span, *, except_booking: int | None = None) -> list[OwnPlace]:
    """The desks (by half-day) and rooms ``person_id`` has in ``span``, those they have just cancelled included."""
    values = {"person": person_id, "since": span.start - A_DAY, "end": span.end, "kept_since": now() - UNDO}
    return [
        OwnPlace(resource_id, name, kind, Span(start, end), booking, public, status == "cancelled")
        for resource_id, name, kind, start, end, booking, public, status in db.session.execute(_OWN_PLACES, values)
        if booking != except_booking and end > span.start
    ]


def current_and_cancelled(
    person_id: int, span: Span, *, except_booking: int | None = None
) -> tuple[list[OwnPlace], list[OwnPlace]]:
    """Of `own_places` those that ``person_id`` has, and those they have just cancelled."""
    own = own_places(person_id, span, except_booking=except_booking)
    return [place for place in own if not place.cancelled], [place for place in own if place.cancelled]


def usual_desk(person_id: int, since: datetime) -> int | None:
    """The desk ``person_id`` booked most often since ``since`` (at least twice)."""
    return db.session.scalar(_USUAL_DESK, {"person": person_id, "since": since})


def free_resources(span: Span, kind: str, *, guests: int = 0, person_id: int | None = None) -> list[Resource]:
    """Resources of ``kind`` in service and free over the whole of ``span`` (for desks: of its half-days).

    Rooms are large enough for whoever books and their ``guests``, and leave time to tidy up. What ``person_id`` has just
    cancelled is still free for them.
    """
    day, *later = spaces.dates_of(span)
    rows = [row for row in spaces.resources(kind=kind, day=day) if all(row.in_service(date) for date in later)]
    if kind == DESK:
        halves = touched(open_halves(day), span)
        if not halves or later:
            return []
        span = Span(halves[0].span.start, halves[-1].span.end)
    else:
        rows = [row for row in rows if row.seats > guests]
    kept: set[int] = set()
    if person_id is not None and (known := spaces.days(day, day).get(day)) is not None:
        reach = Span(known.starts_at, max(known.ends_at, span.end))
        _current, cancelled = current_and_cancelled(person_id, reach)
        kept = {place.booking_id for place in cancelled}
    longest = timedelta(minutes=max((row.buffer_after for row in rows), default=0))
    taken = [
        (resource_id, busy)
        for resource_id, busy, holder_kind, holder in claims.taken(
            [row.id for row in rows], span.widened(before=timedelta(), after=longest), now()
        )
        if holder_kind != "booking" or holder not in kept
    ]
    return [row for row in rows if is_free(row, span, taken)]


def is_free(resource: Resource, use: Span, taken: Collection[tuple[int, Span]]) -> bool:
    """Whether ``resource`` can be used for ``use``, and tidied up behind it, beside what is ``taken``."""
    guarded = Wanted(resource.id, use, resource.buffer_after).guarded
    return not any(resource_id == resource.id and span.overlaps(guarded) for resource_id, span in taken)


def whose(actor: Actor) -> ColumnElement[bool]:
    """The bookings that ``actor``, who is not of the team, may open: their own, and those of whom they book for."""
    mine = same_person(Booking.person_id, actor.person_id)
    return or_(mine, booking_proxies.booked_by(actor, Booking.person_id, Booking.ends_at))


def booking_for(actor: Actor, public_id: str) -> Booking:
    """The booking with its person, units and resources; `NotFound` for a stranger."""
    statement = (
        select(Booking)
        .where(Booking.public_id == public_id)
        .options(
            joinedload(Booking.person),
            selectinload(Booking.units).options(
                joinedload(BookingUnit.resource), joinedload(BookingUnit.quote).joinedload(Quote.payer_organisation)
            ),
        )
    )
    if not actor.is_staff:
        statement = statement.where(whose(actor))
    booking = db.session.scalars(statement).unique().one_or_none()
    if booking is None:
        raise NotFound()
    return booking


def held_ids(ids: Collection[int]) -> dict[int, str]:
    """By id, the public ids of those bookings that wait to be paid (at most 1 statement)."""
    if not ids:
        return {}
    rows = db.session.execute(
        select(Booking.id, Booking.public_id).where(Booking.id.in_(ids), Booking.status == "held")
    )
    return {row.id: row.public_id for row in rows}


def bookings_of(person_id: int, span: Span) -> list[Booking]:
    """``person_id``'s bookings some of which lies in ``span``, cancelled ones included, with units, resources and payers."""
    return list(
        db.session.scalars(
            select(Booking)
            .where(
                Booking.person_id == person_id,
                Booking.starts_at >= span.start - A_DAY,
                Booking.starts_at < span.end,
                Booking.ends_at > span.start,
            )
            .options(
                selectinload(Booking.units).options(
                    joinedload(BookingUnit.resource),
                    joinedload(BookingUnit.quote).joinedload(Quote.payer_organisation),
                )
            )
            .order_by(Booking.starts_at, Booking.id)
        ).unique()
    )


def units_of(person_id: int) -> list[BookingUnit]:
    """Everything ``person_id`` ever booked, unit by unit, the latest first."""
    return _units(Booking.person_id == person_id, latest_first=True)


def units_between(first: date, last: date) -> list[BookingUnit]:
    """Every confirmed unit of the local dates ``first`` to ``last``, by time, with people and resources (1 statement)."""
    return _units(runs_on(BookingUnit, first, last), BookingUnit.day <= last, Booking.status == "confirmed")


def _units(*conditions: ColumnElement[bool], latest_first: bool = False) -> list[BookingUnit]:
    order = (BookingUnit.starts_at, BookingUnit.id)
    statement = (
        select(BookingUnit)
        .join(BookingUnit.booking)
        .where(*conditions)
        .options(contains_eager(BookingUnit.booking).joinedload(Booking.person), joinedload(BookingUnit.resource))
        .order_by(*(column.desc() if latest_first else column for column in order))
    )
    return list(db.session.scalars(statement).unique())


def coming_bookings(person_id: int, limit: int = 200) -> list[Booking]:
    """``person_id``'s bookings that are not over, soonest first, cancelled ones included."""
    return list(
        db.session.scalars(
            select(Booking)
            .where(
                Booking.person_id == person_id,
                Booking.starts_at > now() - A_DAY,  # bounds what is read of the person's index
                Booking.ends_at > now(),
            )
            .options(selectinload(Booking.units).joinedload(BookingUnit.resource))
            .order_by(Booking.starts_at, Booking.id)
            .limit(limit)
        ).unique()
    )


def past_bookings(person_id: int, page: int, size: int) -> tuple[list[Booking], int, int]:
    """A page of what is over, latest first; its number (the last one's beyond the end) and how many."""
    over = same_person(Booking.person_id, person_id) & (Booking.ends_at <= now())
    count = db.session.scalar(select(func.count()).select_from(Booking).where(over)) or 0
    pages = max(1, -(-count // size))
    page = min(page, pages)
    rows = db.session.scalars(
        select(Booking)
        .where(over)
        .options(selectinload(Booking.units).joinedload(BookingUnit.resource))
        .order_by(Booking.starts_at.desc(), Booking.id.desc())
        .limit(size)
        .offset((page - 1) * size)
    ).unique()
    return list(rows), page, pages


def free_until_of(booking: Booking, lieu: Lieu) -> datetime:
    """Until when ``booking`` can be cancelled free of charge."""
    return cancel_free_until(
        booking.starts_at, booking.created_at, free_cancel_minute=lieu.free_cancel_minute, zone=lieu.tz
    )


def undoable(booking_id: int, instant: datetime) -> bool:
    """Whether a cancelled booking's place is still kept for it."""
    held = live_claims(booking_id)
    return bool(held) and all(claim.expires_at is not None and claim.expires_at > instant for claim in held)


def worded_time(booking: Booking) -> str:
    """« le matin », « l’après-midi », « toute la journée », or a room's hours."""
    return worded({unit.half for unit in booking.units}, booking.span)


def worded(halves: Collection[str | None], span: Span) -> str:
    """As `worded_time`, of the ``halves`` of units that take ``span`` together."""
    return worded_halves(halves) or span_hours(span)


def worded_halves(halves: Collection[str | None]) -> str:
    """« le matin », « l’après-midi », « toute la journée »; nothing for a room's hours."""
    halves = set(halves)
    if halves == {"am"}:
        return _("the morning")
    if halves == {"pm"}:
        return _("the afternoon")
    return _("all day") if halves == {"am", "pm"} else ""


def day_bookings(day: date) -> list[Booking]:
    """The confirmed bookings of a local date with people, units and resources, by time: three statements.

    Those that began the evening before and go on into it are among them.
    """
    return list(
        db.session.scalars(
            select(Booking)
            .where(runs_on(Booking, day, day), Booking.status == "confirmed")
            .options(
                joinedload(Booking.person),
                selectinload(Booking.units).joinedload(BookingUnit.resource).joinedload(Resource.zone),
            )
            .order_by(Booking.starts_at, Booking.id)
        ).unique()
    )
