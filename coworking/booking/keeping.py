"""How long what was said about bookings and rooms is kept. Bookings stay without their words: closed months count them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, null, or_

from coworking.accounts import leaving
from coworking.booking.message_models import DayMessage, PhoneCall, ProblemReport
from coworking.booking.models import Booking, RefusedRequest
from coworking.core import retention
from coworking.core.errors import N_
from coworking.core.retention import Keeps

RUNNING = N_("To run the place.")
MISSING = N_("To count how much is missing, once for each person.")


def _with_words() -> Sequence[ColumnElement[bool]]:
    return (or_(Booking.title.is_not(None), Booking.told.is_not(None), Booking.moved_from.is_not(None)),)


def _with_digest() -> Sequence[ColumnElement[bool]]:
    return (RefusedRequest.who.is_not(None),)


leaving.sign(Booking.person_id, Booking.ends_at)
retention.declare(
    Keeps(
        "booking_words",
        N_("Titles of bookings, and what e-mails said of them"),
        RUNNING,
        Booking,
        Booking.day,
        730,
        only=_with_words,
        empties={"title": None, "told": null(), "moved_from": null()},
        choices=(92, 365, 730),
    ),
    Keeps("phone_calls", N_("Phone calls that were made"), RUNNING, PhoneCall, PhoneCall.done_at, 92),
    Keeps(
        "day_messages",
        N_("Messages to everybody of a day"),
        RUNNING,
        DayMessage,
        DayMessage.sent_at,
        365,
        choices=(92, 365, 730),
    ),
    Keeps(
        "problems",
        N_("Problems of desks and rooms that were solved"),
        RUNNING,
        ProblemReport,
        ProblemReport.resolved_at,
        365,
        choices=(92, 365, 730),
    ),
    Keeps(
        "refused_requests",
        N_("Who found nothing free"),
        MISSING,
        RefusedRequest,
        RefusedRequest.day,
        0,
        only=_with_digest,
        empties={"who": None},
        by_the_minute=True,
    ),
)
