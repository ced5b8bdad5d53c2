"""A room: which day, how long, how many; then one tap on an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking import services
from coworking.booking.forms import read_agreed, read_day, read_length, read_payer, read_room, wall
from coworking.booking.pages import blueprint, on_to_pay, say_booked
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.room_sheet import COMMON, key_of, look
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
from coworking.spaces.models import LieuDay

LONGEST = 12 * 60
"""The longest duration the search offers, in minutes; the whole day is a choice of its own."""


@blueprint.get("/rooms")
@signed_in
def rooms() -> ResponseReturnValue:
    actor, lieu, today = current_actor(), spaces.lieu(), spaces.today()
    last = today + timedelta(days=lieu.horizon_days)
    if "day" in request.args:
        day = read_day(request.args.get("day"))
    else:
        day = next_open_day(today, min(last, today + timedelta(days=14))) or today
    length = read_length(request.args.get("minutes"))
    minutes = length if isinstance(length, str) else length // timedelta(minutes=1)
    days = spaces.days(day, day + timedelta(days=1))
    row, following = days.get(day), days.get(day + timedelta(days=1))
    people = nearest_number(request.args.get("people"), 1, 1, 500)
    closed_since = _closed_since(row)
    bookable = row is not None and today <= day <= last and closed_since is None
    return render_template(
        "booking/rooms.html",
        day=day,
        row=row,
        closed_since=closed_since,
        next_open=next_open_day(day + timedelta(days=1), min(last, day + timedelta(days=14))) if closed_since else None,
        rooms=rooms_on(row, length, people, actor.person_id or 0, following=following)
        if row is not None and bookable
        else [],
        minutes=minutes,
        people=people,
        common=[*((n, duration(n)) for n in COMMON), ("half", _("half a day")), ("day", _("the whole day"))],
        lengths=_lengths(minutes),
        today=today,
        last=last,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1),
        wall=lambda instant: wall(instant, lieu.tz),
        actor=actor,
    )


@blueprint.get("/rooms/<public_id>/book")
@signed_in
def new_room_booking(public_id: str) -> ResponseReturnValue:
    return _sheet(public_id, request.args)


@blueprint.post("/rooms/<public_id>/book")
@signed_in
def book_room(public_id: str) -> ResponseReturnValue:
    """Book it at the price that was shown. Where the page showed none for this time, it is shown first."""
    if "length" in request.form or "look" in request.form:
        return _sheet(public_id, request.form)
    form = None
    try:
        form = read_room(request.form, spaces.lieu().tz)
        made = services.book(
            current_actor(),
            Request(
                form.span,
                (RequestedItem(resource=public_id),),
                title=form.title,
                guests=form.guests,
                payer=read_payer(request.form.get("payer")),
                agreed_cents=read_agreed(request.form.get("agreed")) or 0,
            ),
        )
    except DomainError as error:
        if isinstance(error, PriceChanged) and form is not None and request.form.get("shown") != key_of(form.span):
            return _sheet(public_id, request.form, asks=True)
        return _sheet(public_id, request.form, error), error.status
    if (to_pay := on_to_pay(made)) is not None:
        return to_pay
    say_booked(made)
    return redirect(url_for("booking.rooms", day=made.day.isoformat()), 303)


def _sheet(public_id: str, values: Mapping[str, str], error: DomainError | None = None, *, asks: bool = False) -> str:
    """The form as it stands; ``asks``: the price was not shown before, so the button has to be pressed once more."""
    found = look(current_actor(), public_id, values)
    trouble = error or found.trouble
    fields = {"starts_at": "from", "ends_at": "minutes", "to": "minutes", "guests": "people"}
    beside_input = (error is not None or not found.readable) and not (found.mine or found.free_until or found.others)
    at = trouble.at_field if trouble is not None and beside_input else None
    return render_template(
        "booking/new_room.html",
        sheet_of=found,
        asks=asks,
        trouble=trouble,
        said=say(trouble) if trouble is not None else None,
        refused=error is not None,
        wrong_at=fields.get(at or "", at),
    )


def _closed_since(row: LieuDay | None) -> datetime | None:
    """When the lieu closed, where it has been open that day and will not open again."""
    hours = row.open() if row is not None else []
    return hours[-1].end if hours and hours[-1].end <= now() and row and row.day == spaces.today() else None


def _lengths(minutes: int | str) -> list[tuple[int | str, str]]:
    """Every duration a meeting can have, by the quarter of an hour, then the lieu's own."""
    found: list[tuple[int | str, str]] = [(n, duration(n)) for n in range(15, LONGEST + 1, 15)]
    if isinstance(minutes, int) and (minutes, duration(minutes)) not in found:
        found.append((minutes, duration(minutes)))
    return [*found, ("half", _("half a day")), ("day", _("the whole day"))]
