"""Why the lieu holds accounts, and organisations with their people."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.processing import CONSENT, CONTRACT, INTEREST, MAIL_SERVER, Activity

processing.declare(
    Activity(
        "accounts",
        N_("Accounts and signing in"),
        N_("To know who comes, to let them sign in and nobody else, to write to them, and to see what went wrong."),
        (CONTRACT, INTEREST, CONSENT),
        ("accounts", "core"),
        N_(
            "The account is kept until its person, or the lieu, erases it. The "
            "audit trail stays and holds numbers, no names."
        ),
        outside=(MAIL_SERVER,),
    ),
)
