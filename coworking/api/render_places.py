"""Assigned desks and offices, as the API shows them."""

from __future__ import annotations

from datetime import date

from coworking.api.render import Json
from coworking.residents.models import Residency
from coworking.residents.rules import PlaceNotFree, residency_state
from coworking.residents.services import monthly
from coworking.spaces import queries as spaces
from coworking.spaces.models import Resource


def assignment(row: Residency) -> Json:
    """An assigned place, with its VAT."""
    return {
        "id": row.public_id,
        "state": residency_state(row.terms, spaces.today(), taken_back=row.withdrawn_at is not None),
        "person_id": row.person.public_id if row.person is not None else None,
        "organisation_id": row.organisation.public_id if row.organisation is not None else None,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "bound_until": row.bound_until,
        "notice_months": row.notice_months,
        "monthly_cents": monthly(row.terms),
        "is_prorata": row.is_prorata,
        "places": [
            {
                "resource_id": one.resource.public_id,
                "resource": one.resource.name,
                "first_day": one.first_day,
                "last_day": one.last_day,
            }
            for one in row.places
        ],
    }


def move(row: Resource, first_day: date, refused: PlaceNotFree | None) -> Json:
    """``refused``: who has the other place in that time."""
    return {
        "resource_id": row.public_id,
        "resource": row.name,
        "first_day": first_day,
        "conflicts": [
            {"first_day": one.first, "last_day": one.last, "booking_id": one.booking}
            for one in (refused.conflicts if refused is not None else ())
        ],
        "free_from": refused.free_from if refused is not None else None,
    }
