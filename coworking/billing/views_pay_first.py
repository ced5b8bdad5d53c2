"""Paying a booking before it counts: how long it is kept, the way to the gateway, and the way back."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import online, online_queries, online_refunds, sale_opening
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.billing.online_rules import UNSETTLED, FactDisagrees
from coworking.billing.views_pay import asking
from coworking.booking import queries as bookings
from coworking.booking.access import sees_price
from coworking.core.clock import now
from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import _, language
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.settings import settings
from coworking.core.web import let_forms_reach, refusal
from coworking.pricing import queries as pricing
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces

blueprint = Blueprint("pay_first", __name__)


@blueprint.get("/bookings/<public_id>/pay")
@signed_in
def page(public_id: str) -> ResponseReturnValue:
    """What must be paid, for how long it is kept, and a button per gateway; or what has become of it."""
    return _page(public_id, is_back=False)


@blueprint.post("/bookings/<public_id>/pay")
@signed_in
def pay(public_id: str) -> ResponseReturnValue:
    sale_id = _sale(public_id).public_id
    let_forms_reach(origin for way in online_queries.offered() for origin in way.pages)
    try:
        opened = sale_opening.open_sale(
            sale_id,
            request.form.get("gateway", ""),
            pay_url=settings().base_url + url_for("pay_first.page", public_id=public_id),
            locale=language(),
            actor=current_actor(),
        )
    except DomainError as error:
        return refusal(error, lambda: _page(public_id, is_back=False))
    if opened.checkout_url is None or opened.state not in UNSETTLED:  # settled meanwhile, by another tab's way back
        return redirect(url_for("pay_first.page", public_id=public_id), 303)
    return redirect(opened.checkout_url, 303)


@blueprint.get("/bookings/<public_id>/pay/back")
@signed_in
def back(public_id: str) -> ResponseReturnValue:
    """The person comes back from the gateway, mostly before any notification: ask how it stands, and say it."""
    payment = online_queries.online_payment(request.args.get("payment", ""))
    if payment.sale_id != _sale(public_id).id:
        raise NotFound()
    if payment.state in UNSETTLED and payment.checkout_id is not None and asking.acquire(blocking=False):
        try:
            with suppress(GatewayUnavailable, GatewayRefused, FactDisagrees):  # the page says that it is not known yet
                online.settle(payment.gateway, payment.checkout_id)
        finally:
            asking.release()
    return _page(public_id, is_back=True)


@blueprint.post("/payments/<payment_id>/given-back")
@requires(Role.MANAGER)
def given_back(payment_id: str) -> ResponseReturnValue:
    """Money that came for what could no longer be had was given back at the gateway."""
    cents = request.form.get("cents", "")
    try:
        online_refunds.give_back(
            current_actor(), payment_id, int(cents) if cents.isdecimal() else 0, spaces.today(), "transfer"
        )
    except DomainError as error:
        if error.status == NotFound.status:
            raise
        flash(str(error), "error")
    else:
        flash(_("Written down: it is given back."))
    return redirect(url_for("frontdesk.today"), 303)


def _sale(public_id: str) -> Sale:
    """What its person must pay; a stranger's is not there, nor is one that has no price to be paid first."""
    actor = current_actor()
    booking = bookings.booking_for(actor, public_id)
    if booking.sale_id is None or not sees_price(actor, booking):
        raise NotFound()
    found = pricing.sale_of("booking", booking.id)
    if found is None:
        raise NotFound()
    return found


def _page(public_id: str, *, is_back: bool) -> Response:
    sale = _sale(public_id)
    payments = online_queries.of_sale(sale.id)
    if sale.state == "open" and sale.expires_at <= now() and not any(row.state in UNSETTLED for row in payments):
        sale_opening.end_sale(sale.public_id)  # the job may come a minute later; nobody is asked, so it is quick
        sale, payments = _sale(public_id), online_queries.of_sale(sale.id)
    booking = bookings.booking_for(current_actor(), public_id)
    ways = online_queries.offered() if sale.state == "open" else []
    let_forms_reach(origin for way in ways for origin in way.pages)
    answer = make_response(
        render_template(
            "billing/pay_first.html",
            booking=booking,
            sale=sale,
            ways=[way.name for way in ways if sale.cents >= way.least_cents],
            minutes=max(0, -int((now() - sale.expires_at).total_seconds() // 60)),
            is_over=sale.state == "open" and sale.expires_at <= now(),
            is_back=is_back,
            came_too_late=sale.state == "expired" and any(row.state == "paid" for row in payments),
            was_refused=bool(payments) and payments[0].state == "failed",
            invoice=next((part.invoice for row in payments for part in row.parts), None),
            mine=booking.person_id == current_actor().person_id,
            simulation=spaces.lieu().is_simulation,
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
