"""Our own looks at payments that nothing has settled yet."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from coworking.billing import online_queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import (
    CheckoutFact,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
)
from coworking.billing.means_models import SavedMeans
from coworking.billing.online import locked_payment, look_later, note_fact, reach
from coworking.billing.online_rules import (
    UNSETTLED,
    FactDisagrees,
)
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, write_unit

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(days=2)
"""After this no page exists any more for a payment of which the gateway knows nothing."""


def look(public_id: str, turn: int) -> None:
    """Our own look at a payment that no notification has settled; the next one is planned as long as it is not."""
    if online_queries.online_payment(public_id).state not in UNSETTLED:
        return
    is_unknown = False
    try:
        is_unknown = not _ask_about(public_id)
    except GatewayUnavailable as error:
        log.warning("the payment %s could not be looked at: %s", public_id, error)
    with write_unit():
        row = locked_payment(public_id)
        if is_unknown and row.state in {"opening", "open"} and now() - row.created_at > LOST_AFTER:
            reach(row, "failed", "unknown_there")
        elif row.state in UNSETTLED:
            look_later(public_id, turn + 1)


def reconcile() -> int:
    """Look at every payment that a gateway may still change; how many were settled by it.

    For the manager's button, and after a day without notifications. A gateway that does not answer leaves its own waiting.
    """
    waiting = online_queries.unsettled()
    end_read()
    for public_id in waiting:
        try:
            _ask_about(public_id)
        except (GatewayUnavailable, FactDisagrees) as error:
            log.warning("the payment %s could not be looked at: %s", public_id, error)
    end_read()
    return len(set(waiting) - set(online_queries.unsettled()))


def _ask_about(public_id: str) -> bool:
    """Ask the gateway about a payment and write down what it says; False where the gateway knows nothing of it.

    Where the answer was lost when its checkout was opened, the gateway knows it by our key.
    """
    payment = online_queries.online_payment(public_id)
    name, checkout_id, since = payment.gateway, payment.checkout_id, payment.created_at - timedelta(hours=1)
    means_id = payment.saved_means_id
    gateway = registry.gateway_named(name)
    if gateway is None:
        raise GatewayUnavailable(f"there are no keys for {name}")
    if checkout_id is None and means_id is not None:
        found = known_collection(gateway, means_id, since, public_id)
        return found is not None and note_fact(name, found) is not None
    end_read()
    try:
        if checkout_id is not None:
            return note_fact(name, gateway.fetch(checkout_id)) is not None
        found = next((fact for fact in gateway.opened_since(since) if fact.key == public_id), None)
        return found is not None and note_fact(name, found) is not None
    except GatewayRefused as refusal:
        log.warning("%s refused to tell about %s: %s", name, public_id, refusal)
        return False


def known_collection(gateway: Gateway, saved_means_id: int, since: datetime, key: str) -> CheckoutFact | None:
    """The charge of a saved means that was made with ``key``; None: the gateway has none.

    Raises `GatewayUnavailable` also where it refuses to say: what may have been taken must not be taken again.
    """
    customer_id = db.session.get_one(SavedMeans, saved_means_id).customer_id
    end_read()
    if gateway.saved_means is None or customer_id is None:
        return None
    try:
        return gateway.saved_means.earlier(customer_id, since, key)
    except GatewayRefused as refusal:
        if refusal.code == "resource_missing":  # the keys are another account's, which cannot charge this means at all
            return None
        raise GatewayUnavailable(str(refusal)) from refusal
