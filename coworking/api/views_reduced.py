"""Reduced prices: which there are, who has one by which proof, giving one and ending it. For the team."""

from __future__ import annotations

from typing import Any

from flask import request

from coworking.api import render_people
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.problems import input_names
from coworking.api.queries import known_person
from coworking.api.render import Json
from coworking.api.schemas.reduced import NewReducedPrice, ReducedGroups, ReducedPrice, ReducedPrices
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.pricing import group_queries, group_services
from coworking.spaces import queries as spaces

_GIVEN = {
    "group_id": "k7mq2v9xw4tdz3hb",
    "valid_from": "2026-12-01",
    "valid_until": "2027-11-30",
    "proof": "student card",
    "seen_on": "2026-11-24",
}


def _reduced_price(_actor: Actor, public_id: str) -> Json:
    for one in group_queries.belongings_of(known_person(str((request.view_args or {})["person_id"])).id):
        if one.public_id == public_id:
            return render_people.reduced_price(one)
    raise NotFound()


@blueprint.get("/price-groups")
@requires(Role.HOST, scope="people:read")
@blueprint.output(ReducedGroups())
def price_groups() -> Json:
    """Groups of people who pay less and that can be given to somebody, by name (staff)"""
    counts = group_queries.members_count(spaces.today())
    return {"items": [render_people.group(one, counts.get(one.id, 0)) for one in group_queries.groups()], "next": None}


@blueprint.post("/people/<person_id>/reduced-prices")
@requires(Role.HOST, scope="people:write")
@blueprint.input(NewReducedPrice(), example=_GIVEN)
@blueprint.output(ReducedPrice(), status_code=201)
@idempotent(_reduced_price)
def give_reduced_price(person_id: str, json_data: dict[str, Any]) -> Json:
    """Give somebody a reduced price, by a proof that was seen (staff)

    What is booked keeps its price. 409 `given_already` where they have it then.
    """
    actor = current_actor()
    with input_names(group="group_id"):
        given = group_services.give(
            actor,
            person_id,
            json_data["group_id"],
            valid_from=json_data["valid_from"],
            valid_until=json_data["valid_until"],
            proof=json_data["proof"],
            seen_on=json_data["seen_on"],
        )
    return _reduced_price(actor, given.public_id)


@blueprint.get("/people/<person_id>/reduced-prices")
@requires(Role.HOST, scope="people:read")
@blueprint.output(ReducedPrices())
def reduced_prices_of(person_id: str) -> Json:
    """Reduced prices that somebody has, had or will have, by which proof, the latest first (staff)"""
    rows = [one for one in group_queries.belongings_of(known_person(person_id).id) if not one.never_counted]
    return {"items": [render_people.reduced_price(one) for one in rows], "next": None}


@blueprint.post("/people/<person_id>/reduced-prices/<reduced_price_id>/end")
@requires(Role.HOST, scope="people:write")
@blueprint.output(ReducedPrice())
@idempotent(_reduced_price)
def end_reduced_price(person_id: str, reduced_price_id: str) -> Json:
    """Let somebody pay the full price from today on (staff); twice is fine

    What is booked keeps its price. One that had not begun never counts: its `last_day` is the day before.
    """
    actor = current_actor()
    _reduced_price(actor, reduced_price_id)
    group_services.end(actor, reduced_price_id)
    return _reduced_price(actor, reduced_price_id)
