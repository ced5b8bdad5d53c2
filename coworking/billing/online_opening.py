"""A gateway's page to pay on, opened or given again.

Opening commits the intent, calls the gateway with the payment's own id as key, then commits what it answered. A crash in
between leaves a payment that is ``opening``: asking again continues it, and `online_looking` finds out what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from coworking.billing import online_queries, queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import (
    CheckoutWanted,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    NotExpirable,
)
from coworking.billing.models import Invoice
from coworking.billing.online import settle
from coworking.billing.online_entries import invoices_locked, locked_payment, look_later, reach
from coworking.billing.online_models import OnlinePayment, OnlinePaymentPart, OnlinePaymentStep
from coworking.billing.online_rules import (
    FactDisagrees,
    GatewayAway,
    GatewayMissing,
    NothingToPay,
    PaymentPending,
    SeveralPayers,
    TooSmallForCard,
)
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import SYSTEM, Actor
from coworking.core.units import end_read, write_unit
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

REUSED_FOR = timedelta(hours=20)
"""How long a gateway's page is given again to who asks to pay the same; it takes money for 24 hours."""
LEFT_TO_PAY = timedelta(minutes=2)
"""A page that ends sooner is not given again."""


def open_payment(
    invoices: Sequence[str], gateway_name: str, *, pay_url: str, locale: str, actor: Actor = SYSTEM
) -> OnlinePayment:
    """Where the payer of ``invoices`` (public ids) pays all that is owed on them: a payment with its ``checkout_url``.

    Asked again for the same amounts, it gives the same page, so that two tabs cannot pay twice. ``pay_url``: where the
    payer comes back to. Raises `NothingToPay`, `PaymentPending`, `SeveralPayers`, `TooSmallForCard`, `GatewayMissing`, and
    `GatewayAway` when the gateway does not answer.
    """
    gateway = next((one for one in online_queries.offered() if one.name == gateway_name), None)
    if gateway is None:
        raise GatewayMissing()
    _close_others(invoices, gateway)
    payment, label = _intend(invoices, gateway, locale, actor)
    if payment.checkout_url is not None:
        return payment
    return open_page(gateway, payment, label, pay_url)


def open_page(
    gateway: Gateway,
    payment: OnlinePayment,
    label: str,
    pay_url: str,
    *,
    cards_only: bool = False,
    ends_at: datetime | None = None,
) -> OnlinePayment:
    """Call the gateway for a payment whose intent is committed, and write down what it answers."""
    end_read()
    back = f"{pay_url}/back?payment={payment.public_id}"
    wanted = CheckoutWanted(
        key=payment.public_id,
        cents=payment.cents,
        currency=payment.currency,
        label=label,
        email=None,
        locale=payment.locale,
        return_url=back,
        cancel_url=pay_url,
        cards_only=cards_only,
        ends_at=ends_at,
    )
    try:
        opened = gateway.open_checkout(wanted)
    except GatewayUnavailable as error:
        log.warning("%s did not open a checkout: %s", gateway.name, error)
        raise GatewayAway() from error
    except GatewayRefused as refusal:
        log.warning("%s refused to open a checkout: %s %s", gateway.name, refusal.code, refusal)
        with write_unit():
            row = locked_payment(payment.public_id)
            if row.state == "opening":  # another tab may have opened it meanwhile
                reach(row, "failed", refusal.code)
        raise GatewayAway() from refusal
    with write_unit():
        row = locked_payment(payment.public_id)
        if row.state in {"opening", "open"}:
            row.checkout_id, row.checkout_url, row.expires_at = opened.checkout_id, opened.url, opened.expires_at
        if row.state == "opening":
            reach(row, "open", None)
        return row


def _intend(invoices: Sequence[str], gateway: Gateway, locale: str, actor: Actor) -> tuple[OnlinePayment, str]:
    """The intent to pay what is owed on ``invoices``, committed: one that waits already, or a new one."""
    with write_unit() as unit:
        rows = invoices_locked(invoices)
        owed = [(row, queries.owed_on(row)) for row in rows]
        parts = {row.id: cents for row, cents in owed if cents > 0}
        if not parts:
            raise NothingToPay()
        if len({(row.payer_person_id, row.payer_organisation_id) for row in rows}) > 1:
            raise SeveralPayers()
        before = online_queries.of_invoices([row.id for row in rows])
        if any(row.state == "pending" or (row.state == "opening" and row.saved_means_id) for row in before):
            raise PaymentPending()
        if sum(parts.values()) < gateway.least_cents:
            raise TooSmallForCard()
        numbers = ", ".join(row.number for row in rows if row.id in parts)
        label = f"{spaces.lieu().name} : {numbers}"[:250]
        again = next((row for row in before if _is_same(row, gateway, parts)), None)
        if again is not None:
            unit.result = again.public_id
            return again, label
        payment = OnlinePayment(
            gateway=gateway.name,
            is_live=gateway.is_live,
            payer_person_id=rows[0].payer_person_id,
            payer_organisation_id=rows[0].payer_organisation_id,
            cents=sum(parts.values()),
            currency=rows[0].currency,
            state="opening",
            locale=locale,
            created_by_id=actor.person_id,
            parts=[OnlinePaymentPart(invoice_id=invoice_id, cents=cents) for invoice_id, cents in parts.items()],
            steps=[OnlinePaymentStep(state="opening", noted_at=now())],
        )
        db.session.add(payment)
        db.session.flush()
        look_later(payment.public_id, 0)
        unit.result = payment.public_id
        return payment, label


def _is_same(payment: OnlinePayment, gateway: Gateway, parts: dict[int, int]) -> bool:
    """Whether ``payment`` still waits, at that gateway, for just these amounts."""
    return (
        payment.state in {"opening", "open"}
        and (payment.gateway, payment.is_live) == (gateway.name, gateway.is_live)
        and payment.created_at > now() - REUSED_FOR
        and (payment.expires_at is None or payment.expires_at > now() + LEFT_TO_PAY)
        and {part.invoice_id: part.cents for part in payment.parts} == parts
    )


def _close_others(invoices: Sequence[str], gateway: Gateway) -> None:
    """End the pages that still take money for any of ``invoices`` in other amounts or elsewhere, before another opens."""
    rows = db.session.scalars(select(Invoice).where(Invoice.public_id.in_(invoices))).all()
    parts = {row.id: cents for row in rows if (cents := queries.owed_on(row)) > 0}
    stale = [
        (row.gateway, row.checkout_id, row.public_id)
        for row in online_queries.of_invoices([row.id for row in rows])
        if row.state == "open" and row.checkout_id is not None and not _is_same(row, gateway, parts)
    ]
    close_pages(stale)


def close_pages(pages: Sequence[tuple[str, str, str]]) -> None:
    """End pages that still take money, each by its gateway's name, its checkout and its payment's public id."""
    end_read()
    for name, checkout_id, public_id in pages:
        other = registry.gateway_named(name)
        if other is None:
            continue
        try:
            other.expire_checkout(checkout_id)
        except (NotExpirable, GatewayUnavailable, GatewayRefused):
            # What still arrives there is given back if it is too much.
            log.info("the checkout of %s could not be ended", public_id)
        try:
            settle(name, checkout_id)
        except (GatewayUnavailable, GatewayRefused, FactDisagrees):
            log.info("the payment %s could not be looked at", public_id)
