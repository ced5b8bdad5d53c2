"""What goes back of a Stripe payment: refunds, ours and those of the dashboard, and disputes.

A refund's key is in its metadata. Stripe may forget an idempotency key after a day, so a refund is looked for before it is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from coworking.billing.gateways.port import (
    DisputeFact,
    DisputeState,
    GatewayUnavailable,
    MoneyBack,
    RefundFact,
    RefundState,
)
from coworking.billing.gateways.stripe_answers import each_row, plain, time_said

_REFUND_STATES: dict[str, RefundState] = {"succeeded": "done", "failed": "failed", "canceled": "failed"}
"""Any other (``pending``, ``requires_action``) is on its way."""
_DISPUTE_STATES: dict[str, DisputeState] = {"won": "won", "lost": "lost", "prevented": "won", "warning_closed": "won"}
"""Any other (``needs_response``, ``under_review``, an inquiry, an appeal) is open."""


class StripeMoneyBack:
    """Refunds and disputes under the keys of a `StripeGateway`: its client, and how it asks."""

    def __init__(self, client: Any, asked: Callable[[Callable[[], Any]], dict[str, Any]]) -> None:
        self._client, self._asked = client, asked

    def refund(self, payment_id: str, cents: int, key: str) -> RefundFact:
        if (found := next((one for one in self._refunds(payment_id) if one.key == key), None)) is not None:
            return found
        wanted = {"payment_intent": payment_id, "amount": cents, "metadata": {"key": key}}
        options = {"idempotency_key": f"refund-{key}"}
        return _refund(plain(self._asked(lambda: self._client.v1.refunds.create(wanted, options)), "refund"))

    def money_back(self, payment_id: str) -> MoneyBack:
        disputes = each_row(self._asked, self._client.v1.disputes, {"payment_intent": payment_id}, "dispute")
        return MoneyBack(tuple(self._refunds(payment_id)), tuple(_dispute(row) for row in disputes))

    def money_back_since(self, instant: datetime) -> Iterator[str]:
        since = {"created": {"gte": int(instant.timestamp())}}
        for service, kind in ((self._client.v1.refunds, "refund"), (self._client.v1.disputes, "dispute")):
            for row in each_row(self._asked, service, since, kind):
                if isinstance(intent := row.get("payment_intent"), str):
                    yield intent

    def _refunds(self, payment_id: str) -> Iterator[RefundFact]:
        return map(_refund, each_row(self._asked, self._client.v1.refunds, {"payment_intent": payment_id}, "refund"))


def payment_of(concerned: dict[str, Any]) -> str | None:
    """The intent of the refund, dispute or charge that an event is about."""
    if concerned.get("object") not in {"refund", "dispute", "charge"}:
        return None
    intent = concerned.get("payment_intent")
    return intent if isinstance(intent, str) else None


def has_money_back(charge: dict[str, Any]) -> bool:
    """Whether some of a charge was refunded or is disputed."""
    return bool(charge.get("amount_refunded")) or charge.get("disputed") is True


def _cents(row: dict[str, Any]) -> int:
    if type(cents := row.get("amount")) is not int or cents <= 0:
        raise GatewayUnavailable("Stripe answered money that went back without an amount")
    return cents


def _refund(row: dict[str, Any]) -> RefundFact:
    metadata = row.get("metadata")
    key = metadata.get("key") if isinstance(metadata, dict) else None
    state = _REFUND_STATES.get(str(row.get("status")), "pending")
    reason = str(row.get("failure_reason") or "unknown")[:80] if state == "failed" else None
    return RefundFact(row["id"], key if isinstance(key, str) else None, state, _cents(row), reason)


def _dispute(row: dict[str, Any]) -> DisputeFact:
    details = row.get("evidence_details")
    due = details.get("due_by") if isinstance(details, dict) else None
    state = _DISPUTE_STATES.get(str(row.get("status")), "open")
    # 0 means that there is nothing to answer until a day.
    return DisputeFact(row["id"], state, _cents(row), str(row.get("reason") or "")[:80] or None, time_said(due or None))
