"""Arrivals and departures: « Je suis là », and those that the host records.

A presence is what happened. What became of each booked half-day follows from it (`coworking.presence.following`), and the
half-days that someone used without having booked them are taken like any walk-in's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking import endings
from coworking.booking.access import for_whom, own_booking
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.rules import BookableHalf, CancelledBooking, HeldBooking, bookable_halves
from coworking.booking.services import Newcomer
from coworking.claims import services as claims
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.policy import SYSTEM, Actor
from coworking.core.timespan import local_date
from coworking.core.units import locked, write_unit
from coworking.presence import queries
from coworking.presence.following import follow, forget, forget_walk_ins, units_booked_on, walk_in
from coworking.presence.models import Presence
from coworking.presence.rules import (
    EARLY,
    LINGER,
    ArrivalStands,
    ClosedNow,
    NotToday,
    half_of_arrival,
    halves_of_stay,
    has_place,
)
from coworking.residents.queries import sits_somewhere
from coworking.spaces import queries as spaces
from coworking.spaces.models import LieuDay

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an arrival came to: the presence, its booking, and whether a desk was taken that had not been booked.

    ``again``: the presence was known already; taking this back takes back the desk alone (`undo_stay`).
    """

    presence: Presence
    booking: Booking | None
    walked_in: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """What a departure came to: the presence, and the bookings of half-days that were used without being booked."""

    presence: Presence
    counted: tuple[Booking, ...] = ()


def arrive(
    actor: Actor,
    *,
    person: str | None = None,
    evidence: str | None = None,
    newcomer: Newcomer | None = None,
    agreed_cents: int | None = None,
) -> Arrival:
    """Someone is here: the actor (« Je suis là »), or as staff anyone (``person``: public id). Twice is fine.

    ``newcomer`` adds the person in the same unit. ``agreed_cents``: what they were told that the desk costs them;
    `PriceChanged`, and nobody arrived, where it costs something else.

    What is booked today and not over is marked as come, what is over as missed. Where nothing is booked for the
    half-day of arrival, a free desk is taken for it; where none is free, the presence alone is recorded: nobody is
    turned away at the door. Said again in a later half-day, it takes that one.
    """
    with write_unit() as unit:
        who = person if newcomer is None else newcomer()
        arrival = arrive_in_unit(actor, who, evidence=evidence, agreed_cents=agreed_cents)
        unit.result = arrival.presence.public_id
    return arrival


def arrive_in_unit(
    actor: Actor, person: str | None, *, evidence: str | None = None, agreed_cents: int | None = None
) -> Arrival:
    """The same in the open unit."""
    who = for_whom(actor, person)
    return _arrive(actor, who, evidence or _evidence(actor, who), agreed_cents=agreed_cents)


def half_to_take(person_id: int) -> BookableHalf | None:
    """The half-day for which a desk is looked for if the person arrives now; None where they have a place."""
    today = spaces.today()
    return None if sits_somewhere(person_id, today) else _half_to_take(units_booked_on(person_id, today), today, now())


def check_in(actor: Actor, booking_id: str, *, evidence: str | None = None) -> Arrival:
    """The person of this booking is here (on a day it has to do with, while it is not cancelled)."""
    with write_unit() as unit:
        booking = own_booking(actor, booking_id)
        if booking.is_cancelled:
            raise CancelledBooking()
        if booking.is_held:
            raise HeldBooking()
        if spaces.today() not in spaces.dates_of(booking.span):
            raise NotToday()
        arrival = _arrive(actor, booking.person, evidence or _evidence(actor, booking.person), booking)
        unit.result = booking.public_id
    return arrival


def leave(actor: Actor, *, person: str | None = None, unseen: bool = False) -> Departure | None:
    """Someone leaves; None when nobody knew they were here.

    A half-day that has not begun yet is open again. One that they stayed in without having booked it is taken like a
    walk-in's. ``unseen``: they are gone, nobody saw when; what they had booked by now is what they stayed for. Where the
    lieu stays open through the night, a stay over midnight is two presences, one a day.
    """
    with write_unit():
        who, instant = for_whom(actor, person), now()
        presence = queries.still_there(who.id, instant)
        if presence is None:
            return None
        days, counted = {presence.day}, ()
        over = [unit.ends_at for unit in units_booked_on(who.id, presence.day) if unit.ends_at <= instant]
        until = max([*over, presence.arrived_at]) if unseen else max(instant, presence.arrived_at)
        if local_date(until - _MOMENT, spaces.lieu().tz) > presence.day:
            counted, presence = _through_midnight(actor, who, presence, unseen=unseen)
            days.add(presence.day)
        presence.left_at = until
        if not unseen:
            counted += _take_used(actor, who, presence, since_midnight=len(days) == 2)
        follow(who.id, presence.day)
        _audit(actor, "presence.left", presence)
        claims.touch(*days)
    return Departure(presence, counted)


def undo_departure(actor: Actor, presence_id: str) -> None:
    """Staff tapped the wrong name: the person is still here. On the day itself; raises `ArrivalStands` afterwards."""
    with write_unit():
        presence = _of_today(actor, presence_id)
        if presence.left_at is None or queries.open_presence(presence.person_id, presence.day) is not None:
            return
        left_at, presence.left_at = presence.left_at, None
        for booking in {
            unit.booking.id: unit.booking for unit in units_booked_on(presence.person_id, presence.day)
        }.values():
            if booking.source == "walkin" and booking.created_at >= left_at:
                forget(actor, booking)  # it was taken because they seemed to leave so late
        follow(presence.person_id, presence.day)
        _audit(actor, "presence.reopened", presence)
        claims.touch(presence.day)


def undo_stay(actor: Actor, booking_id: str) -> None:
    """Staff said of the wrong person that they stay: the desk of that half-day is free again, the presence stays.

    Today's walk-ins only; anything else is `NotFound`. Twice is fine.
    """
    if not actor.is_staff:
        raise NotFound()
    with write_unit():
        booking = own_booking(actor, booking_id)
        if booking.source != "walkin" or booking.day != spaces.today():
            raise NotFound()
        if booking.is_cancelled:
            return
        forget(actor, booking)
        audit.record(actor, "presence.stay_undone", ("booking", booking.id), person_id=booking.person_id)
        claims.touch(booking.day)


def undo_arrival(actor: Actor, presence_id: str) -> None:
    """Staff tapped the wrong name: forget the presence and what followed from it (a walk-in's desk too).

    On the day itself; raises `ArrivalStands` afterwards, when it was counted and its walk-in is owed. Twice is fine for
    whoever asks through a page: the second time there is nothing (`NotFound`).
    """
    with write_unit():
        presence = _of_today(actor, presence_id)
        person_id, day = presence.person_id, presence.day
        _audit(actor, "presence.undone", presence)
        db.session.delete(presence)
        db.session.flush()
        forget_walk_ins(actor, person_id, day)
        follow(person_id, day)
        claims.touch(day)


def set_free(actor: Actor, booking_id: str) -> Booking:
    """Staff free a room before its time. Twice is fine. Nothing is said of whether its person came.

    Whoever arrived within this very minute keeps it, so that the room they were in is one they came to.
    """
    if not actor.is_staff:
        raise NotFound()
    with write_unit() as unit:
        booking = own_booking(actor, booking_id)
        unit.result = booking.public_id
        last = max(
            (
                visit.start
                for visit in queries.visits(booking.person_id, booking.day, spaces.dates_of(booking.span)[-1])
                if any(visit.touches(each.span) for each in booking.units)
            ),
            default=None,
        )
        endings.end(actor, booking, keep=last)
    return booking


def undo_set_free(actor: Actor, booking_id: str) -> Booking:
    """Staff freed the wrong room: it is taken again until its time, unless someone else has it by now."""
    if not actor.is_staff:
        raise NotFound()
    with write_unit() as unit:
        booking = own_booking(actor, booking_id)
        unit.result = booking.public_id
        endings.resume(actor, booking)
        follow(booking.person_id, booking.day)
    return booking


# Within the unit ------------------------------------------------------------------------------------------------------


def _half_to_take(units: Sequence[BookingUnit], today: date, instant: datetime) -> BookableHalf | None:
    """The half-day of arrival at ``instant`` while the lieu is open, unless something is booked for it among ``units``."""
    day = spaces.day(today)
    half = half_of_arrival(bookable_halves(today, day).values(), instant)
    if half is None or not _is_open(day, instant) or has_place([unit.span for unit in units], half.span, instant):
        return None
    return half


def _is_open(day: LieuDay, instant: datetime) -> bool:
    return any(span.start - EARLY <= instant < span.end for span in day.open())


def _arrive(
    actor: Actor, person: Person, evidence: str, given: Booking | None = None, *, agreed_cents: int | None = None
) -> Arrival:
    instant = now()
    today = local_date(instant, spaces.lieu().tz)
    if not actor.is_staff and not _is_open(spaces.day(today), instant):
        raise ClosedNow()
    units = units_booked_on(person.id, today)
    half = _half_to_take(units, today, instant)
    walked_in = None if half is None else walk_in(actor, person, half, agreed_cents=agreed_cents)
    ahead = next((unit.booking for unit in units if unit.ends_at > instant), None)
    booking = walked_in or given or ahead
    presence = queries.open_presence(person.id, today)
    again = presence is not None
    if presence is None:
        presence = Presence(
            person=person,
            booking=booking,
            day=today,
            arrived_at=instant,
            recorded_at=instant,
            evidence=evidence,
            recorded_by_id=actor.person_id,
        )
        db.session.add(presence)
        db.session.flush()
        _audit(actor, "presence.arrived", presence)
    follow(person.id, today)
    claims.touch(today)
    return Arrival(presence, booking, walked_in is not None, again)


def _through_midnight(
    actor: Actor, person: Person, presence: Presence, *, unseen: bool
) -> tuple[tuple[Booking, ...], Presence]:
    """End yesterday's ``presence`` at midnight and let another begin there; what yesterday's used is taken, unless nobody
    saw them leave (``unseen``)."""
    midnight = spaces.day(spaces.today()).starts_at
    presence.left_at = midnight
    counted = () if unseen else _take_used(actor, person, presence)
    follow(person.id, presence.day)
    further = Presence(
        person=person,
        day=spaces.today(),
        arrived_at=midnight,
        recorded_at=now(),
        evidence=presence.evidence,
        recorded_by_id=actor.person_id,
    )
    db.session.add(further)
    db.session.flush()
    _audit(actor, "presence.arrived", further)
    return counted, further


def _take_used(
    actor: Actor, person: Person, presence: Presence, *, since_midnight: bool = False
) -> tuple[Booking, ...]:
    """Take what was used up to the departure and not booked: each half-day after that of arrival.

    Long after closing nobody is taken at their word: they tell from home that they left, not when. ``since_midnight``:
    nobody took the first one when they arrived; it is used as any later one is.
    """
    day, left_at = spaces.day(presence.day), presence.left_at
    if left_at is None or not day.open() or left_at > max(span.end for span in day.open()) + EARLY:
        return ()
    halves = halves_of_stay(bookable_halves(presence.day, day).values(), presence.arrived_at, left_at)
    stayed = since_midnight and bool(halves) and left_at > halves[0].span.start + LINGER
    taken: list[Booking] = []
    for half in halves if stayed else halves[1:]:
        booked = [unit.span for unit in units_booked_on(person.id, presence.day)]
        if not has_place(booked, half.span, half.span.start) and (made := walk_in(actor, person, half)) is not None:
            taken.append(made)
    return tuple(taken)


def _of_today(actor: Actor, presence_id: str) -> Presence:
    """The presence with this public id, its person locked; staff only, on its own day only."""
    if not actor.is_staff:
        raise NotFound()
    whose = select(Presence.person_id).where(Presence.public_id == presence_id).scalar_subquery()
    db.session.scalars(locked(select(Person).where(Person.id == whose))).unique().one_or_none()
    presence = db.session.scalar(select(Presence).where(Presence.public_id == presence_id))
    if presence is None:
        raise NotFound()
    if presence.day != spaces.today():
        raise ArrivalStands()
    return presence


def _evidence(actor: Actor, person: Person) -> str:
    return "self" if actor.person_id == person.id else "host"


def _audit(actor: Actor, action: str, presence: Presence) -> None:
    if actor != SYSTEM and actor.person_id != presence.person_id:
        audit.record(actor, action, ("presence", presence.id), person_id=presence.person_id)
