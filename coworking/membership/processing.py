"""Why the lieu holds plans, packs and annual memberships."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.privacy import HOST, MANAGER
from coworking.core.processing import CONTRACT, DUTY, Activity

processing.declare(
    Activity(
        "membership",
        N_("Plans, packs and annual memberships"),
        N_("To know what somebody may use, at what price, and what is left of it."),
        (CONTRACT, DUTY),
        ("membership",),
        N_(
            "What was agreed to stays with the invoices, for ten years; whose it "
            "was is a number once the account is erased."
        ),
        (HOST, MANAGER),
    ),
)
