"""Booking, reading, cancelling and checking in through the API."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select

from coworking.booking.models import Booking
from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.presence.models import Presence
from tests.api.conftest import morning, times


def count(app, model):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model))


def test_a_booking_has_the_lieu_s_local_time(booking, cast, place):
    unit = booking["units"][0]
    assert booking["starts_at"] == unit["starts_at"] == "2026-11-26T09:00:00+01:00"
    assert booking["ends_at"] == "2026-11-26T13:00:00+01:00"
    assert (booking["status"], booking["source"], booking["cancelled_at"]) == ("confirmed", "api", None)
    assert booking["person"] == {"id": cast.member.public_id, "name": "Anne Marchand"}
    assert (unit["kind"], unit["half"], unit["outcome"]) == ("desk", "am", "pending")
    assert unit["resource_id"] in {desk.public_id for desk in place.desks}


def test_any_offset_is_read_and_the_lieu_s_is_written(member):
    body = {"starts_at": "2026-11-26T08:00:00Z", "ends_at": "2026-11-26T07:00:00.000-05:00", "kind": "desk"}
    assert member.post("/bookings", body).get_json()["ends_at"] == "2026-11-26T13:00:00+01:00"


def test_in_summer_the_offset_is_summer_s(member, clock):
    clock.set(datetime(2027, 3, 27, 8, 0, tzinfo=UTC))
    body = {"starts_at": "2027-03-30T09:00:00+02:00", "ends_at": "2027-03-30T10:00:00+02:00", "kind": "desk"}
    assert member.post("/bookings", body).get_json()["starts_at"] == "2027-03-30T09:00:00+02:00"


def test_a_given_resource_a_kind_in_a_zone_and_several_items(member, place, app):
    room, desk = place.rooms[0], place.desks[2]
    first = member.post(
        "/bookings", times("14:00", "15:30") | {"resource_id": room.public_id, "title": "Conseil", "guests": 4}
    )
    assert (first.get_json()["title"], first.get_json()["guests"]) == ("Conseil", 4)
    assert first.get_json()["units"][0]["half"] is None
    zone = member.get("/lieu").get_json()["zones"][0]
    second = member.post("/bookings", morning(27, kind="desk", zone_id=zone["id"]))
    assert second.status_code == 201 and zone["name"] == "Grand plateau"
    items = [{"resource_id": desk.public_id}, {"kind": "room"}]
    third = member.post("/bookings", times("09:00", "13:00", 30) | {"items": items})
    assert [unit["kind"] for unit in third.get_json()["units"]] in (["desk", "room"], ["room", "desk"])
    assert count(app, Booking) == 3


def test_several_items_are_all_booked_or_none(member, host, place, app):
    taken = place.rooms[0].public_id
    assert host.post("/bookings", times("10:00", "11:00") | {"resource_id": taken}).status_code == 201
    items = [{"resource_id": place.desks[0].public_id}, {"resource_id": taken}]
    answer = member.post("/bookings", times("10:00", "11:00") | {"items": items})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "claim_conflict")
    assert count(app, Booking) == 1


def test_the_loser_learns_what_is_free(program, cast, booking):
    desk = booking["units"][0]["resource_id"]
    answer = program(cast.stranger).post("/bookings", morning(resource_id=desk))
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (409, "claim_conflict")
    assert answer.content_type == "application/problem+json"
    assert len(problem["free"]) == 3 and desk not in {one["resource_id"] for one in problem["free"]}
    again = program(cast.stranger).post("/bookings", morning(resource_id=problem["free"][0]["resource_id"]))
    assert again.status_code == 201


def test_when_nothing_is_free_it_says_so(program, cast, place):
    for person in (cast.member, cast.colleague, cast.stranger, cast.host):
        assert program(person).post("/bookings", morning()).status_code == 201
    answer = program(cast.lead).post("/bookings", morning())
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["free"]) == (409, "claim_conflict", [])


def test_cancelling_twice_is_fine(member, booking, app):
    first = member.post(f"/bookings/{booking['id']}/cancel")
    second = member.post(f"/bookings/{booking['id']}/cancel")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.get_json() == second.get_json()
    assert first.get_json()["status"] == "cancelled"
    assert first.get_json()["cancelled_at"] == "2026-11-24T10:36:00+01:00"


def test_checking_in_marks_the_unit_once(member, app):
    made = member.post("/bookings", morning(24)).get_json()
    for _ in range(2):
        answer = member.post(f"/bookings/{made['id']}/check-in")
        assert (answer.status_code, answer.get_json()["units"][0]["outcome"]) == (200, "came")
    assert count(app, Presence) == 1


def test_one_checks_in_on_the_day_itself(member, booking):
    answer = member.post(f"/bookings/{booking['id']}/check-in")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_today")


def test_someone_who_just_comes_gets_a_desk(member, app):
    first, second = member.post("/presences", {}), member.post("/presences", {})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    presence = first.get_json()
    assert (presence["arrived_at"], presence["left_at"], presence["evidence"]) == (
        "2026-11-24T10:36:00+01:00",
        None,
        "self",
    )
    booked = member.get(f"/bookings/{presence['booking_id']}").get_json()
    assert (booked["source"], booked["units"][0]["outcome"]) == ("walkin", "came")
    assert count(app, Presence) == 1


def test_an_arrival_needs_no_body(member):
    assert member.post("/presences", data="").status_code == 201


def test_staff_book_and_receive_for_someone_and_it_is_traced(host, cast, app):
    made = host.post("/bookings", morning(24, kind="desk", person_id=cast.member.public_id))
    assert made.get_json()["person"]["id"] == cast.member.public_id
    arrived = host.post("/presences", {"person_id": cast.member.public_id}).get_json()
    assert (arrived["evidence"], arrived["booking_id"]) == ("host", made.get_json()["id"])
    with app.app_context():
        actions = set(db.session.scalars(select(AuditEntry.action)))
    assert {"booking.made", "presence.arrived"} <= actions


def test_the_detail_is_said_in_the_reader_s_language(app, member, booking, cast, program):
    """The person's own choice is French; the code is the same for everyone."""
    answer = program(cast.stranger).post("/bookings", morning(resource_id=booking["units"][0]["resource_id"]))
    assert answer.get_json()["detail"] == "Quelqu’un vient de la prendre."


def test_the_lieu(member, place):
    data = member.get("/lieu").get_json()
    assert (data["name"], data["timezone"], data["horizon_days"]) == ("La Fabrique du Pont", "Europe/Paris", 90)
    assert [zone["name"] for zone in data["zones"]] == ["Grand plateau", "Salles"]


def test_its_resources(member, place):
    everything, rooms = member.get("/resources").get_json(), member.get("/resources", kind="room").get_json()
    assert [row["name"] for row in everything["items"]] == [*(f"Poste {n}" for n in range(1, 5)), "Durolle", "Cabine"]
    assert [(row["name"], row["seats"]) for row in rooms["items"]] == [("Durolle", 12), ("Cabine", 1)]
    assert everything["next"] is rooms["next"] is None
