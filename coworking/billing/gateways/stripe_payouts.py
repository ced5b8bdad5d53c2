"""What Stripe pays out to the lieu's bank, and of which movements of its balance an automatic payout consists.

Fees are those of ``fee_details``, as Stripe states them for each movement; nothing here knows a tariff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from coworking.billing.gateways.port import (
    GatewayUnavailable,
    PayoutFact,
    PayoutPartFact,
    PayoutPartKind,
    PayoutState,
)
from coworking.billing.gateways.stripe_answers import each_row, plain, time_said

_STATES: dict[str, PayoutState] = {
    "pending": "under_way",
    "in_transit": "under_way",
    "paid": "paid",
    "failed": "failed",
    "canceled": "failed",
}
_KINDS: dict[str, PayoutPartKind] = {
    "charge": "payment",
    "payment": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "payment_refund": "refund",
    "payment_failure_refund": "refund",
    "payment_reversal": "refund",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
    "payout_failure": "returned",
    "payout_cancel": "returned",
}
"""By the type of a balance transaction; an adjustment is a dispute where its source is one, all else is other."""
_LISTED: dict[str, Literal["now", "later"]] = {"completed": "now", "in_progress": "later"}


class StripePayouts:
    """Payouts under the keys of a `StripeGateway`: its client, and how it asks."""

    def __init__(self, client: Any, asked: Callable[[Callable[[], Any]], dict[str, Any]]) -> None:
        self._client, self._asked = client, asked

    def since(self, instant: datetime) -> Iterator[PayoutFact]:
        wanted = {"created": {"gte": int(instant.timestamp())}}
        return map(_fact, each_row(self._asked, self._client.v1.payouts, wanted, "payout"))

    def fetch(self, payout_id: str) -> PayoutFact:
        return _fact(plain(self._asked(lambda: self._client.v1.payouts.retrieve(payout_id)), "payout"))

    def parts(self, payout_id: str) -> tuple[PayoutPartFact, ...]:
        wanted = {"payout": payout_id, "expand": ["data.source"]}
        found = each_row(self._asked, self._client.v1.balance_transactions, wanted, "balance_transaction")
        return tuple(_part(row) for row in found if row.get("type") != "payout")  # the list has the payout itself, too


def _fact(row: dict[str, Any]) -> PayoutFact:
    cents, currency, state = row.get("amount"), row.get("currency"), _STATES.get(str(row.get("status")))
    made, arrives = time_said(row.get("created")), time_said(row.get("arrival_date"))
    if type(cents) is not int or not cents or not isinstance(currency, str):
        raise GatewayUnavailable("Stripe answered a payout without an amount")
    if state is None or made is None or arrives is None:
        raise GatewayUnavailable("Stripe answered a payout without a state or a date")
    trace = row.get("trace_id")
    said = (trace.get("value") if isinstance(trace, dict) else None) or row.get("statement_descriptor")
    return PayoutFact(
        payout_id=row["id"],
        state=state,
        cents=cents,
        currency=currency.upper(),
        is_live=row.get("livemode") is True,
        made_at=made,
        arrives_on=arrives.astimezone(UTC).date(),
        listed=_LISTED.get(str(row.get("reconciliation_status")), "never") if row.get("automatic") is True else "never",
        reference=str(said)[:80] if said else None,
        reason=str(row.get("failure_code") or "unknown")[:80] if state == "failed" else None,
    )


def _part(row: dict[str, Any]) -> PayoutPartFact:
    cents, fee, net, currency = (row.get(name) for name in ("amount", "fee", "net", "currency"))
    moved, details = time_said(row.get("created")), row.get("fee_details")
    if type(cents) is not int or type(fee) is not int or type(net) is not int or not isinstance(currency, str):
        raise GatewayUnavailable("Stripe answered a movement without an amount")
    if moved is None or not isinstance(details, list):
        raise GatewayUnavailable("Stripe answered a movement without a date or its fees")
    stated = [one.get("amount") if isinstance(one, dict) else None for one in details]
    if any(type(one) is not int for one in stated) or sum(one or 0 for one in stated) != fee or net != cents - fee:
        raise GatewayUnavailable("Stripe answered a movement that does not add up")
    source = row.get("source")
    source = source if isinstance(source, dict) else {}
    kind = _KINDS.get(str(row.get("type")), "other")
    if row.get("type") == "adjustment" and source.get("object") == "dispute":
        kind = "dispute"
    intent, metadata = source.get("payment_intent"), source.get("metadata")
    key = metadata.get("key") or metadata.get("collection") if isinstance(metadata, dict) else None
    return PayoutPartFact(
        part_id=row["id"],
        kind=kind,
        cents=cents,
        fee_cents=fee,
        currency=currency.upper(),
        moved_at=moved,
        payment_id=intent if isinstance(intent, str) else None,
        key=key if kind == "payment" and isinstance(key, str) else None,
    )
