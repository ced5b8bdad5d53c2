"""Booking for someone, in three taps: who, when, done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts import staff
from coworking.accounts.queries import person_by_public_id, search_people
from coworking.booking import services
from coworking.booking.forms import read_day, read_halves, read_room, read_span, wall
from coworking.booking.pages import names
from coworking.booking.placing import Request, RequestedItem
from coworking.booking.queries import stays_open, worded_time
from coworking.booking.rules import AlreadyBooked, ChooseHowToPay, bookable_halves
from coworking.core.clock import now
from coworking.core.errors import DomainError, InvalidInput
from coworking.core.formats import day_long, until_next_day
from coworking.core.i18n import _
from coworking.core.policy import Actor, Role, current_actor, requires
from coworking.core.web import say
from coworking.frontdesk.door import walk_in_price
from coworking.frontdesk.pages import blueprint, say_arrived
from coworking.frontdesk.views_sell import sell_after_arrival
from coworking.presence import services as presence
from coworking.pricing.queries import sale_of
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay

AHEAD_DAYS = 8


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
    how = form.get("pay")
    ask_how, pay_first = how is None, how == "first"
    try:
        who, newcomer = form.get("person") or None, None
        if who is None:
            newcomer = _newcomer(actor, form)
        if form.get("here"):
            arrival = presence.arrive(actor, person=who, newcomer=newcomer)
            say_arrived(arrival)
            return sell_after_arrival(arrival)
        if form.get("resource") and form.get("from"):
            room = read_room(form, spaces.lieu().tz)
            item = RequestedItem(resource=form["resource"])
            asked = Request(
                room.span,
                (item,),
                person=who,
                title=room.title,
                guests=room.guests,
                several_places=several,
                pay_first=pay_first,
                ask_how=ask_how,
            )
            made = services.book(actor, asked, newcomer=newcomer)
        else:
            if not form.get("when"):
                raise InvalidInput(field="when", reason=_("Choose a half-day or a day."))
            day, _dot, half = form["when"].partition(".")
            halves = read_halves(half)
            made = services.book_half_days(
                actor,
                read_day(day),
                halves,
                person=who,
                several_places=several,
                pay_first=pay_first,
                ask_how=ask_how,
                newcomer=newcomer,
            )
    except DomainError as error:
        return _for_someone(form, error), error.status
    if made.is_held and (sale := sale_of("booking", made.id)) is not None:
        return redirect(url_for("pay_first.asked", sale_id=sale.public_id), 303)
    flash(
        f"{made.person.name}, {names(made)}, {day_long(made.day)}, {worded_time(made)}."
        + ("" if made.person.email else " " + _("The confirmation is to be handed over on paper.")),
        "undo:" + url_for("booking.cancel", public_id=made.public_id),
    )
    return redirect(url_for("frontdesk.timeline", day=made.day.isoformat()), 303)


def _newcomer(actor: Actor, form: Mapping[str, str]) -> services.Newcomer:
    """Add the person typed together with their booking: if one is refused, neither is stored."""
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


def _night(values: Mapping[str, str]) -> str | bool:
    """« jusqu’à 1 h le vendredi 27 novembre » where ``values`` go over midnight; else whether they could."""
    try:
        span = read_span(values, spaces.lieu().tz)
        return until_next_day(span) or stays_open(read_day(values.get("day")))
    except DomainError:
        return False


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
        walk_in=walk_in_price(chosen) if chosen is not None else None,
        night=_night(values) if values.get("resource") and values.get("from") else False,
        choices=_choices(days),
        rooms=spaces.resources("room", today) if chosen is not None and not values.get("resource") else [],
        soon=_soon(days),
        one_more=isinstance(error, AlreadyBooked) or "several_places" in values,
        choose=say(error) if isinstance(error, ChooseHowToPay) else None,
        error=say(error) if error is not None else None,
        at=error.at_field if error is not None else None,
        free=error.extra.get("free", []) if error is not None else [],
    )


def _soon(days: Mapping[date, LieuDay]) -> dict[str, str]:
    """The next hour in which the lieu is open, as the inputs of a room want it; empty where it stays closed."""
    for day, row in days.items():
        for half in bookable_halves(day, row).values():
            start = max(half.span.start, now() + timedelta(minutes=-now().minute % 15, seconds=-now().second))
            if start + timedelta(hours=1) <= half.span.end:
                zone = spaces.lieu().tz
                return {"day": day.isoformat(), "from": wall(start, zone), "to": wall(start + timedelta(hours=1), zone)}
    return {}


def _choices(days: Mapping[date, LieuDay]) -> list[tuple[date, list[str]]]:
    """The days ahead with their halves that are not over."""
    found: list[tuple[date, list[str]]] = []
    for day, row in days.items():
        halves: list[str] = [name for name, half in bookable_halves(day, row).items() if half.span.end > now()]
        if halves:
            found.append((day, halves))
    return found
