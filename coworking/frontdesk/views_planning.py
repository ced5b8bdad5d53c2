"""The planning: a day's resources and hours, and the free time that one taps to book."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from coworking.accounts.session import require_proof
from coworking.booking.forms import read_day
from coworking.booking.list_pages import EVERYONES
from coworking.booking.queries import units_between
from coworking.booking.rules import HALVES, bookable_halves
from coworking.core import exports
from coworking.core.errors import N_, Forbidden
from coworking.core.policy import current_actor, signed_in
from coworking.frontdesk import timeline as timelines
from coworking.frontdesk.pages import blueprint, span_asked
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK


@blueprint.get("/planning")
@signed_in
def timeline() -> ResponseReturnValue:
    actor = current_actor()
    day = read_day(request.args.get("day"), default=spaces.today())
    if kind := exports.asked():
        if not actor.is_staff:
            raise Forbidden()
        require_proof()
        return exports.list_answer(kind, N_("Bookings"), EVERYONES, units_between(*span_asked(day)))
    listed = request.args.get("view") == "list"
    found = timelines.timeline(actor, day, listed=listed)
    return render_template(
        "frontdesk/timeline.html",
        line=found,
        listed=listed,
        previous=timelines.address(day - timedelta(days=1), **({"view": "list"} if listed else {})),
        following=timelines.address(day + timedelta(days=1), **({"view": "list"} if listed else {})),
        as_day=timelines.address(day),
        as_month=timelines.address(day, span="month"),
        as_list=timelines.address(day, view="list"),
        today=spaces.today(),
        is_today=day == spaces.today(),
    )


@blueprint.get("/new/<public_id>")
@signed_in
def new(public_id: str) -> ResponseReturnValue:
    """The form that books a free time of the planning, for oneself or, as staff, for someone else."""
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
    halves = [half for half in HALVES if half in bookable_halves(day, row)]
    return render_template("frontdesk/new_desk.html", resource=resource, day=day, halves=halves)


def _an_hour_later(text: str) -> str:
    hours, _dot, minutes = text.partition(":")
    if not hours.isdigit():
        return ""
    return f"{(int(hours) + 1) % 24:02d}:{minutes or '00'}"
