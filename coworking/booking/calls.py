"""Phone calls that hosts owe to people without an e-mail address: noted when their booking changes, ticked when made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from coworking.booking.emails import ToldPlace
from coworking.booking.message_models import PhoneCall
from coworking.booking.models import Booking, BookingUnit
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import Actor
from coworking.core.timespan import Span
from coworking.core.units import locked, require_unit, write_unit


@dataclass(frozen=True, slots=True)
class CallToMake:
    """A call that waits: the booking as it stands now, and the place and time its person still believes in."""

    call: PhoneCall
    had: str
    span: Span


def note(booking: Booking, had: ToldPlace, became: str) -> None:
    """Remember, in the open unit that holds the person's lock, to phone about ``booking``, which was ``had`` before.

    A call that waits already keeps what its person was told first.
    """
    require_unit()
    waiting = db.session.scalar(
        select(PhoneCall).where(PhoneCall.booking_id == booking.id, PhoneCall.done_at.is_(None))
    )
    if waiting is not None:
        waiting.became = became
        return
    db.session.add(PhoneCall(booking_id=booking.id, person_id=booking.person_id, became=became, had=had))


def to_make() -> list[CallToMake]:
    """The calls that wait, the soonest booking first: two statements."""
    rows = db.session.scalars(
        select(PhoneCall)
        .join(PhoneCall.booking)
        .where(PhoneCall.done_at.is_(None))
        .options(
            joinedload(PhoneCall.person),
            joinedload(PhoneCall.booking).selectinload(Booking.units).joinedload(BookingUnit.resource),
        )
        .order_by(Booking.starts_at, PhoneCall.id)
    ).unique()
    return [CallToMake(row, str(row.had["what"]), _span(row.had)) for row in rows]


def tick(actor: Actor, public_id: str) -> PhoneCall:
    """Staff have phoned. Twice is fine: the first who ticked it stays named."""
    with write_unit():
        call = _locked(public_id)
        if call.done_at is None:
            call.done_at, call.done_by_id = now(), actor.person_id
            audit.record(actor, "call.made", ("phone_call", call.id), person_id=call.person_id)
    return call


def untick(actor: Actor, public_id: str) -> PhoneCall:
    """A wrong tap: the call waits again. Nothing where it does, or where a later change of the booking waits already."""
    with write_unit():
        call = _locked(public_id)
        other = select(PhoneCall.id).where(PhoneCall.booking_id == call.booking_id, PhoneCall.done_at.is_(None))
        if call.done_at is not None and db.session.scalar(other) is None:
            call.done_at = call.done_by_id = None
            audit.record(actor, "call.undone", ("phone_call", call.id), person_id=call.person_id)
    return call


def _locked(public_id: str) -> PhoneCall:
    call = db.session.scalar(locked(select(PhoneCall).where(PhoneCall.public_id == public_id)))
    if call is None:
        raise NotFound()
    return call


def _span(had: ToldPlace) -> Span:
    return Span(datetime.fromisoformat(had["starts_at"]), datetime.fromisoformat(had["ends_at"]))
