"""Monthly returns: the lieu's own, and those a network head receives."""

from __future__ import annotations

from typing import Any

from flask import request

from coworking.api import render
from coworking.api.pages import blueprint
from coworking.api.problems import signed_body
from coworking.api.render import Json
from coworking.api.schemas.common import MonthQuery
from coworking.api.schemas.returns import MonthlyReturn, NetworkReturns, ReturnReceipt
from coworking.core.policy import Role, public, requires
from coworking.network.head import queries as network
from coworking.network.head import receiving
from coworking.spaces import queries as spaces
from coworking.statistics import queries as returns
from coworking.statistics.envelope import envelope


@blueprint.get("/statistics/monthly")
@requires(Role.MANAGER, Role.ACCOUNTANT, Role.LEAD, scope="statistics:read")
@blueprint.input(MonthQuery(), location="query", unknown=None)
@blueprint.output(MonthlyReturn())
def monthly_statistics(query_data: dict[str, Any]) -> Json:
    """A closed month's figures

    The highest revision, as it was sent: the same document whenever it is asked for. 404 `month_not_closed` before that.
    """
    return envelope(returns.closed(query_data["month"]))


@blueprint.post("/network/returns")
@public
@blueprint.output(ReturnReceipt())
def receive_return() -> tuple[Json, int]:
    """A lieu's signed monthly return, at its network head

    The body is a compact JWS of `{"aud", "iat", "return"}` by the key the lieu enrolled with. 201 when it is new, 200 when
    this revision was here already; 409 `revision_conflict` names the highest one that is.
    """
    receipt = receiving.receive(signed_body(), address=request.remote_addr)
    return receipt.document, 201 if receipt.is_new else 200


@blueprint.get("/network/returns")
@requires(Role.LEAD, scope="returns:read")
@blueprint.input(MonthQuery(), location="query", unknown=None)
@blueprint.output(NetworkReturns())
def network_returns(query_data: dict[str, Any]) -> Json:
    """What the network's lieux reported of a month, and what it adds up to

    The highest revision of each. One that the lead set aside says why in `set_aside` and is no part of `aggregate`;
    `doubts` is what was improbable in a return when it came. Rates in `aggregate` are sums of numerators over sums of
    denominators; a lieu that does not know is left out of both. People are never added: they may come to several lieux.
    """
    month = query_data["month"]
    return render.network_returns(spaces.lieu().uuid, month, network.network_month(month, whole=True))
