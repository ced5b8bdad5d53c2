"""A member's pages: my week, a room, my bookings, and « Je suis là »."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking import presence, queries, services
from coworking.booking.forms import monday_of, read_day, read_halves, read_room, wall
from coworking.booking.models import Booking
from coworking.booking.placing import Item, Request
from coworking.booking.rooms import next_open_day, rooms_on
from coworking.booking.rules import AlreadyBooked, Half, InPast, NothingFree, free_until, half_days
from coworking.claims.rules import ClaimConflict
from coworking.core.clock import now
from coworking.core.errors import DomainError, InvalidInput
from coworking.core.formats import day_long, duration, minutes_range
from coworking.core.i18n import _, ngettext
from coworking.core.policy import current_actor, signed_in
from coworking.core.timespan import Span
from coworking.core.web import say
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay, Schedule

blueprint = Blueprint("booking", __name__)

LENGTHS = (30, 60, 90, 120, 240, 480)
PAGE = 20


@blueprint.after_request
def _varies(response: Response) -> Response:
    response.vary.add("HX-Request")  # a sheet is a page or only its inside
    return response


# My week --------------------------------------------------------------------------------------------------------------


@blueprint.get("/week")
@signed_in
def week() -> ResponseReturnValue:
    actor = current_actor()
    lieu = spaces.lieu()
    today = spaces.today()
    monday = monday_of(read_day(request.args.get("from"), default=today))
    if request.args.get("week") == "next":
        monday = monday_of(today) + timedelta(weeks=1)
    # This week too, whichever is shown: for « Je suis là », and for knowing when it is over.
    calendar = spaces.days(min(today, monday), max(today + timedelta(days=7), monday + timedelta(days=7)))
    if not {"from", "week"} & set(request.args) and not _anything_left(calendar, today, monday):
        monday += timedelta(weeks=1)
    days = queries.week(actor.person_id or 0, _seven(monday), calendar)
    schedule = spaces.schedule_on(monday + timedelta(days=6))
    here = queries.open_presence(actor.person_id or 0, today)
    opening = calendar.get(today)
    last = today + timedelta(days=lieu.horizon_days)
    return render_template(
        "booking/week.html",
        days=days,
        first=days[0].day if days else monday,
        last=days[-1].day if days else monday + timedelta(days=5),
        hours=_usual_hours(schedule),
        previous=monday - timedelta(weeks=1),
        following=monday + timedelta(weeks=1) if monday + timedelta(weeks=1) <= last else None,
        horizon=last,
        here=here,
        open_now=opening is not None and _open_now(opening),
        actor=actor,
        can_repeat=monday + timedelta(days=6) >= today,
    )


@blueprint.post("/bookings")
@signed_in
def book() -> ResponseReturnValue:
    """A tap on a cell, on a day's name, or on a desk of the list."""
    actor = current_actor()
    day = read_day(request.form.get("day"))
    half = request.form.get("half")
    try:
        booking = services.book_half_days(actor, day, read_halves(half), resource=request.form.get("resource") or None)
    except (ClaimConflict, NothingFree) as conflict:
        return _desk_list(day, half or "day", error=say(conflict)), 409
    except DomainError as error:
        flash(say(error), "error")
        return _to_week(day)
    flash(_said(booking), "undo:" + url_for("booking.cancel", public_id=booking.public_id))
    return _to_week(day)


@blueprint.post("/week/repeat")
@signed_in
def repeat() -> ResponseReturnValue:
    """Like last week: the same half-days, where they are free; says what could not be."""
    actor = current_actor()
    monday = monday_of(read_day(request.form.get("from"), default=spaces.today()))
    last_week = _seven(monday - timedelta(weeks=1))
    before = queries.week(actor.person_id or 0, last_week, spaces.days(last_week[0], last_week[-1]))
    booked, refused = 0, list[str]()
    for day in before:
        halves = frozenset[Half](cell.half for cell in day.cells if cell.mine)
        if not halves:
            continue
        target = day.day + timedelta(weeks=1)
        try:
            services.book_half_days(actor, target, halves)
            booked += 1
        except (AlreadyBooked, InPast):
            continue  # nothing to do for that day
        except DomainError as error:
            refused.append(f"{day_long(target)}: {say(error)}")
    if booked:
        flash(ngettext("%(num)s day booked as last week.", "%(num)s days booked as last week.", booked))
    elif not refused:
        flash(_("There was nothing to repeat."))
    for text in refused:
        flash(text, "error")
    return _to_week(monday)


@blueprint.post("/here")
@signed_in
def here() -> ResponseReturnValue:
    """« Je suis là »."""
    try:
        arrival = presence.arrive(current_actor())
    except DomainError as error:
        flash(say(error), "error")
    else:
        flash(_arrived(arrival))
    return redirect(url_for("booking.week"), 303)


@blueprint.post("/leave")
@signed_in
def leave() -> ResponseReturnValue:
    presence.leave(current_actor())
    flash(_("Goodbye, and see you soon."))
    return redirect(url_for("booking.week"), 303)


# One booking ----------------------------------------------------------------------------------------------------------


@blueprint.get("/bookings")
@signed_in
def mine() -> ResponseReturnValue:
    """What is coming, then what was, page by page."""
    actor = current_actor()
    try:
        page = max(1, int(request.args.get("page", "1")))
    except ValueError:
        raise InvalidInput(field="page", reason=_("Write the page as a number.")) from None
    coming = queries.coming_bookings(actor.person_id or 0)
    past, pages = queries.past_bookings(actor.person_id or 0, page, PAGE)
    return render_template("booking/mine.html", coming=coming, past=past, page=page, pages=pages)


@blueprint.get("/bookings/<public_id>")
@signed_in
def booking(public_id: str) -> ResponseReturnValue:
    return _booking_sheet(public_id)


@blueprint.post("/bookings/<public_id>/cancel")
@signed_in
def cancel(public_id: str) -> ResponseReturnValue:
    actor = current_actor()
    try:
        given_back = services.cancel(actor, public_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return _booking_sheet(public_id, error=say(error)), error.status
    words = _("Given back. It was late: it counts as used.") if given_back.cancelled_late else _("Given back.")
    flash(words, "undo:" + url_for("booking.undo", public_id=public_id))
    return _after(given_back)


@blueprint.post("/bookings/<public_id>/undo")
@signed_in
def undo(public_id: str) -> ResponseReturnValue:
    try:
        restored = services.undo_cancel(current_actor(), public_id)
    except DomainError as error:
        if error.status == 404:
            raise
        return _booking_sheet(public_id, error=say(error)), error.status
    flash(_("Yours again."))
    return _after(restored)


@blueprint.post("/bookings/<public_id>/move")
@signed_in
def move(public_id: str) -> ResponseReturnValue:
    """To another desk or room, same time."""
    try:
        moved = services.move(current_actor(), public_id, resource=request.form.get("resource") or None)
    except DomainError as error:
        if error.status == 404 and error.at_field is None:
            raise
        return _booking_sheet(public_id, error=say(error)), error.status
    flash(_said(moved))
    return _after(moved)


@blueprint.get("/desks")
@signed_in
def desks() -> ResponseReturnValue:
    """The free desks of a half-day or day, to choose one by its name."""
    return _desk_list(read_day(request.args.get("day")), request.args.get("half") or "day")


# Rooms ----------------------------------------------------------------------------------------------------------------


@blueprint.get("/rooms")
@signed_in
def rooms() -> ResponseReturnValue:
    lieu, today = spaces.lieu(), spaces.today()
    last = today + timedelta(days=lieu.horizon_days)
    if "day" in request.args:
        day = read_day(request.args.get("day"))
    else:
        day = next_open_day(today, min(last, today + timedelta(days=14))) or today
    minutes, people = _number("minutes", 60, 15, 720), _number("people", 1, 1, 500)
    row = spaces.days(day, day).get(day)
    return render_template(
        "booking/rooms.html",
        day=day,
        row=row,
        rooms=rooms_on(row, timedelta(minutes=minutes), people) if row is not None and today <= day <= last else [],
        minutes=minutes,
        people=people,
        length_choices=[(length, duration(length)) for length in LENGTHS],
        today=today,
        last=last,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1),
        wall=lambda instant: wall(instant, lieu.tz),
    )


@blueprint.get("/rooms/<public_id>/book")
@signed_in
def new_room_booking(public_id: str) -> ResponseReturnValue:
    return _room_sheet(public_id, request.args)


@blueprint.post("/rooms/<public_id>/book")
@signed_in
def book_room(public_id: str) -> ResponseReturnValue:
    actor, lieu = current_actor(), spaces.lieu()
    try:
        form = read_room(request.form, lieu.tz)
        made = services.book(
            actor, Request(form.span, (Item(resource=public_id),), title=form.title, guests=form.guests)
        )
    except DomainError as error:
        return _room_sheet(public_id, request.form, error), error.status
    flash(_said(made), "undo:" + url_for("booking.cancel", public_id=made.public_id))
    return redirect(url_for("booking.rooms", day=made.day.isoformat()), 303)


# Shared ---------------------------------------------------------------------------------------------------------------


def _seven(monday: date) -> list[date]:
    return [monday + timedelta(days=n) for n in range(7)]


def _anything_left(calendar: Mapping[date, LieuDay], today: date, monday: date) -> bool:
    """Whether this week still has an open half-day to come: on a Saturday evening people look at the next one."""
    instant = now()
    week = (row for day, row in calendar.items() if today <= day < monday + timedelta(days=7))
    return any(span.end > instant for row in week for span in row.open())


def _open_now(day: LieuDay) -> bool:
    instant = now()
    return any(span.start - presence.EARLY <= instant < span.end for span in day.open())


def _usual_hours(schedule: Schedule | None) -> dict[str, str]:
    """« 9–13 h » and « 13–18 h »: the widest usual hours of each half, for the head of the table."""
    if schedule is None:
        return {"am": "", "pm": ""}
    rows = [row for row in schedule.hours if row.layer == "accessible"]
    split = schedule.split_minute
    am = [(row.opens, min(row.closes, split)) for row in rows if row.opens < split]
    pm = [(max(row.opens, split), row.closes) for row in rows if row.closes > split]
    return {
        name: minutes_range(min(a for a, _ in half), max(b for _, b in half)) if half else ""
        for name, half in (("am", am), ("pm", pm))
    }


def _to_week(day: date) -> ResponseReturnValue:
    return redirect(f"{url_for('booking.week')}?from={monday_of(day).isoformat()}", 303)


def _after(booking: Booking) -> ResponseReturnValue:
    """Where one was: staff at the planning, a member's desk in the week, a member's room in the rooms."""
    actor = current_actor()
    if actor.person_id != booking.person_id:
        return redirect(url_for("frontdesk.timeline", day=booking.day.isoformat()), 303)
    if booking.units and booking.units[0].half is None:
        return redirect(url_for("booking.rooms", day=booking.day.isoformat()), 303)
    return _to_week(booking.day)


def _said(booking: Booking) -> str:
    """« Poste 7, jeudi 26 novembre, le matin. »"""
    names = ", ".join(dict.fromkeys(unit.resource.name for unit in booking.units))
    return f"{names}, {day_long(booking.day)}, {queries.worded_time(booking)}."


def _arrived(arrival: presence.Arrival) -> str:
    if arrival.booking is None:
        return _("Welcome. Every desk is taken just now: the host will find you a place.")
    names = ", ".join(dict.fromkeys(unit.resource.name for unit in arrival.booking.units))
    if arrival.walked_in:
        return _("Welcome. %(desk)s is yours for now.", desk=names)
    return _("Welcome. %(desk)s is waiting for you.", desk=names)


def _booking_sheet(public_id: str, error: str | None = None) -> str:
    actor, lieu, instant = current_actor(), spaces.lieu(), now()
    found = queries.booking_for(actor, public_id)
    changeable = not found.is_cancelled and found.ends_at > instant and (found.starts_at > instant or actor.is_staff)
    only = found.units[0].resource if len({unit.resource_id for unit in found.units}) == 1 else None
    return render_template(
        "booking/booking.html",
        booking=found,
        when=queries.worded_time(found),
        changeable=changeable,
        others=queries.free_resources(found.span, only.kind) if changeable and only is not None else [],
        free_until=free_until(found.starts_at, free_cancel_minute=lieu.free_cancel_minute, zone=lieu.tz),
        instant=instant,
        undoable=found.is_cancelled and bool(queries.undoable(found.id, instant)),
        in_use=found.starts_at <= instant < found.ends_at and not found.is_cancelled,
        mine=found.person_id == actor.person_id,
        error=error,
        actor=actor,
    )


def _desk_list(day: date, half: str, error: str | None = None) -> str:
    halves = read_halves(half)
    row = spaces.day(day)
    found = [h for name, h in half_days(day, row).items() if name in halves]
    span = Span(found[0].span.start, found[-1].span.end) if found else None
    free = queries.free_resources(span, DESK) if span is not None else []
    return render_template("booking/desks.html", day=day, half=half, span=span, free=free, error=error)


def _room_sheet(public_id: str, values: Mapping[str, str], error: DomainError | None = None) -> str:
    lieu = spaces.lieu()
    room = spaces.resource_by_public_id(public_id)
    free = error.extra.get("free", []) if error is not None else []
    return render_template(
        "booking/new_room.html",
        room=room,
        values=values,
        error=say(error) if error is not None else None,
        field={"starts_at": "from", "ends_at": "to"}.get(error.at_field or "", error.at_field) if error else None,
        free=free,
        wall=lambda instant: wall(instant, lieu.tz),
    )


def _number(name: str, default: int, least: int, most: int) -> int:
    try:
        return min(most, max(least, int(request.args.get(name, default))))
    except ValueError:
        return default
