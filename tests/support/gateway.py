"""A gateway in memory, for what happens around one; the real adapters are tested over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutWanted,
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    NotExpirable,
    Notification,
    NotificationInvalid,
    OpenedCheckout,
)
from coworking.core.clock import now


class MemoryGateway:
    """Opens a checkout per key. ``away``: it answers nothing; ``loses``: it opens, and the answer is lost."""

    name, least_cents, is_live = "stripe", 50, False
    pages = ("http://pay.test",)
    saved_means: Any = None

    def __init__(self) -> None:
        self.facts: dict[str, CheckoutFact] = {}
        self.wanted: list[CheckoutWanted] = []
        self.expired: list[str] = []
        self.away = self.loses = False
        self.refuses: str | None = None
        self.lasts: timedelta | None = None
        self.before_answer: Callable[[], None] = lambda: None

    def look(self) -> GatewayAccount:
        return GatewayAccount("Le Pont", False, ("card", "debit"))

    def open_checkout(self, wanted: CheckoutWanted) -> OpenedCheckout:
        self._answer()
        self.wanted.append(wanted)
        checkout_id = f"cs_{wanted.key}"
        self.facts.setdefault(
            checkout_id, CheckoutFact(checkout_id, wanted.key, "open", wanted.cents, wanted.currency, False)
        )
        if self.loses:
            raise GatewayUnavailable("the connection ended")
        ends = None if self.lasts is None else now() + self.lasts
        return OpenedCheckout(checkout_id, f"http://pay.test/{checkout_id}", ends)

    def expire_checkout(self, checkout_id: str) -> None:
        self._answer()
        if self.facts[checkout_id].state != "open":
            raise NotExpirable("it is over")
        self.expired.append(checkout_id)
        self.become(checkout_id, "expired")

    def fetch(self, checkout_id: str) -> CheckoutFact:
        self._answer()
        if checkout_id not in self.facts:
            raise GatewayRefused("resource_missing", "No such checkout")
        found = self.facts[checkout_id]
        self.before_answer()
        return found

    def opened_since(self, instant: datetime) -> Iterator[CheckoutFact]:
        self._answer()
        yield from list(self.facts.values())

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        try:
            event: Any = json.loads(body)
            return Notification(event["id"], "checkout", event["checkout"], bool(event.get("live")))
        except (ValueError, KeyError, TypeError) as error:
            raise NotificationInvalid("no event") from error

    def become(self, checkout_id: str, state: Any, **values: Any) -> None:
        """Let a checkout stand so from now on."""
        known = {"paid": {"means": "card", "payment_id": f"pi_{checkout_id}"}}.get(state, {})
        self.facts[checkout_id] = replace(self.facts[checkout_id], state=state, **(known | values))

    def _answer(self) -> None:
        if self.away:
            raise GatewayUnavailable("no answer")
        if self.refuses is not None:
            raise GatewayRefused(self.refuses, "refused")
