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
