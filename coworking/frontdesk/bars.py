"""The planning's bars: every claim of a day, with whom and what it is for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, null, select, type_coerce, union_all

from coworking.accounts.models import Organisation, Person
from coworking.booking.models import Booking, BookingUnit
from coworking.claims import queries as claims
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.timespan import Span
from coworking.residents.models import Residency, ResidentPlace


class Bar(NamedTuple):
    """One claim on the timeline. ``outcome`` is came, absent, unknown or pending; names are for staff and colleagues.

    A resident's has no booking; its ``title`` is the organisation whose place it is.
    """

    resource_id: int
    start: datetime
    end: datetime
    guarded_end: datetime
    holder_kind: str
    expires_at: datetime | None
    booking: str | None
    person_id: int | None
    first_name: str | None
    last_name: str | None
    title: str | None
    outcome: str | None

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


_OUTCOME = (
    select(func.min(BookingUnit.outcome))
    .where(BookingUnit.booking_id == Booking.id, BookingUnit.resource_id == Claim.resource_id)
    .scalar_subquery()
)
_COLUMNS = (
    Claim.resource_id,
    Claim.use_starts_at,
    Claim.use_ends_at,
    Claim.ends_at,
    Claim.holder_kind,
    Claim.expires_at,
    Booking.public_id,
    Booking.person_id,
    Person.first_name,
    Person.last_name,
    Booking.title,
    _OUTCOME,
)
_BARS = (
    select(*_COLUMNS, null())
    .outerjoin(
        Booking,
        (Claim.holder_kind == "booking")
        & (Booking.id == Claim.holder_id)
        # said again in local dates, or PostgreSQL reads every booking
        & Booking.day.between(bindparam("first"), bindparam("last")),
    )
    .outerjoin(Person, Person.id == Booking.person_id)
    .where(
        bindparam("known") != claims.DAY_VERSION,  # asked once, before any claim is read
        Claim.holder_kind != "resident",
        claims.overlapping_bounds(bindparam("start"), bindparam("end"), bindparam("earliest")),
        claims.in_force(bindparam("instant")),
    )
)
_RESIDENTS = (  # found from their few rows
    select(
        *_COLUMNS[:6],
        type_coerce(null(), Booking.public_id.type),
        Residency.person_id,
        Person.first_name,
        Person.last_name,
        Organisation.name,
        type_coerce(null(), BookingUnit.outcome.type),
        null(),
    )
    .select_from(ResidentPlace)
    .join(ResidentPlace.residency)
    .join(Claim, (Claim.holder_kind == "resident") & (Claim.holder_id == ResidentPlace.id))
    .outerjoin(Person, Person.id == Residency.person_id)
    .outerjoin(Organisation, Organisation.id == Residency.organisation_id)
    .where(
        bindparam("known") != claims.DAY_VERSION,
        Claim.live.is_(True),
        Claim.starts_at < bindparam("end"),
        Claim.ends_at > bindparam("start"),
    )
)
_VERSION_AND_BARS = union_all(  # built once: every planning asks it
    select(*(type_coerce(null(), column.type) for column in _COLUMNS), claims.DAY_VERSION), _BARS, _RESIDENTS
)


def bars(day: date, span: Span, known: int | None = None) -> tuple[int, list[Bar] | None]:
    """The version of ``day``, and every claim in force in ``span`` by its start; None if the version is ``known``.

    One statement, so that the bars are those of the version. ``span``: the day from its first to its last instant.
    """
    first, last = span.start.date() - timedelta(days=1), span.end.date() + timedelta(days=1)
    asked = {"day": day, "known": -1 if known is None else known, "first": first, "last": last, "instant": now()}
    rows = db.session.execute(_VERSION_AND_BARS, asked | claims.bounds(span)).all()
    version = next(row[-1] for row in rows if row[-1] is not None)
    if version == known:
        return version, None
    return version, sorted((Bar._make(row[:-1]) for row in rows if row[-1] is None), key=_by_start)


def _by_start(bar: Bar) -> tuple[int, datetime]:
    return bar.resource_id, bar.start
