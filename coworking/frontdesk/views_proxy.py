"""Booking for somebody else: whom one books for, their bookings to come, a desk for them; and for the team, who does so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import booking_proxies
from coworking.accounts.queries import person_by_public_id
from coworking.booking import offers, services, weeks
from coworking.booking.forms import read_agreed, read_day, read_halves
from coworking.booking.pages import say_booked
from coworking.booking.queries import coming_bookings
from coworking.core.errors import DomainError
from coworking.core.forms import Form, form_page
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires, signed_in
from coworking.core.web import say
from coworking.membership.agreement_rules import AgreementExhausted
from coworking.spaces import queries as spaces

AHEAD_DAYS = 14

blueprint = Blueprint("proxy", __name__)


@blueprint.get("/for")
@signed_in
def index() -> ResponseReturnValue:
    """Whom one books for, and who books for oneself; either can be ended."""
    me = current_actor().person_id
    rows = booking_proxies.all_of(me)
    return render_template(
        "frontdesk/proxies.html",
        whom=[row for row in rows if row.proxy_person_id == me],
        by=[row for row in rows if row.person_id == me],
    )


@blueprint.post("/for/ended")
@signed_in
def end() -> ResponseReturnValue:
    booking_proxies.end(current_actor(), request.form.get("proxy", ""))
    flash(_("It is ended, from now on."))
    return redirect(url_for("proxy.index"), 303)


@blueprint.get("/for/<public_id>")
@signed_in
def page(public_id: str) -> ResponseReturnValue:
    return _page(public_id)


@blueprint.get("/for/<public_id>/offer")
@signed_in
def offer(public_id: str) -> ResponseReturnValue:
    """What a desk would cost that person, before it is booked."""
    return _offer(public_id, request.args.get("day"), request.args.get("half"))


@blueprint.post("/for/<public_id>/book")
@signed_in
def book(public_id: str) -> ResponseReturnValue:
    """Book the desk of the offer, at the price it said."""
    form, actor = request.form, current_actor()
    booking_proxies.person_for(actor, public_id)
    try:
        made = services.book_half_days(
            actor,
            read_day(form.get("day")),
            read_halves(form.get("half")),
            person=public_id,
            resource=form.get("resource") or None,
            payer="me" if form.get("payer") == "me" else None,
            agreed_cents=read_agreed(form.get("agreed")) or 0,
        )
    except DomainError as error:
        if error.status == 404:
            raise
        return _page(public_id, error=error), error.status
    say_booked(made)
    return redirect(url_for("proxy.page", public_id=public_id), 303)


@blueprint.get("/people/<public_id>/proxy")
@requires(Role.HOST)
def edit(public_id: str) -> ResponseReturnValue:
    return _edit(public_id, Form({"agreed_on": spaces.today().isoformat(), "gets_emails": "1"}))


@blueprint.post("/people/<public_id>/proxy")
@requires(Role.HOST)
def save(public_id: str) -> ResponseReturnValue:
    form = Form(request.form)
    email, agreed_on = form.email("email"), form.day("agreed_on")
    if form.is_good:
        with form.trying():
            booking_proxies.name(
                current_actor(), public_id, email=email, agreed_on=agreed_on, gets_emails=form.checked("gets_emails")
            )
            flash(_("Saved."))
            return redirect(url_for("frontdesk.story", public_id=public_id), 303)
    return _edit(public_id, form)


@blueprint.post("/people/<public_id>/proxy/end")
@requires(Role.HOST)
def end_for(public_id: str) -> ResponseReturnValue:
    row = booking_proxies.proxy_of(person_by_public_id(public_id).id)
    if row is not None:
        booking_proxies.end(current_actor(), row.public_id)
    flash(_("It is ended, from now on."))
    return redirect(url_for("frontdesk.story", public_id=public_id), 303)


def _edit(public_id: str, form: Form) -> ResponseReturnValue:
    person = person_by_public_id(public_id)
    return form_page(
        "frontdesk/proxy_edit.html", form, form=form, person=person, row=booking_proxies.proxy_of(person.id)
    )


def _page(public_id: str, error: DomainError | None = None) -> str:
    person, row = booking_proxies.person_for(current_actor(), public_id)
    today = spaces.today()
    last = today + timedelta(days=min(AHEAD_DAYS, spaces.lieu().horizon_days))
    days = [today + timedelta(days=n) for n in range((last - today).days + 1)]
    return render_template(
        "frontdesk/proxy.html",
        person=person,
        row=row,
        coming=[one for one in coming_bookings(person.id) if not one.is_cancelled and one.ends_at > row.since],
        days=[day for day in weeks.week(person.id, days, spaces.days(today, last)) if _has_some(day)],
        error=say(error) if error is not None else None,
    )


def _has_some(day: weeks.WeekDay) -> bool:
    return any(cell.state in ("free", "mine", "full") for cell in day.cells)


def _offer(public_id: str, day: str | None, half: str | None) -> ResponseReturnValue:
    actor = current_actor()
    person, _row = booking_proxies.person_for(actor, public_id)
    on: date = read_day(day)
    try:
        found = offers.desk_offer(actor, on, read_halves(half), person=public_id)
    except AgreementExhausted:  # the employer pays no more: then the person does
        found = offers.desk_offer(actor, on, read_halves(half), person=public_id, payer="me")
    except DomainError as error:
        return _page(public_id, error=error), error.status
    # What it costs, and nothing of what the person has or who else pays.
    terms = replace(found.terms, left=None, pack_left=None, pack_until=None)
    return render_template(
        "frontdesk/proxy_offer.html", person=person, offer=replace(found, terms=terms), half=half or "day"
    )
