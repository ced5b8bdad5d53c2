"""Bookings that must be paid first, for programs: held, paid on a page that is opened or given again, then confirmed."""

from __future__ import annotations

import pytest

from coworking.billing import online
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.api.conftest import times
from tests.booking.held import ask_first
from tests.support.api import Program


@pytest.fixture
def lise(app, billing_lieu, gateway):
    """Lise's program, at a lieu where rooms must be paid first."""
    with app.app_context():
        factories.make_tariff()
        ask_first()
        with write_unit():
            lock_lieu().is_simulation = True
    return Program(app, billing_lieu.cast.stranger)


@pytest.fixture
def held(lise, billing_lieu):
    answer = lise.post("/bookings", times("09:00", "11:00") | {"resource_id": billing_lieu.place.rooms[0].public_id})
    assert answer.status_code == 201
    return answer.get_json()


def test_a_held_booking_says_until_when_and_where_it_is_paid(lise, held, app, billing_lieu):
    assert (held["status"], held["held_until"]) == ("held", "2026-11-24T10:51:00+01:00")
    assert held["pay_url"].endswith(f"/bookings/{held['id']}/pay")
    (listed,) = lise.get(
        "/bookings", **{"from": "2026-11-26T00:00:00+01:00", "to": "2026-11-27T00:00:00+01:00"}
    ).get_json()["items"]
    assert listed == held == lise.get(f"/bookings/{held['id']}").get_json()
    host = Program(app, billing_lieu.cast.host)
    told = host.get(f"/bookings/{held['id']}").get_json()
    assert (told["held_until"], told["pay_url"]) == (held["held_until"], None)
    assert host.post(f"/bookings/{held['id']}/checkout", {}).status_code in (403, 404)
    stranger = Program(app, billing_lieu.cast.member)
    assert stranger.post(f"/bookings/{held['id']}/checkout", {}).status_code == 404


def test_its_page_is_opened_once_and_confirms_it(lise, held, app, gateway):
    made = [lise.post(f"/bookings/{held['id']}/checkout", body) for body in ({}, {"gateway": "stripe"}, {})]
    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert len({answer.get_json()["id"] for answer in made}) == 1
    assert made[0].get_json()["url"].startswith("http://pay.test/") and made[0].get_json()["cents"] == 3000
    (checkout,) = gateway.facts
    gateway.become(checkout, "paid")
    with app.app_context():
        online.settle("stripe", checkout)
    paid = lise.get(f"/bookings/{held['id']}").get_json()
    assert (paid["status"], paid["held_until"], paid["pay_url"]) == ("confirmed", None, None)
    again = lise.post(f"/bookings/{held['id']}/checkout", {})
    assert (again.status_code, again.get_json()["code"]) == (409, "nothing_to_pay")


def test_the_same_key_is_the_same_page(lise, held):
    made = [lise.post(f"/bookings/{held['id']}/checkout", {}, key="pay-1").get_json() for _ in range(2)]
    assert made[0] == made[1]


def test_after_its_time_no_page_is_opened(lise, held, clock, gateway):
    clock.advance(minutes=16)
    answer = lise.post(f"/bookings/{held['id']}/checkout", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "sale_over")
    assert gateway.wanted == []


def test_what_is_not_paid_first_has_no_such_page(lise, billing_lieu):
    made = lise.post("/bookings", times("09:00", "13:00") | {"kind": "desk"}).get_json()
    assert (made["status"], made["held_until"], made["pay_url"]) == ("confirmed", None, None)
    assert lise.post(f"/bookings/{made['id']}/checkout", {}).status_code == 404
