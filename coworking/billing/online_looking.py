"""Our own looks at payments that nothing has settled yet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
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
from coworking.billing.online import note_fetched
from coworking.billing.online_entries import locked_payment, look_later, reach
from coworking.billing.online_refunds import settle_money_back
from coworking.billing.online_rules import (
    UNSETTLED,
    FactDisagrees,
)
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

RECONCILE = "billing.reconcile"
"""The outbox topic of the day's reconciliation with the gateways."""
OPENED_DAYS, MONEY_BACK_DAYS = timedelta(days=3), timedelta(days=10)
"""How far back checkouts, and money that went back, are looked for every day."""
LOST_AFTER = timedelta(days=2)
"""After this no page exists any more for a payment of which the gateway knows nothing."""


def look(public_id: str, turn: int) -> None:
    """Our own look at a payment that no notification has settled; the next one is planned as long as it is not."""
    if online_queries.online_payment(public_id).state not in UNSETTLED:
        return
    is_unknown = False
    try:
        is_unknown = not ask_about(public_id)
    except GatewayUnavailable as error:
        log.warning("the payment %s could not be looked at: %s", public_id, error)
    with write_unit():
        row = locked_payment(public_id)
        if is_unknown and row.state in {"opening", "open"} and now() - row.created_at > LOST_AFTER:
            reach(row, "failed", "unknown_there")
        elif row.state in UNSETTLED:
            look_later(public_id, turn + 1)


def reconcile() -> int:
    """Ask the gateways about all that may have changed without a word to us; how many payments changed.

    Payments that wait, checkouts opened in the last days, and payments of which money went back. For the manager's button,
    and once a day. A gateway that does not answer leaves its own waiting.
    """
    before = online_queries.marks()
    waiting = online_queries.unsettled()
    end_read()
    for public_id in waiting:
        with _left_for_later(public_id):
            ask_about(public_id)
    for gateway in registry.gateways():
        with _left_for_later(gateway.name):
            _note_opened(gateway)
        with _left_for_later(gateway.name):
            for payment_id in set(gateway.money_back_since(now() - MONEY_BACK_DAYS)):
                settle_money_back(gateway.name, payment_id)
    end_read()
    after = online_queries.marks()
    return sum(mark != before.get(public_id) for public_id, mark in after.items())


def reconcile_daily() -> int:
    """Plan today's reconciliation, where there is a gateway to ask and none was planned yet; 1 or 0."""
    if not registry.gateways():
        return 0
    today = spaces.today().isoformat()
    with write_unit():
        return int(outbox.enqueue(RECONCILE, f"{RECONCILE}:{today}", {}))


def _note_opened(gateway: Gateway) -> None:
    """Write down what became of the checkouts of the last days, where that is news."""
    facts = list(gateway.opened_since(now() - OPENED_DAYS))
    known = online_queries.states_of(gateway.name, [fact.checkout_id for fact in facts])
    end_read()
    for fact in facts:
        if known.get(fact.checkout_id) != fact.state:
            note_fetched(gateway, fact)


@contextmanager
def _left_for_later(what: str) -> Iterator[None]:
    try:
        yield
    except (GatewayUnavailable, GatewayRefused, FactDisagrees) as error:
        log.warning("%s could not be looked at: %s", what, error)


def ask_about(public_id: str) -> bool:
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
        return found is not None and note_fetched(gateway, found) is not None
    end_read()
    try:
        if checkout_id is not None:
            return note_fetched(gateway, gateway.fetch(checkout_id)) is not None
        found = next((fact for fact in gateway.opened_since(since) if fact.key == public_id), None)
        return found is not None and note_fetched(gateway, found) is not None
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
