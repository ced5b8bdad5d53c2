"""Helpers of Today and the day's register: read the half-days of a form, and report the recorded outcome."""

from __future__ import annotations

from datetime import datetime

from flask import flash, url_for
from werkzeug.datastructures import MultiDict

from coworking.booking.rules import ABSENT, CAME
from coworking.core.errors import InvalidInput, NotFound
from coworking.core.i18n import _, ngettext
from coworking.core.reading import row_of
from coworking.core.types import from_micros, to_micros
from coworking.presence.settling import Settled


def read_units(form: MultiDict[str, str]) -> list[int]:
    """The rows of booked half-days that a form names."""
    texts = form.getlist("unit")
    ids = [row for text in texts if (row := row_of(text)) is not None]
    if len(ids) < len(texts):
        raise InvalidInput(field="unit", reason=_("There is nothing to confirm here."))
    return ids


def read_instant(micros: int) -> datetime:
    """The instant of a press that an undo button sends; `NotFound` for an impossible one."""
    try:
        return from_micros(micros)
    except OverflowError:
        raise NotFound() from None


def say_settled(done: Settled, outcome: str, undo: str) -> None:
    """Report the recorded outcome; ``undo`` is the endpoint that undoes one press."""
    if outcome == CAME:
        words = ngettext("%(num)s half-day: came.", "%(num)s half-days: came.", done.count)
    elif outcome == ABSENT:
        words = ngettext("%(num)s half-day: absent.", "%(num)s half-days: absent.", done.count)
    else:
        words = ngettext("%(num)s half-day: not known.", "%(num)s half-days: not known.", done.count)
    flash(words, "undo:" + url_for(undo, at=to_micros(done.at)) if done.fresh and done.count else "message")
