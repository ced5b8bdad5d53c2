"""A lieu with a past: 60 resources, 400 people and as many bookings as asked for, written in bulk.

The shape is a busy lieu's: two bookings in three are desks by half-day or day, the rest rooms by quarters of an hour. The
coming weeks are partly booked; the first `FREE_DESKS` desks stay free after today, for the bookings that are measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from coworking.accounts import rules
from coworking.accounts.models import ApiToken, Person, PersonRole
from coworking.accounts.passwords import hash_password
from coworking.accounts.tokens import new_bearer
from coworking.booking.models import Booking, BookingUnit
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import db, hurry
from coworking.core.timespan import Span, local_minute
from coworking.core.types import public_id
from coworking.core.units import write_unit
from coworking.presence.models import Presence
from coworking.spaces import calendar
from coworking.spaces.models import Lieu, Resource, Schedule, ScheduleHours, Zone

DESKS, ROOMS, PEOPLE = 48, 12, 400
FREE_DESKS = 24
PASSWORD = "un-banc-de-mesure"
OPENS, SPLIT, CLOSES = 8 * 60, 13 * 60, 19 * 60
AHEAD = 80
RACE_DAYS = 20
"""The last of the coming days, whose rooms stay free for the race."""
BATCH = 4000
PER_DAY = 110
"""Bookings of a past day; a coming one has half as many."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the measures need to know: ids by public id, and a bearer token per person."""

    desks: list[tuple[int, str]]
    rooms: list[tuple[int, str]]
    people: list[tuple[int, str]]
    tokens: list[str]
    past: list[date]
    coming: list[date]
    paces: list[float]
    """Bookings written a second, batch by batch."""


def email(person: int) -> str:
    """The address of the n-th person, who signs in with `PASSWORD`."""
    return f"person{person}@demo.example"


def make(bookings: int, *, seed: int = 7) -> Bench:
    """Fill the empty, migrated database of this application with ``bookings`` bookings; return what is there."""
    db.session.rollback()
    hurry(db.engine)
    draw = random.Random(seed)
    zone = ZoneInfo("Europe/Paris")
    today = now().astimezone(zone).date()
    coming = [day for day in (today + timedelta(days=n) for n in range(1, AHEAD)) if day.weekday() < 5]
    ahead = len(coming) * PER_DAY // 2
    past: list[date] = []
    day = today - timedelta(days=1)
    while len(past) * PER_DAY < bookings - ahead:
        if day.weekday() < 5:
            past.append(day)
        day -= timedelta(days=1)
    past.reverse()
    tokens = [new_bearer() for _ in range(PEOPLE)]
    _settings(past[0] - timedelta(days=1), today + timedelta(days=AHEAD + 45), [digest for _, digest in tokens])
    with write_unit():
        desks = [(row.id, row.public_id) for row in db.session.scalars(select(Resource).where(Resource.kind == "desk"))]
        rooms = [(row.id, row.public_id) for row in db.session.scalars(select(Resource).where(Resource.kind == "room"))]
        people = [
            (row.id, row.public_id) for row in db.session.scalars(select(Person).order_by(Person.id)).unique() if row.id
        ]
    bench = Bench(desks, rooms, people, [text for text, _ in tokens], past, coming, [])
    bench.paces.extend(_write(_bookings(bench, draw, zone, bookings)))
    return bench


def _settings(first: date, last: date, digests: list[str]) -> None:
    password = hash_password(PASSWORD)
    with write_unit():
        db.session.add(Lieu(name="Banc de mesure", city="Thiers", horizon_days=AHEAD, observes_holidays=False))
        schedule = Schedule(valid_from=first, split_minute=SPLIT)
        schedule.hours = [
            ScheduleHours(weekday=weekday, layer=layer, opens=OPENS, closes=CLOSES)
            for weekday in range(5)
            for layer in ("accessible", "staffed")
        ]
        zones = [Zone(name=name, position=n) for n, name in enumerate(("Rez-de-chaussée", "Étage", "Salles"))]
        for n in range(DESKS):
            zones[n * 2 // DESKS].resources.append(
                Resource(kind="desk", name=f"Poste {n + 1}", position=n, in_service_from=first)
            )
        for n in range(ROOMS):
            zones[2].resources.append(
                Resource(kind="room", name=f"Salle {n + 1}", seats=4 + n, position=n, in_service_from=first)
            )
        people = [
            Person(
                first_name=f"Prénom{n}",
                last_name=f"Nom{n}",
                email=email(n),
                email_confirmed_at=now(),
                password_hash=password,
            )
            for n in range(len(digests))
        ]
        people[0].role_rows = [PersonRole(role="manager")]
        db.session.add_all([schedule, *zones, *people])
        db.session.flush()
        scopes = "lieu:read bookings:read bookings:write"
        db.session.add_all(
            ApiToken(
                person_id=person.id,
                name="banc",
                digest=digest,
                scopes=scopes,
                roles=" ".join(sorted(person.roles)),
                ends_at=now() + timedelta(days=rules.TOKEN_DAYS),
            )
            for person, digest in zip(people, digests, strict=True)
        )
    with write_unit():
        calendar.ensure_days(first, last)
    calendar.freeze_past_days()


@dataclass(slots=True)
class _Taking:
    resource: int
    day: date
    span: Span
    halves: tuple[tuple[str, Span], ...]


def _bookings(bench: Bench, draw: random.Random, zone: ZoneInfo, wanted: int) -> Iterator[tuple[_Taking, int, bool]]:
    """``(what, whose, came)``; days in order, no two of them in each other's way."""
    made = 0
    days = bench.past + bench.coming
    for order, day in enumerate(days):
        ahead = order >= len(bench.past)
        left = wanted - made if order == len(days) - 1 else (PER_DAY // 2 if ahead else PER_DAY)
        people = draw.sample(bench.people, min(len(bench.people), left))
        takings = _day(bench, draw, zone, day, ahead)
        for taking, (person, _) in zip(takings, people, strict=False):
            if made == wanted:
                return
            made += 1
            yield taking, person, not ahead and draw.random() < 0.9


def _day(bench: Bench, draw: random.Random, zone: ZoneInfo, day: date, ahead: bool) -> list[_Taking]:
    opens, split, closes = (local_minute(day, minute, zone) for minute in (OPENS, SPLIT, CLOSES))
    am, pm = ("am", Span(opens, split)), ("pm", Span(split, closes))
    found: list[_Taking] = []
    for desk, _ in bench.desks[FREE_DESKS:] if ahead else bench.desks:
        if draw.random() < 0.4:
            found.append(_Taking(desk, day, Span(opens, closes), (am, pm)))
        else:
            found += [_Taking(desk, day, half[1], (half,)) for half in (am, pm)]
    for room, _ in () if day in bench.coming[-RACE_DAYS:] else bench.rooms:
        at = opens
        while at < closes - timedelta(hours=1):
            end = at + timedelta(minutes=draw.choice((45, 60, 90, 120)))
            found.append(_Taking(room, day, Span(at, min(end, closes)), ()))
            at = end + timedelta(minutes=draw.choice((0, 15, 30, 60)))
    draw.shuffle(found)
    return found


def _write(takings: Iterator[tuple[_Taking, int, bool]]) -> list[float]:
    """Write booking, units, claim and presence of each, some thousand rows to a statement; the pace of each batch."""
    instant, number = now(), 0
    paces: list[float] = []
    rows: dict[Any, list[dict[str, Any]]] = {Booking: [], BookingUnit: [], Claim: [], Presence: []}
    for number, (taking, person, came) in enumerate(takings, start=1):
        _rows(rows, number, taking, person, came, instant)
        if len(rows[Booking]) >= BATCH:
            paces.append(_flush(rows))
    paces.append(_flush(rows))
    if db.engine.dialect.name == "postgresql":
        with write_unit():
            db.session.execute(db.text("SELECT setval('booking_id_seq', :last)"), {"last": number})
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(db.text("VACUUM ANALYZE"))  # as the server does by itself within a minute
    return paces


def _rows(
    rows: dict[Any, list[dict[str, Any]]], number: int, taking: _Taking, person: int, came: bool, instant: datetime
) -> None:
    start, end = taking.span.start, taking.span.end
    made_at = min(instant, start) - timedelta(days=3)
    rows[Booking].append(
        {
            "id": number,
            "public_id": public_id(),
            "person_id": person,
            "created_by_id": person,
            "day": taking.day,
            "starts_at": start,
            "ends_at": end,
            "created_at": made_at,
        }
    )
    for half, span in taking.halves or ((None, taking.span),):
        rows[BookingUnit].append(
            {
                "booking_id": number,
                "resource_id": taking.resource,
                "day": taking.day,
                "half": half,
                "starts_at": span.start,
                "ends_at": span.end,
                "outcome": "came" if came else "unknown" if end < instant else "pending",
            }
        )
    rows[Claim].append(
        {
            "resource_id": taking.resource,
            "holder_kind": "booking",
            "holder_id": number,
            "starts_at": start,
            "ends_at": end,
            "use_starts_at": start,
            "use_ends_at": end,
            "created_at": made_at,
        }
    )
    if came:
        rows[Presence].append(
            {
                "public_id": public_id(),
                "person_id": person,
                "booking_id": number,
                "day": taking.day,
                "arrived_at": start,
                "left_at": end,
                "evidence": "self",
            }
        )


def _flush(rows: dict[Any, list[dict[str, Any]]]) -> float:
    """Write what has come together; bookings a second."""
    bookings, started = len(rows[Booking]), time.perf_counter()
    with write_unit():
        for model, values in rows.items():
            if values:
                db.session.execute(insert(model), values)
            values.clear()
    return bookings / (time.perf_counter() - started)
