"""The lists of desks and rooms and of closures, as files."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.formats import minute_of_day
from coworking.core.i18n import _
from coworking.spaces.models import DESK, OFFICE, ROOM, Closure, Resource

KIND_WORDS = {DESK: N_("desk"), ROOM: N_("meeting room"), OFFICE: N_("private office")}

RESOURCES: list[Column[Resource]] = [
    Column(N_("Area"), lambda row: row.zone.name),
    Column(N_("Name"), lambda row: row.name),
    Column(N_("Kind"), lambda row: _(KIND_WORDS[row.kind])),
    Column(N_("Seats"), lambda row: row.seats),
    Column(N_("Minutes kept free after each use"), lambda row: row.buffer_after or None),
    Column(N_("Description"), lambda row: row.description),
    Column(N_("In service from"), lambda row: row.in_service_from),
    Column(N_("In service until"), lambda row: row.in_service_until),
]

CLOSURES: list[Column[Closure]] = [
    Column(N_("Why"), lambda row: row.reason),
    Column(N_("First day"), lambda row: row.first_day),
    Column(N_("Last day"), lambda row: row.last_day),
    Column(N_("From"), lambda row: None if row.from_minute is None else minute_of_day(row.from_minute)),
    Column(N_("Until"), lambda row: None if row.to_minute is None else minute_of_day(row.to_minute)),
]
