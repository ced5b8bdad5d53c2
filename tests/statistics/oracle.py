"""The same figures by brute force: raw rows, minute by minute, with none of the product's own arithmetic.

Slow and plain on purpose. A minute is the number of minutes since 1970-01-01T00:00Z; sets of them stand for spans.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from coworking.core.db import db

PARIS = ZoneInfo("Europe/Paris")


def rows(table: str) -> list[Any]:
    return list(db.session.execute(select(db.metadata.tables[table])))


def minute(at: datetime) -> int:
    return int(at.timestamp() // 60)


def minutes(start: datetime, end: datetime) -> set[int]:
    return set(range(minute(start), minute(end)))


class Oracle:
    """Everything in the database, read whole."""

    def __init__(self) -> None:
        self.lieu_days = {row.day: row for row in rows("lieu_day")}
        self.spans = rows("open_span")
        self.schedules = sorted(rows("schedule"), key=lambda row: row.valid_from)
        self.schedule_hours = rows("schedule_hours")
        self.resources = rows("resource")
        self.former_seats = rows("former_seats")
        self.tariffs = rows("tariff")
        self.quotes = {row.id: row for row in rows("quote")}
        self.bookings = {row.id: row for row in rows("booking")}
        self.units = rows("booking_unit")
        self.claims = [row for row in rows("claim") if row.live and row.expires_at is None]
        self.presences = rows("presence")
        self.refused = rows("refused_request")

    def day(self, day: date) -> dict[str, Any]:
        """The facts of ``day``, under the names of `DayFact`'s columns (capacity and version aside)."""
        local = self._minutes_of(day)
        here = self.lieu_days[day]
        opened = self._opened(day, "accessible")
        usual = self._usual(day)
        split = minute(here.split_at)
        halves = {"am": {m for m in opened if m < split}, "pm": {m for m in opened if m >= split}}
        halves = {name: found for name, found in halves.items() if usual[name]}
        service = [
            row
            for row in self.resources
            if row.in_service_from <= day and (row.in_service_until is None or day <= row.in_service_until)
        ]
        out: dict[str, Any] = defaultdict(int)
        out["accessible_minutes"], out["staffed_minutes"] = len(opened), len(self._opened(day, "staffed"))
        offered: dict[int, set[int]] = {}
        per_minute: dict[int, int] = defaultdict(int)
        hours = [[0, 0, 0] for _ in range(24)]
        desks = [row for row in service if row.kind == "desk"]
        for desk in desks:
            seats = self._seats(desk, day)
            blocked = self._held(desk.id, "block", "workshop")
            resident = self._held(desk.id, "resident")
            out["seats_in_service"] += seats if set(local) - resident else 0
            offered[desk.id] = set()
            used = self._used(desk.id)
            for name, half in halves.items():
                free = half - blocked - resident
                if not free or len(free) < usual[name] / 2:
                    if resident and half - blocked and len(half - blocked) >= usual[name] / 2:
                        out["desk_resident"] += 1
                    continue
                offered[desk.id] |= free
                out["desk_offered"] += 1
                self._half_day(out, day, desk.id, name, free)
                for m in self._attended(day, desk.id, name, free):
                    hours[local[m]][2] += seats
            for m in offered[desk.id]:
                hours[local[m]][1] += seats
                if m in used:
                    hours[local[m]][0] += seats
                    per_minute[m] += seats
        out["hours"] = hours
        out["peak_seats"] = max(per_minute.values(), default=0)
        first = min((m for m, seats in per_minute.items() if seats == out["peak_seats"]), default=None)
        out["peak_at"] = None if first is None else datetime.fromtimestamp(first * 60, UTC)
        for room in service:
            if room.kind != "desk":
                self._room(out, day, room.id, opened - self._held(room.id, "block", "resident"))
        meetings = [unit for unit in self.units if unit.day == day and unit.half is None and unit.outcome != "absent"]
        out["room_guests"] = sum(
            self.bookings[booking].guests
            for booking in {unit.booking_id for unit in meetings}
            if self.bookings[booking].status == "confirmed"
        )
        there = {row.person_id: self._there(row.person_id, day) for row in self.presences if row.day == day}
        out["workers"] = len(there)
        out["refused"] = sum(row.day == day for row in self.refused)
        out["outside_minutes"] = sum(len(found - opened) for found in there.values())
        if out.pop("unpriced", 0):
            out["room_paid"] = out["room_free"] = None
        return dict(out)

    def _seats(self, resource: Any, day: date) -> int:
        """What ``resource`` seated on ``day``: as the first change after it left behind, else as it seats now."""
        later = [row for row in self.former_seats if row.resource_id == resource.id and row.until > day]
        return min(later, key=lambda row: row.until).seats if later else resource.seats

    def _costs(self, unit: Any) -> bool | None:
        """Whether a room's use costs something; None where it was booked before there was a price list for its day."""
        quote = self.quotes[unit.quote_id]
        lists = [row for row in self.tariffs if row.valid_from <= quote.day and row.created_at <= quote.created_at]
        return (quote.amount_cents > 0) if lists else None

    def _minutes_of(self, day: date) -> dict[int, int]:
        """Every minute of the local ``day`` with the hour its wall clock shows."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=PARIS)
        first = minute(noon - timedelta(hours=15))
        shown = [(m, datetime.fromtimestamp(m * 60, PARIS)) for m in range(first, first + 30 * 60)]
        return {m: at.hour for m, at in shown if at.date() == day}

    def _opened(self, day: date, layer: str) -> set[int]:
        found: set[int] = set()
        for span in self.spans:
            if span.day == day and span.layer == layer:
                found |= minutes(span.starts_at, span.ends_at)
        return found

    def _usual(self, day: date) -> dict[str, int]:
        ruling = [row for row in self.schedules if row.valid_from <= day]
        usual = {"am": 0, "pm": 0}
        if ruling:
            for m in range(1440):
                if any(
                    row.schedule_id == ruling[-1].id
                    and (row.weekday, row.layer) == (day.weekday(), "accessible")
                    and row.opens <= m < row.closes
                    for row in self.schedule_hours
                ):
                    usual["am" if m < ruling[-1].split_minute else "pm"] += 1
        return usual

    def _held(self, resource: int, *kinds: str) -> set[int]:
        found: set[int] = set()
        for claim in self.claims:
            if claim.resource_id == resource and claim.holder_kind in kinds:
                found |= minutes(claim.starts_at, claim.ends_at)
        return found

    def _used(self, resource: int, booking: int | None = None) -> set[int]:
        """Minutes of ``resource`` in confirmed use (of one ``booking``)."""
        found: set[int] = set()
        for claim in self.claims:
            if claim.resource_id != resource or claim.holder_kind != "booking":
                continue
            if booking in (None, claim.holder_id) and self.bookings[claim.holder_id].status == "confirmed":
                found |= minutes(claim.use_starts_at, claim.use_ends_at)
        return found

    def _half_day(self, out: dict[str, Any], day: date, desk: int, half: str, free: set[int]) -> None:
        outcomes: set[str] = set()
        for unit in self.units:
            if (unit.day, unit.resource_id, unit.half) != (day, desk, half):
                continue
            booking = self.bookings[unit.booking_id]
            if booking.status == "confirmed" and self._used(desk, booking.id) & free:
                outcomes.add(unit.outcome)
            elif booking.status == "cancelled" and booking.cancelled_late:
                out["desk_late_cancelled"] += 1
        if outcomes:
            out["desk_booked"] += 1
            out["desk_attended"] += "came" in outcomes
            out["desk_absent"] += "came" not in outcomes and "absent" in outcomes
            out["desk_known"] += bool(outcomes & {"came", "absent"})

    def _attended(self, day: date, desk: int, half: str, free: set[int]) -> set[int]:
        """The minutes of ``free`` in which whoever had the desk was there, or all they had where only a host said so."""
        found: set[int] = set()
        for unit in self.units:
            booking, place = self.bookings[unit.booking_id], (unit.day, unit.resource_id, unit.half)
            if place == (day, desk, half) and (booking.status, unit.outcome) == ("confirmed", "came"):
                used = self._used(desk, booking.id) & free
                found |= used & self._there(booking.person_id, day) or used
        return found

    def _room(self, out: dict[str, Any], day: date, room: int, free: set[int]) -> None:
        out["room_offered"] += len(free)
        own = self._held(room, "workshop") & free
        out["room_booked"] += len((self._used(room) | own) & free)
        for name in ("room_internal", "room_known", "room_attended"):
            out[name] += len(own)
        for unit in self.units:
            if unit.resource_id != room or self.bookings[unit.booking_id].status != "confirmed":
                continue
            if day not in (dates := self._dates(unit)):
                continue
            used = self._used(room, unit.booking_id) & free
            if used:
                name = {True: "room_paid", False: "room_free", None: "unpriced"}[self._costs(unit)]
                out[name] += len(used)
            if unit.outcome in ("came", "absent"):
                out["room_known"] += len(used)
            if unit.outcome == "came":
                person = self.bookings[unit.booking_id].person_id
                there = {m for one in dates for m in self._there(person, one, unit if len(dates) > 1 else None)}
                seen = minutes(unit.starts_at, unit.ends_at) & there if len(dates) > 1 else used & there
                out["room_attended"] += len(used & there if seen else used)

    def _dates(self, unit: Any) -> list[date]:
        """The local dates of whose minutes ``unit`` has some: two, where it goes over midnight."""
        return [
            day
            for day in (unit.day, unit.day + timedelta(days=1))
            if day == unit.day or unit.ends_at > self.lieu_days[day].starts_at
        ]

    def _there(self, person: int, day: date, over: Any = None) -> set[int]:
        """When ``person`` was there on ``day``. Without a departure: to the end of what they had, within the day; or to that
        of the meeting ``over`` midnight."""
        ends = [
            min(unit.ends_at, self.lieu_days[day].ends_at)
            for unit in self.units
            if day in self._dates(unit)
            and self.bookings[unit.booking_id].person_id == person
            and self.bookings[unit.booking_id].status == "confirmed"
        ]
        ends = ends if over is None else [over.ends_at]
        found: set[int] = set()
        for row in self.presences:
            if (row.day, row.person_id) == (day, person):
                left = row.left_at or max([*ends, row.arrived_at])
                found |= minutes(row.arrived_at, left)
        return found
