"""Reading plans, organisations and agreements as managers type them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stdnum.eu import vat as vat_number
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number

from coworking.accounts.models import Organisation
from coworking.core.errors import InvalidInput
from coworking.core.i18n import _
from coworking.membership.rules import BEYOND, Beyond, weekdays_mask
from coworking.pricing import forms as pricing
from coworking.spaces.inputs import Reader

MOST_HALFDAYS = 62


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


def optional_day(reader: Reader, name: str) -> date | None:
    """A date, None when left empty."""
    return reader.day(name) if reader.raw(name) else None


def optional_halfdays(reader: Reader, name: str) -> int | None:
    """How many half-days a month; None when left empty: no limit."""
    return reader.integer(name, 1, MOST_HALFDAYS) if reader.raw(name) else None


def read_plan(reader: Reader, *, taxable: bool) -> dict[str, Any]:
    """The arguments of `services.add_plan`."""
    return {
        "name": reader.text("name", most=80),
        "monthly_cents": pricing.cents(reader, "monthly", required=True) or 0,
        "halfdays_per_month": optional_halfdays(reader, "halfdays"),
        "basis": pricing.basis(reader, taxable=taxable),
        "vat_rate_bp": pricing.vat_rate(reader, taxable=taxable),
    }


def read_organisation(reader: Reader) -> dict[str, Any]:
    """What stands on an organisation's invoices, by column."""
    return {
        "name": reader.text("name", most=120),
        "siren": _siren(reader),
        "vat_number": _vat_number(reader),
        "email": reader.email("email", required=False),
        "address": reader.lines("address", most=300),
        "postcode": reader.postcode("postcode", required=False) or None,
        "city": reader.optional("city", most=120),
        "service_code": reader.optional("service_code", most=100),
    }


def organisation_fields(row: Organisation) -> dict[str, str]:
    """The inputs of an organisation, as it stands."""
    names = ("name", "siren", "vat_number", "email", "address", "postcode", "city", "service_code")
    return {name: getattr(row, name) or "" for name in names}


def read_agreement(reader: Reader, weekdays: list[str]) -> AgreementForm:
    """An agreement; ``weekdays`` the ticked ones by number, none: every day."""
    beyond: Beyond = "refuse" if reader.choice("beyond", BEYOND) == "refuse" else "person"
    return AgreementForm(
        valid_from=reader.day("valid_from"),
        valid_until=optional_day(reader, "valid_until"),
        weekdays=weekdays_mask(int(day) for day in weekdays if day in "0123456" and len(day) == 1),
        halfdays_per_month=optional_halfdays(reader, "halfdays"),
        beyond=beyond,
        halfday_cents=pricing.cents(reader, "halfday"),
        order_number=reader.optional("order_number", most=60),
    )


def read_month(form: Mapping[str, str], this_month: date, next_month: date) -> date:
    """``now`` or ``next``: with which month a plan begins; left out, with this one. Raises `InvalidInput`."""
    match form.get("from", "now"):
        case "now":
            return this_month
        case "next":
            return next_month
        case _:
            raise InvalidInput(field="from", reason=_("Choose this month or the next one."))


def _siren(reader: Reader) -> str | None:
    value = reader.raw("siren")
    if not value:
        return None
    try:
        return str(siren_number.validate(value))
    except ValidationError:
        reader.refuse("siren", _("This is not a SIREN: nine digits, found on any official letter."))
        return None


def _vat_number(reader: Reader) -> str | None:
    value = reader.raw("vat_number")
    if not value:
        return None
    try:
        return str(vat_number.validate(value))
    except ValidationError:
        reader.refuse("vat_number", _("This is not a VAT number: it looks like FR 32 123456789."))
        return None
