"""Where people of the same employer sit, for those among them who agreed to see each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from coworking.accounts.models import OrganisationMember, Person
from coworking.booking.models import Booking, BookingUnit
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.spaces.models import Resource


@dataclass(frozen=True, slots=True)
class Colleague:
    """A colleague's desk on a half-day: « Karim B. », « Poste 3 »."""

    day: date
    half: str
    name: str
    full_name: str
    desk: str


_MINE, _THEIRS = aliased(OrganisationMember), aliased(OrganisationMember)
_DESKS = (
    select(Booking.day, BookingUnit.half, Person, Resource.name)
    .join(BookingUnit, BookingUnit.booking_id == Booking.id)
    .join(Resource, Resource.id == BookingUnit.resource_id)
    .join(Person, Person.id == Booking.person_id)
    .where(
        Booking.person_id.in_(
            select(_THEIRS.person_id)
            .join(_MINE, _MINE.organisation_id == _THEIRS.organisation_id)
            .where(_MINE.person_id == bindparam("person"), _THEIRS.person_id != bindparam("person"))
        ),
        Booking.starts_at >= bindparam("start"),
        Booking.starts_at < bindparam("end"),
        Booking.status == "confirmed",
        BookingUnit.half.is_not(None),
        Person.visible_to_colleagues,
        Person.deactivated_at.is_(None),
        select(_MINE.id)
        .join(_THEIRS, _MINE.organisation_id == _THEIRS.organisation_id)
        .where(
            _MINE.person_id == bindparam("person"),
            _THEIRS.person_id == Booking.person_id,
            *(
                and_(row.since <= Booking.day, or_(row.until.is_(None), row.until >= Booking.day))
                for row in (_MINE, _THEIRS)
            ),
        )
        .exists(),
    )
    .order_by(Booking.day, Person.first_name, Person.last_name, BookingUnit.starts_at)
)


def desks_of_colleagues(person_id: int, span: Span) -> list[Colleague]:
    """The desks that colleagues of ``person_id`` have in ``span``, where both agreed to be seen and share an employer that
    day; one statement, and none for who did not agree."""
    me = db.session.get(Person, person_id)
    if me is None or not me.visible_to_colleagues:
        return []
    rows = db.session.execute(_DESKS, {"person": person_id, "start": span.start, "end": span.end}).unique()
    return [Colleague(day, half or "", person.short_name, person.name, desk) for day, half, person, desk in rows]
