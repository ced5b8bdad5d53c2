"""Letters about bookings, carried out from the outbox.

Each handler looks at what is true now: a booking given back meanwhile is not confirmed, one taken back is not cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.accounts.models import Person
from coworking.booking import calendar, offers, queries
from coworking.booking.models import Booking, BookingUnit
from coworking.core import mail, outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.i18n import in_language
from coworking.core.settings import settings
from coworking.spaces import queries as spaces


@outbox.handler("booking.confirmed")
def confirmed(job: outbox.Job) -> None:
    booking = _booking(job.payload["booking"])
    if booking is not None and not booking.is_cancelled and booking.ends_at > now():
        _write(job, booking.person, [booking], "booking/confirmed")


@outbox.handler("booking.cancelled")
def cancelled(job: outbox.Job) -> None:
    booking = _booking(job.payload["booking"])
    if booking is not None and booking.is_cancelled:
        _write(job, booking.person, [booking], "booking/cancelled")


@outbox.handler("booking.displaced")
def gone(job: outbox.Job) -> None:
    """The lieu took it back: why, and that nothing is owed. Whoever left is not written to."""
    booking = _booking(job.payload["booking"])
    if booking is not None and booking.is_cancelled:
        said = {"why": job.payload["why"], "reason": job.payload["reason"]}
        _write(job, booking.person, [booking], "booking/displaced", **said)


@outbox.handler("booking.reminder")
def reminder(job: outbox.Job) -> None:
    payload = job.payload
    person = db.session.scalars(select(Person).where(Person.public_id == payload["person"])).unique().one_or_none()
    if person is None:
        return
    first, last = date.fromisoformat(payload["first"]), date.fromisoformat(payload["last"])
    bookings = list(
        db.session.scalars(
            _loaded().where(
                Booking.person_id == person.id,
                Booking.day >= first,
                Booking.day <= last,
                Booking.status == "confirmed",
            )
        ).unique()
    )
    if bookings and bookings[-1].ends_at > now():
        _write(job, person, bookings, f"booking/reminder_{payload['kind']}")


def _loaded() -> Select[Booking]:
    return (
        select(Booking)
        .options(joinedload(Booking.person), selectinload(Booking.units).joinedload(BookingUnit.resource))
        .order_by(Booking.starts_at, Booking.id)
    )


def _booking(public_id: str) -> Booking | None:
    return db.session.scalars(_loaded().where(Booking.public_id == public_id)).unique().one_or_none()


def _write(job: outbox.Job, person: Person, bookings: Sequence[Booking], template: str, **context: str | None) -> None:
    if person.email is None or not person.is_active:
        return
    lieu = spaces.lieu()
    with in_language(person.locale):
        files = (calendar.attachment(lieu, bookings),)
    mail.deliver(
        job.id,
        template=template,
        to=person.email,
        locale=person.locale,
        context={
            "place": lieu.name,
            "lieu": lieu,
            "first_name": person.first_name,
            "bookings": bookings,
            "booking": bookings[0],
            "bill": next((bill for booking in bookings if (bill := offers.bill_of(booking)) is not None), None),
            "free_until": queries.free_until_of(bookings[0], lieu),
            "base_url": settings().base_url,
            **context,
        },
        attachments=files,
    )
