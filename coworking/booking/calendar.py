"""Bookings as calendar files that mail programs accept (RFC 5545).

``PUBLISH`` for what stands and ``CANCEL`` for what no longer does, never ``REQUEST``: nobody is asked to answer. The UID is
stable and the sequence grows, so that a moved booking replaces itself in a calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from icalendar import Calendar, Event

from coworking.booking.models import Booking
from coworking.core.clock import now
from coworking.core.i18n import _
from coworking.core.mail import Attachment
from coworking.core.settings import settings
from coworking.spaces.models import Lieu


def attachment(lieu: Lieu, bookings: Sequence[Booking]) -> Attachment:
    """One file with every booking; a cancelled one (alone) becomes a cancellation."""
    cancelled = all(booking.is_cancelled for booking in bookings)
    calendar = Calendar()
    calendar.add("prodid", "-//coworking//booking//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    for booking in bookings:
        calendar.add_component(_event(lieu, booking))
    method = "CANCEL" if cancelled else "PUBLISH"
    return Attachment(
        filename=_("booking") + ".ics",
        mime_type=f"text/calendar; method={method}; charset=utf-8",
        content=calendar.to_ical(),
    )


def _event(lieu: Lieu, booking: Booking) -> Event:
    stamp = now()
    names = ", ".join(dict.fromkeys(unit.resource.name for unit in booking.units))
    event = Event()
    event.add("uid", f"{booking.public_id}@{urlsplit(settings().base_url).hostname}")
    event.add("dtstamp", stamp)
    # Seconds since the booking was made: grows with every e-mail about it, whoever moved or cancelled it.
    event.add("sequence", max(0, int((stamp - booking.created_at).total_seconds())))
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    event.add("summary", " \u00b7 ".join(part for part in (booking.title, names, lieu.name) if part))
    event.add(
        "location",
        ", ".join(part for part in (names, lieu.name, lieu.address, f"{lieu.postcode} {lieu.city}") if part.strip()),
    )
    event.add("status", "CANCELLED" if booking.is_cancelled else "CONFIRMED")
    event.add("url", f"{settings().base_url}/bookings/{booking.public_id}")
    return event
