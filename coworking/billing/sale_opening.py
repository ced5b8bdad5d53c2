"""A gateway's page to pay a sale on: opened, given again, and ended when its time is over.

A sale is paid by card or through HelloAsso, never by a debit that a bank may refuse days later.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from coworking.billing import drafts, online_queries
from coworking.billing.gateways import registry
from coworking.billing.gateways.port import Gateway, GatewayRefused, GatewayUnavailable, NotExpirable
from coworking.billing.online import settle
from coworking.billing.online_entries import look_later
from coworking.billing.online_looking import ask_about
from coworking.billing.online_models import OnlinePayment, OnlinePaymentStep
from coworking.billing.online_opening import open_page
from coworking.billing.online_rules import (
    UNSETTLED,
    FactDisagrees,
    GatewayMissing,
    NothingToPay,
    PaymentPending,
    SaleOver,
    TooSmallForCard,
)
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.policy import Actor
from coworking.core.sales import paid_through
from coworking.core.units import end_read, write_unit
from coworking.pricing import queries as pricing
from coworking.pricing import sales
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces

log = logging.getLogger(__name__)

PAGE_LASTS = timedelta(minutes=50)
"""When a page ends by itself, should nobody end it: the shortest that Stripe allows is half an hour from opening it."""


@paid_through
def can_be_paid(cents: int) -> bool:
    """Whether a gateway that payers are offered takes that amount, and an invoice can be issued for it."""
    takes = any(gateway.least_cents <= cents for gateway in online_queries.offered())
    return takes and (spaces.lieu().is_simulation or not drafts.missing())


def open_sale(public_id: str, gateway_name: str, *, pay_url: str, locale: str, actor: Actor) -> OnlinePayment:
    """Where a sale is paid: a payment with its ``checkout_url``, the same one however often it is asked for.

    Raises `SaleOver` once its time is over, `NothingToPay`, `PaymentPending`, `TooSmallForCard`, `GatewayMissing`, and
    `GatewayAway` when the gateway does not answer.
    """
    gateway = next((one for one in online_queries.offered() if one.name == gateway_name), None)
    if gateway is None:
        raise GatewayMissing()
    sale = pricing.sale(public_id)
    for row in online_queries.of_sale(sale.id):
        if row.state == "open" and not _is_same(row, gateway):
            _end_page(row.public_id)
    payment, label = _intend(public_id, gateway, locale, actor)
    if payment.checkout_url is not None:
        return payment
    opened = open_page(gateway, payment, label, pay_url, cards_only=True, ends_at=payment.created_at + PAGE_LASTS)
    payment_id = opened.public_id
    if pricing.sale(public_id).state not in ("open", "paid"):  # it ended while the gateway was asked
        _end_page(payment_id)
        raise SaleOver()
    return online_queries.online_payment(payment_id)


def _intend(public_id: str, gateway: Gateway, locale: str, actor: Actor) -> tuple[OnlinePayment, str]:
    """The intent to pay a sale, committed: one that waits already, or a new one."""
    end_read()
    with write_unit() as unit:
        sale = sales.lock(public_id)
        _check_open(sale)
        if sale.cents < gateway.least_cents:
            raise TooSmallForCard()
        label = f"{spaces.lieu().name} : {', '.join(line['label'] for line in sale.lines)}"[:250]
        before = online_queries.of_sale(sale.id)
        if any(row.state == "pending" for row in before):
            raise PaymentPending()
        again = next((row for row in before if _is_same(row, gateway)), None)
        if again is not None:
            unit.result = again.public_id
            return again, label
        payment = OnlinePayment(
            gateway=gateway.name,
            is_live=gateway.is_live,
            payer_person_id=sale.payer_person_id,
            sale_id=sale.id,
            cents=sale.cents,
            currency=sale.currency,
            state="opening",
            locale=locale,
            created_by_id=actor.person_id,
            steps=[OnlinePaymentStep(state="opening", noted_at=now())],
        )
        db.session.add(payment)
        db.session.flush()
        look_later(payment.public_id, 0)
        unit.result = payment.public_id
        return payment, label


def _check_open(sale: Sale) -> None:
    if sale.state in ("paid", "refunded"):
        raise NothingToPay()
    if sale.state != "open" or sale.expires_at <= now():
        raise SaleOver()


def _is_same(payment: OnlinePayment, gateway: Gateway) -> bool:
    """Whether ``payment`` still waits at that gateway."""
    return payment.state in {"opening", "open"} and (payment.gateway, payment.is_live) == (
        gateway.name,
        gateway.is_live,
    )


def end_sale(public_id: str) -> None:
    """End the pages of a sale whose time is over or whose subject is gone, then let go of what was kept for it.

    What was paid meanwhile counts. A gateway that does not answer is asked again for `sales.GRACE`, and no longer:
    money that comes after that books again what is still free, and is given back otherwise.
    """
    sale = pricing.sale(public_id)
    waits_until = sale.expires_at + sales.GRACE
    waiting = [row.public_id for row in online_queries.of_sale(sale.id) if row.state in UNSETTLED]
    for payment in waiting:
        try:
            _end_page(payment)
        except GatewayUnavailable:
            if now() < waits_until:
                raise
            log.warning("the page of %s could not be ended: its sale is over all the same", payment)
    end_read()
    with write_unit():
        sales.expire(sales.lock(public_id))


def _end_page(public_id: str) -> None:
    """Let nobody pay there any more, and write down how it stands; raises `GatewayUnavailable`."""
    payment = online_queries.online_payment(public_id)
    if payment.checkout_id is None:  # the answer was lost: the gateway knows it by our key
        try:
            ask_about(public_id)
        except FactDisagrees as error:
            log.warning("the payment %s disagrees: %s", public_id, error)
        payment = online_queries.online_payment(public_id)
    name, checkout_id = payment.gateway, payment.checkout_id
    gateway = registry.gateway_named(name)
    if gateway is None or checkout_id is None or payment.state not in UNSETTLED:
        return
    end_read()
    try:
        gateway.expire_checkout(checkout_id)
    except (NotExpirable, GatewayRefused):  # paid, perhaps; or the provider has no such call
        log.info("the checkout of %s could not be ended", public_id)
    try:
        settle(name, checkout_id)
    except (GatewayRefused, FactDisagrees) as error:
        log.warning("the payment %s could not be looked at: %s", public_id, error)
