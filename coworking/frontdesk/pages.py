"""Helpers that the host's pages share."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from coworking.booking.pages import said
from coworking.core.i18n import _
from coworking.core.months import month_end, month_of
from coworking.presence import services as presence

blueprint = Blueprint("frontdesk", __name__)


def span_asked(day: date) -> tuple[date, date]:
    """The first and the last day that a file is asked for: ``day``, or its whole month with ``?span=month``."""
    return (month_of(day), month_end(day)) if request.args.get("span") == "month" else (day, day)


def say_arrived(arrival: presence.Arrival) -> None:
    """Say who arrived and at which desk, with an undo link."""
    undo = "undo:" + url_for("frontdesk.undo_arrival", public_id=arrival.presence.public_id)
    words = _("%(name)s is here.", name=arrival.presence.person.name)
    if arrival.walked_in and arrival.booking is not None:
        words += " " + said(arrival.booking)
        if arrival.again:
            undo = "undo:" + url_for("frontdesk.undo_stay", public_id=arrival.booking.public_id)
    flash(words, "message" if arrival.again and not arrival.walked_in else undo)


def to_today() -> ResponseReturnValue:
    """Show Today again after a tap."""
    return redirect(url_for("frontdesk.today"), 303)
