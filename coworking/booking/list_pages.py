"""Bookings as a file: one's own, or those of a day or a month."""

from __future__ import annotations

from coworking.booking import queries
from coworking.booking.models import BookingUnit
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _

OUTCOME_WORDS = {
    "came": N_("came"),
    "absent": N_("absent"),
    "unknown": N_("not known"),
    "pending": N_("to confirm"),
}
STATUS_WORDS = {"confirmed": N_("confirmed"), "held": N_("waits to be paid"), "cancelled": N_("cancelled")}

_WHAT: list[Column[BookingUnit]] = [
    Column(N_("Day"), lambda row: row.day),
    Column(N_("Desk or room"), lambda row: row.resource.name),
    Column(N_("Half-day"), lambda row: queries.worded([row.half], row.booking.span) if row.half else None),
    Column(N_("From"), lambda row: row.starts_at),
    Column(N_("Until"), lambda row: row.ends_at),
]
_MORE: list[Column[BookingUnit]] = [
    Column(N_("Title"), lambda row: row.booking.title),
    Column(N_("Guests"), lambda row: row.booking.guests or None),
    Column(N_("State"), lambda row: _(STATUS_WORDS[row.booking.status])),
]

OWN: list[Column[BookingUnit]] = [*_WHAT, *_MORE]
"""What a person's own file holds."""

EVERYONES: list[Column[BookingUnit]] = [
    *_WHAT,
    Column(N_("First name"), lambda row: row.booking.person.first_name),
    Column(N_("Last name"), lambda row: row.booking.person.last_name),
    Column(N_("E-mail"), lambda row: row.booking.person.email),
    *_MORE,
    Column(N_("Presence"), lambda row: _(OUTCOME_WORDS[row.outcome])),
]
"""What staff's file holds."""
