"""People and their presences."""

from __future__ import annotations

from typing import Any

from coworking.accounts import queries as accounts
from coworking.accounts import staff
from coworking.api import openapi, queries, render, render_people
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.bookings import (
    NewPresence,
    Presence,
)
from coworking.api.schemas.common import PageQuery
from coworking.api.schemas.people import Figures, NewPerson, People, Person
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.presence import services as presence


def _presence(actor: Actor, public_id: str) -> Json:
    return render.presence(queries.presence_for(actor, public_id))


def _person(_actor: Actor, public_id: str) -> Json:
    return render_people.person(queries.known_person(public_id))


@blueprint.post("/presences")
@requires(scope="presences:write")
@blueprint.input(NewPresence(), example={})
@blueprint.output(Presence(), status_code=201)
@idempotent(_presence)
def arrive(json_data: dict[str, Any]) -> Json:
    """Someone is here: oneself, or as staff anyone with `person_id`

    Twice is fine. Without a booking a free desk is taken for the half-day; where none is free, the presence alone is kept.
    """
    arrival = presence.arrive(current_actor(), person=json_data.get("person_id"))
    return _presence(current_actor(), arrival.presence.public_id)


@blueprint.post("/people")
@requires(Role.HOST, scope="people:write")
@blueprint.input(NewPerson(), example=openapi.NEW_PERSON)
@blueprint.output(Person(), status_code=201)
@idempotent(_person)
def add_person(json_data: dict[str, Any]) -> Json:
    """Add a person (staff); `invite` writes to them"""
    return render_people.person(staff.create_person(current_actor(), **json_data))


@blueprint.get("/people")
@requires(Role.HOST, scope="people:read")
@blueprint.input(PageQuery(), location="query", unknown=None)
@blueprint.output(People())
def people(query_data: dict[str, Any]) -> Json:
    """People with an active account, oldest first (staff)"""
    cursor = query_data.get("cursor")
    try:
        last = str(queries.decode_cursor(cursor, str)[0]) if cursor is not None else None
        rows, following = accounts.people_after(last, query_data["limit"])
    except NotFound as error:
        raise queries.InvalidCursor() from error
    return {
        "items": [render_people.person(row) for row in rows],
        "next": queries.encode_cursor(following) if following is not None else None,
    }


@blueprint.get("/people/<person_id>")
@requires(Role.HOST, scope="people:read")
@blueprint.output(Person())
def one_person(person_id: str) -> Json:
    """One person (staff); who was erased is 404"""
    return _person(current_actor(), person_id)


@blueprint.post("/people/<person_id>/figures")
@requires(Role.HOST, scope="people:write")
@blueprint.input(Figures(), example={"status": "jobseeker", "commune": "Felletin"})
@blueprint.output(Person())
@idempotent(_person)
def set_figures(person_id: str, json_data: dict[str, Any]) -> Json:
    """Say what somebody does and in which town they live (staff)

    For the figures alone: `people_by_status` counts it. 403 for people of the team, whom managers change.
    """
    return render_people.person(staff.set_figures(current_actor(), person_id, json_data))
