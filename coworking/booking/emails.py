"""E-mails about bookings: one for ten minutes of acts, and what the last one said of each booking.

Whoever books, moves or cancels calls `note` in the same unit. The first act opens a window: a row in the outbox that is due
in ten minutes. Acts until then join it. `coworking.booking.handlers` then compares, booking by booking, what was told last
with what is true, says the difference, and writes down what it said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, func, select

from coworking.accounts.models import Person
from coworking.booking.former import former_of
from coworking.booking.models import Booking
from coworking.booking.rules import REGRET, Cause
from coworking.core import outbox
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.timespan import Span

TOPIC = "booking.news"
ToldPlace = dict[str, Any]
"""Where and when a booking stands, as JSON: ``places`` (ids), ``what`` (their names), ``starts_at``, ``ends_at``."""

_OPENED = select(func.max(Booking.untold_since)).where(
    Booking.person_id == bindparam("person"), Booking.untold_since > bindparam("due_before")
)


@dataclass(frozen=True, slots=True)
class News:
    """What its person does not know yet of ``booking``.

    ``before``: the place and time that a moved or shortened one had; ``why``: the lieu did it.
    """

    kind: Literal["booked", "moved", "shortened", "cancelled"]
    booking: Booking
    before: tuple[str, Span] | None = None
    why: Cause | None = None


def note(booking: Booking) -> None:
    """Its person will hear what has become of ``booking``, unless they took the desk by arriving."""
    if booking.source != "walkin":
        booking.untold_since = open_window(booking.person)


def window_of(person: Person, source: str) -> datetime | None:
    """When the window began that the e-mail on a new booking from ``source`` waits for (see `open_window`); None where there
    is none: its person took the desk by arriving, or had booked it in another program before it was imported."""
    return open_window(person) if source not in ("walkin", "import") else None


def open_window(person: Person) -> datetime:
    """When the window began that the person's e-mail waits for, in the open unit, which holds the person's lock."""
    instant = now()
    opened = db.session.scalar(_OPENED, {"person": person.id, "due_before": instant - REGRET})
    if opened is not None:
        return opened
    key = f"booking-news:{person.public_id}:{int(instant.timestamp())}"
    outbox.enqueue(TOPIC, key, {"person": person.public_id}, due_at=instant + REGRET)
    return instant


def standing(booking: Booking) -> ToldPlace | None:
    """Where ``booking`` stands; None once it is cancelled, and until it counts."""
    if booking.status != "confirmed":
        return None
    names = dict.fromkeys(unit.resource.name for unit in booking.units)
    return {
        "places": sorted({unit.resource_id for unit in booking.units}),
        "what": ", ".join(names),
        "starts_at": booking.starts_at.isoformat(),
        "ends_at": booking.ends_at.isoformat(),
    }


def same(one: ToldPlace | None, other: ToldPlace | None) -> bool:
    """Whether both say the same place and time; a desk that was only renamed is where it was."""
    if one is None or other is None:
        return one is other
    return {**one, "what": ""} == {**other, "what": ""}


def news_of(booking: Booking) -> News | None:
    """What is true of ``booking`` and was not told; None where there is nothing (any more) to say."""
    told, true = booking.told, standing(booking)
    if same(told, true):
        return None
    if true is None:
        return News("cancelled", booking)
    if booking.ends_at <= now():
        return None
    former = former_of(booking)
    why = former.why if former is not None else None
    if told is not None:
        span = Span(datetime.fromisoformat(told["starts_at"]), datetime.fromisoformat(told["ends_at"]))
        before = (str(told["what"]), span)
    elif former is not None and why is not None:
        before = (former.what, former.span)
    else:
        return News("booked", booking)
    shorter = former is not None and why is not None and len(booking.units) < len(former.units)
    return News("shortened" if shorter else "moved", booking, before, why)
