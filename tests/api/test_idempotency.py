"""The same request under the same key makes its thing once, on every POST."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.idempotency import IdempotencyKey
from coworking.presence.models import Presence
from tests.api.conftest import morning

REPLAYED = "Idempotent-Replayed"


def count(app, model):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model))


def code(answer):
    return answer.status_code, answer.get_json()["code"]


@pytest.mark.parametrize(
    ("path", "body", "model", "added"),
    [
        ("/bookings", morning(), Booking, 1),
        ("/presences", {}, Presence, 1),
        ("/people", {"first_name": "Zoé"}, Person, 1),
    ],
)
def test_a_repetition_is_answered_from_what_was_made(host, app, path, body, model, added):
    before = count(app, model)
    first, second = host.post(path, body, key="k-1"), host.post(path, body, key="k-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert (first.headers.get(REPLAYED), second.headers.get(REPLAYED)) == (None, "true")
    assert count(app, model) == before + added


@pytest.mark.parametrize(("action", "day"), [("cancel", 26), ("check-in", 24)])
def test_actions_are_repeated_too(member, action, day):
    made = member.post("/bookings", morning(day)).get_json()
    path = f"/bookings/{made['id']}/{action}"
    first, second = member.post(path, key="k-2"), member.post(path, key="k-2")
    assert (first.status_code, second.status_code, second.headers.get(REPLAYED)) == (200, 200, "true")
    assert first.get_json() == second.get_json()


def test_the_order_of_names_and_white_space_do_not_matter(member, app):
    body = morning()
    assert member.post("/bookings", body, key="k").status_code == 201
    again = member.post("/bookings", dict(reversed(body.items())), key="k")
    assert (again.status_code, again.headers.get(REPLAYED)) == (201, "true")
    assert count(app, Booking) == 1


def test_another_body_or_address_under_the_same_key_is_refused(member, app):
    made = member.post("/bookings", morning(), key="k").get_json()
    assert code(member.post("/bookings", morning(27), key="k")) == (422, "idempotency_key_reused")
    assert code(member.post("/presences", {}, key="k")) == (422, "idempotency_key_reused")
    assert code(member.post(f"/bookings/{made['id']}/cancel", key="k")) == (422, "idempotency_key_reused")
    assert (count(app, Booking), count(app, Presence)) == (1, 0)


def test_a_key_belongs_to_its_person(member, program, cast, app):
    assert member.post("/bookings", morning(), key="k").status_code == 201
    other = program(cast.stranger).post("/bookings", morning(), key="k")
    assert (other.status_code, other.headers.get(REPLAYED)) == (201, None)
    assert count(app, Booking) == 2


def test_a_refused_request_leaves_no_key_behind(member, app):
    assert code(member.post("/bookings", morning(22), key="k")) == (422, "in_past")
    assert code(member.post("/bookings", morning() | {"x": 1}, key="k")) == (422, "invalid_input")
    assert count(app, IdempotencyKey) == 0
    assert member.post("/bookings", morning(), key="k").status_code == 201


def test_without_a_key_or_under_another_it_is_another_request(member, app):
    assert member.post("/bookings", morning(), key="a").status_code == 201
    assert code(member.post("/bookings", morning(), key="b")) == (409, "already_booked")
    assert code(member.post("/bookings", morning())) == (409, "already_booked")


@pytest.mark.parametrize("key", [" ", "é", "two words", "x" * 201])
def test_a_key_is_short_and_visible(member, key):
    answer = member.post("/bookings", morning(), key=key)
    assert code(answer) == (422, "idempotency_key_invalid")
    assert answer.get_json()["field"] == "Idempotency-Key"


def test_two_at_once_make_one_booking(program, cast, app):
    """Whichever wins, the other is told to ask again or answered from it: never a second booking, never a refusal."""
    for number, day in enumerate((25, 26, 27, 30)):
        answers, start = [], threading.Barrier(2)

        def send(caller, day=day, key=f"race-{number}", start=start, answers=answers):
            start.wait(10)
            answers.append(caller.post("/bookings", morning(day), key=key))

        callers = [program(cast.member), program(cast.member)]
        threads = [threading.Thread(target=send, args=(caller,)) for caller in callers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses in ({201: 2}, {201: 1, 409: 1}), statuses
        for answer in answers:
            if answer.status_code == 409:
                assert code(answer) == (409, "idempotency_key_in_flight")
                assert callers[0].post("/bookings", morning(day), key=f"race-{number}").headers[REPLAYED] == "true"
        assert count(app, Booking) == number + 1
