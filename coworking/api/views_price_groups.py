"""Groups of people who pay less: adding one, what it gets from a day on, given to nobody new. For managers."""

from __future__ import annotations

from typing import Any

from coworking.api import render_sold
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.reduced import NewGroupPrices, NewPriceGroup, PricedGroup
from coworking.core.errors import NotFound, at_field
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import queries as membership
from coworking.membership.entitlement_queries import full_prices
from coworking.pricing import group_queries, group_services
from coworking.pricing.group_rules import ANY, Reduction, check_reduced
from coworking.spaces import queries as spaces

_PRICES = {"valid_from": "2026-12-01", "reductions": [{"kind": "desk", "percent_bp": 5000}]}


def _group(_actor: Actor, public_id: str) -> Json:
    found = group_queries.group_by_public_id(public_id)
    named = {("plan", row.id): row.public_id for row in membership.plans(closed=True)}
    named |= {("pack", row.id): row.public_id for row in membership.pack_offers(closed=True)}
    people = group_queries.members_count(spaces.today()).get(found.id, 0)
    return render_sold.priced_group(found, group_queries.group_tariffs(found.id), named, people)


@blueprint.get("/price-groups/<group_id>")
@requires(Role.MANAGER, scope="lieu:read")
@blueprint.output(PricedGroup())
def price_group(group_id: str) -> Json:
    """One group of people who pay less, with what it gets from which day on (managers)"""
    return _group(current_actor(), group_id)


@blueprint.post("/price-groups")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewPriceGroup(), example={"name": "student"})
@blueprint.output(PricedGroup(), status_code=201)
@idempotent(_group)
def add_price_group(json_data: dict[str, Any]) -> Json:
    """Let there be a group of people who pay less (managers)

    409 `group_name_taken` where one of that name is given.
    """
    actor = current_actor()
    return _group(actor, group_services.add_group(actor, json_data["name"]).public_id)


@blueprint.post("/price-groups/<group_id>/prices")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.input(NewGroupPrices(), example=_PRICES)
@blueprint.output(PricedGroup(), status_code=201)
@idempotent(_group)
def set_group_prices(group_id: str, json_data: dict[str, Any]) -> Json:
    """Let a group get these reductions from a day on, and the full price of all else (managers)

    Those of the same day are replaced; what is booked keeps its price. 422 `reduction_dearer` where a price is above the
    one that everyone pays.
    """
    actor = current_actor()
    full = full_prices(max(json_data["valid_from"], spaces.today()))
    with at_field("reductions"):
        reductions = {
            (row["kind"], _one_of_its_kind(row)): Reduction(row.get("percent_bp"), row.get("cents"))
            for row in json_data["reductions"]
        }
        for thing, reduction in reductions.items():
            check_reduced(reduction, full.get(thing))
    group_services.set_group_prices(actor, group_id, valid_from=json_data["valid_from"], reductions=reductions)
    return _group(actor, group_id)


def _one_of_its_kind(row: dict[str, Any]) -> int:
    """The plan or pack that a reduction is about; raises `NotFound`."""
    if "plan_id" in row:
        return membership.plan_by_public_id(row["plan_id"]).id
    return membership.pack_offer_by_public_id(row["offer_id"]).id if "offer_id" in row else ANY


@blueprint.post("/price-groups/<group_id>/prices/<prices_id>/remove")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(PricedGroup())
@idempotent(_group, of="group_id")
def remove_group_prices(group_id: str, prices_id: str) -> Json:
    """Drop reductions that have not begun (managers)

    422 `group_prices_in_past` for any other: what has applied stays as it was.
    """
    actor = current_actor()
    of_group = group_queries.group_tariffs(group_queries.group_by_public_id(group_id).id)
    if all(row.public_id != prices_id for row in of_group):
        raise NotFound()
    group_services.remove_group_prices(actor, prices_id)
    return _group(actor, group_id)


@blueprint.post("/price-groups/<group_id>/close")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(PricedGroup())
@idempotent(_group, of="group_id")
def close_price_group(group_id: str) -> Json:
    """Give a group to nobody new (managers); those who have it keep it; twice is fine"""
    actor = current_actor()
    group_services.set_group_open(actor, group_id, False)
    return _group(actor, group_id)


@blueprint.post("/price-groups/<group_id>/open")
@requires(Role.MANAGER, scope="lieu:write")
@blueprint.output(PricedGroup())
@idempotent(_group, of="group_id")
def open_price_group(group_id: str) -> Json:
    """Give a group again (managers); twice is fine"""
    actor = current_actor()
    group_services.set_group_open(actor, group_id, True)
    return _group(actor, group_id)
