"""Packs and allowances for programs: what one has, what can be bought, buying at the price that was read, once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.core import sales
from coworking.core.db import db
from coworking.membership.models import Pack
from tests.factories import make_pack, make_pack_offer, make_subscription, make_tariff
from tests.membership.first import ask_first


@pytest.fixture
def offer(app, place, cast) -> str:
    with app.app_context():
        make_tariff()
        return make_pack_offer("Carnet de dix", units=10, cents=8000).public_id


def test_what_is_offered_is_bought_at_the_price_that_was_read(app, offer, member):
    (one,) = member.get("/pack-offers").get_json()["items"]
    assert one == {
        "id": offer,
        "name": "Carnet de dix",
        "unit": "half_day",
        "units": 10,
        "cents": 8000,
        "valid_months": 6,
    }
    dear = member.post("/packs", {"offer_id": offer, "agreed_cents": 7999})
    assert (dear.status_code, dear.get_json()["code"]) == (409, "price_changed")
    bought = member.post("/packs", {"offer_id": offer, "agreed_cents": 8000})
    assert bought.status_code == 201, bought.get_json()
    shown = bought.get_json()
    assert (shown["units"], shown["left"], shown["valid_from"]) == (10, 10, "2026-11-24")
    assert member.post("/packs", {"offer_id": "2222222222222222", "agreed_cents": 8000}).status_code == 404
    with app.app_context():
        assert db.session.scalar(select(func.count(Pack.id))) == 1


def test_what_one_has_is_one_s_own(app, offer, cast, member, program):
    with app.app_context():
        make_subscription(cast.member, halfdays=10)
        make_pack(cast.member, unit="hour", units=300, valid_until=date(2027, 1, 31))
    plan, pack = member.get("/allowances", month="2026-11").get_json()["items"]
    assert (plan["kind"], plan["given"], plan["used"], plan["left"]) == ("plan", 10, 0, 10)
    assert (pack["kind"], pack["unit"], pack["left"], pack["until"]) == ("pack", "hour", 300, "2027-01-31")
    assert program(cast.manager).get("/allowances", month="2026-11").get_json()["items"] == []
    assert member.get("/allowances").status_code == 422


def test_what_is_paid_first_is_not_had_through_a_program(app, offer, member, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    with app.app_context():
        ask_first()
    answer = member.post("/packs", {"offer_id": offer, "agreed_cents": 8000})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "must_be_paid_first")


# Asking for the rest to be given back ---------------------------------------------------------------------------------


@pytest.fixture
def sold(app, place, cast) -> str:
    """The public id of Anne's pack of ten half-days for 80 €, sold to her on the spot."""
    with app.app_context():
        return make_pack(cast.member, cents=8000).public_id


def test_one_asks_once_and_takes_it_back(sold, member):
    asked = member.post(f"/me/packs/{sold}/refund-request", {"reason": "I move away"})
    assert asked.status_code == 201, asked.get_json()
    shown = asked.get_json()
    assert (shown["state"], shown["reason"], shown["left"], shown["cents"]) == ("open", "I move away", 10, 8000)
    assert member.post(f"/me/packs/{sold}/refund-request", {}).get_json() == shown
    for key in ("t1", "t1", None):
        back = member.post(f"/me/packs/{sold}/refund-request/take-back", key=key).get_json()
        assert (back["id"], back["state"], back["cents"]) == (shown["id"], "taken_back", None)


def test_managers_read_what_waits_and_answer_at_what_they_read(sold, member, program, cast):
    asked = member.post(f"/me/packs/{sold}/refund-request", {}).get_json()
    manager = program(cast.manager)
    assert manager.get("/pack-requests").get_json()["items"] == [asked]
    one = f"/pack-requests/{asked['id']}"
    wrong = manager.post(f"{one}/give-back", {"agreed_cents": 7000, "agreed_units": 10})
    assert (wrong.status_code, wrong.get_json()["code"]) == (409, "pack_refund_changed")
    for _ in range(2):
        declined = manager.post(f"{one}/decline", {"reason": "It was on offer"}).get_json()
        assert (declined["state"], declined["answer"]) == ("declined", "It was on offer")
    again = member.post(f"/me/packs/{sold}/refund-request", {}).get_json()
    one = f"/pack-requests/{again['id']}"
    for _ in range(2):
        given = manager.post(f"{one}/give-back", {"agreed_cents": 8000, "agreed_units": 10}, key="g1").get_json()
        assert (given["state"], given["cents"], given["left"]) == ("granted", 8000, 0)
    closed = manager.post(f"{one}/decline", {"reason": "No"})
    assert (closed.status_code, closed.get_json()["code"]) == (409, "pack_request_closed")
    assert manager.get("/pack-requests").get_json()["items"] == []


def test_nobody_asks_for_another_and_only_managers_answer(sold, member, program, cast):
    for other in (program(cast.stranger), program(cast.manager)):
        theirs = other.post(f"/me/packs/{sold}/refund-request", {})
        nobodys = other.post("/me/packs/2222222222222222/refund-request", {})
        assert theirs.status_code == 404
        assert theirs.get_json() == nobodys.get_json()
        assert other.post(f"/me/packs/{sold}/refund-request/take-back").status_code == 404
    asked = member.post(f"/me/packs/{sold}/refund-request", {}).get_json()
    for other in (member, program(cast.host)):
        for answer in (
            other.get("/pack-requests"),
            other.post(f"/pack-requests/{asked['id']}/decline", {"reason": "No"}),
            other.post(f"/pack-requests/{asked['id']}/give-back", {"agreed_cents": 8000, "agreed_units": 10}),
        ):
            assert answer.status_code == 403
