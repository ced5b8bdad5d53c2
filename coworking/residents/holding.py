"""What the lieu holds about the place that is assigned to somebody, for the copy of their data."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from coworking.core import holdings
from coworking.core.errors import N_
from coworking.core.holdings import Holds
from coworking.residents.models import Residency, ResidentPlace


def _of_residencies(person_id: int) -> ColumnElement[bool]:
    return ResidentPlace.residency_id.in_(select(Residency.id).where(Residency.person_id == person_id))


holdings.declare(
    Holds(
        "residencies",
        N_("The desk or office assigned to me"),
        Residency,
        heads={"bound_until": N_("Last day of the minimum term")},
    ),
    Holds("resident_places", N_("Which desk or office it was, and when"), ResidentPlace, rows=_of_residencies),
)
