"""The day's register: corrections and forgotten arrivals, on any day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.accounts.queries import person_by_public_id, search_people
from coworking.accounts.session import require_proof
from coworking.booking.forms import read_day
from coworking.booking.models import Booking
from coworking.booking.pages import beside
from coworking.core import exports
from coworking.core.clock import now
from coworking.core.errors import N_, DomainError, InvalidInput, at_field
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.reading import time_of
from coworking.core.timespan import local_instant
from coworking.core.web import say
from coworking.frontdesk.pages import span_asked
from coworking.frontdesk.register import register
from coworking.frontdesk.settled import read_instant, read_units, say_settled
from coworking.presence import settling
from coworking.presence.list_pages import PRESENCES
from coworking.presence.queries import presences_between, presences_of
from coworking.spaces import queries as spaces

blueprint = Blueprint("register", __name__)


@beside.append
def _came(booking: Booking) -> Markup:
    """Whether the person of ``booking`` came, on its sheet."""
    instant = now()
    return Markup(  # noqa: S704 - a template of ours, escaped by Jinja
        render_template(
            "frontdesk/_beside.html",
            booking=booking,
            presences=presences_of(booking.person_id, booking.day, spaces.dates_of(booking.span)[-1]),
            begun=[] if booking.is_cancelled else [unit for unit in booking.units if unit.starts_at <= instant],
            today=spaces.today(),
        )
    )


@blueprint.get("/register")
@requires(Role.HOST)
def show() -> ResponseReturnValue:
    """The register of today, or of ``day``."""
    day = read_day(request.args.get("day"), default=spaces.today())
    if kind := exports.asked():
        require_proof()
        return exports.list_answer(kind, N_("Presences"), PRESENCES, presences_between(*span_asked(day)))
    return _page(day, request.args)


@blueprint.post("/register/settle")
@requires(Role.HOST)
def settle() -> ResponseReturnValue:
    """Record an outcome (came, absent, not known), or correct it."""
    form = request.form
    day, outcome = read_day(form.get("day")), form.get("outcome", "")
    try:
        done = settling.settle(current_actor(), read_units(form), outcome, reason=form.get("reason"))
    except DomainError as error:
        if error.status == 404:
            raise
        return _page(day, form, error), error.status
    say_settled(done, outcome, "register.undo_settling")
    return _to(day)


@blueprint.post("/register/settled/<int:at>/undo")
@requires(Role.HOST)
def undo_settling(at: int) -> ResponseReturnValue:
    """Undo the outcomes that one press recorded."""
    day = spaces.today() - timedelta(days=1)
    try:
        days = settling.undo_settling(current_actor(), read_instant(at))
    except DomainError as error:
        if error.status == 404:
            raise
        flash(say(error), "error")
        return _page(day, request.form), error.status
    flash(_("Removed: nothing is recorded any more."))
    return _to(max(days))


@blueprint.post("/register/arrivals")
@requires(Role.HOST)
def enter_arrival() -> ResponseReturnValue:
    """Enter an arrival that was not recorded when it happened."""
    form = request.form
    day = read_day(form.get("day"))
    try:
        if not form.get("person"):
            raise InvalidInput(field="q", reason=_("Choose who it was."))
        entered = settling.enter_arrival(
            current_actor(),
            form["person"],
            day=day,
            arrived_at=_instant(day, form, "from"),
            left_at=_instant(day, form, "to") if form.get("to", "").strip() else None,
            reason=form.get("reason"),
        )
    except DomainError as error:
        if error.status == 404 and error.at_field is None:
            raise
        return _page(day, form, error), error.status
    flash(_("The arrival of %(name)s is recorded.", name=entered.person.name))
    return _to(day)


def _instant(day: date, form: Mapping[str, str], field: str) -> datetime:
    with at_field(field):
        return local_instant(day, time_of(form.get(field) or ""), spaces.lieu().tz)


def _page(day: date, values: Mapping[str, str], error: DomainError | None = None) -> str:
    text = (values.get("q") or "").strip()
    chosen = person_by_public_id(values["person"]) if values.get("person") else None
    correcting = [row for row in request.form.getlist("unit") if error is not None]
    return render_template(
        "frontdesk/register.html",
        register=register(day),
        may_correct=current_actor().has(Role.MANAGER),
        values=values,
        q=text,
        found=[chosen] if chosen is not None else search_people(text) if text else [],
        correcting=correcting,
        error=say(error) if error is not None else None,
        at=error.at_field if error is not None else None,
    )


def _to(day: date) -> ResponseReturnValue:
    return redirect(url_for("register.show", day=day.isoformat()), 303)
