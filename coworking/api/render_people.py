"""People and the organisations that pay for them, as the API shows them."""

from __future__ import annotations

from datetime import datetime

from coworking.accounts.models import Organisation, OrganisationInvitation, OrganisationMember, Person
from coworking.api.render import Json
from coworking.core.policy import Actor, Role
from coworking.membership.agreement_rules import WHOLE_BP
from coworking.membership.employer_rules import AgreementMonth, EmployeeMonth
from coworking.membership.models import Agreement
from coworking.pricing.group_models import PriceGroup, PriceGroupMember
from coworking.spaces import queries as spaces

_FOR_INVOICES = (
    "siren", "siret", "vat_number", "email", "address", "postcode", "city", "service_code", "is_public",
)  # fmt: skip


def person(row: Person) -> Json:
    return {
        "id": row.public_id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "phone": row.phone,
        "status": row.status,
        "commune": row.commune,
        "created_at": offset_instant(row.created_at),
    }


def organisation(row: Organisation, actor: Actor) -> Json:
    """Managers read what stands on its invoices; its contact reads null."""
    told = actor.has(Role.MANAGER)
    return {
        "id": row.public_id,
        "name": row.name,
        "domain": row.domain,
        **{name: getattr(row, name) if told else None for name in _FOR_INVOICES},
    }


def paid_person(row: EmployeeMonth) -> Json:
    return {
        "person": {"id": row.who.public_id, "name": row.who.name},
        "is_contact": row.who.is_contact,
        "since": row.who.since,
        "until": row.who.until,
        "used": row.used,
        "left": row.left,
        "dates": None if row.dates is None else [{"day": day, "halfdays": count} for day, count in row.dates],
    }


def belonging(row: OrganisationMember) -> Json:
    return {
        "person": {"id": row.person.public_id, "name": row.person.name},
        "is_contact": row.is_contact,
        "since": row.since,
        "until": row.until,
    }


def invitation(row: OrganisationInvitation) -> Json:
    return {
        "id": row.public_id,
        "email": row.email,
        "as_contact": row.as_contact,
        "invited_at": offset_instant(row.invited_at),
        "ends_at": offset_instant(row.ends_at),
        "withdrawn_at": offset_instant(row.withdrawn_at),
    }


def agreement(row: Agreement, month: AgreementMonth) -> Json:
    mask = row.weekdays
    return {
        "id": row.public_id,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "weekdays": None if mask is None else [day + 1 for day in range(7) if mask >> day & 1],
        "days_per_week": row.days_per_week,
        "halfdays_per_month": row.halfdays_per_month,
        "cap_cents": row.cap_cents,
        "cap_of": row.cap_of,
        "share_percent": (row.share_bp or WHOLE_BP) // 100,
        "pays_rooms": bool(row.pays_rooms),
        "halfday_cents": row.halfday_cents,
        "beyond": row.beyond,
        "order_number": row.order_number,
        "price_basis": month.basis,
        "spent_cents": month.spent_cents,
        "forecast_cents": month.forecast_cents,
    }


def group(row: PriceGroup, people: int) -> Json:
    return {"id": row.public_id, "name": row.name, "people": people}


def reduced_price(row: PriceGroupMember) -> Json:
    return {
        "id": row.public_id,
        "group_id": row.group.public_id,
        "group": row.group.name,
        "valid_from": row.valid_from,
        "last_day": row.last_day,
        "proof": row.proof,
        "seen_on": row.seen_on,
        "seen_by": row.seen_by.name,
    }


def offset_instant(at: datetime | None) -> str | None:
    """RFC 3339 in the lieu's offset at that instant."""
    return None if at is None else at.astimezone(spaces.lieu().tz).isoformat(timespec="seconds")
