"""Assigned desks and offices: those of one's own, assigning one, moving and ending it."""

from __future__ import annotations

from typing import Any

from coworking.api import render_places
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.problems import input_names
from coworking.api.render import Json
from coworking.api.schemas.places import Assignment, Assignments, MovedPlace, NewAssignment, NewEnd, PlaceMove
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.residents import queries, services
from coworking.residents.rules import PlaceNotFree
from coworking.residents.services import Assigning
from coworking.spaces import queries as spaces


def _assignment(actor: Actor, public_id: str) -> Json:
    return render_places.assignment(queries.residency_for(actor, public_id))


@blueprint.post("/assignments")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.input(
    NewAssignment(),
    example={
        "resource_id": "k7mq2v9xw4tdz3hb",
        "person_id": "p3mq2v9xw4tdz3hb",
        "first_day": "2026-12-01",
        "monthly_cents": 30000,
    },
)
@blueprint.output(Assignment(), status_code=201)
@idempotent(_assignment)
def assign(json_data: dict[str, Any]) -> Json:
    """Assign a desk or an office for months, to a person or an organisation (managers)

    409 `place_not_free` while somebody else has it in that time: `conflicts` names the bookings, `free_from` the first day
    from which nobody has it (null: none).
    """
    actor = current_actor()
    place, person, organisation = (
        json_data.pop(name, None) for name in ("resource_id", "person_id", "organisation_id")
    )
    with input_names(place="resource_id"):
        made = services.assign(actor, Assigning(place=place, person=person, organisation=organisation, **json_data))
    return _assignment(actor, made.public_id)


@blueprint.get("/assignments/<assignment_id>/move")
@requires(Role.MANAGER, scope="bookings:read")
@blueprint.input(MovedPlace(), location="query", unknown=None)
@blueprint.output(PlaceMove())
def look_at_place_move(assignment_id: str, query_data: dict[str, Any]) -> Json:
    """Who is in the way of a move to another place, read before it is made (managers)"""
    held = queries.residency_for(current_actor(), assignment_id)
    place, first_day = query_data["resource_id"], query_data["first_day"]
    refused: PlaceNotFree | None = None
    try:
        with input_names(place="resource_id"):
            services.check_move(held, place, first_day)
    except PlaceNotFree as error:
        refused = error
    return render_places.move(spaces.resource_by_public_id(place), first_day, refused)


@blueprint.post("/assignments/<assignment_id>/move")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.input(MovedPlace(), example={"resource_id": "k7mq2v9xw4tdz3hb", "first_day": "2026-12-10"})
@blueprint.output(Assignment())
@idempotent(_assignment)
def move_assignment(assignment_id: str, json_data: dict[str, Any]) -> Json:
    """Let a resident have another place from a day on, on the same terms (managers)

    The former one is free from then on. 409 `place_not_free` as when one is assigned.
    """
    actor = current_actor()
    with input_names(place="resource_id"):
        services.move(actor, assignment_id, json_data["resource_id"], json_data["first_day"])
    return _assignment(actor, assignment_id)


@blueprint.post("/assignments/<assignment_id>/end")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.input(NewEnd(), example={"last_day": "2026-12-31"})
@blueprint.output(Assignment())
@idempotent(_assignment)
def end_assignment(assignment_id: str, json_data: dict[str, Any]) -> Json:
    """End an assignment with the last day of a month (managers)

    409 `notice_too_short` before its notice and minimum term are over, unless `let_off`; `already_ends`.
    """
    actor = current_actor()
    services.end(actor, assignment_id, json_data["last_day"], let_off=json_data["let_off"])
    return _assignment(actor, assignment_id)


@blueprint.post("/assignments/<assignment_id>/keep")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.output(Assignment())
@idempotent(_assignment)
def keep_assignment(assignment_id: str) -> Json:
    """Let an assignment that ends go on after all, from month to month (managers)

    409 `goes_on_already` where it does, or has ended; `place_not_free` as when one is assigned.
    """
    actor = current_actor()
    services.keep(actor, assignment_id)
    return _assignment(actor, assignment_id)


@blueprint.post("/assignments/<assignment_id>/take-back")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.output(Assignment())
@idempotent(_assignment)
def take_back_assignment(assignment_id: str) -> Json:
    """Take an assignment back that has not begun: it never counts (managers); twice is fine

    409 `already_ends` once it has begun.
    """
    actor = current_actor()
    services.take_back(actor, assignment_id)
    return _assignment(actor, assignment_id)


@blueprint.get("/assignments")
@requires(scope="bookings:read")
@blueprint.output(Assignments())
def assignments() -> Json:
    """Desks and offices that are assigned to one, or to an organisation whose contact one is, the latest first

    Managers: all that are in force or to come.
    """
    actor = current_actor()
    manages = actor.has(Role.MANAGER)
    found = queries.every_residency(spaces.today()) if manages else queries.residencies_of(actor.person_id)
    return {"items": [render_places.assignment(row) for row in found], "next": None}
