"""What the booking pages share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.booking import offers, queries
from coworking.booking.forms import monday_of
from coworking.booking.models import Booking
from coworking.core.clock import now
from coworking.core.formats import day_long
from coworking.core.i18n import _
from coworking.core.policy import current_actor
from coworking.core.web import load_whole

blueprint = Blueprint("booking", __name__)

beside: list[Callable[[Booking], Markup]] = []
"""What the packages above add to a booking's sheet, for the team."""

paid: list[Callable[[Booking], Markup]] = []
"""What the packages above say of a booking that was paid already, for the team and who reads its price; empty where it
was not."""


def vary_by_htmx(response: Response) -> Response:
    """Tell caches that a sheet is a page or only its inside."""
    response.vary.add("HX-Request")
    return response


blueprint.after_request(vary_by_htmx)


def refused(sheet: str, status: int) -> Response:
    """A sheet that says what else could be done. A tap that was to change the page behind opens it over that page."""
    response = make_response(sheet, status)
    if request.headers.get("HX-Boosted") == "true":
        response.headers["HX-Retarget"] = "#sheet-body"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Reselect"] = "unset"
    return response


def to_week(day: date) -> ResponseReturnValue:
    return redirect(f"{url_for('week.show')}?from={monday_of(day).isoformat()}", 303)


def on_to_pay(booking: Booking) -> ResponseReturnValue | None:
    """The way to pay for what its own person has just booked and must pay first; None where there is nothing to pay now."""
    if not booking.is_held or current_actor().person_id != booking.person_id:
        return None
    return load_whole(url_for("pay_first.page", public_id=booking.public_id))


def after_change(booking: Booking) -> ResponseReturnValue:
    """Where one was: staff at the planning, who books for someone at that page, a member's desk in the week, a member's
    room in the rooms."""
    if current_actor().person_id != booking.person_id:
        if not current_actor().is_staff:
            return redirect(url_for("proxy.page", public_id=booking.person.public_id), 303)
        return redirect(url_for("frontdesk.timeline", day=booking.day.isoformat()), 303)
    if booking.units and booking.units[0].half is None:
        return redirect(url_for("booking.rooms", day=booking.day.isoformat()), 303)
    return to_week(booking.day)


def names(booking: Booking) -> str:
    """« Poste 7 », « Durolle, Dore »."""
    return ", ".join(dict.fromkeys(unit.resource.name for unit in booking.units))


def said(booking: Booking) -> str:
    """« Poste 7, jeudi 26 novembre, le matin. »"""
    return f"{names(booking)}, {day_long(booking.day)}, {queries.worded_time(booking)}."


def costs(booking: Booking) -> str:
    """« Payé par Durand. », « 9,00 €, sur la facture de novembre 2026, payé par vous. », or what is left of a plan or pack;
    empty where it costs nobody anything."""
    bill = offers.bill_of(booking)
    if bill is None:
        return ""
    mine = current_actor().person_id == booking.person_id
    return render_template(
        "booking/_costs.txt", booking=booking, bill=offers.with_left(bill, booking), mine=mine
    ).strip()


def said_with_payer(booking: Booking) -> str:
    """« Poste 7, jeudi 26 novembre, le matin. Payé par Durand. »"""
    return f"{said(booking)} {costs(booking)}".rstrip()


def say_booked(booking: Booking) -> None:
    """Tell what is booked now, with the way back where there is one: a member cannot cancel what has begun."""
    undoable = booking.starts_at > now() or current_actor().is_staff
    undo = "undo:" + url_for("booking.cancel", public_id=booking.public_id)
    mine = current_actor().person_id == booking.person_id  # hosts learn nothing of who pays
    what = said_with_payer(booking) if mine else said(booking)
    flash(_("Booked: %(what)s", what=what), undo if undoable else "message")
