"""Reading presences: who is there, who came on a day, whose half-days nobody has settled yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounts.models import Person
from coworking.accounts.twin_queries import one_person
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import PENDING
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.timespan import local_date, union
from coworking.presence.models import PastVisits, Presence
from coworking.presence.rules import EARLY, Visit
from coworking.spaces import queries as spaces


def presences_on(day: date) -> list[Presence]:
    """Everyone who was or is there on a local date, by arrival, with people and bookings."""
    return list(
        db.session.scalars(
            select(Presence)
            .where(Presence.day == day)
            .options(
                joinedload(Presence.person),
                joinedload(Presence.booking).selectinload(Booking.units).joinedload(BookingUnit.resource),
            )
            .order_by(Presence.arrived_at, Presence.id)
        ).unique()
    )


def presences_between(first: date, last: date) -> list[Presence]:
    """Every presence of the local dates ``first`` to ``last``, by arrival, with people (1 statement)."""
    return list(
        db.session.scalars(
            select(Presence)
            .where(Presence.day.between(first, last))
            .options(joinedload(Presence.person))
            .order_by(Presence.arrived_at, Presence.id)
        ).unique()
    )


_OPEN_PRESENCES = (
    select(Presence)
    .where(
        Presence.person_id == bindparam("person"),
        Presence.day.between(bindparam("first"), bindparam("last")),
        Presence.left_at.is_(None),
    )
    .order_by(Presence.day.desc())
)


def open_presence(person_id: int, day: date) -> Presence | None:
    """The presence of ``day`` that has not ended."""
    return db.session.scalars(_OPEN_PRESENCES, {"person": person_id, "first": day, "last": day}).first()


def still_there(person_id: int, at: datetime) -> Presence | None:
    """The presence of one person that has not ended ``at`` that instant: of its day, or of the night before.

    Of the night before where the lieu never closed since and they were not seen again: see `through_midnight`.
    """
    today = local_date(at, spaces.lieu().tz)
    lately = {"person": person_id, "first": today - timedelta(days=1), "last": today}
    here = db.session.scalars(_OPEN_PRESENCES, lately).first()
    if here is None or here.day == today:
        return here
    return None if presences_of(person_id, today) or not through_midnight(today, at) else here


def there_since_yesterday(at: datetime) -> list[Presence]:
    """Whom nobody saw leave yesterday nor come again today, where the lieu never closed since, by arrival."""
    today = local_date(at, spaces.lieu().tz)
    if not through_midnight(today, at):
        return []
    again = aliased(Presence)
    came_again = select(again.id).where(again.person_id == Presence.person_id, again.day == today).exists()
    yesterday = (Presence.day == today - timedelta(days=1), Presence.left_at.is_(None))
    statement = select(Presence).where(*yesterday, ~came_again).options(joinedload(Presence.person))
    return list(db.session.scalars(statement.order_by(Presence.arrived_at, Presence.id)).unique())


def through_midnight(today: date, at: datetime) -> bool:
    """Whether the lieu is open from yesterday on without a break until ``at`` (or has closed just now).

    Who was there at midnight may still be, until the first half-day of ``today`` is over.
    """
    days = spaces.days(today - timedelta(days=1), today)
    row = days.get(today)
    if row is None or at >= row.split_at:
        return False
    opened = union(span for day in days.values() for span in day.open())
    return any(span.start < row.starts_at < span.end and at <= span.end + EARLY for span in opened)


def unsettled(first: date, last: date, at: datetime | None = None) -> list[BookingUnit]:
    """Booked units from ``first`` to ``last`` for which it is not yet known whether the person came, oldest
    first; with ``at`` only those that are over by then."""
    return list(
        db.session.scalars(
            select(BookingUnit)
            .join(Booking)
            .where(
                BookingUnit.outcome == "pending",
                BookingUnit.day >= first,
                BookingUnit.day <= last,
                *([BookingUnit.ends_at <= at] if at is not None else []),
                Booking.status == "confirmed",
            )
            .options(joinedload(BookingUnit.booking).joinedload(Booking.person), joinedload(BookingUnit.resource))
            .order_by(BookingUnit.starts_at, BookingUnit.id)
        ).unique()
    )


def first_visit(person_ids: Sequence[int], before: date) -> set[int]:
    """Those of ``person_ids`` who have never been present before ``before``, under none of their records (1 statement)."""
    records = or_(Person.id.in_(person_ids), Person.merged_into_person_id.in_(person_ids))
    came = select(Presence.id).where(Presence.person_id == Person.id, Presence.day < before)
    long_ago = select(PastVisits.person_id).where(PastVisits.person_id == Person.id, PastVisits.first_day < before)
    been = select(one_person()).where(records, or_(came.exists(), long_ago.exists()))
    return set(person_ids) - set(db.session.scalars(been))


def presence_of(public_id: str) -> Presence:
    """One presence with its person and what it is linked with; `NotFound`."""
    found = (
        db.session.scalars(
            select(Presence)
            .where(Presence.public_id == public_id)
            .options(
                joinedload(Presence.person),
                joinedload(Presence.booking).selectinload(Booking.units).joinedload(BookingUnit.resource),
            )
        )
        .unique()
        .one_or_none()
    )
    if found is None:
        raise NotFound()
    return found


_OF_PERSON = (
    select(Presence)
    .where(
        Presence.person_id == bindparam("person"), Presence.day >= bindparam("first"), Presence.day <= bindparam("last")
    )
    .order_by(Presence.arrived_at, Presence.id)
)


def presences_of(person_id: int, first: date, last: date | None = None) -> list[Presence]:
    """The presences of one person on the day ``first``, or from it to ``last``, by arrival."""
    return list(db.session.scalars(_OF_PERSON, {"person": person_id, "first": first, "last": last or first}))


def visit_of(row: Presence) -> Visit:
    """A presence as the rules see it."""
    seen = row.recorded_at is None or local_date(row.recorded_at, spaces.lieu().tz) == row.day
    return Visit(row.arrived_at, row.left_at, row.evidence, seen)


def visits(person_id: int, first: date, last: date | None = None) -> list[Visit]:
    """One person's presences on the day ``first``, or from it to ``last``, as the rules see them, by arrival."""
    return [visit_of(row) for row in presences_of(person_id, first, last)]


def seen_elsewhen(first: date, until: datetime, zone: ZoneInfo) -> list[tuple[int, date]]:
    """Person and day, from ``first``, of undecided units that were over ``until`` then, whose person was seen that day."""
    rows = db.session.execute(
        select(Booking.person_id, BookingUnit.day, Presence.recorded_at)
        .select_from(BookingUnit)
        .join(Booking)
        .join(Presence, (Presence.person_id == Booking.person_id) & (Presence.day == BookingUnit.day))
        .where(
            BookingUnit.outcome == PENDING,
            BookingUnit.day >= first,
            BookingUnit.ends_at <= until,
            Booking.status == "confirmed",
        )
    )
    return sorted({(who, day) for who, day, at in rows if at is None or local_date(at, zone) == day})
