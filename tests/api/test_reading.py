"""Pages that stay stable, availability that can be booked, and what both cost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces import services as spaces
from coworking.spaces.models import Resource
from coworking.spaces.rules import Closing
from tests.api.conftest import morning, times

NOVEMBER = {"from": "2026-11-01T00:00:00+01:00", "to": "2026-12-01T00:00:00+01:00"}
THURSDAY = {"from": "2026-11-26T00:00:00+01:00", "to": "2026-11-27T00:00:00+01:00"}


def pages(program, **query):
    """Every page, one after the other."""
    cursor = None
    while True:
        answer = program.get("/bookings", **NOVEMBER, **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.get_json()
        page = answer.get_json()
        yield [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return


@pytest.fixture
def many(program, cast):
    """Twelve bookings of four people on three mornings: equal starts are the hard case."""
    people = [program(person) for person in (cast.member, cast.colleague, cast.stranger, cast.host)]
    return [person.post("/bookings", morning(day)).get_json() for day in (25, 26, 27) for person in people]


@pytest.mark.parametrize("limit", [1, 5, 12, 200])
def test_pages_hold_everything_once_in_order(host, many, limit):
    found = [one for page in pages(host, limit=limit) for one in page]
    assert sorted(found) == sorted(one["id"] for one in many) and len(found) == 12
    starts = {one["id"]: one["starts_at"] for one in many}
    assert [starts[one] for one in found] == sorted(starts.values())


def test_a_full_last_page_is_the_last(host, many):
    assert [len(page) for page in pages(host, limit=6)] == [6, 6]


def test_changes_between_pages_repeat_and_skip_nothing(host, many, program, cast):
    walk = pages(host, limit=5)
    found = next(walk)
    assert host.post(f"/bookings/{found[0]}/cancel").status_code == 200
    assert program(cast.lead).post("/bookings", times("15:00", "16:00", 24) | {"kind": "room"}).status_code == 201
    found += [one for page in walk for one in page]
    assert sorted(found) == sorted(one["id"] for one in many)


def test_bookings_are_those_that_begin_in_the_span(host, many):
    asked = {"from": "2026-11-26T09:00:00+01:00", "to": "2026-11-27T09:00:00+01:00"}
    found = host.get("/bookings", **asked).get_json()["items"]
    assert {one["starts_at"] for one in found} == {"2026-11-26T09:00:00+01:00"} and len(found) == 4


def test_a_member_s_pages_hold_their_own_only(member, many, cast):
    found = [one for page in pages(member, limit=2) for one in page]
    assert found == [one["id"] for one in many if one["person"]["id"] == cast.member.public_id]


# Availability ---------------------------------------------------------------------------------------------------------


def free(program, name, **query):
    answer = program.get("/availability", **(THURSDAY | query))
    assert answer.status_code == 200, answer.get_json()
    row = next(row for row in answer.get_json()["items"] if row["name"] == name)
    return [(one["starts_at"][8:16], one["ends_at"][8:16], one["half"]) for one in row["free"]]


def test_desks_are_free_by_half_day(member, place):
    assert free(member, "Poste 1") == [("26T09:00", "26T13:00", "am"), ("26T13:00", "26T18:00", "pm")]
    assert member.post("/bookings", morning(resource_id=place.desks[0].public_id)).status_code == 201
    assert free(member, "Poste 1") == [("26T13:00", "26T18:00", "pm")]


def test_rooms_are_free_between_what_is_taken(member, place):
    room = place.rooms[0].public_id
    assert free(member, "Durolle") == [("26T09:00", "26T18:00", None)]
    assert member.post("/bookings", times("10:00", "11:30") | {"resource_id": room}).status_code == 201
    assert free(member, "Durolle") == [("26T09:00", "26T10:00", None), ("26T11:30", "26T18:00", None)]
    asked = {"from": "2026-11-26T09:30:00+01:00", "to": "2026-11-26T12:00:00+01:00"}
    assert free(member, "Durolle", **asked) == [("26T09:30", "26T10:00", None), ("26T11:30", "26T12:00", None)]


def test_time_to_tidy_up_is_not_free(member, place, app):
    room = place.rooms[0]
    with app.app_context(), write_unit():
        db.session.get(Resource, room.id).buffer_after = 15
    assert member.post("/bookings", times("10:00", "11:00") | {"resource_id": room.public_id}).status_code == 201
    assert free(member, "Durolle") == [("26T09:00", "26T09:45", None), ("26T11:15", "26T18:00", None)]
    early = times("09:00", "09:45") | {"resource_id": room.public_id}
    late = times("11:15", "18:00") | {"resource_id": room.public_id}
    assert [member.post("/bookings", body).status_code for body in (early, late)] == [201, 201]
    assert free(member, "Durolle") == []


def test_what_is_said_to_be_free_can_be_booked(member, place):
    """One desk and, since the day ends for all rooms alike, one room: a person takes one of each at a time."""
    first = {"Poste 1", place.rooms[0].name}
    for row in member.get("/availability", **THURSDAY).get_json()["items"]:
        one = row["free"][-1]
        body = {"resource_id": row["resource_id"], "starts_at": one["starts_at"], "ends_at": one["ends_at"]}
        status = member.post("/bookings", body).status_code
        assert status == (201 if row["name"] in first else 409)


def test_the_past_closures_holidays_and_the_horizon_are_not_free(member, cast, app, place):
    today = {"from": "2026-11-24T00:00:00+01:00", "to": "2026-11-25T00:00:00+01:00"}
    assert free(member, "Durolle", **today) == [("24T10:45", "24T18:00", None)]
    assert free(member, "Poste 1", **today) == [("24T09:00", "24T13:00", "am"), ("24T13:00", "24T18:00", "pm")]
    yesterday = {"from": "2026-11-20T00:00:00+01:00", "to": "2026-11-24T00:00:00+01:00"}
    assert free(member, "Durolle", **yesterday) == free(member, "Poste 1", **yesterday) == []
    with app.app_context():
        spaces.add_closure(
            cast.manager.actor(), Closing(date(2026, 11, 26), date(2026, 11, 26), 12 * 60, 14 * 60, "Travaux")
        )
    assert free(member, "Durolle") == [("26T09:00", "26T12:00", None), ("26T14:00", "26T18:00", None)]
    christmas = {"from": "2026-12-25T00:00:00+01:00", "to": "2026-12-26T00:00:00+01:00"}
    assert free(member, "Durolle", **christmas) == []
    beyond = {"from": "2027-02-22T00:00:00+01:00", "to": "2027-02-24T00:00:00+01:00"}
    assert free(member, "Durolle", **beyond) == [("22T09:00", "22T18:00", None)]


def closed(program, first, last):
    query = {"from": f"{first}T00:00:00+01:00", "to": f"{last}T00:00:00+01:00"}
    answer = program.get("/availability", kind="room", **query).get_json()
    return {day["day"]: (day["code"], day["reason"]) for day in answer["closed"]}


def test_availability_says_which_days_are_closed_and_why(member, host, cast, app):
    """With the code that a booking on that day would be refused with."""
    with app.app_context():
        manager, works, cleaning = cast.manager.actor(), date(2026, 11, 26), date(2026, 11, 27)
        spaces.add_closure(manager, Closing(works, works, None, None, "Travaux"))
        spaces.add_closure(manager, Closing(cleaning, cleaning, 12 * 60, 14 * 60, "Ménage"))
    week = closed(member, "2026-11-23", "2026-11-30")  # a full day ends where the next one begins
    assert {day: code for day, (code, _) in week.items()} == {
        "2026-11-26": "closed",
        "2026-11-27": "closed",
        "2026-11-29": "outside_opening_hours",
    }
    assert "Travaux" in week["2026-11-26"][1]
    assert "Ménage" in week["2026-11-27"][1] and "9–12" in week["2026-11-27"][1]
    assert closed(member, "2026-12-25", "2026-12-26")["2026-12-25"][0] == "on_holiday"
    beyond = closed(member, "2027-02-22", "2027-02-25")
    assert [(day, code) for day, (code, _) in beyond.items()] == [
        ("2027-02-23", "beyond_horizon"),
        ("2027-02-24", "beyond_horizon"),
    ]
    for day, code in {
        "2026-11-26": "closed",
        "2026-11-29": "outside_opening_hours",
        "2027-02-23": "beyond_horizon",
    }.items():
        body = {"kind": "room", "starts_at": f"{day}T10:00:00+01:00", "ends_at": f"{day}T11:00:00+01:00"}
        assert member.post("/bookings", body).get_json()["code"] == code
    assert closed(member, "2026-11-02", "2026-11-20") == {}  # what is over is neither free nor worth explaining


def test_across_the_change_of_clocks_hours_stay_on_the_wall(member, clock, place):
    clock.set(datetime(2027, 3, 20, 8, tzinfo=UTC))
    asked = {"from": "2027-03-27T00:00:00+01:00", "to": "2027-04-01T00:00:00+02:00"}
    row = member.get("/availability", **asked, kind="room").get_json()["items"][0]
    starts = [one["starts_at"] for one in row["free"]]
    assert starts == ["2027-03-27T09:00:00+01:00", "2027-03-30T09:00:00+02:00", "2027-03-31T09:00:00+02:00"]


def test_a_place_kept_for_an_undo_is_not_free_until_it_runs_out(member, place, clock):
    made = member.post("/bookings", morning(resource_id=place.desks[0].public_id)).get_json()
    member.post(f"/bookings/{made['id']}/cancel")
    assert [half for *_, half in free(member, "Poste 1")] == ["pm"]
    clock.advance(minutes=3)
    assert [half for *_, half in free(member, "Poste 1")] == ["am", "pm"]


def test_kinds_can_be_asked_for(member, place):
    rows = member.get("/availability", **THURSDAY, kind="room").get_json()
    assert [row["name"] for row in rows["items"]] == ["Durolle", "Cabine"] and rows["next"] is None


# What it costs --------------------------------------------------------------------------------------------------------


def double(app, place):
    """As many desks and rooms again."""
    with app.app_context(), write_unit():
        for row in [*place.desks, *place.rooms]:
            copy = Resource(kind=row.kind, name=f"{row.name} bis", seats=row.seats, zone_id=row.zone_id)
            copy.position, copy.in_service_from = row.position + 10, row.in_service_from
            db.session.add(copy)


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (lambda program, day: program.get("/availability", **NOVEMBER), 8),
        (lambda program, day: program.get("/bookings", **NOVEMBER), 6),
        (lambda program, day: program.get("/resources"), 4),
        (lambda program, day: program.post("/bookings", morning(day)), 24),
        (lambda program, day: program.post("/bookings", morning(day), key=f"k{day}"), 27),
    ],
    ids=["availability", "bookings", "resources", "book", "book once"],
)
def test_statements_do_not_grow_with_what_is_there(
    app, place, many, program, cast, clock, count_statements, call, most
):
    caller = program(cast.lead)
    caller.get("/lieu")  # notes that the token is in use, once an hour
    with count_statements() as before:
        assert call(caller, 24).status_code < 300
    double(app, place)
    with app.app_context():
        for number, person in enumerate((cast.member, cast.colleague, cast.stranger)):
            services.book_half_days(person.actor(), date(2026, 11, 30) + timedelta(days=number % 2), frozenset({"am"}))
    clock.advance(minutes=11)  # the e-mail about the first booking no longer waits for more
    with count_statements() as after:
        assert call(caller, 30).status_code < 300
    assert len(after) == len(before), f"{before}\n\n{after}"
    assert len(after) <= most, str(after)
