"""Many want the same desk at once, over real connections and with real commits: one gets it.

First the race is shown to be real: without the locks and without the guard, looking before taking double-books.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from coworking.accounts.models import Person
from coworking.booking import services
from coworking.booking.models import Booking
from coworking.booking.placing import Request, RequestedItem
from coworking.claims.models import Claim
from coworking.claims.rules import ClaimConflict
from coworking.core import guards, units
from coworking.core.db import db
from coworking.core.errors import DomainError
from coworking.core.idempotency import IdempotencyKey
from coworking.core.timespan import Span
from coworking.spaces.models import Resource
from tests.factories import make_person
from tests.support.api import Program
from tests.support.threads import at_once

THREADS = 8
ROUNDS = 20
CROWD = 32


def slot(number: int) -> Span:
    """An hour of its own for each round, within opening hours, from Monday 30 November on."""
    start = datetime(2026, 11, 30, 8, tzinfo=UTC) + timedelta(days=number // 4 % 5 + 7 * (number // 20))
    start += timedelta(hours=number % 4)
    return Span(start, start + timedelta(hours=1))


@pytest.fixture
def crowd(app: Flask) -> Callable[[int], list[Person]]:
    """That many members."""

    def make(size: int) -> list[Person]:
        with app.app_context():
            for n in range(size):
                make_person("Membre", f"N{n}", f"n{n}@demo.example")
            made = select(Person).where(Person.first_name == "Membre").order_by(Person.id)
            return list(db.session.scalars(made).unique())

    return make


def overlaps(app: Flask) -> int:
    """How many pairs of live claims share a resource and a moment: what must never be."""
    with app.app_context():
        other = Claim.__table__.alias("other")
        return (
            db.session.scalar(
                select(func.count()).where(
                    Claim.live.is_(True),
                    other.c.live.is_(True),
                    Claim.id < other.c.id,
                    Claim.resource_id == other.c.resource_id,
                    Claim.starts_at < other.c.ends_at,
                    other.c.starts_at < Claim.ends_at,
                )
            )
            or 0
        )


# Without lock and guard -----------------------------------------------------------------------------------------------


def look_then_take(app: Flask, room: Resource, span: Span, looked: threading.Barrier) -> str:
    """What a program without locks does, at its worst moment: everybody has looked before anybody takes."""
    with app.app_context():
        with db.engine.begin() as connection:
            taken = connection.scalar(
                select(func.count()).where(
                    Claim.resource_id == room.id, Claim.live, Claim.starts_at < span.end, Claim.ends_at > span.start
                )
            )
        looked.wait(30)
        if taken:
            return "taken"
        values = {"starts_at": span.start, "ends_at": span.end, "use_starts_at": span.start, "use_ends_at": span.end}
        try:
            with db.engine.begin() as connection:
                connection.execute(
                    insert(Claim).values(resource_id=room.id, holder_kind="block", holder_id=1, **values)
                )
        except IntegrityError as error:
            return f"refused by {guards.refused_by(error)}"
        except OperationalError as error:  # what an exclusion constraint without locks before it may come to
            if getattr(error.orig, "sqlstate", None) != "40P01":
                raise
            return "lost in a deadlock"
        return "got it"


@contextmanager
def without_guards(app: Flask) -> Iterator[None]:
    with app.app_context(), db.engine.begin() as connection:
        guards.remove(connection)
    try:
        yield
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(Claim.__table__.delete())
            guards.install(connection)


def race_blindly(app: Flask, room: Resource) -> Counter[str]:
    looked = threading.Barrier(THREADS)
    return Counter(at_once([partial(look_then_take, app, room, slot(0), looked)] * THREADS))


def test_without_lock_and_guard_everyone_gets_the_same_room(app, place):
    with without_guards(app):
        assert race_blindly(app, place.rooms[0]) == {"got it": THREADS}
        assert overlaps(app) == THREADS * (THREADS - 1) // 2


def test_the_guard_alone_lets_one_in(app, place):
    """No lock, no service: the database has the last word, for programs that never heard of ours."""
    told = race_blindly(app, place.rooms[0])
    assert told["got it"] == 1, told  # the others were refused, or on PostgreSQL lost in a deadlock: hence the locks
    assert overlaps(app) == 0


# Through the services -------------------------------------------------------------------------------------------------


def book(app: Flask, person: Person, room: Resource, span: Span) -> str:
    with app.app_context():
        try:
            services.book(person.actor(), Request(span, (RequestedItem(resource=room.public_id),)))
        except DomainError as refusal:
            return refusal.code
        return "booked"


def test_one_of_eight_gets_the_room_twenty_times(app, place, crowd):
    people, room = crowd(THREADS), place.rooms[0]
    for number in range(ROUNDS):
        told = Counter(at_once([partial(book, app, person, room, slot(number)) for person in people]))
        assert told == {"booked": 1, ClaimConflict.code: THREADS - 1}, f"round {number}"
    assert overlaps(app) == 0
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Booking)) == ROUNDS


def test_any_free_desk_goes_round_until_none_is_left(app, place, crowd):
    """Eight people, four desks, no desk named: four sit, four hear that nothing is free, nobody shares."""
    people, span = crowd(THREADS), slot(0)

    def any_desk(person: Person) -> str:
        with app.app_context():
            try:
                services.book(person.actor(), Request(span, (RequestedItem(kind="desk"),)))
            except DomainError as refusal:
                return refusal.code
            return "booked"

    told = Counter(at_once([partial(any_desk, person) for person in people]))
    assert told == {"booked": len(place.desks), "claim_conflict": THREADS - len(place.desks)}
    assert overlaps(app) == 0


def test_one_person_sits_at_one_desk(app, place, cast):
    """A double click, and one person's phones asking for a desk each: one booking, the others hear of it."""
    ways = {
        "any desk": [RequestedItem(kind="desk")] * THREADS,
        "a desk each": [RequestedItem(resource=desk.public_id) for desk in place.desks],
    }
    for number, (way, items) in enumerate(ways.items()):
        for again in range(ROUNDS // 4):
            span = slot(number * 20 + again * 4)  # a half-day of its own

            def sit(item: RequestedItem, span: Span = span) -> str:
                with app.app_context():
                    try:
                        services.book(cast.member.actor(), Request(span, (item,)))
                    except DomainError as refusal:
                        return refusal.code
                    return "booked"

            told = Counter(at_once([partial(sit, item) for item in items]))
            assert told == {"booked": 1, "already_booked": len(items) - 1}, way
    assert overlaps(app) == 0


def test_crossed_pairs_never_deadlock(app, place, crowd):
    """Half want (A, B), half (B, A): locks are taken by id, so they queue instead of embracing."""
    people = crowd(THREADS)
    forth = tuple(RequestedItem(resource=row.public_id) for row in (place.desks[0], place.rooms[0]))

    def both(person: Person, items: tuple[RequestedItem, ...], span: Span) -> str:
        with app.app_context():
            try:
                services.book(person.actor(), Request(span, items))
            except DomainError as refusal:
                return refusal.code
            return "booked"

    for number in range(ROUNDS * 3 // 4):  # before Christmas
        ways = [forth, forth[::-1]] * (THREADS // 2)
        span = slot(number * 4)  # a half-day of its own, since desks are taken by them
        told = at_once([partial(both, person, items, span) for person, items in zip(people, ways, strict=True)])
        assert Counter(told) == {"booked": 1, "claim_conflict": THREADS - 1}, f"round {number}"
    assert overlaps(app) == 0


def test_cancelling_and_booking_at_once_leaves_no_overlap(app, place, crowd, clock):
    """One person cancels and undoes while others try to book: one of them has the desk in the end."""
    people, room = crowd(4), place.rooms[0]
    owner = people[0]
    for number in range(ROUNDS // 2):
        with app.app_context():
            mine = services.book(owner.actor(), Request(slot(number), (RequestedItem(resource=room.public_id),)))
            services.cancel(owner.actor(), mine.public_id)

        def undo(public_id: str = mine.public_id) -> str:
            with app.app_context():
                try:
                    services.undo_cancel(owner.actor(), public_id)
                except DomainError as refusal:
                    return refusal.code
                return "restored"

        clock.advance(minutes=2, seconds=1)  # the place is kept for two minutes, then for whoever comes first
        others = [partial(book, app, person, room, slot(number)) for person in people[1:]]
        told = Counter(at_once([undo, *others]))
        assert told == {"undo_too_late": 1, "booked": 1, "claim_conflict": 2}
    assert overlaps(app) == 0


# Through HTTP ---------------------------------------------------------------------------------------------------------


def wanted(room: Resource, span: Span) -> dict[str, str]:
    return {"resource_id": room.public_id, "starts_at": span.start.isoformat(), "ends_at": span.end.isoformat()}


def test_one_of_eight_programs_gets_the_room_twenty_times(app, place, crowd):
    programs, room = [Program(app, person) for person in crowd(THREADS)], place.rooms[0]
    for number in range(ROUNDS):
        body = wanted(room, slot(number))
        answers = at_once([partial(program.post, "/bookings", body) for program in programs])
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: THREADS - 1}, f"round {number}"
    assert overlaps(app) == 0


def test_one_of_thirty_two_gets_the_slot_and_the_others_hear_what_is_free(app, place, crowd, caplog):
    programs, room = [Program(app, person) for person in crowd(CROWD)], place.rooms[0]
    with caplog.at_level(logging.ERROR):
        answers = at_once([partial(program.post, "/bookings", wanted(room, slot(0))) for program in programs])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: CROWD - 1}
    losers = [answer.get_json() for answer in answers if answer.status_code == 409]
    other = place.rooms[1]
    for told in losers:
        assert told["code"] == "claim_conflict"
        assert told["free"] == [{"resource_id": other.public_id, "name": other.name}]
    assert overlaps(app) == 0
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == []  # nothing went wrong behind the answers either


def test_one_request_sent_twice_at_once_makes_one_booking(app, place, cast):
    """Two copies under one Idempotency-Key: one books, the other says so or is answered from it."""
    program = Program(app, cast.member)
    for number in range(ROUNDS):
        body = wanted(place.rooms[0], slot(number))
        answers = at_once([partial(program.post, "/bookings", body, key=f"round-{number}")] * 2)
        made = [answer for answer in answers if answer.status_code == 201]
        lost = [answer.get_json()["code"] for answer in answers if answer.status_code != 201]
        assert made
        assert lost in ([], ["idempotency_key_in_flight"])
        again = program.post("/bookings", body, key=f"round-{number}")
        assert {answer.get_json()["id"] for answer in [*made, again]} == {again.get_json()["id"]}
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Booking)) == ROUNDS
        assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == ROUNDS


def test_the_second_of_two_requests_at_once_is_busy(app, place, cast):
    """The first is held between its look and its commit, so that the second surely meets it in flight."""
    holding, release = threading.Event(), threading.Event()

    def hold(_unit: units.UnitOfWork) -> None:
        if threading.current_thread().name == "first":
            holding.set()
            release.wait(10)

    first, second = Program(app, cast.member), Program(app, cast.member)
    body, answers = wanted(place.rooms[0], slot(0)), {}
    units.before_commit.append(hold)
    try:
        one = threading.Thread(
            name="first", target=lambda: answers.update(first=first.post("/bookings", body, key="k"))
        )
        two = threading.Thread(
            name="second", target=lambda: answers.update(second=second.post("/bookings", body, key="k"))
        )
        one.start()
        assert holding.wait(10)
        two.start()
        two.join(0.5)
        assert two.is_alive()  # waits for the lock that the first holds
        release.set()
        one.join(30)
        two.join(30)
    finally:
        units.before_commit.remove(hold)
    assert answers["first"].status_code == 201
    assert answers["second"].status_code == 409
    assert answers["second"].get_json()["code"] == "idempotency_key_in_flight"
