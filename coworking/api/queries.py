"""Reading for programs: pages by keyset, and when things are free."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.accounts import queries as accounts
from coworking.accounts.models import Person
from coworking.accounts.twin_queries import same_person
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import ROOM_STEP, BeyondHorizon, BookableHalf, bookable_halves
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.policy import Actor
from coworking.core.timespan import Span, intersect, local_date, subtract
from coworking.core.types import from_micros, to_micros
from coworking.presence.models import Presence
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Resource
from coworking.spaces.rules import ClosedThen, refuse_closed


class InvalidCursor(DomainError):
    code = "invalid_cursor"
    status = 422
    message = N_("This cursor is not one that a page gave.")
    field = "cursor"


class RangeTooLong(DomainError):
    code = "range_too_long"
    status = 422
    message = N_("This is too long a time to ask for at once: %(days)s days at most.")
    field = "to"


def check_range(span: Span, days: int) -> None:
    """Raise `RangeTooLong` beyond ``days`` days (and the hour that clocks may go back)."""
    if span.end - span.start > timedelta(days=days, hours=1):
        raise RangeTooLong(days=days)


def encode_cursor(*parts: int | str) -> str:
    """An opaque cursor of ``parts``."""
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[int | str]:
    """The parts of ``cursor``, which must be of ``kinds``; raises `InvalidCursor`."""
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidCursor() from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise InvalidCursor()
    return parts


def bookings(
    actor: Actor, span: Span, *, person: str | None, cursor: str | None, limit: int
) -> tuple[list[Booking], str | None]:
    """Up to ``limit`` bookings that begin in ``span``, by start, and the next cursor.

    A member sees their own, staff everyone's or ``person``'s (a public id); `NotFound` for anyone else's. The order is
    by (starts_at, public_id), so what is booked or cancelled between two pages repeats and skips nothing else.
    """
    statement = (
        select(Booking)
        .where(Booking.starts_at >= span.start, Booking.starts_at < span.end)
        .options(
            joinedload(Booking.person),
            selectinload(Booking.units).options(joinedload(BookingUnit.resource), joinedload(BookingUnit.quote)),
        )
        .order_by(Booking.starts_at, Booking.public_id)
        .limit(limit + 1)
    )
    start = span.start
    if cursor is not None:
        start, last_id = _read_booking_cursor(cursor)
        statement = statement.where(
            Booking.starts_at >= start,  # the bound an index can use; the line below is exact
            or_(Booking.starts_at > start, and_(Booking.starts_at == start, Booking.public_id > last_id)),
        )
    owner = _owner(actor, person)
    if owner is not None:
        statement = statement.where(Booking.person_id == owner)
    else:
        zone = spaces.lieu().tz
        statement = statement.where(Booking.day.between(local_date(start, zone), local_date(span.end, zone)))
    rows = list(db.session.scalars(statement).unique())
    following = encode_cursor(to_micros(rows[limit - 1].starts_at), rows[limit - 1].public_id) if rows[limit:] else None
    return rows[:limit], following


def _read_booking_cursor(cursor: str) -> tuple[datetime, str]:
    micros, last_id = decode_cursor(cursor, int, str)
    if not 0 <= int(micros) < to_micros(datetime(2200, 1, 1, tzinfo=UTC)) or not str(last_id).isalnum():
        raise InvalidCursor()
    return from_micros(int(micros)), str(last_id)


def _owner(actor: Actor, person: str | None) -> int | None:
    """The id of the person whose bookings are requested, or None for everyone's."""
    if person is None:
        return None if actor.is_staff else actor.person_id
    found = accounts.find_person(person)
    if found is None or not (actor.is_staff or found.id == actor.person_id):
        raise NotFound(field="person_id")
    return found.id


def known_person(public_id: str) -> Person:
    """Somebody, closed accounts included; raises `NotFound`, also for who was erased."""
    found = accounts.person_by_public_id(public_id)
    if found.erased_at is not None:
        raise NotFound()
    return found


def presence_for(actor: Actor, public_id: str) -> Presence:
    """The presence with its person and booking; `NotFound` for a stranger's."""
    statement = (
        select(Presence)
        .where(Presence.public_id == public_id)
        .options(joinedload(Presence.person), joinedload(Presence.booking))
    )
    if not actor.is_staff:
        statement = statement.where(same_person(Presence.person_id, actor.person_id))
    found = db.session.scalars(statement).unique().one_or_none()
    if found is None:
        raise NotFound()
    return found


Free = list[tuple[Span, str | None]]


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """By resource what is free, with the half (``am``, ``pm``) of desks; and why days are closed, wholly or in part."""

    free: list[tuple[Resource, Free]]
    closed: list[tuple[date, DomainError]]


def availability(span: Span, kind: str | None) -> FreeTimes:
    """What of ``span`` can still be booked, by resource, up to the booking horizon: five statements.

    Desks by whole half-days that are not over; everything else by open time that is neither taken nor past nor needed
    to tidy up before the next use, today's from the next quarter of an hour on.
    """
    instant = now()
    lieu = spaces.lieu()
    first = max(local_date(span.start, lieu.tz), local_date(instant, lieu.tz))
    horizon = local_date(instant, lieu.tz) + timedelta(days=lieu.horizon_days)
    asked = local_date(span.end - _MOMENT, lieu.tz)
    last = min(asked, horizon)
    days = spaces.days(first, last) if first <= last else {}
    rows = [row for row in spaces.resources(kind=kind) if row.in_service_until is None or row.in_service_until >= first]
    taken: dict[int, list[Span]] = {row.id: [] for row in rows}
    if days:
        widest = timedelta(minutes=max((row.buffer_after for row in rows), default=0))
        for resource_id, held, _, _ in claims.taken(
            list(taken), span.widened(before=timedelta(), after=widest), instant
        ):
            taken[resource_id].append(held)
    opened = [_Open(on, list(bookable_halves(on, day).values()), day.open()) for on, day in days.items()]
    return FreeTimes(
        free=[(row, _free(row, opened, span, taken[row.id], instant)) for row in rows],
        closed=_closed(days.values()) + _beyond(max(first, horizon + _DAY), asked, horizon),
    )


def _closed(days: Iterable[LieuDay]) -> list[tuple[date, DomainError]]:
    """The refusal that a booking on each day that is not fully open would meet."""
    found: list[tuple[date, DomainError]] = []
    for day in days:
        try:
            refuse_closed(day)
        except ClosedThen as reason:
            found.append((day.day, reason))
    return found


def _beyond(first: date, last: date, horizon: date) -> list[tuple[date, DomainError]]:
    return [(first + n * _DAY, BeyondHorizon(last=horizon)) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class _Open:
    """One day's open time, and its half-days."""

    day: date
    halves: list[BookableHalf]
    spans: list[Span]


def _free(row: Resource, opened: list[_Open], span: Span, taken: list[Span], instant: datetime) -> Free:
    days = [day for day in opened if row.in_service(day.day)]
    if row.kind == DESK:
        halves = [half for day in days for half in day.halves]
        return [
            (half.span, half.half)
            for half in halves
            if half.span.end > instant
            and half.span.overlaps(span)
            and not any(held.overlaps(half.span.widened(before=_ZERO, after=_buffer(row))) for held in taken)
        ]
    start = max(span.start, _next_step(instant))
    if span.end <= start:
        return []
    wanted = Span(start, span.end)
    spans = [stretch for day in days for stretch in day.spans]
    held = [one.widened(before=_buffer(row), after=_ZERO) for one in taken]
    return [(stretch, None) for stretch in subtract(intersect(spans, [wanted]), held)]


def _next_step(instant: datetime) -> datetime:
    """The next quarter of an hour at which a room can be booked: every zone is a whole number of them from UTC."""
    return instant + (_EPOCH - instant) % ROOM_STEP


def _buffer(row: Resource) -> timedelta:
    return timedelta(minutes=row.buffer_after)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = timedelta()
_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
