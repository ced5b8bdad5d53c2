"""What payment providers pay out, written down as they tell it. Each function is one short unit of work.

A payout is fetched, then written in one unit that holds its row's lock. What it consists of is written once, whole, when
the provider has added it up. Notifications and our own looks may come at once and in any order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from coworking.billing import payout_queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import Gateway, GatewayRefused, GatewayUnavailable, PayoutFact, PayoutPartFact
from coworking.billing.online_looking import ask_about
from coworking.billing.online_rules import FactDisagrees
from coworking.billing.payout_models import OnlinePayout, OnlinePayoutPart
from coworking.billing.payout_rules import (
    OF_PAYMENT,
    HeldMovement,
    check_parts,
    check_payout,
    check_told_before,
    next_payout_state,
    payout_totals,
)
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.sql import inserted
from coworking.core.timespan import local_date
from coworking.core.types import public_id
from coworking.core.units import end_read, locked, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

FAILED = "billing.payout_failed"
"""The outbox topic of payouts that the bank sent back."""
PAYOUT_DAYS = timedelta(days=30)
"""How far back payouts are looked for every day: a paid one may fail some days later."""


def settle_payout(gateway_name: str, payout_id: str) -> None:
    """Fetch a payout and write down what became of it. Twice is fine. Not inside a unit.

    Raises `GatewayUnavailable`, `GatewayRefused`, `FactDisagrees`.
    """
    gateway = registry.gateway_named(gateway_name)
    if gateway is None or gateway.payouts is None:
        raise GatewayUnavailable(f"there are no keys for {gateway_name}")
    end_read()
    _settle(gateway, gateway.payouts.fetch(payout_id))


def reconcile_payouts() -> None:
    """Ask every gateway for its payouts of the last weeks; what does not answer, or disagrees, is left for later."""
    for gateway in registry.gateways():
        if gateway.payouts is None:
            continue
        end_read()
        try:
            facts = list(gateway.payouts.since(now() - PAYOUT_DAYS))
        except (GatewayUnavailable, GatewayRefused) as error:
            log.warning("%s does not tell its payouts: %s", gateway.name, error)
            continue
        for fact in sorted(facts, key=lambda fact: fact.made_at):
            try:
                _settle(gateway, fact)
            except (GatewayUnavailable, GatewayRefused, FactDisagrees) as error:
                log.warning("the payout %s of %s: %s", fact.payout_id, gateway.name, error)


def _settle(gateway: Gateway, fact: PayoutFact) -> None:
    check_payout(fact, currency=spaces.lieu().currency, is_live=gateway.is_live)
    known = payout_queries.known(gateway.name, fact.payout_id)
    end_read()
    if known is not None and known.is_read and known.state == fact.state and known.arrives_on == fact.arrives_on:
        return
    parts: Sequence[PayoutPartFact] | None = () if fact.listed == "never" else None
    if fact.listed == "now" and (known is None or not known.is_read) and gateway.payouts is not None:
        parts = gateway.payouts.parts(fact.payout_id)
        check_parts(fact, parts)
        for key in payout_queries.unsettled_among(gateway.name, [part.key for part in parts if part.key]):
            ask_about(key)  # its money was paid out, and nobody had told that it came
        end_read()
    note_payout(gateway.name, fact, parts)


def note_payout(gateway_name: str, fact: PayoutFact, parts: Sequence[PayoutPartFact] | None) -> None:
    """Write down what a gateway says of a payout; ``parts`` None: it does not say yet what that consists of."""
    with write_unit(beside=True):
        inserted(
            OnlinePayout,
            public_id=public_id(),
            gateway=gateway_name,
            foreign_id=fact.payout_id,
            is_live=fact.is_live,
            cents=fact.cents,
            currency=fact.currency,
            state="under_way",
            reference=fact.reference,
            made_at=fact.made_at,
            arrives_on=fact.arrives_on,
            noted_at=now(),
            changed_at=now(),
        )
        this = (OnlinePayout.gateway == gateway_name) & (OnlinePayout.foreign_id == fact.payout_id)
        row = db.session.scalars(locked(select(OnlinePayout).where(this))).one()
        check_told_before(fact, cents=row.cents, currency=row.currency, is_live=row.is_live)
        state = next_payout_state(row.state, fact.state)
        if (state, fact.arrives_on) != (row.state, row.arrives_on):
            if state == "failed" and state != row.state:
                outbox.enqueue(FAILED, f"{FAILED}:{row.public_id}", {"payout": row.public_id})
            row.state, row.arrives_on, row.changed_at = state, fact.arrives_on, now()
            row.reason = fact.reason if state == "failed" else None
        if parts is not None and row.parts_read_at is None:
            _write_parts(row, parts)


def _write_parts(payout: OnlinePayout, parts: Sequence[PayoutPartFact]) -> None:
    elsewhere = payout_queries.parts_among([part.part_id for part in parts])
    if elsewhere:
        raise FactDisagrees(f"the payout {payout.foreign_id} holds {min(elsewhere)}, which another one holds already")
    wanted = [part.payment_id for part in parts if part.payment_id is not None]
    ours = payout_queries.payments_among(payout.gateway, wanted, is_live=payout.is_live)
    zone = spaces.lieu().tz
    rows = [
        OnlinePayoutPart(
            payout_id=payout.id,
            foreign_id=part.part_id,
            kind=part.kind,
            cents=part.cents,
            fee_cents=part.fee_cents,
            moved_on=local_date(part.moved_at, zone),
            online_payment_id=ours.get(part.payment_id or "") if part.kind in OF_PAYMENT else None,
        )
        for part in parts
    ]
    db.session.add_all(rows)
    db.session.flush()
    found = [HeldMovement(row.kind, row.cents, row.fee_cents, row.online_payment_id is not None) for row in rows]
    payout.unexplained_cents = payout_totals(payout.cents, found).unexplained_cents
    payout.parts_read_at = payout.changed_at = now()
