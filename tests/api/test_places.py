"""Assigned places for programs: assigned, moved to another place after a look at who is in the way, ended."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.residents.models import Residency, ResidentPlace
from tests.api.conftest import morning
from tests.support.api import Program


@pytest.fixture
def manager(program, cast) -> Program:
    return program(cast.manager)


@pytest.fixture
def held(place, cast, manager) -> dict[str, Any]:
    """The first desk is the stranger's from today on."""
    answer = manager.post("/assignments", wanted(place.desks[0], cast.stranger))
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def wanted(desk, who) -> dict[str, Any]:
    return {
        "resource_id": desk.public_id,
        "person_id": who.public_id,
        "first_day": "2026-11-24",
        "monthly_cents": 9000,
        "notice_months": 0,
    }


def steps(assignment: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["resource_id"], one["first_day"], one["last_day"]) for one in assignment["places"]]


def test_a_place_is_assigned_once_read_and_ended(app, place, cast, manager, program):
    body = wanted(place.desks[0], cast.stranger)
    made = manager.post("/assignments", body, key="a1")
    assert made.status_code == 201, made.get_json()
    shown = made.get_json()
    assert (shown["state"], shown["person_id"], shown["monthly_cents"]) == ("in_force", cast.stranger.public_id, 9000)
    assert manager.post("/assignments", body, key="a1").get_json() == shown
    assert manager.get("/assignments").get_json()["items"] == [shown]
    assert program(cast.stranger).get("/assignments").get_json()["items"] == [shown]
    assert program(cast.member).get("/assignments").get_json()["items"] == []
    ended = manager.post(f"/assignments/{shown['id']}/end", {"last_day": "2026-12-31"}, key="a2")
    assert (ended.status_code, ended.get_json()["last_day"]) == (200, "2026-12-31")
    assert manager.post(f"/assignments/{shown['id']}/end", {"last_day": "2026-12-31"}, key="a2").status_code == 200


def test_one_that_ends_goes_on_after_all_and_one_to_come_is_taken_back(app, place, cast, manager, held):
    url = f"/assignments/{held['id']}"
    going = manager.post(f"{url}/keep")
    assert (going.status_code, going.get_json()["code"]) == (409, "goes_on_already")
    manager.post(f"{url}/end", {"last_day": "2026-12-31"})
    kept = manager.post(f"{url}/keep", key="k1")
    assert (kept.status_code, kept.get_json()["last_day"]) == (200, None)
    assert manager.post(f"{url}/keep", key="k1").get_json() == kept.get_json()
    begun = manager.post(f"{url}/take-back")
    assert (begun.status_code, begun.get_json()["code"]) == (409, "already_ends")
    body = wanted(place.desks[1], cast.stranger) | {"first_day": "2026-12-01"}
    later = manager.post("/assignments", body).get_json()["id"]
    for _twice in range(2):
        taken = manager.post(f"/assignments/{later}/take-back", key="t1")
        assert (taken.status_code, taken.get_json()["state"]) == (200, "taken_back")
    assert manager.post(f"/assignments/{later}/take-back").get_json()["state"] == "taken_back"
    assert manager.post("/assignments", body).status_code == 201, "the desk can be assigned again"


def test_one_goes_on_only_while_nobody_else_has_the_place(app, place, cast, manager, held):
    manager.post(f"/assignments/{held['id']}/end", {"last_day": "2026-12-31"})
    body = wanted(place.desks[0], cast.lead) | {"first_day": "2027-01-01"}
    assert manager.post("/assignments", body).status_code == 201
    refused = manager.post(f"/assignments/{held['id']}/keep")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "place_not_free")


def test_a_place_that_cannot_be_assigned_is_named_as_it_was_sent(app, place, cast, manager):
    problem = manager.post("/assignments", wanted(place.rooms[0], cast.stranger)).get_json()
    assert (problem["code"], problem["field"]) == ("place_cannot_be_assigned", "resource_id")


def test_it_moves_to_another_place_once(app, place, cast, manager, held):
    path = f"/assignments/{held['id']}/move"
    to = {"resource_id": place.desks[1].public_id, "first_day": "2026-12-10"}
    seen = manager.get(path, **to)
    assert seen.get_json() == {**to, "resource": place.desks[1].name, "conflicts": [], "free_from": None}
    assert steps(manager.get("/assignments").get_json()["items"][0]) == steps(held), "looking moves nothing"
    moved = manager.post(path, to, key="m1")
    assert moved.status_code == 200, moved.get_json()
    assert steps(moved.get_json()) == [
        (place.desks[0].public_id, "2026-11-24", "2026-12-09"),
        (place.desks[1].public_id, "2026-12-10", None),
    ]
    again = manager.post(path, to, key="m1")
    assert again.get_json() == moved.get_json() and again.headers["Idempotent-Replayed"] == "true"
    twice = manager.post(path, to)
    assert (twice.status_code, twice.get_json()["code"]) == (422, "nothing_to_move")
    with app.app_context():
        assert len(db.session.scalars(select(ResidentPlace)).all()) == 2
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "residency.moved")).one()
        assert (entry.actor_id, entry.person_id) == (cast.manager.id, cast.stranger.id)


def test_who_is_in_the_way_is_said_before(app, place, manager, held, member):
    desk = place.desks[1].public_id
    booked = member.post("/bookings", morning(27, resource_id=desk)).get_json()
    path, to = f"/assignments/{held['id']}/move", {"resource_id": desk, "first_day": "2026-11-25"}
    seen = manager.get(path, **to).get_json()
    conflicts = [{"first_day": "2026-11-27", "last_day": "2026-11-27", "booking_id": booked["id"]}]
    assert (seen["conflicts"], seen["free_from"]) == (conflicts, "2026-11-28")
    refused = manager.post(path, to)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "place_not_free")
    assert (refused.get_json()["conflicts"], refused.get_json()["free_from"]) == (conflicts, "2026-11-28")
    assert manager.get(path, **to | {"first_day": "2026-11-28"}).get_json()["conflicts"] == []
    assert manager.post(path, to | {"first_day": "2026-11-28"}).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"first_day": "2026-11-23"}, 422, "nothing_to_move"),
        ({"first_day": "soon"}, 422, "invalid_input"),
        ({"first_day": None}, 422, "invalid_input"),
        ({"resource_id": "2222222222222222"}, 404, "not_found"),
        ({"resource_id": "same"}, 422, "nothing_to_move"),
        ({"resource_id": "room"}, 422, "place_cannot_be_assigned"),
    ],
)
def test_a_move_that_cannot_be_is_refused_already_when_one_looks(app, place, manager, held, change, status, code):
    named = {"same": place.desks[0].public_id, "room": place.rooms[0].public_id}
    change = {name: named.get(value, value) for name, value in change.items()}
    to = {"resource_id": place.desks[1].public_id, "first_day": "2026-12-10"} | change
    path = f"/assignments/{held['id']}/move"
    for answer in (manager.get(path, **to), manager.post(path, to)):
        assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.get_json()
    with app.app_context():
        (row,) = db.session.scalars(select(ResidentPlace)).all()
        assert (row.resource_id, row.first_day) == (place.desks[0].id, date(2026, 11, 24))


def test_an_assignment_that_is_not_there_is_not_moved(place, manager):
    to = {"resource_id": place.desks[1].public_id, "first_day": "2026-12-10"}
    assert manager.get("/assignments/2222222222222222/move", **to).status_code == 404
    assert manager.post("/assignments/2222222222222222/move", to).status_code == 404


@pytest.mark.parametrize("who", ["member", "stranger", "host", "accountant", "lead"])
def test_places_are_assigned_and_moved_by_managers(app, place, program, cast, held, who):
    other, path = program(getattr(cast, who)), f"/assignments/{held['id']}"
    to = {"resource_id": place.desks[1].public_id, "first_day": "2026-12-10"}
    for answer in (
        other.post("/assignments", wanted(place.desks[1], cast.member)),
        other.get(f"{path}/move", **to),
        other.post(f"{path}/move", to),
        other.post(f"{path}/end", {"last_day": "2026-12-31"}),
        other.post(f"{path}/keep"),
        other.post(f"{path}/take-back"),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")
    with app.app_context():
        assert db.session.scalars(select(Residency.last_day)).all() == [None]
        assert len(db.session.scalars(select(ResidentPlace)).all()) == 1
