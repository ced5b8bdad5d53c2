"""Paying a booking, a plan or an adhesion before it counts: how long it is kept, the way to the gateway, and the way back.

The same page has three addresses: of a booking, of a sale whose payer signed in, and of a signed link that needs no account.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import segno
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import online, online_queries, online_refunds, sale_opening
from coworking.billing.gateways.port import GatewayRefused, GatewayUnavailable
from coworking.billing.online_rules import UNSETTLED, FactDisagrees
from coworking.billing.pay_links import sale_id_of, sale_url
from coworking.billing.views_pay import asking
from coworking.booking import queries as bookings
from coworking.booking.access import sees_price
from coworking.booking.models import Booking
from coworking.booking.paying_first import KIND as BOOKING
from coworking.booking.with_packs import wanted_of
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import DomainError, NotFound
from coworking.core.i18n import _, language
from coworking.core.policy import SYSTEM, Role, actor_or_none, current_actor, public, requires, signed_in
from coworking.core.settings import settings
from coworking.core.web import let_forms_reach, refusal
from coworking.pricing import queries as pricing
from coworking.pricing.models import Sale
from coworking.spaces import queries as spaces

blueprint = Blueprint("pay_first", __name__)


@dataclass(frozen=True, slots=True)
class SalePage:
    """Where a sale is paid: its public id, the path of its page, and where giving it up is asked for, if one may here."""

    sale: str
    path: str
    give_up: str | None = None


# Its three addresses --------------------------------------------------------------------------------------------------


@blueprint.get("/bookings/<public_id>/pay")
@signed_in
def page(public_id: str) -> ResponseReturnValue:
    return _show(_of_booking(public_id))


@blueprint.post("/bookings/<public_id>/pay")
@signed_in
def pay(public_id: str) -> ResponseReturnValue:
    return _go(_of_booking(public_id))


@blueprint.get("/bookings/<public_id>/pay/back")
@signed_in
def back(public_id: str) -> ResponseReturnValue:
    return _back(_of_booking(public_id))


@blueprint.get("/to-pay/<sale_id>")
@signed_in
def sale(sale_id: str) -> ResponseReturnValue:
    """The same for a plan or an adhesion, which nobody has before it is paid."""
    return _show(_of_payer(sale_id))


@blueprint.post("/to-pay/<sale_id>")
@signed_in
def pay_sale(sale_id: str) -> ResponseReturnValue:
    return _go(_of_payer(sale_id))


@blueprint.get("/to-pay/<sale_id>/back")
@signed_in
def back_of_sale(sale_id: str) -> ResponseReturnValue:
    return _back(_of_payer(sale_id))


@blueprint.get("/pay/first/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """The same for who was sent a link, or reads a code at the desk."""
    return _show(_of_link(token))


@blueprint.post("/pay/first/<token>")
@public
def pay_link(token: str) -> ResponseReturnValue:
    return _go(_of_link(token))


@blueprint.get("/pay/first/<token>/back")
@public
def back_of_link(token: str) -> ResponseReturnValue:
    return _back(_of_link(token))


def _of_booking(public_id: str) -> SalePage:
    """A stranger's booking is not there, nor is one that has no price to be paid first."""
    actor = current_actor()
    booking = bookings.booking_for(actor, public_id)
    found = pricing.sale_of(BOOKING, booking.id)
    if booking.sale_id is None or not sees_price(actor, booking) or found is None:
        raise NotFound()
    path = url_for("pay_first.page", public_id=public_id)
    return SalePage(found.public_id, path, url_for("booking.cancel", public_id=public_id))


def _of_payer(sale_id: str) -> SalePage:
    found, actor = pricing.sale(sale_id), current_actor()
    is_reader = found.payer_person_id == actor.person_id or actor.has(Role.MANAGER)
    if found.subject_kind == BOOKING or not is_reader:
        raise NotFound()
    path = url_for("pay_first.sale", sale_id=sale_id)
    return SalePage(sale_id, path, url_for("membership.let_go", sale_id=sale_id))


def _of_link(token: str) -> SalePage:
    return SalePage(sale_id_of(token), url_for("pay_first.link", token=token))


# What all three do ----------------------------------------------------------------------------------------------------


def _go(to: SalePage) -> ResponseReturnValue:
    """Lead to the gateway's page."""
    let_forms_reach(origin for way in online_queries.offered() for origin in way.pages)
    try:
        opened = sale_opening.open_sale(
            to.sale,
            request.form.get("gateway", ""),
            pay_url=settings().base_url + to.path,
            locale=language(),
            actor=actor_or_none() or SYSTEM,
        )
    except DomainError as error:
        if isinstance(error, NotFound):
            raise
        return refusal(error, lambda: _show(to))
    if opened.checkout_url is None or opened.state not in UNSETTLED:  # settled meanwhile, by another tab's way back
        return redirect(to.path, 303)
    return redirect(opened.checkout_url, 303)


def _back(to: SalePage) -> ResponseReturnValue:
    """The person comes back from the gateway, mostly before any notification: ask how it stands, and say it."""
    payment = online_queries.online_payment(request.args.get("payment", ""))
    if payment.sale_id != pricing.sale(to.sale).id:
        raise NotFound()
    if payment.state in UNSETTLED and payment.checkout_id is not None and asking.acquire(blocking=False):
        try:
            with suppress(GatewayUnavailable, GatewayRefused, FactDisagrees):  # the page says that it is not known yet
                online.settle(payment.gateway, payment.checkout_id)
        finally:
            asking.release()
    return _show(to, is_back=True)


def _show(to: SalePage, *, is_back: bool = False) -> Response:
    """What must be paid, for how long it is kept, and a button per gateway; or what has become of it."""
    sale = pricing.sale(to.sale)
    payments = online_queries.of_sale(sale.id)
    if sale.state == "open" and sale.expires_at <= now() and not any(row.state in UNSETTLED for row in payments):
        sale_opening.end_sale(sale.public_id)  # the job may come a minute later; nobody is asked, so it is quick
        sale, payments = pricing.sale(to.sale), online_queries.of_sale(sale.id)
    booking = db.session.get_one(Booking, sale.subject_id) if sale.subject_kind == BOOKING else None
    ways = online_queries.offered() if sale.state == "open" else []
    let_forms_reach(origin for way in ways for origin in way.pages)
    actor = actor_or_none()
    answer = make_response(
        render_template(
            "billing/pay_first.html",
            to=to,
            sale=sale,
            booking=booking,
            wanted=wanted_of(sale),
            worded=bookings.worded_halves,
            counts=sale.state == "paid" if booking is None else booking.status == "confirmed",
            ways=[way.name for way in ways if sale.cents >= way.least_cents],
            minutes=max(0, -int((now() - sale.expires_at).total_seconds() // 60)),
            is_over=sale.state == "open" and sale.expires_at <= now(),
            is_let_go=sale.sold.is_let_go if booking is None else booking.cancelled_because not in (None, "unpaid"),
            is_back=is_back,
            came_too_late=sale.state == "expired" and any(row.state == "paid" for row in payments),
            was_refused=bool(payments) and payments[0].state == "failed",
            invoice=next((part.invoice for row in payments for part in row.parts), None),
            is_signed_in=actor is not None,
            mine=actor is not None and actor.person_id == sale.payer_person_id,
            simulation=spaces.lieu().is_simulation,
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


# Asked for by the team ------------------------------------------------------------------------------------------------


@blueprint.get("/asked/<sale_id>")
@requires(Role.HOST)
def asked(sale_id: str) -> ResponseReturnValue:
    """What somebody was asked to pay first: the code to scan on the spot, until when, and whether it is paid."""
    sale = pricing.sale(sale_id)
    code = segno.make(sale_url(sale_id), error="m").svg_data_uri(border=4, light="#fff")
    is_open = sale.state == "open" and sale.expires_at > now()
    answer = make_response(render_template("billing/asked.html", sale=sale, code=code, is_open=is_open))
    answer.headers["Cache-Control"] = "no-store"
    return answer


# What came too late ---------------------------------------------------------------------------------------------------


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


# What waits to be paid ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToPay:
    """A sale that its payer can still pay, and where; where it is given up."""

    sale: Sale
    page: str
    give_up: str


def to_pay_now() -> list[ToPay]:
    """What the reader has asked for and not paid yet, the most urgent first (2 statements, 1 where nothing waits)."""
    reader = current_actor().person_id
    waiting = pricing.sales_open_of(reader, now()) if reader is not None else []
    held = bookings.held_ids({row.subject_id for row in waiting if row.subject_kind == BOOKING})
    found: list[ToPay] = []
    for row in waiting:
        if row.subject_kind != BOOKING:
            page, away = (
                url_for("pay_first.sale", sale_id=row.public_id),
                url_for("membership.let_go", sale_id=row.public_id),
            )
        elif (booking := held.get(row.subject_id)) is not None:
            page, away = url_for("pay_first.page", public_id=booking), url_for("booking.cancel", public_id=booking)
        else:
            continue  # cancelled; a worker ends its page
        found.append(ToPay(row, page, away))
    return found


@blueprint.app_context_processor
def _waiting() -> dict[str, object]:
    return {"to_pay_now": to_pay_now}
