"""Where gateways tell that something changed. Their words are only a hint: a worker fetches the object itself."""

from __future__ import annotations

import logging

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from coworking.billing import means, online, online_queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import NotificationInvalid
from coworking.core.errors import NotFound
from coworking.core.policy import public

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024

blueprint = Blueprint("notified", __name__, url_prefix="/pay/notifications")
blueprint.csrf_exempt = True  # type: ignore[attr-defined] - no cookie opens it: what is told is fetched again


@blueprint.post("/<gateway_name>")
@public
def notified(gateway_name: str) -> ResponseReturnValue:
    gateway = registry.gateway_named(gateway_name)
    if gateway is None:
        raise NotFound()
    request.max_content_length = MOST_BYTES
    try:
        told = gateway.read_notification(request.get_data(cache=False), dict(request.headers))
    except NotificationInvalid as error:
        log.warning("a notification of %s was refused: %s", gateway_name, error)
        return {"error": str(error)}, 400
    # Not every provider signs what it tells, so only what concerns a payment of ours is kept.
    is_ours = (told.checkout_id is not None and online_queries.is_waited_for(gateway_name, told.checkout_id)) or (
        told.payment_id is not None and online_queries.is_ours(gateway_name, told.payment_id)
    )
    is_ours = is_ours or told.payout_id is not None  # who tells of payouts signs what it tells
    if is_ours and told.is_live == gateway.is_live:
        online.notified(gateway_name, told)
    if told.is_live == gateway.is_live and (told.saving_id or told.means_id):
        means.told_of(gateway_name, told.id, saving_id=told.saving_id, means_id=told.means_id)
    return {"received": True}
