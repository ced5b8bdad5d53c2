"""What the lieu holds about somebody's bookings, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from coworking.booking.message_models import DayMessage, PhoneCall, ProblemReport
from coworking.booking.models import Booking, BookingUnit, RefusedRequest
from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import MINUTES, THE_LIEU, Holds


def _of_bookings(person_id: int) -> ColumnElement[bool]:
    return BookingUnit.booking_id.in_(select(Booking.id).where(Booking.person_id == person_id))


holdings.declare(
    Holds("bookings", N_("My bookings"), Booking),
    Holds("booked_half_days", N_("What I booked, and whether I came"), BookingUnit, rows=_of_bookings),
    Holds("phone_calls", N_("Phone calls to make to me"), PhoneCall),
    Holds("problems", N_("Problems I reported"), ProblemReport),
)
holdings.leave(THE_LIEU, N_("Messages to everybody of a day"), DayMessage)
holdings.leave(MINUTES, N_("Requests that found nothing free"), RefusedRequest)
