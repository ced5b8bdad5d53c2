"""Presences as a file."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.presence.models import Presence

EVIDENCE_WORDS = {
    "self": N_("by the person"),
    "host": N_("by the place"),
    "kiosk": N_("at the door’s screen"),
    "qr": N_("by QR code"),
    "network": N_("by the wifi"),
    "import": N_("imported"),
}

PRESENCES: list[Column[Presence]] = [
    Column(N_("Day"), lambda row: row.day),
    Column(N_("First name"), lambda row: row.person.first_name),
    Column(N_("Last name"), lambda row: row.person.last_name),
    Column(N_("Arrived at"), lambda row: row.arrived_at),
    Column(N_("Left at"), lambda row: row.left_at),
    Column(N_("Recorded"), lambda row: _(EVIDENCE_WORDS[row.evidence])),
]
