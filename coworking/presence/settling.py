"""The day's register: outcomes that the host records, corrections, forgotten arrivals.

Presences and outcomes agree: whoever is said to have come gets a presence, whoever is said not to have come has none
for that time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.booking.access import for_whom
from coworking.booking.models import Booking, BookingUnit
from coworking.booking.outcomes import decide_outcomes, let_expire
from coworking.booking.rules import ABSENT, CAME, PENDING, UNKNOWN, bookable_halves
from coworking.claims import services as claims
from coworking.core import audit, sealed
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_before, month_of
from coworking.core.policy import Actor, Role
from coworking.core.timespan import Span, local_date, local_day
from coworking.core.units import end_read, locked, require_unit, write_unit
from coworking.presence import queries
from coworking.presence.following import follow, units_booked_on, walk_in
from coworking.presence.models import Presence
from coworking.presence.rules import (
    CONFIRMABLE,
    HOST,
    LONGEST_REASON,
    AlreadyThere,
    CannotSettle,
    ClosedForGood,
    LeftBefore,
    NothingToTakeBack,
    ReasonNeeded,
    ReasonTooLong,
    ToCome,
    TooLongAgo,
    Visit,
    halves_of_stay,
    has_place,
    without,
)
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class Settled:
    """How many booked units were given another outcome, and when: what `undo_settling` needs.

    ``fresh``: nothing had been said of any of them before, so that one press can take it back.
    """

    count: int
    at: datetime
    fresh: bool


def settle(actor: Actor, unit_ids: Sequence[int], outcome: str, *, reason: str | None = None) -> Settled:
    """The host says of booked units whether their people came (``came``, ``absent``, ``unknown``).

    What was decided on an earlier day is corrected with a ``reason`` (`ReasonNeeded`). In a month whose figures are
    closed for good a manager corrects (`ClosedForGood`), and the figures are restated with that reason.
    """
    if not actor.is_staff or outcome not in {CAME, ABSENT, UNKNOWN}:
        raise NotFound()
    said = _line(reason)
    with write_unit():
        instant, today = now(), spaces.today()
        _lock_people_of(unit_ids)
        units = db.session.scalars(
            locked(select(BookingUnit).where(BookingUnit.id.in_(unit_ids)).order_by(BookingUnit.id))
        ).all()
        if len(units) != len(set(unit_ids)):
            raise NotFound()
        if any(unit.booking.status != "confirmed" or unit.starts_at > instant for unit in units):
            raise CannotSettle()
        changing = [unit for unit in units if unit.outcome != outcome]
        decided = [unit for unit in changing if unit.outcome != PENDING]
        if said is None and any(unit.day < today for unit in decided):
            raise ReasonNeeded()
        _announce(actor, _dates_of(changing), said)
        for unit in changing:
            details = {"was": unit.outcome, "now": outcome} | ({"reason": said} if said else {})
            audit.record(actor, "unit.settled", ("booking_unit", unit.id), person_id=unit.booking.person_id, **details)
        decide_outcomes(units, outcome, HOST, instant)
        for unit in units:
            _agree(actor, unit, instant)
        claims.touch(*_dates_of(units))
    return Settled(len(changing), instant, not decided)


def undo_settling(actor: Actor, at: datetime) -> list[date]:
    """Undo what the host recorded in one press at ``at``, on the day of the press; return the day of each unit."""
    if not actor.is_staff:
        raise NotFound()
    with write_unit():
        instant, today = now(), spaces.today()
        if local_date(at, spaces.lieu().tz) != today:
            raise NothingToTakeBack()
        said = select(BookingUnit.id).where(BookingUnit.decided_at == at, BookingUnit.evidence == HOST)
        ids = db.session.scalars(said.where(BookingUnit.day >= today - CONFIRMABLE)).all()
        _lock_people_of(ids)
        units = db.session.scalars(
            locked(select(BookingUnit).where(BookingUnit.id.in_(ids)).order_by(BookingUnit.id))
        ).all()
        units = [unit for unit in units if unit.decided_at == at and not any(map(sealed.is_sealed, _dates_of([unit])))]
        if not units:
            raise NothingToTakeBack()
        for unit in units:
            audit.record(
                actor, "unit.taken_back", ("booking_unit", unit.id), person_id=unit.booking.person_id, was=unit.outcome
            )
            begun = {piece.start for piece in _by_date(unit.span)}
            for row in queries.presences_of(unit.booking.person_id, unit.day, _dates_of([unit])[-1]):
                if (row.recorded_at, row.evidence) == (at, HOST) and row.arrived_at in begun:
                    db.session.delete(row)  # it was written down with it
        decide_outcomes(units, PENDING, None, instant)
        for day, person_id in sorted({(unit.day, unit.booking.person_id) for unit in units}):
            follow(person_id, day)  # day by day: it may lock their counters
        claims.touch(*_dates_of(units))
    return [unit.day for unit in units]


def enter_arrival(
    actor: Actor,
    person: str,
    *,
    day: date,
    arrived_at: datetime,
    left_at: datetime | None = None,
    reason: str | None = None,
) -> Presence:
    """Write down an arrival that was forgotten, of ``person`` (public id), today or on a day of this month or the last.

    The half-days they stayed for and had not booked are taken like a walk-in's and owed like one's. Of an earlier day it
    needs a ``reason``; in a month that is closed for good, a manager.
    """
    if not actor.is_staff:
        raise NotFound()
    said = _line(reason)
    _check_times(day, arrived_at, left_at)
    if said is None and day < spaces.today():
        raise ReasonNeeded()
    with write_unit() as unit:
        who, instant = for_whom(actor, person), now()
        visit = Visit(arrived_at, left_at, HOST)
        if any(_overlap(visit, known) for known in queries.visits(who.id, day)):
            raise AlreadyThere()
        _announce(actor, {day}, said)
        booking = _places(actor, who, day, visit)
        presence = Presence(
            person=who,
            booking=booking,
            day=day,
            arrived_at=arrived_at,
            left_at=left_at,
            recorded_at=instant,
            evidence=HOST,
            recorded_by_id=actor.person_id,
        )
        db.session.add(presence)
        follow(who.id, day, told_whole=True)
        details = {"reason": said} if said else {}
        audit.record(actor, "presence.entered", ("presence", presence.id), person_id=who.id, **details)
        claims.touch(day)
        unit.result = presence.public_id
    return presence


def settle_seen() -> int:
    """Half-days that are over, of people who were seen that day at another time, are absences; return how many changed.

    Nobody need be asked about those. What nobody saw waits for the host.
    """
    lieu = spaces.lieu_or_none()
    if lieu is None:
        return 0
    waiting = queries.seen_elsewhen(local_date(now() - CONFIRMABLE, lieu.tz), now(), lieu.tz)
    end_read()
    changed = 0
    for person_id, day in waiting:
        with write_unit():
            db.session.scalars(locked(select(Person).where(Person.id == person_id))).unique().one()
            changed += follow(person_id, day)
            claims.touch(day)
    return changed


def expire_unconfirmed() -> int:
    """Booked units that nobody confirmed for seven days are unknown for good; return how many."""
    settle_seen()
    last = local_date(now() - CONFIRMABLE, spaces.lieu().tz)
    with write_unit():
        return let_expire(last, now())


# Within the unit ------------------------------------------------------------------------------------------------------


def _line(text: str | None) -> str | None:
    """A reason as one line; None when nothing was written. Raises `ReasonTooLong`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    if len(line) > LONGEST_REASON:
        raise ReasonTooLong(most=LONGEST_REASON)
    return line or None


def _announce(actor: Actor, days: Collection[date], reason: str | None) -> None:
    """Where a day's month is closed for good: only by a manager, with a reason, and the figures follow."""
    for month in sorted({month_of(day) for day in days if sealed.is_sealed(day)}):
        if not actor.has(Role.MANAGER):
            raise ClosedForGood()
        if reason is None:
            raise ReasonNeeded()
        sealed.announce(month, reason)


def _lock_people_of(unit_ids: Collection[int]) -> None:
    whose = select(Booking.person_id).join(BookingUnit).where(BookingUnit.id.in_(unit_ids))
    db.session.scalars(locked(select(Person).where(Person.id.in_(whose)).order_by(Person.id))).unique().all()


def _agree(actor: Actor, unit: BookingUnit, instant: datetime) -> None:
    """Make the presences of the unit's person say what has been said of ``unit``."""
    db.session.flush()
    rows = queries.presences_of(unit.booking.person_id, unit.day, _dates_of([unit])[-1])
    touching = [row for row in rows if queries.visit_of(row).touches(unit.span)]
    if unit.outcome == CAME:
        if not touching:
            is_open = any(row.left_at is None for row in rows)
            pieces = [piece for piece in _by_date(unit.span) if piece.start <= instant]
            db.session.add_all(_presence_for(actor, unit, piece, instant, is_open=is_open) for piece in pieces)
        return
    for row in touching:
        units = units_booked_on(unit.booking.person_id, row.day)
        came = [other.span for other in units if other.outcome == CAME]
        _shorten(actor, row, unit, came, end=max(other.ends_at for other in units))


def _dates_of(units: Sequence[BookingUnit]) -> list[date]:
    """The local dates in which some of ``units`` lies, in order."""
    return sorted({day for unit in units for day in spaces.dates_of(unit.span)})


def _by_date(span: Span) -> list[Span]:
    """``span``, parted at each midnight: a presence is of one date."""
    zone = spaces.lieu().tz
    days = [local_day(day, zone) for day in spaces.dates_of(span)]
    return [piece for day in days if (piece := span.intersection(day)) is not None]


def _presence_for(actor: Actor, unit: BookingUnit, piece: Span, instant: datetime, *, is_open: bool) -> Presence:
    """A presence for ``piece``, all of ``unit`` that lies in one date; while it runs, one that has not ended."""
    running = piece.end > instant and not is_open
    return Presence(
        person_id=unit.booking.person_id,
        booking_id=unit.booking_id,
        day=spaces.dates_of(piece)[0],
        arrived_at=piece.start,
        left_at=None if running else piece.end,
        recorded_at=instant,
        evidence=HOST,
        recorded_by_id=actor.person_id,
    )


def _shorten(actor: Actor, row: Presence, unit: BookingUnit, came: Collection[Span], *, end: datetime) -> None:
    """Take ``unit``'s time out of a presence; what remains are the parts at other units they came for, if any."""
    until = row.left_at or max(end, row.arrived_at)
    pieces = without(Span(row.arrived_at, until), unit.span, came) if row.arrived_at < until else []
    audit.record(actor, "presence.withdrawn", ("presence", row.id), person_id=row.person_id, evidence=row.evidence)
    if not pieces:
        db.session.delete(row)
        return
    first, *others = pieces
    row.arrived_at = first.start
    row.left_at = None if row.left_at is None and first.end == until else first.end
    for piece in others:
        db.session.add(
            Presence(
                person_id=row.person_id,
                booking_id=row.booking_id,
                day=row.day,
                arrived_at=piece.start,
                left_at=piece.end,
                recorded_at=row.recorded_at,
                evidence=row.evidence,
                recorded_by_id=row.recorded_by_id,
            )
        )


def _check_times(day: date, arrived_at: datetime, left_at: datetime | None) -> None:
    today = spaces.today()
    if arrived_at > now():
        raise ToCome()
    if left_at is not None and left_at <= arrived_at:
        raise LeftBefore()
    if left_at is not None and left_at > now():
        raise ToCome(field="to")
    if day < month_before(today):
        raise TooLongAgo()


def _overlap(one: Visit, other: Visit) -> bool:
    ends_after = other.end is None or other.end > one.start
    return ends_after and (one.end is None or one.end > other.start)


def _places(actor: Actor, person: Person, day: date, visit: Visit) -> Booking | None:
    """Take what was used and not booked; return what the presence is to be linked with."""
    require_unit()
    first = None
    for half in halves_of_stay(bookable_halves(day, spaces.day(day)).values(), visit.start, visit.end):
        booked = units_booked_on(person.id, day)
        if not has_place([unit.span for unit in booked], half.span, max(visit.start, half.span.start)):
            made = walk_in(actor, person, half)
            first = first or made
    touched = next((unit.booking for unit in units_booked_on(person.id, day) if visit.touches(unit.span)), None)
    return first or touched
