"""Today: who is here, who comes, who has left, and half-days that the host has to confirm."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from coworking.billing import door_queries
from coworking.booking import calls
from coworking.booking.forms import read_day
from coworking.booking.pages import names, said
from coworking.booking.queries import free_from
from coworking.core.errors import DomainError
from coworking.core.formats import hour
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, requires
from coworking.core.web import refusal
from coworking.frontdesk import checklist
from coworking.frontdesk import today as todays
from coworking.frontdesk.pages import blueprint, say_arrived, to_today
from coworking.frontdesk.services import dismiss_failed, retry_failed
from coworking.frontdesk.settled import read_instant, read_units, say_settled
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.queries import presence_of
from coworking.spaces import queries as spaces

FOLDED = "missing_folded"
"""Under this name the session keeps the day on which what is missing was folded away."""


@blueprint.get("/today")
@requires(Role.HOST)
def today() -> ResponseReturnValue:
    is_manager = current_actor().has(Role.MANAGER)
    found = todays.today(is_manager=is_manager)
    return render_template(
        "frontdesk/today.html",
        today=found,
        tag=f'"{todays.version(found.day)}"',
        missing=checklist.items(current_actor()),
        folded=session.get(FOLDED) == found.day.isoformat(),
        is_manager=is_manager,
    )


@blueprint.post("/today/missing/fold")
@requires(Role.MANAGER)
def fold_checklist() -> ResponseReturnValue:
    """Show what is missing in one line until tomorrow; it goes once it is done."""
    session[FOLDED] = spaces.today().isoformat()
    return to_today()


@blueprint.get("/today/live")
@requires(Role.HOST)
def live() -> ResponseReturnValue:
    """The page's content for polling; 304 in two statements while nothing has changed."""
    day = read_day(request.args.get("day"))
    tag = f'"{todays.version(day)}"'
    if request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers={"ETag": tag})
    is_manager = current_actor().has(Role.MANAGER)
    found = todays.today(is_manager=is_manager)
    response = make_response(render_template("frontdesk/_today.html", today=found, is_manager=is_manager))
    response.headers["ETag"] = tag
    return response


@blueprint.post("/today/arrive")
@requires(Role.HOST)
def arrive() -> ResponseReturnValue:
    """One tap: this booking's person, or this person, is here."""
    actor = current_actor()
    try:
        if booking := request.form.get("booking"):
            arrival = presence.check_in(actor, booking)
        else:
            arrival = presence.arrive(actor, person=request.form.get("person", ""))
    except DomainError as error:
        return refusal(error, today)
    say_arrived(arrival)
    return to_today()


@blueprint.post("/today/leave")
@requires(Role.HOST)
def leave() -> ResponseReturnValue:
    """Record that they leave now; ``unseen``: that they left at an unknown time."""
    form = request.form
    left = presence.leave(current_actor(), person=form.get("person", ""), unseen=bool(form.get("unseen")))
    if left is not None:
        undo = url_for("frontdesk.undo_departure", public_id=left.presence.public_id)
        flash(_left(left), "undo:" + undo if left.presence.day == spaces.today() else "message")
    return to_today()


@blueprint.post("/today/departures/<public_id>/undo")
@requires(Role.HOST)
def undo_departure(public_id: str) -> ResponseReturnValue:
    try:
        presence.undo_departure(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    flash(_("The departure is undone: still here."))
    return to_today()


@blueprint.get("/today/arrivals/<public_id>")
@requires(Role.HOST)
def arrival(public_id: str) -> ResponseReturnValue:
    """One presence of today as a sheet: since when, where, and the undo of a wrong tap."""
    found = presence_of(public_id)
    sold = door_queries.sale_of_walk_in(found.person_id, found.day)
    return render_template("frontdesk/arrival.html", presence=found, sold=sold)


@blueprint.post("/today/arrivals/<public_id>/undo")
@requires(Role.HOST)
def undo_arrival(public_id: str) -> ResponseReturnValue:
    """Undo an arrival, then return to Today or the planning, where it was pressed; where it was paid, go to its sale."""
    found = presence_of(public_id)
    sold = door_queries.sale_of_walk_in(found.person_id, found.day)
    sale_id = sold.public_id if sold is not None else None
    try:
        presence.undo_arrival(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    if sale_id is not None:
        flash(_("The arrival is removed, and its sale still stands. Cancel the sale here to give the money back."))
        return redirect(url_for("frontdesk.sale", public_id=sale_id), 303)
    flash(_("Removed: nothing is recorded any more."))
    return redirect(url_for("frontdesk.timeline"), 303) if request.form.get("to") == "planning" else to_today()


@blueprint.post("/today/stays/<public_id>/undo")
@requires(Role.HOST)
def undo_stay(public_id: str) -> ResponseReturnValue:
    presence.undo_stay(current_actor(), public_id)
    flash(_("Removed: nothing is recorded any more."))
    return to_today()


@blueprint.post("/today/bookings/<public_id>/end")
@requires(Role.HOST)
def end(public_id: str) -> ResponseReturnValue:
    """End a meeting before its time: the rest is free again after the tidying minutes."""
    try:
        freed = presence.set_free(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    undo = url_for("frontdesk.undo_end", public_id=public_id)
    flash(_("%(place)s is free from %(hour)s on.", place=names(freed), hour=hour(free_from(freed.id))), "undo:" + undo)
    return to_today()


@blueprint.post("/today/bookings/<public_id>/end/undo")
@requires(Role.HOST)
def undo_end(public_id: str) -> ResponseReturnValue:
    """Undo setting a room free: it is taken until its time again."""
    try:
        resumed = presence.undo_set_free(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    flash(_("%(place)s is taken until %(hour)s again.", place=names(resumed), hour=hour(resumed.ends_at)))
    return to_today()


@blueprint.post("/today/settle")
@requires(Role.HOST)
def settle() -> ResponseReturnValue:
    """« Venus » or « Absents » for one or all who wait for an answer."""
    try:
        done = settling.settle(current_actor(), read_units(request.form), request.form.get("outcome", ""))
    except DomainError as error:
        return refusal(error, today)
    say_settled(done, request.form.get("outcome", ""), "frontdesk.undo_settling")
    return to_today()


@blueprint.post("/today/settled/<int:at>/undo")
@requires(Role.HOST)
def undo_settling(at: int) -> ResponseReturnValue:
    """Undo the outcomes that one press recorded."""
    try:
        settling.undo_settling(current_actor(), read_instant(at))
    except DomainError as error:
        return refusal(error, today)
    flash(_("Removed: nothing is recorded any more."))
    return to_today()


@blueprint.post("/today/calls/<public_id>")
@requires(Role.HOST)
def tick_call(public_id: str) -> ResponseReturnValue:
    """Record that someone without an e-mail address was phoned."""
    call = calls.tick(current_actor(), public_id)
    undo = url_for("frontdesk.untick_call", public_id=public_id)
    flash(_("%(name)s was phoned.", name=call.person.name), "undo:" + undo)
    return to_today()


@blueprint.post("/today/calls/<public_id>/undo")
@requires(Role.HOST)
def untick_call(public_id: str) -> ResponseReturnValue:
    """Undo a wrong tap: they are still to be phoned."""
    calls.untick(current_actor(), public_id)
    flash(_("Still to be phoned."))
    return to_today()


@blueprint.post("/today/emails/<public_id>/<any(retry, dismiss):what>")
@requires(Role.HOST)
def failed_email(public_id: str, what: str) -> ResponseReturnValue:
    """An e-mail that was refused, or other work that failed for good: retry or dismiss it."""
    retry_failed(public_id) if what == "retry" else dismiss_failed(current_actor(), public_id)
    return to_today()


def _left(left: presence.Departure) -> str:
    words = _("%(name)s has left.", name=left.presence.person.name)
    more = " ".join(_("Counted as well: %(what)s", what=said(booking)) for booking in left.counted)
    return f"{words} {more}".strip()
