"""One booking: what it is, giving it back, taking that back, another place; and the list of one's own."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking import offers, queries, services
from coworking.booking.forms import read_page
from coworking.booking.pages import after_change, beside, blueprint, said
from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.i18n import _
from coworking.core.policy import Role, current_actor, signed_in
from coworking.core.web import say
from coworking.spaces import queries as spaces

PAGE = 20


@blueprint.get("/bookings")
@signed_in
def mine() -> ResponseReturnValue:
    """What is coming, then what was, page by page."""
    person_id = current_actor().person_id or 0
    coming = queries.coming_bookings(person_id)
    past, page, pages = queries.past_bookings(person_id, read_page(request.args.get("page")), PAGE)
    return render_template("booking/mine.html", coming=coming, past=past, page=page, pages=pages)


@blueprint.get("/bookings/<public_id>")
@signed_in
def booking(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id)


@blueprint.post("/bookings/<public_id>/cancel")
@signed_in
def cancel(public_id: str) -> ResponseReturnValue:
    """Cancel it; twice is fine."""
    try:
        given_back = services.cancel(current_actor(), public_id, mistake="mistake" in request.form)
    except DomainError as error:
        if error.status == 404:
            raise
        return _sheet(public_id, error=say(error)), error.status
    words = _("Given back. It was late: it counts as used.") if given_back.cancelled_late else _("Given back.")
    flash(words, "undo:" + url_for("booking.undo", public_id=public_id))
    return after_change(given_back)


@blueprint.post("/bookings/<public_id>/undo")
@signed_in
def undo(public_id: str) -> ResponseReturnValue:
    try:
        restored = services.undo_cancel(current_actor(), public_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return _sheet(public_id, error=say(error)), error.status
    flash(_("Yours again."))
    return after_change(restored)


@blueprint.post("/bookings/<public_id>/move")
@signed_in
def move(public_id: str) -> ResponseReturnValue:
    """To another desk or room, same time."""
    try:
        moved = services.move(current_actor(), public_id, resource=request.form.get("resource") or None)
    except DomainError as error:
        if error.status == 404 and error.at_field is None:
            raise
        return _sheet(public_id, error=say(error)), error.status
    flash(said(moved))
    return after_change(moved)


def _sheet(public_id: str, error: str | None = None) -> str:
    actor, instant = current_actor(), now()
    found = queries.booking_for(actor, public_id)
    changeable = not found.is_cancelled and found.ends_at > instant and (found.starts_at > instant or actor.is_staff)
    only = found.units[0].resource if len({unit.resource_id for unit in found.units}) == 1 else None
    return render_template(
        "booking/booking.html",
        booking=found,
        when=queries.worded_time(found),
        changeable=changeable,
        others=queries.free_resources(found.span, only.kind) if changeable and only is not None else [],
        free_until=queries.free_until_of(found, spaces.lieu()),
        instant=instant,
        undoable=found.is_cancelled and queries.undoable(found.id, instant),
        in_use=found.starts_at <= instant < found.ends_at and not found.is_cancelled,
        mine=found.person_id == actor.person_id,
        bill=offers.bill_of(found) if found.person_id == actor.person_id or actor.has(Role.MANAGER) else None,
        beside=[part(found) for part in beside] if actor.is_staff else [],
        error=error,
    )
