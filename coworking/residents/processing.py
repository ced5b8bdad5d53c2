"""Why the lieu holds whose a desk or an office is."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.privacy import HOST, MANAGER
from coworking.core.processing import CONTRACT, DUTY, Activity

processing.declare(
    Activity(
        "residents",
        N_("Assigned desks and offices"),
        N_("To keep a desk or an office for its resident, and to invoice it."),
        (CONTRACT, DUTY),
        ("residents",),
        N_(
            "What was agreed to stays with the invoices, for ten years; whose it "
            "was is a number once the account is erased."
        ),
        (HOST, MANAGER),
    ),
)
