"""What assigned places add to the packages below: a place that belongs to a resident is not taken out of service."""

from __future__ import annotations

from datetime import date

from coworking.residents import queries
from coworking.residents.rules import PlaceAssigned
from coworking.spaces import inventory
from coworking.spaces.models import Resource


def refuse_retiring(resource: Resource, last_day: date) -> None:
    """Raise `PlaceAssigned` while ``resource`` is assigned to somebody after ``last_day``."""
    for row in queries.of_resource(resource.id, last_day):
        if row.last_day is None or row.last_day > last_day:
            raise PlaceAssigned(name=resource.name, who=row.residency.who)


inventory.before_retiring.append(refuse_retiring)
