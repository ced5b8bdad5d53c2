"""Payments through a gateway: where an invoice is paid, and what became of each payment."""

from __future__ import annotations

from typing import Any

from coworking.api import queries, render
from coworking.api.idempotency import idempotent
from coworking.api.pages import blueprint
from coworking.api.render import Json
from coworking.api.schemas.common import PageQuery
from coworking.api.schemas.payments import NewCheckout, Payment, Payments
from coworking.billing import online_opening, online_queries, sale_opening
from coworking.billing import queries as billing
from coworking.billing.pay_links import pay_url
from coworking.booking import queries as bookings
from coworking.booking.access import sees_price
from coworking.core.errors import NotFound
from coworking.core.i18n import language
from coworking.core.policy import Actor, current_actor, requires
from coworking.core.settings import settings
from coworking.pricing import queries as pricing


def _payment(actor: Actor, public_id: str) -> Json:
    found = online_queries.payments(actor, limit=1, public_id=public_id)
    if not found:
        raise NotFound()
    return render.payment(found[0])


@blueprint.post("/invoices/<invoice_id>/checkout")
@requires(scope="payments:write")
@blueprint.input(NewCheckout(), example={})
@blueprint.output(Payment(), status_code=201)
@idempotent(_payment)
def open_checkout(invoice_id: str, json_data: dict[str, Any]) -> Json:
    """Open a page on which an invoice is paid

    `url` is the payment provider's own page, for the payer. Asked again while the same is owed, it is the same page.
    Without a `gateway`, the first one that the lieu takes payments through. 409 `nothing_to_pay`, `payment_pending` or
    `gateway_missing`; 503 `gateway_away` while the provider does not answer.
    """
    actor = current_actor()
    invoice = billing.standing_for(actor, invoice_id).invoice
    gateway = json_data.get("gateway") or next((one.name for one in online_queries.offered()), "")
    opened = online_opening.open_payment(
        [invoice.public_id], gateway, pay_url=pay_url([invoice.public_id]), locale=language(), actor=actor
    )
    return _payment(actor, opened.public_id)


@blueprint.post("/bookings/<booking_id>/checkout")
@requires(scope="payments:write")
@blueprint.input(NewCheckout(), example={})
@blueprint.output(Payment(), status_code=201)
@idempotent(_payment)
def open_checkout_of_booking(booking_id: str, json_data: dict[str, Any]) -> Json:
    """Open a page on which a held booking is paid

    `url` is the payment provider's own page; asked again before `held_until` it is the same page, or a new one where that
    one has ended. The booking is confirmed once it is paid. 409 `sale_over` once its time is over, `nothing_to_pay` where it
    is paid already.
    """
    actor = current_actor()
    booking = bookings.booking_for(actor, booking_id)
    sale = pricing.sale_of("booking", booking.id)
    if sale is None or not sees_price(actor, booking):
        raise NotFound()
    gateway = json_data.get("gateway") or next((one.name for one in online_queries.offered()), "")
    page = f"{settings().base_url}/bookings/{booking.public_id}/pay"
    opened = sale_opening.open_sale(sale.public_id, gateway, pay_url=page, locale=language(), actor=actor)
    return _payment(actor, opened.public_id)


@blueprint.get("/payments")
@requires(scope="payments:read")
@blueprint.input(PageQuery(), location="query", unknown=None)
@blueprint.output(Payments())
def list_payments(query_data: dict[str, Any]) -> Json:
    """Payments made online, the newest first

    One's own and those of an organisation whose contact one is; managers and accountants read all of them. What was paid
    by other means stands on its invoice.
    """
    cursor, limit = query_data.get("cursor"), query_data["limit"]
    before = int(queries.decode_cursor(cursor, int)[0]) if cursor is not None else None
    rows = online_queries.payments(current_actor(), before=before, limit=limit + 1)
    return {
        "items": [render.payment(row) for row in rows[:limit]],
        "next": queries.encode_cursor(rows[limit - 1].id) if len(rows) > limit else None,
    }
