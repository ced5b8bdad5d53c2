"""The list of assigned places, as a file."""

from __future__ import annotations

from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.money import Cents
from coworking.residents.models import Residency
from coworking.spaces import queries as spaces

RESIDENCIES: list[Column[Residency]] = [
    Column(N_("Desk or office"), lambda row: row.place_on(max(spaces.today(), row.first_day)).name),
    Column(N_("Resident"), lambda row: row.who),
    Column(N_("First day"), lambda row: row.first_day),
    Column(N_("Last day"), lambda row: row.last_day),
    Column(N_("Price a month"), lambda row: Cents(row.monthly_cents)),
    Column(N_("Price"), lambda row: _("excl. VAT") if row.basis == "ht" else _("incl. VAT")),
    Column(N_("At least until"), lambda row: row.bound_until),
    Column(N_("Months of notice"), lambda row: row.notice_months),
]
