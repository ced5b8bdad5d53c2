"""E-mails about bookings, carried out from the outbox. Each says what is true when it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from coworking.accounts import booking_proxies, letters
from coworking.accounts.models import Person
from coworking.booking import calendar, emails, offers, queries
from coworking.booking.access import lock_person
from coworking.booking.former import former_of
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import DISPLACED, Cause
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.formats import day_long, minute_of_day, raised, span_hours
from coworking.core.i18n import _, in_language
from coworking.core.settings import settings
from coworking.core.timespan import Span
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces
from coworking.spaces.models import Lieu, Resource

A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class EmailedBooking:
    """A booking as an e-mail says it. ``late``: it counts as used by now, and somebody owes it.

    ``why`` the lieu moved, shortened or cancelled it; ``closings``: when it is closed that day, in words; ``lost``: what a
    shortened one has no more.
    """

    kind: str
    booking: Booking
    before: tuple[str, Span] | None
    bill: offers.Bill | None
    free_until: datetime
    late: bool
    why: Cause | None
    closings: tuple[str, ...]
    lost: str


@outbox.handler(emails.TOPIC)
def news(job: outbox.Job) -> None:
    """One e-mail with all that changed and was not told; nothing where it was all undone."""
    person = _person(job.payload["person"])
    if person is None:
        return
    untold = _untold(person.id)
    told = {booking.id: emails.standing(booking) for booking in untold}
    found = [found for booking in untold if (found := emails.news_of(booking)) is not None]
    if found:
        _write(job, person, found, "booking/news")
    end_read()
    with write_unit():
        _settle(person.id, told)


def _settle(person_id: int, told: dict[int, emails.ToldPlace | None]) -> None:
    """Record what the e-mail said; what changed while it was sent waits for the next one."""
    person = lock_person(person_id)
    for booking in _untold(person_id):
        if booking.id in told:
            booking.told = told[booking.id]
        if booking.id in told and emails.same(told[booking.id], emails.standing(booking)):
            booking.untold_since = None
        else:
            booking.untold_since = emails.open_window(person)


@outbox.handler("booking.reminder", can_wait=True)
def reminder(job: outbox.Job) -> None:
    payload = job.payload
    person = _person(payload["person"])
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
        expected = [emails.News("booked", booking) for booking in bookings]
        _write(job, person, expected, f"booking/reminder_{payload['kind']}", on_paper=False)


def _loaded() -> Select[Booking]:
    return (
        select(Booking)
        .options(joinedload(Booking.person), selectinload(Booking.units).joinedload(BookingUnit.resource))
        .order_by(Booking.starts_at, Booking.id)
    )


def _person(public_id: str) -> Person | None:
    return db.session.scalars(select(Person).where(Person.public_id == public_id)).unique().one_or_none()


def _untold(person_id: int) -> list[Booking]:
    """The person's bookings of which something may not have been told, freshly read."""
    mine = (Booking.person_id == person_id, Booking.untold_since.is_not(None))
    return list(db.session.scalars(_loaded().where(*mine).execution_options(populate_existing=True)).unique())


def _write(
    job: outbox.Job, person: Person, news: Sequence[emails.News], template: str, *, on_paper: bool = True
) -> None:
    lieu = spaces.lieu()
    with in_language(person.locale):
        said = [_said(item, lieu) for item in news]
    reader, base_url = booking_proxies.reader_of(person), settings().base_url
    if reader is not None:  # what it costs and who pays is told to its person alone
        said = [replace(item, bill=None) for item in said]
    bookings = [item.booking for item in said]
    standing = [booking for booking in bookings if not booking.is_cancelled]
    gone = [booking for booking in bookings if booking.is_cancelled]
    with in_language(person.locale):
        files = tuple(calendar.attachment(lieu, some) for some in (standing, gone) if some)
    letters.write_to(
        job,
        person,
        about="booking",
        template=template,
        context={
            "place": lieu.name,
            "lieu": lieu,
            "first_name": person.first_name,
            "said": said,
            "worded_time": queries.worded_time,
            "base_url": base_url,
            "week_url": f"{base_url}/week" if reader is None else f"{base_url}/for/{person.public_id}",
        },
        attachments=files,
        reader=reader,
        on_paper=on_paper,
    )


def _said(news: emails.News, lieu: Lieu) -> EmailedBooking:
    booking = news.booking
    bill, until = offers.bill_of(booking), queries.free_until_of(booking, lieu)
    why = news.why if news.kind != "cancelled" else _cause(booking)
    closings = tuple(_closings_over(booking)) if why == "closed" else ()
    owed = bill is not None and bill.state != "released"
    late = owed and until <= now()
    return EmailedBooking(news.kind, booking, news.before, bill, until, late, why, closings, lost(booking))


def _cause(booking: Booking) -> Cause | None:
    return next((cause for cause in DISPLACED if cause == booking.cancelled_because), None)


def _closings_over(booking: Booking) -> Iterator[str]:
    """`_closings` of the booking's day; where it goes over midnight, of both days, each named."""
    days = spaces.dates_of(booking.span)
    for day in days:
        for words in _closings(day):
            yield words if len(days) == 1 else raised(day_long(day)) + _(": ") + words


def _closings(day: date) -> Iterator[str]:
    """When the lieu is closed on ``day``, a sentence each: by its own hours, not by those of a booking."""
    known = spaces.days(day, day).get(day)
    if known is not None and known.holiday:
        yield _("Closed that day (%(reason)s).", reason=known.holiday)
    for closing in spaces.closings_between(day, day):
        start, end = closing.from_minute, closing.to_minute
        if not start and end in (None, A_DAY):
            yield _("Closed that day (%(reason)s).", reason=closing.reason)
        elif end in (None, A_DAY):
            yield _("Closed from %(start)s on (%(reason)s).", start=minute_of_day(start or 0), reason=closing.reason)
        else:
            times = {"start": minute_of_day(start or 0), "end": minute_of_day(end)}
            yield _("Closed from %(start)s to %(end)s (%(reason)s).", **times, reason=closing.reason)


def lost(booking: Booking) -> str:
    """What the lieu took of ``booking`` when it last changed it: « l’après-midi », or rooms with their hours; or nothing."""
    former = former_of(booking)
    if former is None or former.why is None:
        return ""
    kept = {(unit.half, unit.starts_at) for unit in booking.units}
    gone = [unit for unit in former.units if (unit.half, unit.span.start) not in kept]
    halves = [unit for unit in gone if unit.half is not None]
    said = [queries.worded({unit.half for unit in halves}, halves[0].span)] if halves else []
    rooms = [unit for unit in gone if unit.half is None]
    return ", ".join([*said, *(f"{_place(unit.resource_id)}, {span_hours(unit.span)}" for unit in rooms)])


def _place(resource_id: int) -> str:
    return db.session.get_one(Resource, resource_id).name
