"""Paying a plan or the adhesion first, over HTTP: the price before the tap, the page to pay on, what it says afterwards."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from coworking.billing import queries
from coworking.billing.pay_links import sale_token
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Adhesion, Subscription
from coworking.pricing.models import Sale
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.membership.first import ask_first

pytestmark = pytest.mark.once

NARROW, NO_BREAK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.fixture
def plan(app, billing_lieu, gateway):
    with app.app_context():
        ask_first()
        with write_unit():
            lock_lieu().is_simulation = True
        return factories.make_plan("Mi-temps", cents=6000, halfdays=10)


@pytest.fixture
def lise(billing_lieu, sign_in, plan):
    return sign_in(billing_lieu.cast.stranger)


def newest(app) -> Sale:
    with app.app_context():
        return db.session.scalars(select(Sale).order_by(Sale.id.desc())).first()


def every(app, model) -> list:
    with app.app_context():
        return list(db.session.scalars(select(model)))


def text(answer) -> str:
    return answer.get_data(as_text=True).replace(NARROW, NO_BREAK).replace("\n", " ")


def after(browser, gateway):
    """The page that the person comes back to, once the gateway has their money."""
    (wanted,) = gateway.wanted
    gateway.become(f"cs_{wanted.key}", "paid")
    path = wanted.return_url.removeprefix("http://localhost").removeprefix("http://lieu.test")
    return browser.get(path)


def test_from_the_plans_price_to_the_plan(app, lise, plan, gateway):
    sheet = lise.get(f"/me/plan/{plan.public_id}?from=now")
    assert "Payer 60,00" in text(sheet) and "et prendre cette formule" in text(sheet)
    answer = lise.post(f"/me/plan/{plan.public_id}", data={"from": "now", "agreed": "6000"})
    sale = newest(app)
    assert (answer.status_code, answer.location) == (303, f"/to-pay/{sale.public_id}")
    assert every(app, Subscription) == []
    page = lise.get(answer.location)
    assert "Vous pouvez payer jusqu’à 10 h 51".replace(" ", NO_BREAK) in text(page).replace(" ", NO_BREAK)
    assert "Mi-temps, novembre 2026" in text(page) and "http://pay.test" in page.headers["Content-Security-Policy"]
    for path in ("/me", "/me/plan"):
        said = text(lise.get(path))
        assert f'href="/to-pay/{sale.public_id}"' in said and f"/me/to-pay/{sale.public_id}/give-up" in said
    urls = {lise.post(answer.location, data={"gateway": "stripe"}).location for _tap in range(2)}
    assert len(urls) == 1
    assert "La formule est à vous" in text(after(lise, gateway))
    (taken,) = every(app, Subscription)
    assert taken.name == "Mi-temps"
    mine = text(lise.get("/me/plan"))
    assert "/take-back" not in mine, "it is invoiced"
    assert f"/invoices/withdraw/plan/{taken.public_id}" in mine
    assert f"/to-pay/{sale.public_id}" not in text(lise.get("/me"))


def test_from_the_price_of_a_half_day_to_a_pack_and_the_half_day(app, lise, gateway, run_outbox):
    with app.app_context():
        factories.make_tariff()
        offer = factories.make_pack_offer("Carnet de dix", cents=8000)
    asked = {"day": "2026-11-26", "half": "am", "pack": offer.public_id, "agreed": "8000"}
    page = lise.post("/bookings/with-pack", data=asked).location
    lise.post(page, data={"gateway": "stripe"})
    done = text(after(lise, gateway))
    assert "<h1>Le carnet est à vous</h1>" in done and "Votre poste du jeudi 26 novembre, le matin" in done
    assert "/week?from=2026-11-26" in done
    run_outbox()
    assert [booking.status for booking in every(app, Booking) if booking.day.isoformat() == "2026-11-26"] == [
        "confirmed"
    ]


def test_what_was_paid_of_a_plan_that_is_given_up_waits_to_be_refunded(app, lise, plan, gateway, billing_lieu, sign_in):
    lise.post(f"/me/plan/{plan.public_id}", data={"from": "now", "agreed": "6000"})
    lise.post(f"/to-pay/{newest(app).public_id}", data={"gateway": "stripe"})
    after(lise, gateway)
    (taken,) = every(app, Subscription)
    address = f"/invoices/withdraw/plan/{taken.public_id}"
    agreed = re.search(r'name="agreed" value="(\d+)"', lise.get(address).get_data(as_text=True))[1]
    assert agreed == "6000", "nothing is owed in the ten minutes"
    assert lise.post(address, data={"agreed": agreed}).status_code == 303
    with app.app_context():
        (waiting,) = queries.to_refund()
        assert waiting.open_cents == -6000
        number = waiting.invoice.number
    assert number in text(sign_in(billing_lieu.cast.manager).get("/today"))
    assert taken.name not in text(lise.get("/me"))


def test_by_htmx_the_page_is_loaded_whole(app, lise, plan):
    lise.get("/me/plan")
    answer = lise.post(
        f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "6000"}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"/to-pay/{newest(app).public_id}")


def test_another_price_than_the_page_said_is_not_asked(app, lise, plan):
    answer = lise.post(f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "5000"})
    assert answer.status_code == 409 and newest(app) is None


def test_the_adhesion_is_taken_by_who_pays_it(app, lise, gateway):
    assert "Payer 20,00" in text(lise.get("/me/plan"))
    answer = lise.post("/me/adhesion", data={"agreed": "2000"})
    lise.post(answer.location, data={"gateway": "stripe"})
    assert "Vous êtes membre de l’association" in text(after(lise, gateway))
    assert len(every(app, Adhesion)) == 1
    assert "Payer 20,00" not in text(lise.get("/me/plan"))


def test_who_has_paid_a_pack_reads_that_it_is_theirs_and_goes_to_their_packs(app, lise, gateway):
    with app.app_context():
        offer = factories.make_pack_offer().public_id
    answer = lise.post(f"/me/packs/{offer}", data={"agreed": "6000"})
    lise.post(answer.location, data={"gateway": "stripe"})
    page = text(after(lise, gateway))
    assert "<h1>Le carnet est à vous</h1>" in page
    assert 'href="/me/plan#packs"' in page and "Voir mes carnets" in page and "Voir mon adhésion" not in page


def test_where_it_is_not_paid_first_the_team_records_it(app, lise, plan):
    with app.app_context(), write_unit():
        lock_lieu().pay_first_membership = False
    assert "l’équipe l’enregistre" in text(lise.get("/me/plan"))
    lise.post(f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "6000"})
    assert len(every(app, Subscription)) == 1


def test_what_is_given_up_or_over_says_so(app, lise, plan, clock):
    first = lise.post(f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "6000"}).location
    lise.get("/me")
    assert lise.post(f"/me/to-pay/{newest(app).public_id}/give-up").status_code == 303
    assert "annulé" in text(lise.get(first))
    second = lise.post(f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "6000"}).location
    assert second != first
    clock.advance(minutes=16)
    said = text(lise.get(second))
    assert "Le délai de paiement est passé" in said and "gateway" not in said
    assert "/to-pay/" not in text(lise.get("/me"))


def test_it_is_a_strangers_not_and_who_has_the_link_pays_without_an_account(
    app, lise, plan, billing_lieu, sign_in, gateway
):
    path = lise.post(f"/me/plan/{plan.public_id}", data={"from": "next", "agreed": "6000"}).location
    for person in (billing_lieu.cast.member, billing_lieu.cast.host):
        assert sign_in(person).get(path).status_code == 404
    assert sign_in(billing_lieu.cast.manager).get(path).status_code == 200
    nobody = app.test_client()
    with app.app_context():
        link = f"/pay/first/{sale_token(newest(app).public_id)}"
    page = text(nobody.get(link))
    assert "Payer 60,00" in page and "give-up" not in page
    assert nobody.get(f"{link}x").status_code == 404
    assert nobody.post(link, data={"gateway": "stripe"}).location.startswith("http://pay.test")
    assert "La formule est à vous" in text(after(nobody, gateway))
    assert len(every(app, Subscription)) == 1


def test_a_manager_sets_that_memberships_are_paid_first(app, plan, billing_lieu, sign_in):
    manager = sign_in(billing_lieu.cast.manager)
    manager.get("/settings/payments")
    rules = {"pay_first_desks": "nobody", "pay_first_rooms": "nobody"}
    for form, expected in ((rules, False), (rules | {"pay_first_membership": "1"}, True)):
        assert manager.post("/settings/payments/first", data=form).status_code == 303
        with app.app_context(), write_unit():
            assert lock_lieu().pay_first_membership is expected
