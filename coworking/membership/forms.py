"""Reading plans, organisations and agreements as managers type them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from coworking.accounts.models import Organisation
from coworking.accounts.organisation_rules import domain_of, siren_with
from coworking.core.errors import InvalidInput
from coworking.core.forms import Form
from coworking.core.i18n import _
from coworking.core.reading import day_of, email_of, number_of, postcode_of, siren_of, siret_of, vat_number_of
from coworking.membership.agreement_rules import BEYOND, CAP_OF, Beyond, CapOf
from coworking.membership.plan_rules import MIN_MONTHS, TAKEN_BY, TakenBy
from coworking.membership.rules import ADHESION_VAT, AdhesionVat, weekdays_mask
from coworking.pricing import forms as pricing
from coworking.pricing.rules import rate_of

MOST_HALFDAYS = 62
MOST_UNITS = 500


@dataclass(frozen=True, slots=True)
class AgreementForm:
    """An agreement as typed."""

    valid_from: date
    valid_until: date | None
    weekdays: int | None
    halfdays_per_month: int | None
    beyond: Beyond
    halfday_cents: int | None
    order_number: str | None
    days_per_week: int | None
    cap_cents: int | None
    cap_of: CapOf | None
    share_bp: int | None
    pays_rooms: bool


def read_plan(form: Form, groups: Mapping[str, str], *, taxable: bool) -> dict[str, Any]:
    """The arguments of `services.add_plan`; time in rooms is typed in whole hours. ``groups``: names by public id.

    What goes over into the next month is refused where the plan does not count it.
    """
    halfdays = form.maybe("halfdays", number_of, 1, MOST_HALFDAYS)
    hours = form.maybe("room_hours", number_of, 1, MOST_UNITS)
    rollover, rollover_hours = (
        form.maybe("rollover_halfdays", number_of, 1, MOST_HALFDAYS),
        form.maybe("rollover_hours", number_of, 1, MOST_UNITS),
    )
    for name, over, counted in (("rollover_halfdays", rollover, halfdays), ("rollover_hours", rollover_hours, hours)):
        if over is not None and counted is None:
            form.refuse(
                name,
                _(
                    "Only what is counted can go over into the next month. "
                    "Say how much the plan gives, or leave this empty."
                ),
            )
    taken_by: TakenBy | None = next((one for one in TAKEN_BY if one == form["taken_by"]), None)
    return {
        "name": form.text("name", most=80),
        "monthly_cents": pricing.cents(form, "monthly", required=True) or 0,
        "halfdays_per_month": halfdays,
        "room_minutes": None if hours is None else hours * 60,
        "rollover_halfdays": rollover,
        "rollover_minutes": None if rollover_hours is None else rollover_hours * 60,
        "min_months": form.maybe("min_months", number_of, MIN_MONTHS[0], MIN_MONTHS[-1]),
        "trial_cents": pricing.cents(form, "trial"),
        "is_prorata": form["first_month"] == "part",
        "taken_by": taken_by,
        "group": form.choice("group", tuple(groups)) if taken_by == "group" and groups else None,
        "basis": pricing.basis(form, taxable=taxable),
        "vat_rate_bp": pricing.vat_rate(form, taxable=taxable),
    }


def read_pack_offer(form: Form, *, taxable: bool) -> dict[str, Any]:
    """The arguments of `services.add_pack_offer`; time in rooms is typed in whole hours."""
    unit = "hour" if form.choice("unit", ("half_day", "hour")) == "hour" else "half_day"
    count = form.check("units", number_of, 1, MOST_UNITS) or 0
    return {
        "name": form.text("name", most=80),
        "unit": unit,
        "units": count * 60 if unit == "hour" else count,
        "cents": pricing.cents(form, "price", required=True) or 0,
        "valid_months": form.check("valid_months", number_of, 1, 60) or 0,
        "basis": pricing.basis(form, taxable=taxable),
        "vat_rate_bp": pricing.vat_rate(form, taxable=taxable),
    }


def read_adhesion_vat(form: Form, *, taxable: bool) -> tuple[AdhesionVat | None, int | None]:
    """How the adhesion is taxed and at which rate; who charges no VAT is not asked."""
    if not taxable:
        return None, None
    vat: AdhesionVat | None = next((one for one in ADHESION_VAT if one == form["adhesion_vat"]), None)
    if vat is None:
        form.refuse("adhesion_vat", _("Say how this place’s annual membership is taxed. Ask your accountant."))
    return vat, form.check("adhesion_vat_rate", rate_of) if vat == "taxable" else None


def read_organisation(form: Form) -> dict[str, Any]:
    """An organisation's details for its invoices, by column."""
    siren, siret = form.maybe("siren", siren_of), form.maybe("siret", siret_of)
    with form.trying():
        siren = siren_with(siren, siret)
    return {
        "name": form.text("name", most=120),
        "siren": siren,
        "siret": siret,
        "vat_number": form.maybe("vat_number", vat_number_of),
        "email": form.maybe("email", email_of),
        "address": form.lines("address", most=300),
        "postcode": form.maybe("postcode", postcode_of),
        "city": form.optional("city", most=120),
        "service_code": form.optional("service_code", most=100),
        "is_public": form.checked("is_public"),
        "domain": form.maybe("domain", domain_of),
    }


def organisation_fields(row: Organisation) -> dict[str, str]:
    """The inputs of an organisation, as it stands."""
    names = ("name", "siren", "siret", "vat_number", "email", "address", "postcode", "city", "service_code", "domain")
    return {name: getattr(row, name) or "" for name in names} | ({"is_public": "1"} if row.is_public else {})


def read_agreement(form: Form) -> AgreementForm:
    """An agreement; no weekday ticked means every day."""
    beyond: Beyond = "refuse" if form.choice("beyond", BEYOND) == "refuse" else "person"
    cap = pricing.cents(form, "cap")
    if cap == 0:
        form.refuse("cap", _("Write how much it pays at most, or leave it empty."))
    share = form.maybe("share", number_of, 1, 100)
    whose: CapOf = "organisation" if cap and form.choice("cap_of", CAP_OF) == "organisation" else "person"
    return AgreementForm(
        valid_from=form.day("valid_from"),
        valid_until=form.maybe("valid_until", day_of),
        weekdays=weekdays_mask(int(day) for day in form.several("weekdays") if day in "0123456" and len(day) == 1),
        halfdays_per_month=form.maybe("halfdays", number_of, 1, MOST_HALFDAYS),
        beyond=beyond,
        halfday_cents=pricing.cents(form, "halfday"),
        order_number=form.optional("order_number", most=60),
        days_per_week=form.maybe("days_per_week", number_of, 1, 6),
        cap_cents=cap,
        cap_of=None if cap is None else whose,
        share_bp=None if share in (None, 100) else share * 100,
        pays_rooms=form.checked("pays_rooms"),
    )


def read_first_month(typed: Mapping[str, str], this_month: date, next_month: date) -> date:
    """``now`` or ``next``: with which month a plan begins; left out, with this one. Raises `InvalidInput`."""
    match typed.get("from", "now"):
        case "now":
            return this_month
        case "next":
            return next_month
        case _:
            raise InvalidInput(field="from", reason=_("Choose this month or the next one."))
