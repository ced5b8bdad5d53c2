"""What one has to book with, and packs: what is offered, and buying one."""

from __future__ import annotations

from typing import Any

from coworking.api import render_plans
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.allowances import Allowances, BoughtPack, NewPack, OfferedPacks
from coworking.api.schemas.common import MonthQuery
from coworking.core.errors import NotFound
from coworking.core.policy import Actor, current_actor, requires
from coworking.membership import ledger_queries, services
from coworking.membership import queries as membership
from coworking.spaces import queries as spaces


def _pack(actor: Actor, public_id: str) -> Json:
    for one in membership.packs_of(actor.person_id or 0, spaces.today()):
        if one.pack.public_id == public_id:
            return render_plans.pack(one)
    raise NotFound()


@blueprint.get("/allowances")
@requires(scope="bookings:read")
@blueprint.input(MonthQuery(), location="query", unknown=None)
@blueprint.output(Allowances())
def allowances(query_data: dict[str, Any]) -> Json:
    """What one's employer, plan and packs give in a month, and what is left

    One's own alone: the token's person. What is booked is taken from the employer's, then the plan, then the pack that ends
    first.
    """
    found = ledger_queries.accounts_of(current_actor().person_id or 0, query_data["month"], spaces.today())
    return {"items": [render_plans.allowance(one) for one in found], "next": None}


@blueprint.get("/pack-offers")
@requires(scope="lieu:read")
@blueprint.output(OfferedPacks())
def pack_offers() -> Json:
    """Packs that can be bought"""
    groups = membership.groups_now(current_actor().person_id or 0)
    return {
        "items": [render_plans.pack_offer(one, membership.pack_cents(one, groups)) for one in membership.pack_offers()],
        "next": None,
    }


@blueprint.post("/packs")
@requires(scope="payments:write")
@blueprint.input(NewPack(), example={"offer_id": "k7mq2v9xw4tdz3hb", "agreed_cents": 8000})
@blueprint.output(BoughtPack(), status_code=201)
@idempotent(_pack)
def buy_pack(json_data: dict[str, Any]) -> Json:
    """Buy a pack for oneself, on the invoice of this month

    `agreed_cents` is the price that was read. 409 `price_changed` at any other; 409 `must_be_paid_first` where the lieu asks
    for the money before: then it is bought on the lieu's own page; 422 `pack_closed`.
    """
    actor = current_actor()
    pack = services.buy_pack(actor, json_data["offer_id"], agreed_cents=json_data["agreed_cents"])
    return _pack(actor, pack.public_id)
