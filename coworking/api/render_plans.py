"""Plans, packs and what they give, as the API shows them."""

from __future__ import annotations

from datetime import date

from coworking.api.render import Json
from coworking.api.render_people import offset_instant
from coworking.core.months import write_month
from coworking.membership.beginning import PlanTerms
from coworking.membership.change_offers import PlanToTake
from coworking.membership.ledger_queries import AllowanceAccount
from coworking.membership.models import PackOffer, Subscription
from coworking.membership.pack_request_models import PackRequest
from coworking.membership.queries import PackStanding, left_of_pack
from coworking.pricing.group_queries import group_name


def allowance(row: AllowanceAccount) -> Json:
    return {
        "kind": row.kind,
        "name": row.name,
        "unit": row.unit,
        "since": row.since,
        "until": row.until,
        "given": row.given,
        "used": row.used,
        "booked": row.booked,
        "left": row.left,
        "carried": row.carried,
    }


def offered_plan(row: PlanToTake) -> Json:
    """A plan that can be taken, with its VAT."""
    assert row.now is not None and row.then is not None, "it can be taken"
    return _gives(row.now) | {
        "id": row.plan.public_id,
        "name": row.plan.name,
        "cents": row.then.month_cents,
        "first_month_cents": row.now.payable_cents,
        "begins_on": row.now.begins_on,
        "is_trial": bool(row.now.has_trial),
        "bound_until": _month(row.now.bound_until),
        "price_group": group_name(row.now.price_group_id),
    }


def held_plan(row: Subscription) -> Json:
    """A plan of somebody's, with its VAT."""
    terms = PlanTerms.held(row)
    return _gives(terms) | {
        "id": row.public_id,
        "name": row.name,
        "first_month": write_month(row.first_month),
        "last_month": _month(row.last_month),
        "bound_until": _month(row.bound_until),
        "from_day": row.from_day,
        "cents": terms.month_cents,
    }


def pack_offer(row: PackOffer, cents: int) -> Json:
    """``cents``: what it comes to with its VAT."""
    return {
        "id": row.public_id,
        "name": row.name,
        "unit": row.unit,
        "units": row.units,
        "cents": cents,
        "valid_months": row.valid_months,
    }


def pack(row: PackStanding) -> Json:
    held = row.pack
    return {
        "id": held.public_id,
        "name": held.name,
        "unit": held.unit,
        "units": held.units,
        "left": row.left,
        "valid_from": held.valid_from,
        "valid_until": held.valid_until,
    }


def pack_request(row: PackRequest, state: str, cents: int | None) -> Json:
    """``cents``: what giving it back comes to while it is ``open``, and what it came to once it is ``granted``."""
    return {
        "id": row.public_id,
        "pack_id": row.pack.public_id,
        "pack_name": row.pack.name,
        "person_id": row.pack.person.public_id,
        "person_name": row.pack.person.name,
        "unit": row.pack.unit,
        "left": left_of_pack(row.pack_id),
        "valid_until": row.pack.valid_until,
        "reason": row.reason,
        "asked_at": offset_instant(row.asked_at),
        "state": state,
        "answer": row.answer,
        "cents": cents,
        "basis": row.pack.basis,
    }


def _gives(terms: PlanTerms) -> Json:
    return {
        "halfdays": terms.halfdays_per_month,
        "room_minutes": terms.room_minutes,
        "rollover_halfdays": terms.rollover_halfdays,
        "rollover_minutes": terms.rollover_minutes,
    }


def _month(month: date | None) -> str | None:
    return None if month is None else write_month(month)
