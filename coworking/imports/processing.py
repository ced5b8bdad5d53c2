"""Why the lieu holds lines of files that are imported."""

from __future__ import annotations

from coworking.core import processing
from coworking.core.errors import N_
from coworking.core.processing import CONTRACT, Activity

processing.declare(
    Activity(
        "imports",
        N_("Moving in from a spreadsheet"),
        N_("To take over the people and plans that the lieu kept in a file before."),
        (CONTRACT,),
        ("imports",),
        N_("What was taken over becomes an account, a plan or an organisation."),
    ),
)
