"""The daily facts: read in bulk, counted by `coworking.statistics.rules`, kept until something of their day changes.

Every visible change of a day raises its version (`coworking.claims.services.touch`), in the unit that makes it. Facts
remember the version they know; where it is another one, they are counted again, on what was in service back then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select

from coworking.booking.models import Booking, BookingUnit, RefusedRequest
from coworking.booking.queries import runs_on
from coworking.claims.models import Claim, DayVersion
from coworking.claims.queries import overlapping
from coworking.core.db import db
from coworking.core.timespan import Span, local_minute
from coworking.core.types import from_micros, to_micros
from coworking.core.units import require_unit, write_unit
from coworking.presence.models import Presence
from coworking.presence.rules import kept_from
from coworking.pricing.models import Quote, Tariff
from coworking.spaces import calendar
from coworking.spaces import queries as spaces
from coworking.spaces.models import DESK, FormerSeats, Lieu, LieuDay, Resource
from coworking.spaces.rules import HalfDay
from coworking.statistics.models import DayFact
from coworking.statistics.rules import (
    ABSENT,
    CAME,
    DayRecord,
    Meeting,
    Minutes,
    OfferedHalf,
    PresenceMinutes,
    ResourceUse,
    Slot,
    count,
)

Capacity = dict[str, list[list[int]]]
_MINUTE = 60_000_000
_DAY = timedelta(days=1)
_PRICED = (
    select(Tariff.id)
    .where(Tariff.valid_from <= Quote.day, Tariff.created_at <= Quote.created_at)
    .correlate(Quote)
    .exists()
)
"""Whether a price list said what the use of a quote costs when it was booked: without one, no price is not a price of 0."""


def between(first: date, last: date) -> list[DayFact]:
    """The facts of the days from ``first`` to ``last`` that are over, by day; those out of date are counted, not kept.

    Fourteen statements at most, however many rows and however long the history.
    """
    kept = {
        row.day: row
        for row in db.session.scalars(
            select(DayFact).where(DayFact.day.between(first, last)).execution_options(populate_existing=True)
        )
    }
    counted = _counted(stale(first, last), kept)
    rows = {**kept, **{values["day"]: DayFact(**values) for values in counted}}
    return [rows[day] for day in sorted(rows)]


def refresh(first: date, last: date) -> int:
    """Count the days from ``first`` to ``last`` that are out of date and keep what was found; return how many."""
    if not stale(first, last):
        return 0
    with write_unit():
        calendar.lock_lieu()  # two of us at once: one after the other
        return keep(first, last)


def keep(first: date, last: date) -> int:
    """The same in the open unit, whose caller has locked the lieu."""
    require_unit()
    days = stale(first, last)
    if not days:
        return 0
    kept = {row.day: row for row in db.session.scalars(select(DayFact).where(DayFact.day.in_(days)))}
    counted = _counted(days, kept)
    for row in kept.values():
        db.session.expunge(row)
    db.session.execute(delete(DayFact).where(DayFact.day.in_(days)).execution_options(synchronize_session=False))
    db.session.execute(insert(DayFact), counted)
    return len(counted)


def wrong(first: date, last: date) -> list[tuple[date, list[str]]]:
    """The kept days from ``first`` to ``last`` that are up to date and yet count otherwise, with the columns that differ."""
    outdated = stale(first, last)
    kept = {
        row.day: row
        for row in db.session.scalars(select(DayFact).where(DayFact.day.between(first, last)))
        if row.day not in outdated
    }
    found: list[tuple[date, list[str]]] = []
    for values in _counted({day: row.version for day, row in kept.items()}, kept):
        row = kept[values["day"]]
        if names := [name for name, value in values.items() if getattr(row, name) != value]:
            found.append((row.day, names))
    return found


def stale(first: date, last: date) -> dict[date, int]:
    """The days that are over and have no facts, or outdated ones, with the version of each (0: nothing ever happened).

    What was counted of days whose presences are kept no longer is never out of date.
    """
    recounted = or_(DayFact.day.is_(None), LieuDay.day > kept_from(spaces.today()))
    rows = db.session.execute(
        select(LieuDay.day, DayVersion.version, DayFact.version)
        .outerjoin(DayVersion, DayVersion.day == LieuDay.day)
        .outerjoin(DayFact, DayFact.day == LieuDay.day)
        .where(LieuDay.day.between(first, last), LieuDay.day < spaces.today(), recounted)
        .order_by(LieuDay.day)
    )
    return {day: version or 0 for day, version, known in rows if known != (version or 0)}


def _counted(days: Mapping[date, int], kept: Mapping[date, DayFact]) -> list[dict[str, Any]]:
    """The columns of each of ``days``. Their versions were read first, so that facts never miss what they claim to know."""
    if not days:
        return []
    lieu = spaces.lieu()
    inputs = _Inputs(lieu, min(days), max(days))
    found: list[dict[str, Any]] = []
    for day, version in days.items():
        capacity = kept[day].capacity if day in kept else inputs.capacity(day)
        facts = asdict(count(inputs.day(day, capacity)))
        peak_at = facts.pop("peak_at")
        found.append(
            {
                "day": day,
                "version": version,
                "capacity": capacity,
                "peak_at": None if peak_at is None else from_micros(peak_at * _MINUTE),
                **facts,
            }
        )
    return found


class _Inputs:
    """Everything a stretch of days is counted from, read once: one statement per kind of row."""

    def __init__(self, lieu: Lieu, first: date, last: date) -> None:
        self.lieu = lieu
        self.days = spaces.days(first, last)
        self.halves = spaces.half_days_between(first, last)
        self._read_resources()
        self._read_units(first, last)
        self._read_claims()
        self._read_presences(first - _DAY, last + _DAY)  # of a meeting that goes over midnight both dates tell
        self._read_refusals(first, last)

    def _read_resources(self) -> None:
        service = (Resource.in_service_from, Resource.in_service_until)
        rows = db.session.execute(
            select(
                Resource.id,
                Resource.kind,
                Resource.seats,
                *service,
                FormerSeats.until,
                FormerSeats.seats.label("former"),
            )
            .outerjoin(FormerSeats)
            .order_by(Resource.id, FormerSeats.until.desc())
        ).all()
        self.resources = {row.id: row for row in rows}
        self.desk_ids = {row.id for row in rows if row.kind == DESK}
        self.former_seats = [(row.id, row.until, row.former) for row in rows if row.until is not None]

    def _read_units(self, first: date, last: date) -> None:
        self.slots: dict[date, list[Slot]] = defaultdict(list)
        self.late: dict[date, list[tuple[int, str]]] = defaultdict(list)
        self.meetings: dict[date, dict[tuple[int, int], Meeting]] = defaultdict(dict)
        self.guests: dict[date, dict[int, int]] = defaultdict(dict)
        self.until: dict[date, dict[int, int]] = defaultdict(dict)
        rows = db.session.execute(
            select(
                BookingUnit.day,
                BookingUnit.half,
                BookingUnit.resource_id,
                BookingUnit.outcome,
                BookingUnit.starts_at,
                BookingUnit.ends_at,
                Booking.id.label("booking"),
                Booking.person_id,
                Booking.status,
                Booking.cancelled_late,
                Booking.guests,
                Quote.amount_cents,
                Quote.cover,
                _PRICED.label("priced"),
            )
            .join(Booking)
            .outerjoin(Quote, Quote.id == BookingUnit.quote_id)
            .where(runs_on(BookingUnit, first, last))
        )
        for row in rows:
            if row.status != "confirmed":
                if row.cancelled_late and row.half is not None:
                    self.late[row.day].append((row.resource_id, row.half))
                continue
            dates = self._dates(row.day, row.ends_at)
            for day in dates:
                ends = _minute(min(row.ends_at, self.days[day].ends_at)) if day in self.days else _minute(row.ends_at)
                until = self.until[day]
                until[row.person_id] = max(until.get(row.person_id, ends), ends)
            if row.half is not None:
                self.slots[row.day].append(Slot(row.booking, row.resource_id, row.half, row.outcome, row.person_id))
            else:
                self._add_meeting(row, dates)

    def _dates(self, day: date, ends_at: datetime) -> tuple[date, ...]:
        """The local dates of a use that begins on ``day``: it may go on over midnight."""
        known = self.days.get(day)  # the day before the first one was read for what goes on into it
        return (day,) if known is not None and ends_at <= known.ends_at else (day, day + _DAY)

    def _add_meeting(self, row: Any, dates: Collection[date]) -> None:
        key = (row.booking, row.resource_id)
        known = self.meetings[row.day].get(key)
        outcome = CAME if known is not None and known.outcome == CAME else row.outcome
        over = (_minute(row.starts_at), _minute(row.ends_at)) if len(dates) > 1 else None
        for day in dates:
            self.meetings[day][key] = Meeting(row.person_id, outcome, _is_paid(row), over)
        if row.outcome != ABSENT:  # nobody came to a meeting whose booker did not
            self.guests[row.day][row.booking] = row.guests

    def _read_claims(self) -> None:
        self.uses: dict[date, list[ResourceUse]] = defaultdict(list)
        self.blocks: list[tuple[int, Minutes]] = []
        self.residents: list[tuple[int, Minutes]] = []
        whole = [row.span for row in self.days.values()]
        span = Span(whole[0].start, whole[-1].end)
        rows = db.session.execute(
            select(
                Claim.resource_id,
                Claim.holder_kind,
                Claim.holder_id,
                Claim.starts_at,
                Claim.ends_at,
                Claim.use_starts_at,
                Claim.use_ends_at,
                Booking.day,
            )
            .outerjoin(
                Booking,
                (Claim.holder_kind == "booking") & (Booking.id == Claim.holder_id) & (Booking.status == "confirmed"),
            )
            # What is held for an undo, or was cancelled, is nobody's use.
            .where(overlapping(span), Claim.live.is_(True), Claim.expires_at.is_(None))
        )
        for row in rows:
            use = (_minute(row.use_starts_at), _minute(row.use_ends_at))
            taken = (_minute(row.starts_at), _minute(row.ends_at))
            if row.holder_kind == "booking":
                for day in self._dates(row.day, row.use_ends_at) if row.day is not None else ():
                    self.uses[day].append(ResourceUse(row.holder_id, row.resource_id, *use))
            elif row.holder_kind == "resident":
                self.residents.append((row.resource_id, taken))
            elif row.holder_kind == "workshop" and row.resource_id not in self.desk_ids:
                self._add_own_use(row.resource_id, use)
            else:
                self.blocks.append((row.resource_id, taken))

    def _add_own_use(self, resource: int, use: Minutes) -> None:
        for day, row in self.days.items():
            if use[0] < _minute(row.ends_at) and _minute(row.starts_at) < use[1]:
                self.uses[day].append(ResourceUse(None, resource, *use))

    def _read_presences(self, first: date, last: date) -> None:
        self.stays: dict[date, list[PresenceMinutes]] = defaultdict(list)
        rows = db.session.execute(
            select(Presence.day, Presence.person_id, Presence.arrived_at, Presence.left_at).where(
                Presence.day.between(first, last)
            )
        )
        for day, person, arrived, left in rows:
            self.stays[day].append(PresenceMinutes(person, _minute(arrived), None if left is None else _minute(left)))

    def _read_refusals(self, first: date, last: date) -> None:
        counted = select(RefusedRequest.day, func.count()).where(RefusedRequest.day.between(first, last))
        self.refusals = {row[0]: row[1] for row in db.session.execute(counted.group_by(RefusedRequest.day))}

    def _refused(self, day: date) -> int | None:
        since = self.lieu.refusals_from
        return None if since is not None and day < since else self.refusals.get(day, 0)

    def capacity(self, day: date) -> Capacity:
        """What was in service on ``day`` and how many it seated then, by the resources' own dates."""
        found: Capacity = {"desk": [], "room": []}
        seats = {row.id: row.seats for row in self.resources.values()}
        seats |= {id: former for id, until, former in self.former_seats if day < until}  # the earliest comes last
        for row in self.resources.values():
            if row.in_service_from <= day and (row.in_service_until is None or day <= row.in_service_until):
                found["desk" if row.kind == DESK else "room"].append([row.id, seats[row.id]])
        return found

    def day(self, day: date, capacity: Capacity) -> DayRecord:
        row = self.days[day]
        return DayRecord(
            open=_spans(row.open()),
            staffed=_spans(row.open("staffed")),
            halves={name: _half(half) for name, half in self.halves.get(day, {}).items()},
            hours=[self._hour(day, hour) for hour in range(24)],
            desks=dict(capacity["desk"]),  # type: ignore[arg-type] - pairs of id and seats
            rooms=dict(capacity["room"]),  # type: ignore[arg-type] - pairs of id and seats
            blocks=_of_day(self.blocks, row),
            residents=_of_day(self.residents, row),
            uses=self.uses.get(day, ()),
            slots=self.slots.get(day, ()),
            late=self.late.get(day, ()),
            meetings=self.meetings.get(day, {}),
            stays=self.stays.get(day, ()),
            stays_beside=[*self.stays.get(day - _DAY, ()), *self.stays.get(day + _DAY, ())],
            until=self.until.get(day, {}),
            guests=sum(self.guests.get(day, {}).values()),
            refused=self._refused(day),
        )

    def _hour(self, day: date, hour: int) -> Minutes | None:
        start = _minute(local_minute(day, hour * 60, self.lieu.tz))
        end = _minute(local_minute(day, hour * 60 + 60, self.lieu.tz))
        return (start, end) if start < end else None


def _is_paid(row: Any) -> bool | None:
    """Whether a use costs something, now or through a subscription; None where no price list said what it costs."""
    if row.amount_cents is None or (row.cover == "free" and not row.priced):
        return None
    return row.amount_cents > 0 or row.cover in ("subscription", "pack")


def _minute(instant: datetime) -> int:
    return to_micros(instant) // _MINUTE


def _spans(spans: list[Span]) -> list[Minutes]:
    return [(_minute(span.start), _minute(span.end)) for span in spans]


def _half(half: HalfDay) -> OfferedHalf:
    return OfferedHalf(_spans(half.open), half.usual_minutes)


def _of_day(taken: list[tuple[int, Minutes]], row: LieuDay) -> dict[int, list[Minutes]]:
    found: dict[int, list[Minutes]] = defaultdict(list)
    start, end = _minute(row.starts_at), _minute(row.ends_at)
    for resource, span in taken:
        if span[0] < end and start < span[1]:
            found[resource].append(span)
    return found
