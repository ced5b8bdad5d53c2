"""Why the lieu holds bookings."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.privacy import COLLEAGUE, CONTACT, HOST, MANAGER
from coworking.core.processing import CONTRACT, INTEREST, Activity

processing.declare(
    Activity(
        "booking",
        N_("Bookings of desks and rooms"),
        N_("To keep a place for who booked it, and to run the house: what is broken, whom to call."),
        (CONTRACT, INTEREST),
        ("booking",),
        N_("Bookings stay, under a number once the account is erased: months that are closed count them."),
        (COLLEAGUE, CONTACT, HOST, MANAGER),
    ),
)
