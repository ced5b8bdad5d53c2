"""A gateway in memory, for what happens around one; the real adapters are tested over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from coworking.billing.gateways.port import (
    CheckoutFact,
    CheckoutWanted,
    CollectionWanted,
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    MeansFact,
    MoneyBack,
    NotExpirable,
    Notification,
    NotificationInvalid,
    OpenedCheckout,
    OpenedSaving,
    PayoutFact,
    PayoutPartFact,
    RefundFact,
    RefundState,
    SavingFact,
    SavingWanted,
)
from coworking.core.clock import now


class MemoryGateway:
    """Opens a checkout per key. ``away``: it answers nothing; ``loses``: it opens, and the answer is lost."""

    name, least_cents, is_live, refunds_by_key = "stripe", 50, False, True
    pages = ("http://pay.test",)

    def __init__(self) -> None:
        self.saved_means = MemoryMeans(self)
        self.payouts = MemoryPayouts(self)
        self.facts: dict[str, CheckoutFact] = {}
        self.wanted: list[CheckoutWanted] = []
        self.expired: list[str] = []
        self.away = self.loses = False
        self.refuses: str | None = None
        self.back: dict[str, MoneyBack] = {}
        self.refunds_become: RefundState = "done"
        self.lasts: timedelta | None = None
        self.before_answer: Callable[[], None] = lambda: None

    def look(self) -> GatewayAccount:
        return GatewayAccount("Le Pont", False, ("card", "debit"))

    def open_checkout(self, wanted: CheckoutWanted) -> OpenedCheckout:
        self.answer()
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
        self.answer()
        if self.facts[checkout_id].state != "open":
            raise NotExpirable("it is over")
        self.expired.append(checkout_id)
        self.become(checkout_id, "expired")

    def fetch(self, checkout_id: str) -> CheckoutFact:
        self.answer()
        if checkout_id not in self.facts:
            raise GatewayRefused("resource_missing", "No such checkout")
        found = self.facts[checkout_id]
        self.before_answer()
        return found

    def opened_since(self, instant: datetime) -> Iterator[CheckoutFact]:
        self.answer()
        yield from list(self.facts.values())

    def refund(self, payment_id: str, cents: int, key: str, known: Collection[str]) -> RefundFact:
        self.answer()
        back = self.back.get(payment_id, MoneyBack())
        found = next((one for one in back.refunds if one.key == key), None)
        if found is None:
            found = RefundFact(f"re_{key}", key, self.refunds_become, cents)
            self.back[payment_id] = replace(back, refunds=(*back.refunds, found))
        if self.loses:
            raise GatewayUnavailable("the connection ended")
        return found

    def money_back(self, payment_id: str) -> MoneyBack:
        self.answer()
        return self.back.get(payment_id, MoneyBack())

    def money_back_since(self, instant: datetime) -> Iterator[str]:
        self.answer()
        yield from list(self.back)

    def refund_becomes(self, payment_id: str, refund_id: str, state: RefundState, reason: str | None = None) -> None:
        """Let a refund stand so from now on; one that is not there was made on the gateway's own site."""
        back = self.back.get(payment_id, MoneyBack())
        changed = tuple(
            replace(one, state=state, reason=reason) if one.refund_id == refund_id else one for one in back.refunds
        )
        self.back[payment_id] = replace(back, refunds=changed)

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> Notification:
        try:
            event: Any = json.loads(body)
            payment, payout = event.get("payment"), event.get("payout")
            checkout = event["checkout"] if payment is None and payout is None else None
            live = bool(event.get("live"))
            return Notification(event["id"], "checkout", checkout, live, payment_id=payment, payout_id=payout)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotificationInvalid("no event") from error

    def become(self, checkout_id: str, state: Any, **values: Any) -> None:
        """Let a checkout stand so from now on."""
        known = {"paid": {"means": "card", "payment_id": f"pi_{checkout_id}"}}.get(state, {})
        self.facts[checkout_id] = replace(self.facts[checkout_id], state=state, **(known | values))

    def answer(self) -> None:
        """Answer nothing, or refuse, where a test wants that."""
        if self.away:
            raise GatewayUnavailable("no answer")
        if self.refuses is not None:
            raise GatewayRefused(self.refuses, "refused")


class MemoryMeans:
    """What payers saved at a `MemoryGateway`. ``declines``: why a charge fails. ``dies``: where the process ends, once.

    ``charged``: every charge that was made, by its key: charging twice with another key is what tests look for.
    """

    def __init__(self, gateway: MemoryGateway) -> None:
        self._gateway = gateway
        self.savings: dict[str, SavingFact] = {}
        self.wanted: list[SavingWanted] = []
        self.means: dict[str, MeansFact] = {}
        self.calls: list[CollectionWanted] = []
        self.charged: dict[str, CheckoutFact] = {}
        self.customers: dict[str, str] = {}
        self.asked_for: list[str] = []
        self.forgotten: list[str] = []
        self.declines: str | None = None
        self.dies: str | None = None

    def begin_saving(self, wanted: SavingWanted) -> OpenedSaving:
        self._gateway.answer()
        self.wanted.append(wanted)
        checkout_id = f"cs_{wanted.key}"
        self.savings.setdefault(checkout_id, SavingFact(checkout_id, "open"))
        return OpenedSaving(f"cus_{wanted.key}", checkout_id, f"http://pay.test/{checkout_id}", None)

    def save(self, checkout_id: str, kind: Any = "card", **values: Any) -> MeansFact:
        """Let the payer save a means on the page."""
        of_kind = {
            "card": {"brand": "visa", "last4": "4242", "expires_on": date(2034, 12, 31)},
            "debit": {"brand": "20041", "last4": "2606", "mandate_id": "mandate_1", "mandate": "CWK-1"},
        }[kind]
        fact = MeansFact(
            **{"means_id": f"pm_{checkout_id}", "kind": kind, "is_usable": True, "is_live": False} | of_kind | values
        )
        self.means[fact.means_id] = fact
        self.savings[checkout_id] = SavingFact(checkout_id, "saved", fact)
        return fact

    def fetch_saving(self, checkout_id: str) -> SavingFact:
        self._gateway.answer()
        return self.savings[checkout_id]

    def fetch_means(self, means_id: str, mandate_id: str | None) -> MeansFact:
        self._gateway.answer()
        return self.means[means_id]

    def forget(self, means_id: str) -> None:
        self._gateway.answer()
        self.forgotten.append(means_id)
        self.means[means_id] = replace(self.means[means_id], is_usable=False)

    def collect(self, wanted: CollectionWanted) -> CheckoutFact:
        self._gateway.answer()
        self._die("before")
        self.calls.append(wanted)
        if not self.means[wanted.means_id].is_usable:
            raise GatewayRefused("400", "this means is detached")
        kind = self.means[wanted.means_id].kind
        state: Any = "failed" if self.declines else "paid" if kind == "card" else "pending"
        fact = CheckoutFact(
            f"pi_{wanted.key}",
            wanted.key,
            state,
            wanted.cents,
            wanted.currency,
            False,
            means=kind,
            payment_id=f"pi_{wanted.key}",
            reason=self.declines,
        )
        self.charged.setdefault(wanted.key, fact)
        self.customers[wanted.key] = wanted.customer_id
        fact = self._gateway.facts.setdefault(fact.checkout_id, self.charged[wanted.key])
        self._die("after")
        return fact

    def earlier(self, customer_id: str, since: datetime, key: str) -> CheckoutFact | None:
        self._gateway.answer()
        self.asked_for.append(key)
        known = self.charged.get(key)
        return self._gateway.facts[known.checkout_id] if known and self.customers[key] == customer_id else None

    def _die(self, where: str) -> None:
        if self.dies == where:
            self.dies = None
            raise KilledProcess(where)


class MemoryPayouts:
    """What a `MemoryGateway` paid out. ``facts`` and ``consists``: by the payout's name; change them as it changes."""

    def __init__(self, gateway: MemoryGateway) -> None:
        self._gateway = gateway
        self.facts: dict[str, PayoutFact] = {}
        self.consists: dict[str, tuple[PayoutPartFact, ...]] = {}
        self.asked_for: list[str] = []

    def pay_out(self, payout_id: str, *parts: PayoutPartFact, cents: int | None = None, **values: Any) -> PayoutFact:
        """Pay out what ``parts`` come to less their fees, or ``cents``; with ``values`` otherwise."""
        amount = sum(part.cents - part.fee_cents for part in parts) if cents is None else cents
        made = {
            "made_at": now(),
            "arrives_on": (now() + timedelta(days=3)).date(),
            "listed": "now",
            "reference": "CWK1",
        }
        fact = PayoutFact(
            **{"payout_id": payout_id, "state": "paid", "cents": amount, "currency": "EUR", "is_live": False}
            | made
            | values
        )
        self.facts[payout_id], self.consists[payout_id] = fact, parts
        return fact

    def become(self, payout_id: str, **values: Any) -> None:
        """Let a payout stand so from now on."""
        self.facts[payout_id] = replace(self.facts[payout_id], **values)

    def since(self, instant: datetime) -> Iterator[PayoutFact]:
        self._gateway.answer()
        yield from [fact for fact in self.facts.values() if fact.made_at >= instant]

    def fetch(self, payout_id: str) -> PayoutFact:
        self._gateway.answer()
        if payout_id not in self.facts:
            raise GatewayRefused("resource_missing", "No such payout")
        self._gateway.before_answer()
        return self.facts[payout_id]

    def parts(self, payout_id: str) -> tuple[PayoutPartFact, ...]:
        self._gateway.answer()
        self.asked_for.append(payout_id)
        return self.consists[payout_id]


def moved(part_id: str, kind: Any, cents: int, fee_cents: int = 0, payment_id: str | None = None, **values: Any) -> Any:
    """A movement within a payout, today."""
    given = {"currency": "EUR", "moved_at": now(), "payment_id": payment_id}
    return PayoutPartFact(**{"part_id": part_id, "kind": kind, "cents": cents, "fee_cents": fee_cents} | given | values)


class KilledProcess(BaseException):
    """Stands for a kill -9: nothing catches it but the test."""
