"""Plans: those that can be taken, one's own, taking one and ending it."""

from __future__ import annotations

from typing import Any

from coworking.api import render_plans
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.plans import HeldPlan, HeldPlans, NewSubscription, OfferedPlans
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, current_actor, requires
from coworking.membership import change_offers, services
from coworking.membership import queries as membership


def _held(actor: Actor, public_id: str) -> Json:
    for one in membership.subscriptions_of(actor.person_id or 0):
        if one.public_id == public_id:
            return render_plans.held_plan(one)
    raise NotFound()


@blueprint.get("/plans")
@requires(scope="bookings:read")
@blueprint.output(OfferedPlans())
def plans() -> Json:
    """Plans that the token's person can take, as they would have them

    With their reduced price and their trial month, where they have a right to either.
    """
    found = change_offers.to_take(current_actor().person_id or 0, membership.plans(), by_team=False)
    return {"items": [render_plans.offered_plan(one) for one in found if one.now is not None], "next": None}


@blueprint.post("/subscriptions")
@requires(scope="payments:write")
@blueprint.input(
    NewSubscription(), example={"plan_id": "k7mq2v9xw4tdz3hb", "first_month": "2026-12", "agreed_cents": 6000}
)
@blueprint.output(HeldPlan(), status_code=201)
@idempotent(_held)
def subscribe(json_data: dict[str, Any]) -> Json:
    """Take a plan for oneself, from this month or one of the next twelve

    `agreed_cents` is what its first month comes to, as it was read. 409 `price_changed` at any other, `already_subscribed`
    where one has a plan then, `must_be_paid_first` where the lieu asks for the money before; 403 where it is not for one.
    """
    actor = current_actor()
    taken = services.subscribe(
        actor, json_data["plan_id"], first_month=json_data["first_month"], agreed_cents=json_data["agreed_cents"]
    )
    return _held(actor, taken.public_id)


@blueprint.post("/subscriptions/<subscription_id>/end")
@requires(scope="payments:write")
@blueprint.output(HeldPlan())
@idempotent(_held)
def end_subscription(subscription_id: str) -> Json:
    """End a plan of one's own with this month, or with its minimum term

    409 `already_ended`, and `booked_beyond` while something of later months is booked on it.
    """
    actor = current_actor()
    _held(actor, subscription_id)
    services.end_subscription(actor, subscription_id)
    return _held(actor, subscription_id)


@blueprint.get("/subscriptions")
@requires(scope="bookings:read")
@blueprint.output(HeldPlans())
def subscriptions() -> Json:
    """One's own plans, the latest first

    Also those that are over, and what a larger plan added to a month (`from_day`).
    """
    found = membership.subscriptions_of(current_actor().person_id or 0)
    return {"items": [render_plans.held_plan(one) for one in found], "next": None}
