"""Who may do what with which token: everyone sees only what is theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from coworking.accounts import staff
from coworking.accounts.rules import SCOPES
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.presence.models import Presence
from tests.api.conftest import morning

pytestmark = pytest.mark.once

MONEY = ("payer", "cover", "amount_cents", "price_basis", "price_state")
"""What a host does not see of a unit."""

SPAN = {"from": "2026-11-01T00:00:00+01:00", "to": "2026-12-01T00:00:00+01:00"}
ENDPOINTS = [
    ("get", "/lieu", "lieu:read"),
    ("get", "/resources", "lieu:read"),
    ("get", "/availability", "lieu:read"),
    ("get", "/bookings", "bookings:read"),
    ("get", "/bookings/{id}", "bookings:read"),
    ("post", "/bookings", "bookings:write"),
    ("post", "/bookings/{id}/cancel", "bookings:write"),
    ("get", "/bookings/{id}/move", "bookings:read"),
    ("post", "/bookings/{id}/move", "bookings:write"),
    ("post", "/bookings/{id}/undo-move", "bookings:write"),
    ("post", "/bookings/{id}/checkout", "payments:write"),
    ("post", "/bookings/{id}/check-in", "presences:write"),
    ("post", "/presences", "presences:write"),
    ("get", "/people", "people:read"),
    ("post", "/people", "people:write"),
    ("get", "/statistics/monthly", "statistics:read"),
    ("get", "/invoices", "invoices:read"),
    ("get", "/invoices/{id}", "invoices:read"),
    ("get", "/invoices/{id}.pdf", "invoices:read"),
    ("post", "/invoices/{id}/checkout", "payments:write"),
    ("get", "/payments", "payments:read"),
    ("get", "/payers/{id}/account", "payments:read"),
    ("get", "/allowances", "bookings:read"),
    ("get", "/pack-offers", "lieu:read"),
    ("post", "/packs", "payments:write"),
    ("post", "/me/packs/{id}/refund-request", "payments:write"),
    ("post", "/me/packs/{id}/refund-request/take-back", "payments:write"),
    ("get", "/pack-requests", "payments:read"),
    ("post", "/pack-requests/{id}/decline", "payments:write"),
    ("post", "/pack-requests/{id}/give-back", "payments:write"),
    ("get", "/plans", "bookings:read"),
    ("get", "/subscriptions", "bookings:read"),
    ("post", "/subscriptions", "payments:write"),
    ("post", "/subscriptions/{id}/end", "payments:write"),
    ("get", "/people/{id}", "people:read"),
    ("post", "/people/{id}/figures", "people:write"),
    ("get", "/price-groups", "people:read"),
    ("get", "/people/{id}/reduced-prices", "people:read"),
    ("post", "/people/{id}/reduced-prices", "people:write"),
    ("post", "/people/{id}/reduced-prices/{id}/end", "people:write"),
    ("get", "/organisations", "organisations:read"),
    ("post", "/organisations", "organisations:write"),
    ("get", "/organisations/{id}", "organisations:read"),
    ("post", "/organisations/{id}/details", "organisations:write"),
    ("get", "/organisations/{id}/people", "organisations:read"),
    ("post", "/organisations/{id}/people", "organisations:write"),
    ("post", "/organisations/{id}/people/{id}/end", "organisations:write"),
    ("get", "/organisations/{id}/invitations", "organisations:read"),
    ("post", "/organisations/{id}/invitations", "organisations:write"),
    ("post", "/organisations/{id}/invitations/{id}/withdraw", "organisations:write"),
    ("get", "/organisations/{id}/agreements", "organisations:read"),
    ("post", "/organisations/{id}/agreements", "organisations:write"),
    ("post", "/organisations/{id}/agreements/{id}/end", "organisations:write"),
    ("post", "/organisations/{id}/agreements/{id}/order-number", "organisations:write"),
    ("post", "/me/data", "data:read"),
    ("get", "/assignments/{id}/move", "bookings:read"),
    ("post", "/assignments/{id}/move", "payments:write"),
    ("post", "/assignments/{id}/keep", "payments:write"),
    ("post", "/assignments/{id}/take-back", "payments:write"),
    ("get", "/price-groups/{id}", "lieu:read"),
    ("post", "/price-groups", "lieu:write"),
    ("post", "/price-groups/{id}/prices", "lieu:write"),
    ("post", "/price-groups/{id}/prices/{id}/remove", "lieu:write"),
    ("post", "/price-groups/{id}/close", "lieu:write"),
    ("post", "/price-groups/{id}/open", "lieu:write"),
    ("get", "/tariffs", "lieu:read"),
    ("get", "/tariffs/concerned", "lieu:read"),
    ("post", "/tariffs", "lieu:write"),
    ("post", "/tariffs/{id}/remove", "lieu:write"),
    ("get", "/sold", "lieu:read"),
    ("post", "/plans", "lieu:write"),
    ("post", "/plans/{id}/close", "lieu:write"),
    ("post", "/plans/{id}/open", "lieu:write"),
    ("post", "/pack-offers", "lieu:write"),
    ("post", "/pack-offers/{id}/close", "lieu:write"),
    ("post", "/pack-offers/{id}/open", "lieu:write"),
    ("post", "/articles", "lieu:write"),
    ("post", "/articles/{id}/prices", "lieu:write"),
    ("post", "/articles/{id}/close", "lieu:write"),
    ("post", "/articles/{id}/open", "lieu:write"),
    ("get", "/duplicates", "people:read"),
    ("get", "/duplicates/{id}/{id}", "people:read"),
    ("post", "/duplicates/{id}/{id}/two-people", "people:write"),
    ("post", "/people/{id}/merge", "people:write"),
    ("get", "/terms", "lieu:read"),
    ("post", "/terms", "lieu:write"),
    ("get", "/terms/{id}", "lieu:read"),
    ("get", "/me/agreements", "data:read"),
    ("post", "/me/agreements", "data:write"),
    ("post", "/me/consents", "data:write"),
    ("get", "/people/{id}/agreements", "people:read"),
    ("post", "/people/{id}/agreements/paper", "people:write"),
    ("post", "/people/{id}/agreements/{id}/take-back", "people:write"),
    ("post", "/people/{id}/consents", "people:write"),
    ("get", "/assignments", "bookings:read"),
    ("post", "/assignments", "payments:write"),
    ("post", "/assignments/{id}/end", "payments:write"),
]


def call(program, method, path, booking):
    path = path.format(id=booking["id"])
    return program.get(path, **SPAN) if method == "get" else program.post(path, morning())


def ids(answer):
    assert answer.status_code == 200, answer.get_json()
    return [one["id"] for one in answer.get_json()["items"]]


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_without_a_token_nothing_opens(program, booking, method, path, scope):
    answer = call(program(None), method, path, booking)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign_in_required")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_a_token_does_only_what_its_scopes_say(program, cast, booking, method, path, scope, app):
    others = program(cast.manager, *(set(SCOPES) - {scope}))
    answer = call(others, method, path, booking)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "missing_scope")
    assert scope in answer.get_json()["detail"]
    assert call(program(cast.manager, scope), method, path, booking).status_code != 403


@pytest.mark.parametrize("who", ["member", "colleague", "stranger", "accountant", "lead"])
def test_people_are_staff_s_business(program, cast, who):
    person = program(getattr(cast, who))
    one = f"/people/{cast.member.public_id}"
    for answer in (
        person.get("/people"),
        person.post("/people", {"first_name": "Zoé"}),
        person.get(one),
        person.post(f"{one}/figures", {"status": "student"}),
        person.get("/price-groups"),
        person.get(f"{one}/reduced-prices"),
        person.post(f"{one}/reduced-prices", {}),
        person.post(f"{one}/reduced-prices/2222222222222222/end"),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("who", ["colleague", "stranger", "accountant", "lead"])
def test_a_stranger_s_booking_does_not_exist(app, program, cast, booking, who):
    other = program(getattr(cast, who))
    answers = [
        other.get(f"/bookings/{booking['id']}"),
        other.post(f"/bookings/{booking['id']}/cancel"),
        other.post(f"/bookings/{booking['id']}/check-in"),
        other.get("/bookings", **SPAN, person_id=cast.member.public_id),
        other.post("/bookings", morning(27, kind="desk", person_id=cast.member.public_id)),
        other.post("/presences", {"person_id": cast.member.public_id}),
    ]
    absent = [
        other.get("/bookings/2222222222222222"),
        other.post("/bookings/2222222222222222/cancel"),
        other.post("/bookings/2222222222222222/check-in"),
        other.get("/bookings", **SPAN, person_id="2222222222222222"),
        other.post("/bookings", morning(27, kind="desk", person_id="2222222222222222")),
        other.post("/presences", {"person_id": "2222222222222222"}),
    ]
    for theirs, nobodys in zip(answers, absent, strict=True):
        assert theirs.status_code == 404
        assert theirs.get_json() == nobodys.get_json(), "a stranger's id must not be told apart from none"
    assert ids(other.get("/bookings", **SPAN)) == []
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Booking)) == 1
        assert db.session.scalar(select(Booking.status)) == "confirmed"
        assert db.session.scalar(select(func.count()).select_from(Presence)) == 0


def test_staff_see_everyone_s_bookings_and_one_person_s(program, cast, member, booking):
    theirs = program(cast.stranger).post("/bookings", morning(25)).get_json()
    unpriced = {**booking, "units": [{**unit, **dict.fromkeys(MONEY)} for unit in booking["units"]]}
    for person, seen in ((cast.host, unpriced), (cast.manager, booking)):
        staff = program(person)
        assert ids(staff.get("/bookings", **SPAN)) == [theirs["id"], booking["id"]]
        assert ids(staff.get("/bookings", **SPAN, person_id=cast.member.public_id)) == [booking["id"]]
        assert staff.get(f"/bookings/{booking['id']}").get_json() == seen
        unknown = staff.get("/bookings", **SPAN, person_id="nobody")
        assert (unknown.status_code, unknown.get_json()["field"]) == (404, "person_id")
    assert ids(member.get("/bookings", **SPAN)) == [booking["id"]]
    assert ids(member.get("/bookings", **SPAN, person_id=cast.member.public_id)) == [booking["id"]]


def test_staff_cancel_for_someone(host, booking):
    assert host.post(f"/bookings/{booking['id']}/cancel").get_json()["status"] == "cancelled"


def test_staff_add_people_and_page_through_them(host, cast):
    made = host.post("/people", {"first_name": " Zoé  Lou ", "last_name": "Roux", "email": "ZOE@demo.example"})
    assert made.status_code == 201
    assert (made.get_json()["first_name"], made.get_json()["email"]) == ("Zoé Lou", "zoe@demo.example")
    again = host.post("/people", {"first_name": "Zoé", "email": "zoe@demo.example"})
    assert (again.status_code, again.get_json()["code"], again.get_json()["field"]) == (409, "email_taken", "email")
    found, cursor = [], {}
    while True:
        page = host.get("/people", limit=3, **cursor).get_json()
        assert "items" in page, page
        found += [one["email"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(found) == len(set(found)) == 8 and found[-1] == "zoe@demo.example"


def test_a_closed_account_s_token_is_dead(app, program, cast, booking):
    token = program(cast.member)
    assert token.get("/lieu").status_code == 200
    with app.app_context():
        staff.deactivate(cast.manager.actor(), cast.member.public_id)
    assert token.get("/lieu").status_code == 401


def test_ids_are_opaque(member, booking, cast):
    """Nothing that goes out counts anything."""
    text = str(booking) + str(member.get("/resources").get_json()) + str(member.get("/lieu").get_json())
    assert "_id': " + str(cast.member.id) not in text
    assert len(booking["id"]) == 16 and not booking["id"].isdigit()


def test_tokens_need_no_csrf_and_cookies_open_nothing(app, sign_in, cast, program, monkeypatch, place):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    assert program(cast.member).post("/bookings", morning()).status_code == 201
    assert sign_in(cast.member).post("/api/v1/bookings", json=morning(27)).status_code == 401
