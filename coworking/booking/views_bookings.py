"""One booking: what it is, cancelling it, moving it, undoing either; and the list of one's own."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from coworking.booking import day_rates, former, move_offers, offers, queries, repaying, services
from coworking.booking.access import sees_price
from coworking.booking.forms import read_move_agreed, read_page
from coworking.booking.list_pages import OWN
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.pages import after_change, beside, blueprint, paid, refused, said, said_with_payer
from coworking.core import exports
from coworking.core.clock import now
from coworking.core.errors import N_, DomainError, NotFound
from coworking.core.i18n import _
from coworking.core.policy import Actor, current_actor, signed_in
from coworking.core.reading import one_of
from coworking.core.web import say
from coworking.membership import queries as memberships
from coworking.membership.entitlement import PAYERS, Payer, PriceChanged
from coworking.spaces import queries as spaces

PAGE = 20


@blueprint.get("/bookings")
@signed_in
def mine() -> ResponseReturnValue:
    """What is coming, then what was, page by page."""
    person_id = current_actor().person_id or 0
    if kind := exports.asked():
        return exports.list_answer(kind, N_("Bookings"), OWN, queries.units_of(person_id))
    ahead = queries.coming_bookings(person_id)
    past, page, pages = queries.past_bookings(person_id, read_page(request.args.get("page")), PAGE)
    return render_template(
        "booking/mine.html",
        coming=[booking for booking in ahead if not booking.is_cancelled],
        cancelled=[booking for booking in ahead if booking.is_cancelled],
        past=past,
        page=page,
        pages=pages,
    )


@blueprint.get("/bookings/<public_id>")
@signed_in
def booking(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id)


@blueprint.post("/bookings/<public_id>/cancel")
@signed_in
def cancel(public_id: str) -> ResponseReturnValue:
    """Cancel it; twice is fine."""
    try:
        cancelled = services.cancel(current_actor(), public_id, mistake="mistake" in request.form)
    except DomainError as error:
        if error.status == 404:
            raise
        return _sheet(public_id, error=say(error)), error.status
    words = _("Cancelled. It was late: it counts as used.") if cancelled.cancelled_late else _("Cancelled.")
    flash(words, "restore:" + url_for("booking.undo", public_id=public_id))
    if current_actor().is_staff and not cancelled.cancelled_late and _said_of_payment(cancelled):
        return redirect(url_for("booking.booking", public_id=public_id), 303)  # it says what becomes of the money
    return after_change(cancelled)


def _said_of_payment(booking: Booking) -> list[Markup]:
    return [said for part in paid if (said := part(booking))]


@blueprint.post("/bookings/<public_id>/undo")
@signed_in
def undo(public_id: str) -> ResponseReturnValue:
    try:
        restored = services.undo_cancel(current_actor(), public_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return _sheet(public_id, error=say(error)), error.status
    if restored.person_id == current_actor().person_id:
        flash(_("Yours again."))
    else:
        flash(_("%(name)s has it again: %(what)s", name=restored.person.name, what=said(restored)))
    return after_change(restored)


@blueprint.get("/bookings/<public_id>/move")
@signed_in
def new_move(public_id: str) -> ResponseReturnValue:
    """What moving it to another desk or room would cost, beside what it costs now."""
    return _move_sheet(public_id, request.args.get("resource") or None)


@blueprint.post("/bookings/<public_id>/move")
@signed_in
def move(public_id: str) -> ResponseReturnValue:
    """To another desk or room, same time: at once where it costs the same, else from the sheet that said the price."""
    actor, resource = current_actor(), request.form.get("resource") or None
    agreed = read_move_agreed(request.form, priced=sees_price(actor, queries.booking_for(actor, public_id)))
    try:
        moved = services.move(actor, public_id, resource=resource, agreed=agreed)
    except PriceChanged as asks:
        return _move_sheet(public_id, resource, None if agreed.same else say(asks))
    except DomainError as error:
        return _refused_move(public_id, error)
    words = _("Moved: %(what)s", what=said(moved))
    undoable = former.undoable_move(moved, now(), by_staff=actor.is_staff)
    flash(words, "undo:" + url_for("booking.undo_move", public_id=public_id) if undoable else "message")
    return after_change(moved)


@blueprint.post("/bookings/<public_id>/undo-move")
@signed_in
def undo_move(public_id: str) -> ResponseReturnValue:
    try:
        restored = services.undo_move(current_actor(), public_id)
    except DomainError as error:
        return _refused_move(public_id, error)
    flash(_("Moved back: %(what)s", what=said(restored)))
    return after_change(restored)


@blueprint.get("/bookings/<public_id>/payer")
@signed_in
def new_payer(public_id: str) -> ResponseReturnValue:
    """What it comes to when the other payer pays."""
    return _payer_sheet(public_id)


@blueprint.post("/bookings/<public_id>/payer")
@signed_in
def change_payer(public_id: str) -> ResponseReturnValue:
    payer: Payer = "employer" if one_of(PAYERS, request.form.get("payer", "")) == "employer" else "me"
    try:
        changed = repaying.change_payer(current_actor(), public_id, payer, read_move_agreed(request.form, priced=True))
    except PriceChanged as error:
        return _payer_sheet(public_id, say(error))
    except DomainError as error:
        return _refused_move(public_id, error)
    flash(said_with_payer(changed))
    return after_change(changed)


def _payer_sheet(public_id: str, error: str | None = None) -> ResponseReturnValue:
    actor = current_actor()
    found = queries.booking_for(actor, public_id)
    if not sees_price(actor, found):
        raise NotFound()
    try:
        offer = repaying.offer(actor, found, move_offers.terms_now(found))
    except DomainError as refusal:
        return _refused_move(public_id, refusal)
    sheet = render_template(
        "booking/payer.html", booking=found, offer=offer, mine=found.person_id == actor.person_id, error=error
    )
    return refused(sheet, 409 if error else 200)


def _refused_move(public_id: str, error: DomainError) -> ResponseReturnValue:
    """The booking as it stands, and why it stays there; a stranger's is not there at all."""
    if error.status == 404 and error.at_field is None:
        raise error
    return _sheet(public_id, error=say(error)), error.status


def _move_sheet(public_id: str, resource: str | None, error: str | None = None) -> ResponseReturnValue:
    actor = current_actor()
    found = queries.booking_for(actor, public_id)
    try:
        offer = move_offers.offer(actor, found, found.span, resource)
    except DomainError as refusal:
        return _refused_move(public_id, refusal)
    priced = sees_price(actor, found)
    sheet = render_template(
        "booking/move.html",
        booking=found,
        offer=offer,
        when=queries.worded({use.half for use in offer.uses}, offer.span),
        resource=resource,
        mine=found.person_id == actor.person_id,
        priced=priced,
        error=error if priced else None,  # it says an amount
    )
    return refused(sheet, 409 if error else 200)


def _payer_changes(actor: Actor, booking: Booking, bill: offers.Bill) -> bool:
    """Whether someone else would pay for it."""
    if booking.status != "confirmed" or booking.sale_id is not None or booking.units[0].half is None:
        return False
    if bill.employer is None and not memberships.employers_of(booking.person_id, booking.day):
        return False
    try:
        repaying.offer(actor, booking, move_offers.terms_now(booking))
    except DomainError:
        return False
    return True


def _dearer_if_cancelled(booking: Booking) -> list[BookingUnit]:
    if now() >= queries.free_until_of(booking, spaces.lieu()):
        return []
    return day_rates.dearer_units(booking.person_id, [unit.quote for unit in booking.units if unit.quote is not None])


def _sheet(public_id: str, error: str | None = None) -> str:
    actor, instant = current_actor(), now()
    found = queries.booking_for(actor, public_id)
    ahead = found.ends_at > instant and (found.starts_at > instant or actor.is_staff)
    bill = offers.bill_of(found) if sees_price(actor, found) else None
    changeable = found.is_held or (ahead and not found.is_cancelled)
    only = found.units[0].resource if len({unit.resource_id for unit in found.units}) == 1 else None
    others = (
        queries.free_resources(found.span, only.kind, guests=found.guests)
        if changeable and only is not None and not found.is_held
        else []
    )
    return render_template(
        "booking/booking.html",
        booking=found,
        when=queries.worded_time(found),
        changeable=changeable,
        others=others,
        moves=move_offers.choices(actor, found, others),
        left=former.undoable_move(found, instant, by_staff=actor.is_staff),
        worded=queries.worded,
        free_until=queries.free_until_of(found, spaces.lieu()),
        instant=instant,
        undoable=found.is_cancelled and queries.undoable(found.id, instant),
        in_use=found.starts_at <= instant < found.ends_at and found.status == "confirmed",
        mine=found.person_id == actor.person_id,
        bill=bill,
        payer_changes=bill is not None and ahead and _payer_changes(actor, found, bill),
        priced=sees_price(actor, found),
        dearer=_dearer_if_cancelled(found) if changeable and not found.is_held else [],
        beside=[part(found) for part in beside] if actor.is_staff else [],
        paid=_said_of_payment(found) if actor.is_staff or bill is not None else [],
        error=error,
    )
