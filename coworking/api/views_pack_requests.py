"""Asking for the rest of a pack to be given back, and what managers answer."""

from __future__ import annotations

from typing import Any

from coworking.api import render_plans
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.allowances import (
    DeclinedPackRequest,
    NewPackRequest,
    PackGivenBack,
    PackRequests,
    ShownPackRequest,
)
from coworking.billing import pack_refunds, pack_requests
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.membership import pack_request_queries
from coworking.membership import queries as membership
from coworking.membership.pack_request_models import PackRequest
from coworking.spaces import queries as spaces


def _request(_actor: Actor, public_id: str) -> Json:
    return _shown(pack_request_queries.request_by_public_id(public_id))


def _granted(_actor: Actor, pack_return: str) -> Json:
    return _shown(pack_request_queries.request_granted_by(pack_return))


def _shown(row: PackRequest) -> Json:
    if row.outcome is not None:
        return render_plans.pack_request(row, row.outcome, None if row.pack_return is None else row.pack_return.cents)
    if row.pack.valid_until < spaces.today() or membership.left_of_pack(row.pack_id) <= 0:
        return render_plans.pack_request(row, "over", None)
    return render_plans.pack_request(row, "open", pack_refunds.look(row.pack.public_id).cents)


@blueprint.post("/me/packs/<pack_id>/refund-request")
@requires(scope="payments:write")
@blueprint.input(NewPackRequest(), example={"reason": "I move away"})
@blueprint.output(ShownPackRequest(), status_code=201)
@idempotent(_request)
def request_pack_refund(pack_id: str, json_data: dict[str, Any]) -> Json:
    """Ask the team to give back what is left of one's own pack; twice is fine

    The team decides; what is booked meanwhile counts as used. 409 `pack_nothing_left`, and `pack_still_to_withdraw` while
    one can withdraw from it oneself.
    """
    actor = current_actor()
    return _request(actor, pack_requests.ask(actor, pack_id, json_data.get("reason", "")).public_id)


@blueprint.post("/me/packs/<pack_id>/refund-request/take-back")
@requires(scope="payments:write")
@blueprint.output(ShownPackRequest())
@idempotent(_request)
def take_pack_request_back(pack_id: str) -> Json:
    """Take back what one asked for, while nobody has answered; twice is fine

    409 `pack_request_closed` once it was answered.
    """
    actor = current_actor()
    return _request(actor, pack_requests.take_back(actor, pack_id).public_id)


@blueprint.post("/pack-requests/<request_id>/decline")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.input(DeclinedPackRequest(), example={"reason": "This pack was on offer"})
@blueprint.output(ShownPackRequest())
@idempotent(_request)
def decline_pack_request(request_id: str, json_data: dict[str, Any]) -> Json:
    """Decline a request for a reason that its person reads (managers); twice is fine

    409 `pack_request_closed` once it was answered otherwise or taken back, or nothing is left of the pack.
    """
    actor = current_actor()
    return _request(actor, pack_requests.decline(actor, request_id, json_data["reason"]).public_id)


@blueprint.post("/pack-requests/<request_id>/give-back")
@requires(Role.MANAGER, scope="payments:write")
@blueprint.input(PackGivenBack(), example={"agreed_cents": 6400, "agreed_units": 8})
@blueprint.output(ShownPackRequest())
@idempotent(_granted)
def give_pack_back(request_id: str, json_data: dict[str, Any]) -> Json:
    """Give back what is left of the pack, which grants the request (managers)

    `agreed_cents` and `agreed_units` are the `cents` and `left` that were read; 409 `pack_refund_changed` at any others.
    It comes off the next invoice, or a credit note takes it off the one it stands on.
    """
    actor = current_actor()
    asked = pack_request_queries.request_by_public_id(request_id)
    pack_refunds.give_back(actor, asked.pack.public_id, **json_data)
    return _request(actor, request_id)


@blueprint.get("/pack-requests")
@requires(Role.MANAGER, scope="payments:read")
@blueprint.output(PackRequests())
def open_pack_requests() -> Json:
    """Requests to give packs back that wait for an answer, the oldest first (managers)"""
    return {"items": [_shown(row) for row in pack_request_queries.open_requests()], "next": None}
