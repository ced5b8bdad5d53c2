"""Paying a booking before it counts, over HTTP: from the sheet that says the price to the page that says it is booked."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.booking.held import ask_first

pytestmark = pytest.mark.once

DAY = "2026-11-26"


@pytest.fixture
def lise(app, billing_lieu, gateway, sign_in):
    """Lise has no plan, at a lieu where desks and rooms must be paid first."""
    with app.app_context():
        factories.make_tariff()
        ask_first(pay_first_desks="no_plan")
    return sign_in(billing_lieu.cast.stranger)


def only_booking(app) -> tuple[str, str]:
    with app.app_context():
        row = db.session.scalars(select(Booking).order_by(Booking.id.desc())).first()
        return row.public_id, row.status


def taps(lise, **more):
    return lise.post("/bookings", data={"day": DAY, "half": "am", **more})


def test_from_the_price_to_the_place(app, lise, gateway, billing_lieu):
    sheet = taps(lise).get_data(as_text=True)
    assert "À payer tout de suite" in sheet and "Réserver et payer 9,00" in sheet
    answer = taps(lise, agreed="900")
    public_id, status = only_booking(app)
    assert (answer.status_code, status) == (303, "held")
    assert answer.location.endswith(f"/bookings/{public_id}/pay")
    page = lise.get(answer.location)
    said = page.get_data(as_text=True)
    assert "gardée pour vous jusqu’à 10\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}51" in said.replace(
        "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
    )
    assert "Il reste 15 minutes" in said and "http://pay.test" in page.headers["Content-Security-Policy"]
    for path in ("/week?from=2026-11-23", "/bookings"):
        assert f"/bookings/{public_id}/pay" in lise.get(path).get_data(as_text=True)
    assert "is-held" in lise.get("/week?from=2026-11-23").get_data(as_text=True)
    urls = {lise.post(f"/bookings/{public_id}/pay", data={"gateway": "stripe"}).location for _tap in range(2)}
    assert len(urls) == 1  # a second tap leads to the same page
    (wanted,) = gateway.wanted
    gateway.become(f"cs_{wanted.key}", "paid")
    back = lise.get(wanted.return_url.removeprefix("http://localhost").removeprefix("http://lieu.test"))
    assert "C’est réservé" in back.get_data(as_text=True)
    assert only_booking(app)[1] == "confirmed"
    assert "payé d’avance" in lise.get(f"/bookings/{public_id}").get_data(as_text=True)


def test_what_was_not_paid_says_so_and_asks_for_nothing(app, lise, gateway, clock):
    taps(lise, agreed="900")
    public_id, _status = only_booking(app)
    clock.advance(minutes=16)
    said = lise.get(f"/bookings/{public_id}/pay").get_data(as_text=True)
    assert "de nouveau libre" in said and "gateway" not in said
    assert only_booking(app)[1] == "cancelled"


def test_while_the_gateway_is_silent_the_place_is_only_being_freed(app, lise, gateway, billing_lieu, sign_in, clock):
    taps(lise, agreed="900")
    public_id, _status = only_booking(app)
    lise.post(f"/bookings/{public_id}/pay", data={"gateway": "stripe"})
    gateway.away = True
    clock.advance(minutes=16)
    page, booking = (lise.get(f"/bookings/{public_id}{path}").get_data(as_text=True) for path in ("/pay", ""))
    assert only_booking(app)[1] == "held", "nobody knows yet whether it was paid"
    for said in (page, booking):
        assert "en train d’être libérée" in said and "de nouveau libre" not in said
    assert "Payer avant" not in booking and "pas payé" in booking
    assert "Rien n’est dû" in sign_in(billing_lieu.cast.host).get(f"/bookings/{public_id}").get_data(as_text=True)


def test_a_strangers_booking_is_not_there_and_a_host_reads_no_price(app, lise, billing_lieu, sign_in):
    taps(lise, agreed="900")
    public_id, _status = only_booking(app)
    for person in (billing_lieu.cast.member, billing_lieu.cast.host):
        assert sign_in(person).get(f"/bookings/{public_id}/pay").status_code == 404
    assert sign_in(billing_lieu.cast.manager).get(f"/bookings/{public_id}/pay").status_code == 200


def test_giving_it_up_frees_it(app, lise, billing_lieu, sign_in):
    lise.get(taps(lise, agreed="900").location)
    public_id, _status = only_booking(app)
    lise.post(f"/bookings/{public_id}/cancel", data={})
    assert only_booking(app)[1] == "cancelled"
    assert "annulé" in lise.get(f"/bookings/{public_id}/pay").get_data(as_text=True)


def test_a_tap_by_htmx_loads_the_page_whole(app, lise):
    lise.get("/week?from=2026-11-23")
    data = {"day": DAY, "half": "am", "agreed": "900"}
    answer = lise.post("/bookings", data=data, headers={"HX-Request": "true"})
    assert answer.status_code == 204 and answer.headers["HX-Redirect"].endswith("/pay")


def test_a_manager_sets_who_pays_first(app, billing_lieu, gateway, sign_in):
    manager = sign_in(billing_lieu.cast.manager)
    manager.get("/settings/payments")
    rules = {"pay_first_desks": "no_plan", "pay_first_rooms": "everyone"}
    answer = manager.post("/settings/payments/first", data={**rules})
    assert answer.status_code == 303
    with app.app_context(), write_unit():
        lieu = lock_lieu()
        assert (lieu.pay_first_desks, lieu.pay_first_rooms) == ("no_plan", "everyone")
    wrong = manager.post("/settings/payments/first", data={"pay_first_desks": "all"})
    assert wrong.status_code == 404
    host = sign_in(billing_lieu.cast.host)
    assert host.post("/settings/payments/first", data={**rules}).status_code in (403, 404)


def test_money_that_came_too_late_stands_on_today_until_it_is_given_back(
    app, lise, gateway, billing_lieu, sign_in, clock
):
    taps(lise, agreed="900")
    public_id, _status = only_booking(app)
    lise.get(f"/bookings/{public_id}/pay")
    lise.post(f"/bookings/{public_id}/pay", data={"gateway": "stripe"})
    (wanted,) = gateway.wanted
    lise.post(f"/bookings/{public_id}/cancel", data={})
    gateway.become(f"cs_{wanted.key}", "paid")
    back = lise.get(wanted.return_url.removeprefix("http://localhost").removeprefix("http://lieu.test"))
    assert "Toute la somme vous sera rendue" in back.get_data(as_text=True)
    manager = sign_in(billing_lieu.cast.manager)
    today = manager.get("/today")
    said = today.get_data(as_text=True)
    (path,) = re.findall(r'action="(/payments/[^"]+/given-back)"', said)
    assert "a payé trop tard" in said
    manager.post(path, data={"cents": "900"})
    assert "a payé trop tard" not in manager.get("/today").get_data(as_text=True)
