"""The host's pages: Today, the planning, booking for someone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import staff
from coworking.accounts.queries import person_by_public_id, search_people
from coworking.booking import services
from coworking.booking.forms import read_day, read_halves, read_room
from coworking.booking.pages import names, said
from coworking.booking.placing import Item, Request
from coworking.booking.queries import free_from, worded_time
from coworking.booking.rules import HALVES, AlreadyBooked, half_days
from coworking.claims import queries as claims
from coworking.core.clock import now
from coworking.core.errors import DomainError, InvalidInput
from coworking.core.formats import day_long, hour
from coworking.core.i18n import _
from coworking.core.policy import Actor, Role, current_actor, requires, signed_in
from coworking.core.web import refusal, say
from coworking.frontdesk import checklist
from coworking.frontdesk import timeline as timelines
from coworking.frontdesk import today as todays
from coworking.frontdesk.navigation import BESIDE_MORE, all_entries
from coworking.frontdesk.services import dismiss_failed, retry_failed
from coworking.frontdesk.settled import read_instant, read_units, say_settled
from coworking.presence import services as presence
from coworking.presence import settling
from coworking.presence.queries import presence_of
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, LieuDay

blueprint = Blueprint("frontdesk", __name__)

AHEAD_DAYS = 8
FOLDED = "missing_folded"
"""Under this name the session keeps the day on which what is missing was folded away."""


@blueprint.get("/more")
@signed_in
def more() -> ResponseReturnValue:
    """What a phone's bar has no room for."""
    return render_template("frontdesk/more.html", ways=all_entries(current_actor())[BESIDE_MORE:])


# Today ----------------------------------------------------------------------------------------------------------------


@blueprint.get("/today")
@requires(Role.HOST)
def today() -> ResponseReturnValue:
    found = todays.today()
    return render_template(
        "frontdesk/today.html",
        today=found,
        tag=f'"{todays.version(found.day)}"',
        missing=checklist.items(current_actor()),
        folded=session.get(FOLDED) == found.day.isoformat(),
        is_manager=current_actor().has(Role.MANAGER),
    )


@blueprint.post("/today/missing/fold")
@requires(Role.MANAGER)
def fold_checklist() -> ResponseReturnValue:
    """Show what is missing in one line until tomorrow; it goes once it is done."""
    session[FOLDED] = spaces.today().isoformat()
    return _to_today()


@blueprint.get("/today/live")
@requires(Role.HOST)
def live() -> ResponseReturnValue:
    """The page's inside for whoever watches it; 304 in two statements while nothing has changed."""
    day = read_day(request.args.get("day"))
    tag = f'"{todays.version(day)}"'
    if request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers={"ETag": tag})
    is_manager = current_actor().has(Role.MANAGER)
    response = make_response(render_template("frontdesk/_today.html", today=todays.today(), is_manager=is_manager))
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
    _say_arrived(arrival)
    return _to_today()


@blueprint.post("/today/leave")
@requires(Role.HOST)
def leave() -> ResponseReturnValue:
    """They leave now; ``unseen``: they are gone and nobody saw when."""
    form = request.form
    left = presence.leave(current_actor(), person=form.get("person", ""), unseen=bool(form.get("unseen")))
    if left is not None:
        undo = url_for("frontdesk.undo_departure", public_id=left.presence.public_id)
        flash(_left(left), "undo:" + undo)
    return _to_today()


@blueprint.post("/today/departures/<public_id>/undo")
@requires(Role.HOST)
def undo_departure(public_id: str) -> ResponseReturnValue:
    try:
        presence.undo_departure(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    flash(_("Still here, as if nobody had left."))
    return _to_today()


@blueprint.get("/today/arrivals/<public_id>")
@requires(Role.HOST)
def arrival(public_id: str) -> ResponseReturnValue:
    """One presence of today as a sheet: since when, where, and the way back from a wrong tap."""
    return render_template("frontdesk/arrival.html", presence=presence_of(public_id))


@blueprint.post("/today/arrivals/<public_id>/undo")
@requires(Role.HOST)
def undo_arrival(public_id: str) -> ResponseReturnValue:
    """Back to where it was pressed: Today or the planning."""
    try:
        presence.undo_arrival(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    flash(_("Forgotten, as if it had not been."))
    return redirect(url_for("frontdesk.timeline"), 303) if request.form.get("to") == "planning" else _to_today()


@blueprint.post("/today/stays/<public_id>/undo")
@requires(Role.HOST)
def undo_stay(public_id: str) -> ResponseReturnValue:
    presence.undo_stay(current_actor(), public_id)
    flash(_("Forgotten, as if it had not been."))
    return _to_today()


@blueprint.post("/today/bookings/<public_id>/end")
@requires(Role.HOST)
def end(public_id: str) -> ResponseReturnValue:
    """A meeting is over before its time: what remains is free again, once the room has been tidied up."""
    try:
        freed = presence.set_free(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    undo = url_for("frontdesk.undo_end", public_id=public_id)
    flash(_("%(place)s is free from %(hour)s on.", place=names(freed), hour=hour(free_from(freed.id))), "undo:" + undo)
    return _to_today()


@blueprint.post("/today/bookings/<public_id>/end/undo")
@requires(Role.HOST)
def undo_end(public_id: str) -> ResponseReturnValue:
    """The wrong room was set free: it is taken until its time again."""
    try:
        resumed = presence.undo_set_free(current_actor(), public_id)
    except DomainError as error:
        return refusal(error, today)
    flash(_("%(place)s is taken until %(hour)s again.", place=names(resumed), hour=hour(resumed.ends_at)))
    return _to_today()


@blueprint.post("/today/settle")
@requires(Role.HOST)
def settle() -> ResponseReturnValue:
    """« Venus » or « Absents » for one or all who wait for an answer."""
    try:
        done = settling.settle(current_actor(), read_units(request.form), request.form.get("outcome", ""))
    except DomainError as error:
        return refusal(error, today)
    say_settled(done, request.form.get("outcome", ""), "frontdesk.take_back")
    return _to_today()


@blueprint.post("/today/settled/<int:at>/undo")
@requires(Role.HOST)
def take_back(at: int) -> ResponseReturnValue:
    """What one press said of one or all is not said any more."""
    try:
        settling.take_back(current_actor(), read_instant(at))
    except DomainError as error:
        return refusal(error, today)
    flash(_("Forgotten, as if it had not been."))
    return _to_today()


@blueprint.post("/today/letters/<public_id>/<any(retry, dismiss):what>")
@requires(Role.HOST)
def letter(public_id: str, what: str) -> ResponseReturnValue:
    """A letter that came back, or anything else that failed for good: try again, or put it away."""
    retry_failed(public_id) if what == "retry" else dismiss_failed(current_actor(), public_id)
    return _to_today()


# The planning ---------------------------------------------------------------------------------------------------------


@blueprint.get("/planning")
@signed_in
def timeline() -> ResponseReturnValue:
    actor = current_actor()
    day = read_day(request.args.get("day"), default=spaces.today())
    listed = request.args.get("view") == "list"
    version = claims.day_version(day)
    found = timelines.timeline(actor, day, version, listed=listed)
    return render_template(
        "frontdesk/timeline.html",
        line=found,
        listed=listed,
        previous=timelines.address(day - timedelta(days=1), **({"view": "list"} if listed else {})),
        following=timelines.address(day + timedelta(days=1), **({"view": "list"} if listed else {})),
        as_day=timelines.address(day),
        as_list=timelines.address(day, view="list"),
        today=spaces.today(),
        is_today=day == spaces.today(),
    )


@blueprint.get("/new/<public_id>")
@signed_in
def new(public_id: str) -> ResponseReturnValue:
    """Free ground of the planning was chosen: the form that books it, for oneself or as staff for someone."""
    resource = spaces.resource_by_public_id(public_id)
    values: dict[str, Any] = {name: request.args[name] for name in ("day", "from", "to") if request.args.get(name)}
    if values.get("from") and not values.get("to"):
        values["to"] = _an_hour_later(values["from"])
    if current_actor().is_staff:
        return redirect(url_for("frontdesk.for_someone", resource=public_id, **values))
    if resource.kind != DESK:
        return redirect(url_for("booking.new_room_booking", public_id=public_id, **values))
    day = read_day(values.get("day"))
    row = spaces.day(day)
    halves = [half for half in HALVES if half in half_days(day, row)]
    return render_template("frontdesk/new_desk.html", resource=resource, day=day, halves=halves)


# Booking for someone, in three gestures -------------------------------------------------------------------------------


@blueprint.get("/for-someone")
@requires(Role.HOST)
def for_someone() -> ResponseReturnValue:
    return _for_someone(request.args)


@blueprint.get("/for-someone/people")
@requires(Role.HOST)
def people() -> ResponseReturnValue:
    """Search as one types."""
    text = request.args.get("q", "").strip()
    return render_template("frontdesk/_people.html", found=search_people(text) if text else [], q=text, values={})


@blueprint.post("/for-someone")
@requires(Role.HOST)
def book_for_someone() -> ResponseReturnValue:
    actor, form = current_actor(), request.form
    several = "several_places" in form
    try:
        who, newcomer = form.get("person") or None, None
        if who is None:
            newcomer = _newcomer(actor, form)
        if form.get("here"):
            arrival = presence.arrive(actor, person=who, newcomer=newcomer)
            _say_arrived(arrival)
            return _to_today()
        if form.get("resource") and form.get("from"):
            room = read_room(form, spaces.lieu().tz)
            item = Item(resource=form["resource"])
            asked = Request(
                room.span, (item,), person=who, title=room.title, guests=room.guests, several_places=several
            )
            made = services.book(actor, asked, newcomer=newcomer)
        else:
            day, _dot, half = form.get("when", "").partition(".")
            halves = read_halves(half)
            made = services.book_half_days(
                actor, read_day(day), halves, person=who, several_places=several, newcomer=newcomer
            )
    except DomainError as error:
        return _for_someone(form, error), error.status
    flash(
        f"{made.person.name}, {names(made)}, {day_long(made.day)}, {worded_time(made)}.",
        "undo:" + url_for("booking.cancel", public_id=made.public_id),
    )
    return redirect(url_for("frontdesk.timeline", day=made.day.isoformat()), 303)


def _say_arrived(arrival: presence.Arrival) -> None:
    """Who is here, and which desk they were given, with the way back from a wrong tap."""
    undo = "undo:" + url_for("frontdesk.undo_arrival", public_id=arrival.presence.public_id)
    words = _("%(name)s is here.", name=arrival.presence.person.name)
    if arrival.walked_in and arrival.booking is not None:
        words += " " + said(arrival.booking)
        if arrival.again:
            undo = "undo:" + url_for("frontdesk.undo_stay", public_id=arrival.booking.public_id)
    flash(words, "message" if arrival.again and not arrival.walked_in else undo)


def _left(left: presence.Departure) -> str:
    words = _("%(name)s has left.", name=left.presence.person.name)
    more = " ".join(_("Counted as well: %(what)s", what=said(booking)) for booking in left.counted)
    return f"{words} {more}".strip()


def _newcomer(actor: Actor, form: Mapping[str, str]) -> services.Newcomer:
    """The name typed becomes a person together with what is booked for them: refused, neither is there."""
    if not form.get("first_name", "").strip():
        raise InvalidInput(field="person", reason=_("Choose who it is for, or write a new name."))
    return lambda: (
        staff.add_person(
            actor,
            first_name=form.get("first_name", ""),
            last_name=form.get("last_name", ""),
            email=form.get("email", ""),
            phone=form.get("phone", ""),
        ).public_id
    )


def _for_someone(values: Mapping[str, str], error: DomainError | None = None) -> str:
    today = spaces.today()
    text = (values.get("q") or "").strip()
    chosen = person_by_public_id(values["person"]) if values.get("person") else None
    days = spaces.days(today, today + timedelta(days=AHEAD_DAYS))
    return render_template(
        "frontdesk/for_someone.html",
        values=values,
        q=text,
        found=search_people(text) if text else [],
        chosen=chosen,
        resource=spaces.resource_by_public_id(values["resource"]) if values.get("resource") else None,
        choices=_choices(days),
        one_more=isinstance(error, AlreadyBooked) or "several_places" in values,
        error=say(error) if error is not None else None,
        at=error.at_field if error is not None else None,
        free=error.extra.get("free", []) if error is not None else [],
    )


def _choices(days: Mapping[date, LieuDay]) -> list[tuple[date, list[str]]]:
    """The days ahead with their halves that are not over."""
    found: list[tuple[date, list[str]]] = []
    for day, row in days.items():
        halves: list[str] = [name for name, half in half_days(day, row).items() if half.span.end > now()]
        if halves:
            found.append((day, halves))
    return found


def _an_hour_later(text: str) -> str:
    hours, _dot, minutes = text.partition(":")
    if not hours.isdigit():
        return ""
    return f"{min(23, int(hours) + 1):02d}:{minutes or '00'}"


def _to_today() -> ResponseReturnValue:
    return redirect(url_for("frontdesk.today"), 303)
