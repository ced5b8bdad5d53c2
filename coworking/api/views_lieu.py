"""The lieu and what can still be booked there."""

from __future__ import annotations

from typing import Any

from coworking.api import queries, render
from coworking.api.pages import asked_span, blueprint
from coworking.api.render import Json
from coworking.api.schemas.lieu import Availabilities, AvailabilityQuery, KindQuery, Lieu, Resources
from coworking.core.policy import requires
from coworking.spaces import queries as spaces

MOST_DAYS = 31
"""How long a time is asked about at once."""


@blueprint.get("/lieu")
@requires(scope="lieu:read")
@blueprint.output(Lieu())
def lieu() -> Json:
    """The lieu: its address, time zone and zones"""
    return render.lieu(spaces.lieu(), spaces.zones())


@blueprint.get("/resources")
@requires(scope="lieu:read")
@blueprint.input(KindQuery(), location="query", unknown=None)
@blueprint.output(Resources())
def resources(query_data: dict[str, Any]) -> Json:
    """Desks, rooms and offices that are in service or will be"""
    today = spaces.today()
    rows = spaces.resources(kind=query_data.get("kind"))
    kept = [row for row in rows if row.in_service_until is None or row.in_service_until >= today]
    return {"items": [render.resource(row) for row in kept], "next": None}


@blueprint.get("/availability")
@requires(scope="lieu:read")
@blueprint.input(AvailabilityQuery(), location="query", unknown=None)
@blueprint.output(Availabilities())
def availability(query_data: dict[str, Any]) -> Json:
    """What can still be booked

    Per resource the free time between `from` and `to`, at most 31 days: desks by half-day, rooms by open time. `closed`
    says which days are not fully open, and why.
    """
    span = asked_span(query_data, MOST_DAYS)
    found = queries.availability(span, query_data.get("kind"))
    return {
        "items": render.availability(found.free),
        "closed": [render.closed_day(day, refusal) for day, refusal in found.closed],
        "next": None,
    }
