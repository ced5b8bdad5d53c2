"""Packs on their pages: offered, bought for oneself or for another, bought from the sheet that says a price."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coworking.core import sales
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Pack, PackOffer
from coworking.pricing.models import Quote, Sale
from coworking.spaces.models import Lieu
from tests.factories import make_pack, make_pack_offer, make_tariff
from tests.membership.first import ask_first
from tests.membership.reading import plain

pytestmark = pytest.mark.once

TYPED = {"name": "Dix", "unit": "half_day", "units": "10", "price": "80", "valid_months": "6"}


@pytest.fixture
def offer(app, place, cast) -> str:
    with app.app_context():
        make_tariff()
        return make_pack_offer("Carnet de dix", units=10, cents=8000).public_id


def only(app, model):
    with app.app_context():
        return db.session.scalars(select(model)).one()


def test_a_manager_offers_a_pack_and_stops(app, place, cast, sign_in):
    manager = sign_in(cast.manager)
    assert manager.post("/settings/packs/new", data=TYPED).status_code == 303
    offer = only(app, PackOffer)
    assert (offer.unit, offer.units, offer.cents, offer.valid_months) == ("half_day", 10, 8000, 6)
    assert "80,00 €, 10 demi-journées, valable 6 mois" in plain(manager.get("/settings/plans"))
    manager.post(f"/settings/packs/{offer.public_id}/closed")
    assert "Acheter" not in plain(sign_in(cast.member).get("/me/plan"))
    assert sign_in(cast.member).get(f"/me/packs/{offer.public_id}").status_code == 404


def test_room_hours_are_typed_in_hours_and_what_is_wrong_is_said(app, place, cast, sign_in):
    manager = sign_in(cast.manager)
    with app.app_context(), write_unit():
        db.session.get(Lieu, 1).vat_status = "taxable"
    for name, text in (
        ("units", "0"),
        ("units", "beaucoup"),
        ("valid_months", "61"),
        ("price", "dix"),
        ("unit", "kilo"),
    ):
        wrong = manager.post("/settings/packs/new", data=TYPED | {"basis": "ht", "vat_rate": "20", name: text})
        assert wrong.status_code == 422, name
    hours = TYPED | {"unit": "hour", "units": "5", "basis": "ht", "vat_rate": "20"}
    assert manager.post("/settings/packs/new", data=hours).status_code == 303
    offer = only(app, PackOffer)
    assert (offer.units, offer.basis, offer.vat_rate_bp) == (300, "ht", 2000)


def test_hosts_and_members_offer_nothing(place, cast, sign_in):
    for person in (cast.host, cast.member, cast.accountant):
        browser = sign_in(person)
        assert browser.get("/settings/packs/new").status_code == 403
        assert browser.post("/settings/packs/new", data=TYPED).status_code == 403
        assert browser.post(f"/people/{cast.member.public_id}/membership/pack", data={"pack": "x"}).status_code == 403


def test_one_buys_a_pack_after_reading_what_it_holds(app, offer, cast, sign_in):
    member = sign_in(cast.member)
    assert "Acheter, 80,00 €" in plain(member.get("/me/plan"))
    sheet = plain(member.get(f"/me/packs/{offer}"))
    assert "80,00 €, à utiliser jusqu’au 23 mai 2027. Payé par vous, sur la facture de novembre 2026." in sheet
    dear = member.post(f"/me/packs/{offer}", data={"agreed": "7000"})
    assert dear.status_code == 409
    assert member.post(f"/me/packs/{offer}", data={"agreed": "8000"}).status_code == 303
    assert "10 demi-journées sur 10" in plain(member.get("/me/plan"))
    assert "Il reste 10 demi-journées sur votre carnet" in plain(member.get("/week"))
    assert "sur votre carnet" not in plain(sign_in(cast.colleague).get("/week"))


def test_a_manager_sells_one_on_a_person_s_page(app, offer, cast, sign_in):
    manager = sign_in(cast.manager)
    page = f"/people/{cast.colleague.public_id}/membership"
    assert "Carnet de dix, 80,00 €, 10 demi-journées, valable 6 mois" in plain(manager.get(page))
    assert manager.post(f"{page}/pack", data={"pack": offer}).status_code == 303
    assert only(app, Pack).person_id == cast.colleague.id


def test_the_sheet_that_says_a_price_offers_a_pack_and_books_on_it(app, offer, cast, sign_in):
    member = sign_in(cast.member)
    sheet = plain(member.post("/bookings", data={"day": "2026-11-26", "half": "day"}), 200)
    assert "Carnet de dix, 80,00 € : l’acheter et réserver" in sheet
    asked = {"day": "2026-11-26", "half": "day", "pack": offer, "agreed": "8000"}
    assert member.post("/bookings/with-pack", data=asked).status_code == 303
    with app.app_context():
        assert list(db.session.scalars(select(Quote.cover))) == ["pack", "pack"]
    assert "Il reste 8 demi-journées sur votre carnet" in plain(member.get("/week"))
    again = plain(member.post("/bookings/with-pack", data=asked | {"day": "2026-11-27", "agreed": "1"}), 409)
    assert "80,00 €" in again
    with app.app_context():
        assert db.session.query(Pack).count() == 1


def test_where_a_pack_is_paid_first_the_sheet_leads_to_the_payment(app, offer, cast, sign_in, monkeypatch):
    monkeypatch.setattr(sales, "_asked", [lambda cents: cents > 0])
    with app.app_context():
        ask_first()
    member = sign_in(cast.member)
    answer = member.post(
        "/bookings/with-pack", data={"day": "2026-11-26", "half": "am", "pack": offer, "agreed": "8000"}
    )
    sale = only(app, Sale)
    assert answer.status_code == 303 and answer.headers["Location"].endswith(sale.public_id)
    with app.app_context():
        assert (db.session.query(Pack).count(), db.session.query(Quote).count()) == (0, 0)
    page = plain(member.get(answer.headers["Location"]))
    assert "Dès qu’il est payé, un poste vous est réservé le jeudi 26 novembre, le matin." in page
    alone = member.post(f"/me/packs/{offer}", data={"agreed": "8000"}).headers["Location"]
    assert not alone.endswith(sale.public_id) and "un poste vous est réservé" not in plain(member.get(alone))


def test_what_a_booking_took_stands_on_its_sheet(app, offer, cast, sign_in):
    with app.app_context():
        make_pack(cast.member, units=3)
    member = sign_in(cast.member)
    assert member.post("/bookings", data={"day": "2026-11-26", "half": "day"}).status_code == 303
    with app.app_context():
        booking = db.session.scalars(select(Quote.id)).all()
    assert len(booking) == 2
    mine = plain(member.get("/bookings"))
    address = mine.partition('href="/bookings/')[2].partition('"')[0]
    sheet = plain(member.get(f"/bookings/{address}"))
    assert "2 demi-journées de votre carnet." in sheet and "Ce qu’elle a pris revient sur votre carnet." in sheet
