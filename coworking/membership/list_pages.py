"""The lists of organisations and subscriptions, as files."""

from __future__ import annotations

from coworking.accounts.models import Organisation
from coworking.core.errors import N_
from coworking.core.exports import Column
from coworking.core.i18n import _
from coworking.core.money import Cents
from coworking.core.months import write_month
from coworking.membership.models import Subscription

ORGANISATIONS: list[Column[Organisation]] = [
    Column(N_("Name"), lambda row: row.name),
    Column(N_("SIREN"), lambda row: row.siren),
    Column(N_("SIRET"), lambda row: row.siret),
    Column(N_("VAT number"), lambda row: row.vat_number),
    Column(N_("E-mail"), lambda row: row.email),
    Column(N_("Address"), lambda row: row.address),
    Column(N_("Postcode"), lambda row: row.postcode),
    Column(N_("Town"), lambda row: row.city),
    Column(N_("Service code"), lambda row: row.service_code),
    Column(N_("Public body"), lambda row: row.is_public),
]

SUBSCRIPTIONS: list[Column[Subscription]] = [
    Column(N_("First name"), lambda row: row.person.first_name),
    Column(N_("Last name"), lambda row: row.person.last_name),
    Column(N_("E-mail"), lambda row: row.person.email),
    Column(N_("Plan"), lambda row: row.name),
    Column(N_("First month"), lambda row: write_month(row.first_month)),
    Column(N_("Last month"), lambda row: write_month(row.last_month) if row.last_month else None),
    Column(N_("Price a month"), lambda row: Cents(row.monthly_cents)),
    Column(N_("Price"), lambda row: _("excl. VAT") if row.basis == "ht" else _("incl. VAT")),
    Column(N_("Half-days a month"), lambda row: row.halfdays_per_month),
    Column(N_("Reduced price a month"), lambda row: None if row.reduced_cents is None else Cents(row.reduced_cents)),
    Column(N_("Minutes in rooms a month"), lambda row: row.room_minutes),
    Column(N_("Half-days that go over, at most"), lambda row: row.rollover_halfdays),
    Column(N_("Minutes in rooms that go over, at most"), lambda row: row.rollover_minutes),
    Column(N_("Begins on"), lambda row: row.begins_on),
    Column(N_("First month is a trial"), lambda row: row.has_trial),
    Column(N_("Last month of the minimum term"), lambda row: write_month(row.bound_until) if row.bound_until else None),
]
