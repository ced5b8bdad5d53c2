"""Bad input gets a clear answer and changes nothing: what is wrong, where, and never a 5xx."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO

import pytest
from sqlalchemy import func, select

from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.spaces import services as spaces
from coworking.spaces.rules import Closing
from tests.api.conftest import morning, times

pytestmark = pytest.mark.once

DESK = {"kind": "desk"}
ROOM = {"kind": "room"}


@pytest.fixture(autouse=True)
def nothing_changes(app, place):
    yield
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Booking)) == 0


def refused(answer, status, code, field=None):
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.content_type == "application/problem+json"
    assert problem["status"] == status and problem["title"] and problem["detail"]
    if field is not None:
        assert problem["field"] == field
    return problem


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (times("13:00", "09:00") | DESK, 422, "ends_before_start", "ends_at"),
        (times("13:00", "13:00") | DESK, 422, "ends_before_start", "ends_at"),
        (times("09:00", "13:00", 23) | DESK, 422, "in_past", "starts_at"),
        (times("09:00", "10:00", 24) | ROOM, 422, "in_past", "starts_at"),
        (times("19:00", "20:00") | ROOM, 422, "outside_opening_hours", "starts_at"),
        (times("19:00", "20:00") | DESK, 422, "outside_opening_hours", "starts_at"),
        (times("08:00", "10:00") | ROOM, 422, "outside_opening_hours", "starts_at"),
        (times("09:00", "13:00", 29) | DESK, 422, "outside_opening_hours", None),
        (times("09:10", "10:00") | ROOM, 422, "off_step", "starts_at"),
        (
            {"starts_at": "2026-12-25T09:00:00+01:00", "ends_at": "2026-12-25T13:00:00+01:00"} | DESK,
            422,
            "on_holiday",
            None,
        ),
        (
            {"starts_at": "2027-06-01T09:00:00+02:00", "ends_at": "2027-06-01T13:00:00+02:00"} | DESK,
            422,
            "beyond_horizon",
            "starts_at",
        ),
        (
            {"starts_at": "2026-11-26T09:00:00+01:00", "ends_at": "2026-11-27T13:00:00+01:00"} | DESK,
            422,
            "not_on_one_day",
            "ends_at",
        ),
        (morning(resource_id="2222222222222222"), 404, "not_found", "resource_id"),
        (morning(kind="desk", zone_id="2222222222222222"), 404, "not_found", "zone_id"),
        (morning(kind="desk", person_id="2222222222222222"), 404, "not_found", "person_id"),
        (morning() | {"starts_at": "2026-11-26T09:00:00"}, 422, "offset_required", "starts_at"),
        (morning() | {"ends_at": "2026-11-26T13:00"}, 422, "offset_required", "ends_at"),
    ],
)
def test_what_the_rules_refuse(member, body, status, code, field):
    refused(member.post("/bookings", body), status, code, field)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"starts_at", "ends_at"}),
        (times("09:00", "13:00"), {"resource_id"}),
        ([], {"body"}),
        ("text", {"body"}),
        (7, {"body"}),
        (morning() | {"colour": "blue", "tint": 1}, {"colour", "tint"}),
        (morning(kind="desk", resource_id="x"), {"kind"}),
        (morning(items=[]), {"items"}),
        (morning(items=[{"kind": "desk"}] * 21), {"items"}),
        (morning(items={"kind": "desk"}), {"items"}),
        (morning(items=[{"kind": "desk"}, {"kind": "boat"}, 3]), {"items.1.kind", "items.2"}),
        (morning(items=[{"kind": "desk", "resource_id": "x"}]), {"items.0.kind"}),
        (morning(items=[{"kind": "desk", "size": 2}]), {"items.0.size"}),
        (morning(resource_id="x", zone_id="y"), {"zone_id"}),
        (morning(kind="boat"), {"kind"}),
        (morning(kind=None), {"kind"}),
        (morning(kind=["desk"]), {"kind"}),
        (morning() | {"guests": -1}, {"guests"}),
        (morning() | {"guests": 501}, {"guests"}),
        (morning() | {"guests": 10**400}, {"guests"}),
        (morning() | {"guests": "many"}, {"guests"}),
        (morning() | {"guests": 1.5}, {"guests"}),
        (morning() | {"title": "x" * 121}, {"title"}),
        (morning() | {"title": "a\x00b"}, {"title"}),
        (morning() | {"title": "\ud800"}, {"title"}),
        (morning() | {"title": {"a": 1}}, {"title"}),
        (morning(resource_id="a\x00"), {"resource_id"}),
        (morning(resource_id="\udfff"), {"resource_id"}),
        (morning() | {"starts_at": "tomorrow"}, {"starts_at"}),
        (morning() | {"starts_at": 1795680000}, {"starts_at"}),
        (morning() | {"starts_at": None}, {"starts_at"}),
        (morning() | {"starts_at": "2026-02-30T09:00:00+01:00"}, {"starts_at"}),
        (morning() | {"starts_at": "2026-11-26T25:00:00+01:00"}, {"starts_at"}),
        (morning() | {"starts_at": "2026-11-26T09:00:60+01:00"}, {"starts_at"}),
        (morning() | {"starts_at": "2026-11-26T09:00:00+25:00"}, {"starts_at"}),
        (morning() | {"starts_at": "0001-01-01T00:00:00+14:00"}, {"starts_at"}),
        (morning() | {"ends_at": "9999-12-31T23:59:59Z"}, {"ends_at"}),
        (morning() | {"ends_at": "2026-11-26"}, {"ends_at"}),
    ],
)
def test_what_cannot_be_read_is_named_field_by_field(member, body, fields):
    problem = refused(member.post("/bookings", body), 422, "invalid_input")
    assert {error["field"] for error in problem["errors"]} == fields
    assert all(error["message"] for error in problem["errors"]) and problem["field"] in fields


@pytest.mark.parametrize(
    "text",
    ["", "{", "{'kind': 'desk'}", '{"a": 1} 2', b"\xff\xfe{}", "[" * 100_000, '{"guests": ' + "1" * 5000 + "}"],
    ids=["nothing", "cut", "quotes", "two", "encoding", "nesting", "digits"],
)
def test_invalid_json_gets_its_own_error(member, text):
    refused(member.post("/bookings", data=text, content_type="application/json"), 400, "malformed_json")


def test_no_depth_of_nesting_breaks_anything(member):
    """Just below where the first reader gives up, a second one deeper in the stack must not."""
    for depth in (21, 100, *range(880, 1000, 4)):
        text = "[" * depth + "]" * depth
        refused(member.post("/bookings", data=text, content_type="application/json"), 400, "malformed_json")
    deep = "[" * 100_000
    refused(member.post("/bookings/x/check-in", data=deep, content_type="application/json", key="k"), 404, "not_found")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "a"])
def test_only_json_is_read(member, kind):
    refused(member.post("/bookings", data=json.dumps(morning()), content_type=kind), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/bookings", "/presences", "/bookings/x/cancel", "/bookings/x/check-in"])
def test_twenty_megabytes_are_too_many(member, path):
    body = json.dumps(morning() | {"title": "x" * 20_000_000})
    refused(member.post(path, data=body, content_type="application/json"), 413, "too_large")


def test_too_much_in_chunks_is_too_much(member):
    """Nobody says how long it will be: what is read up to the limit must not pass for the whole."""
    body = json.dumps(morning() | {"title": "x"}) + " " * 3_000_000
    options = {"input_stream": BytesIO(body.encode()), "environ_overrides": {"wsgi.input_terminated": True}}
    refused(member.post("/bookings", data=None, content_type="application/json", **options), 413, "too_large")


@pytest.mark.parametrize(
    ("path", "query", "code", "field"),
    [
        ("/availability", {}, "invalid_input", "from"),
        ("/availability", {"from": "2026-11-26T00:00:00Z"}, "invalid_input", "to"),
        ("/availability", {"from": "2026-11-26T00:00:00", "to": "2026-11-27T00:00:00Z"}, "offset_required", "from"),
        ("/availability", {"from": "2026-11-26T00:00:00Z", "to": "2026-11-26T00:00:00Z"}, "ends_before_start", "to"),
        ("/availability", {"from": "2026-11-01T00:00:00Z", "to": "2026-12-03T00:00:00Z"}, "range_too_long", "to"),
        ("/availability", {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "x": 1}, "invalid_input", "x"),
        ("/resources", {"kind": "boat"}, "invalid_input", "kind"),
        ("/bookings", {"from": "2020-11-01T00:00:00Z", "to": "2026-12-03T00:00:00Z"}, "range_too_long", "to"),
        *(
            ("/bookings", {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"} | more, code, field)
            for more, code, field in [
                ({"limit": 0}, "invalid_input", "limit"),
                ({"limit": 201}, "invalid_input", "limit"),
                ({"limit": "ten"}, "invalid_input", "limit"),
                ({"cursor": "x"}, "invalid_cursor", "cursor"),
                ({"cursor": "é"}, "invalid_cursor", "cursor"),
                ({"cursor": "WzEsMl0"}, "invalid_cursor", "cursor"),
                ({"cursor": "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIl0"}, "invalid_cursor", "cursor"),
                ({"cursor": "WzEsIlx1MDAwMCJd"}, "invalid_cursor", "cursor"),
            ]
        ),
    ],
)
def test_queries_that_cannot_be_answered(member, path, query, code, field):
    refused(member.get(path, **query), 422, code, field)


def test_a_plus_that_became_a_space_is_still_a_plus(member):
    asked = {"from": "2026-11-26T00:00:00 01:00", "to": "2026-11-27T00:00:00 01:00"}
    assert member.get("/availability", **asked).status_code == 200


def test_a_cursor_of_people_must_be_theirs(host):
    for cursor in ("x", "WyJhIl0", "WzFd"):
        refused(host.get("/people", cursor=cursor), 422, "invalid_cursor", "cursor")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_input", "first_name"),
        ({"first_name": " "}, "name_missing", None),
        ({"first_name": "Zoé", "email": "zoe"}, "email_invalid", "email"),
        ({"first_name": "Zoé", "phone": "call me"}, "phone_invalid", "phone"),
        ({"first_name": "Zoé", "invite": True}, "no_email", "email"),
        ({"first_name": "Zoé", "invite": "maybe"}, "invalid_input", "invite"),
        ({"first_name": "Zoé", "invite": 0}, "invalid_input", "invite"),
        ({"first_name": "Zoé", "invite": "true"}, "invalid_input", "invite"),
        ({"first_name": "Zoé", "roles": ["manager"]}, "invalid_input", "roles"),
    ],
)
def test_people_who_cannot_be_added(host, body, code, field):
    refused(host.post("/people", body), 422, code, field)


def test_a_closed_day_says_why(member, app, cast):
    thursday = date(2026, 11, 26)
    with app.app_context():
        spaces.add_closure(cast.manager.actor(), Closing(thursday, thursday, None, None, "Travaux"))
    assert "Travaux" in refused(member.post("/bookings", morning()), 422, "closed")["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/bookings/a%00b", "/bookings/%ff", "/bookings/2222222222222222"])
def test_what_is_not_there_is_not_found(member, path):
    refused(member.get(path), 404, "not_found")


def test_an_address_answers_to_its_methods_only(app, member):
    answer = app.test_client().delete("/api/v1/bookings")
    refused(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
