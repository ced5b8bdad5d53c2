"""A room: which day, how long, how many; then one tap on an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking import offers, services
from coworking.booking.forms import read_agreed, read_day, read_length, read_room, read_span, wall
from coworking.booking.pages import blueprint, say_booked
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.rooms import next_open_day, rooms_on
from coworking.core.clock import now
from coworking.core.errors import DomainError
from coworking.core.formats import duration
from coworking.core.i18n import _
from coworking.core.policy import current_actor, signed_in
from coworking.core.reading import nearest_number
from coworking.core.web import say
from coworking.membership.entitlement import PriceChanged
from coworking.spaces import queries as spaces

LENGTHS = (30, 60, 120)


@blueprint.get("/rooms")
@signed_in
def rooms() -> ResponseReturnValue:
    lieu, today = spaces.lieu(), spaces.today()
    last = today + timedelta(days=lieu.horizon_days)
    if "day" in request.args:
        day = read_day(request.args.get("day"))
    else:
        day = next_open_day(today, min(last, today + timedelta(days=14))) or today
    length = read_length(request.args.get("minutes"))
    people = nearest_number(request.args.get("people"), 1, 1, 500)
    row = spaces.days(day, day).get(day)
    return render_template(
        "booking/rooms.html",
        day=day,
        row=row,
        rooms=rooms_on(row, length, people) if row is not None and today <= day <= last else [],
        minutes=length if isinstance(length, str) else length // timedelta(minutes=1),
        people=people,
        length_choices=[*((n, duration(n)) for n in LENGTHS), ("half", _("half a day")), ("day", _("the whole day"))],
        today=today,
        last=last,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1),
        wall=lambda instant: wall(instant, lieu.tz),
    )


@blueprint.get("/rooms/<public_id>/book")
@signed_in
def new_room_booking(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id, request.args)


@blueprint.post("/rooms/<public_id>/book")
@signed_in
def book_room(public_id: str) -> ResponseReturnValue:
    try:
        form = read_room(request.form, spaces.lieu().tz)
        made = services.book(
            current_actor(),
            Request(
                form.span,
                (RequestedItem(resource=public_id),),
                title=form.title,
                guests=form.guests,
                agreed_cents=read_agreed(request.form.get("agreed")) or 0,
            ),
        )
    except DomainError as error:
        return _sheet(public_id, request.form, error), error.status
    say_booked(made)
    return redirect(url_for("booking.rooms", day=made.day.isoformat()), 303)


def _sheet(public_id: str, values: Mapping[str, str], error: DomainError | None = None) -> str:
    """The form as it stands. A time that makes sense is said in words, its inputs one tap away."""
    lieu = spaces.lieu()
    at = None
    offer = None
    first_look = isinstance(error, PriceChanged) and "agreed" not in values
    if error is None or error.at_field in ("title", "guests") or isinstance(error, PriceChanged):
        try:
            at = read_span(values, lieu.tz)
            offer = offers.offer(current_actor(), Request(at, (RequestedItem(resource=public_id),)))
        except DomainError:  # nothing to say about what cannot be booked: booking it will say why
            offer = None
    return render_template(
        "booking/new_room.html",
        room=spaces.resource_by_public_id(public_id),
        values=values,
        at=at,
        offer=offer,
        today=now().astimezone(lieu.tz).date(),
        error=say(error) if error is not None and not first_look else None,
        wrong_at={"starts_at": "from", "ends_at": "to"}.get(error.at_field or "", error.at_field) if error else None,
        free=error.extra.get("free", []) if error is not None else [],
    )
