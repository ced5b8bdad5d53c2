"""Why the lieu holds who was there."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.privacy import HOST, MANAGER
from coworking.core.processing import CONTRACT, INTEREST, Activity

processing.declare(
    Activity(
        "presence",
        N_("Presence and certificates"),
        N_("To certify who was there when they ask for it, and to count how much the place is used, in numbers only."),
        (CONTRACT, INTEREST),
        ("presence",),
        N_(
            "Presences stay for two years, and for longer only until each month that counts them is closed for good; then "
            "the first and the last day of each person. A certificate stays, for others may still verify it."
        ),
        (HOST, MANAGER),
    ),
)
