"""« Vendre » over HTTP, as a host who never saw it: who, what, how; the receipt; the way back; the drawer."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from coworking.accounts.models import Person
from coworking.billing.door_models import DoorReceipt, DoorSale
from coworking.billing.models import Charge, Invoice
from coworking.booking import services as booking
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.presence.models import Presence
from coworking.pricing import article_services
from tests import factories
from tests.support import emails as golden


def plain(answer) -> str:
    return re.sub(r"[\u202f\u00a0]", " ", answer.get_data(as_text=True))


@pytest.fixture
def keys(billing_lieu, app) -> dict[str, str]:
    """The names that a coffee and a key deposit have on the page."""
    with app.app_context():
        factories.make_tariff()
        manager = billing_lieu.manager
        made = {
            "coffee": article_services.add_article(
                manager, "Café", "goods", cents=150, vat_rate_bp=1000, account="707"
            ),
            "key": article_services.add_article(
                manager, "Caution clé", "deposit", cents=2000, vat_rate_bp=0, account=""
            ),
        }
        return {name: f"a:{row.public_id}" for name, row in made.items()}


def hidden(page: str) -> dict[str, str]:
    """The inputs of the form that sells."""
    form = page[page.index('class="pay-bar"') :]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form.partition("<button")[0]))


def test_three_taps_sell_a_coffee_to_nobody(billing_lieu, keys, sign_in, app):
    browser = sign_in(billing_lieu.cast.host)
    assert 'href="/sell"' in browser.get("/today").text
    assert "person=nobody" in browser.get("/sell").text
    page = browser.get("/sell?person=nobody").text
    typed = hidden(page) | {"more": keys["coffee"]}
    chosen = plain(browser.get("/sell", query_string=typed))
    assert "1,50 €" in chosen and "TVA 0,14 € comprise" in chosen
    form = hidden(chosen) | {"method": "cash"}
    sold = browser.post("/sell", data=form)
    assert sold.status_code == 303
    again = browser.post("/sell", data=form)
    assert again.location == sold.location, "a second tap sells once"
    receipt = plain(browser.get(sold.location))
    assert "Vendu : 1,50 €" in receipt and "R2026-0001" in receipt and "Café" in receipt
    with app.app_context():
        assert db.session.scalar(select(func.count(DoorSale.id))) == 1
    back = plain(browser.post("/sell", data=form | {f"n-{keys['coffee']}": "2", "shown": "300"}))
    assert "Cette page a déjà servi à une vente" in back and sold.location in back


def test_a_person_who_walks_in_reads_the_price_arrives_and_pays_in_one(billing_lieu, keys, sign_in, app):
    lise, browser = billing_lieu.cast.stranger, sign_in(billing_lieu.cast.host)
    page = plain(browser.get(f"/sell?person={lise.public_id}"))
    assert "9,00 €" in page and "avec l’arrivée, maintenant" in page
    form = hidden(page)
    assert (form["n-w"], form["shown"]) == ("1", "900")
    sold = browser.post("/sell", data=form | {"method": "card"})
    assert sold.status_code == 303
    page = plain(browser.get(sold.location))
    assert "F2026-0001, payée" in page and "stranger@demo.example" in page
    with app.app_context():
        assert db.session.scalar(select(func.count(Presence.id))) == 1
        (charge,) = db.session.scalars(select(Charge)).all()
        assert (charge.source, charge.amount_cents) == ("quote", 900)
    assert 'name="n-w"' not in browser.get(f"/sell?person={lise.public_id}").text
    assert browser.post("/sell", data=form | {"method": "card"}).location == sold.location


def test_the_price_stands_before_an_arrival_and_the_sale_after_it(billing_lieu, keys, sign_in):
    lise, browser = billing_lieu.cast.stranger, sign_in(billing_lieu.cast.host)
    before = plain(browser.get(f"/for-someone?person={lise.public_id}"))
    assert "Là maintenant, sans réservation : 9,00 € la demi-journée." in before
    arrived = browser.post("/for-someone", data={"person": lise.public_id, "here": "1"})
    assert arrived.location == f"/sell?person={lise.public_id}"
    page = plain(browser.get(arrived.location))
    assert "Lise Vidal est là" in page and hidden(page)["shown"] == "900"
    assert lise.public_id in browser.get("/sell").text, "who is here stands first"


def test_undoing_an_arrival_that_was_paid_leads_to_its_sale(billing_lieu, keys, sign_in, app):
    lise, browser = billing_lieu.cast.stranger, sign_in(billing_lieu.cast.host)
    form = hidden(plain(browser.get(f"/sell?person={lise.public_id}")))
    sale = browser.post("/sell", data=form | {"method": "cash"}).location
    with app.app_context():
        arrival = db.session.scalars(select(Presence.public_id)).one()
    sheet = plain(browser.get(f"/today/arrivals/{arrival}"))
    assert "9,00 € ont été payés pour cette venue" in sheet and f'href="{sale}"' in sheet
    undone = browser.post(f"/today/arrivals/{arrival}/undo")
    assert undone.location == sale
    page = plain(browser.get(sale))
    assert "sa vente reste" in page and "Annuler cette vente" in page
    browser.post(f"{sale}/cancel", data={"reason": "Mauvaise personne"})
    form = hidden(plain(browser.get(f"/sell?person={lise.public_id}")))
    browser.post("/sell", data=form | {"method": "cash"})
    with app.app_context():
        again = db.session.scalars(select(Presence.public_id)).one()
    browser.post(f"{browser.post('/sell', data=form | {'method': 'cash'}).location}/cancel", data={"reason": "Encore"})
    assert "ont été payés" not in plain(browser.get(f"/today/arrivals/{again}")), "the sale is cancelled"
    assert browser.post(f"/today/arrivals/{again}/undo").location == "/today"


def test_a_paid_bookings_sheet_says_what_becomes_of_the_money(billing_lieu, keys, sign_in, app):
    """To the team and to the person, before the tap and after it; the way to the sale, which gives it back."""
    lise, browser = billing_lieu.cast.stranger, sign_in(billing_lieu.cast.host)
    with app.app_context():
        made = booking.book_half_days(lise.actor(), date(2026, 11, 24), frozenset({"pm"})).public_id
    assert "sur place" not in plain(browser.get(f"/bookings/{made}"))
    form = hidden(plain(browser.get(f"/sell?person={lise.public_id}")))
    sale = browser.post("/sell", data=form | {"n-w": "0", "shown": "900", "method": "cash"}).location
    before = plain(browser.get(f"/bookings/{made}"))
    assert "annulez la réservation, puis sa vente" in before and f'href="{sale}"' in before and "9,00" not in before
    own = plain(sign_in(lise).get(f"/bookings/{made}"))
    assert "Vous avez payé cette réservation sur place." in own and "sur la facture" not in own and sale not in own
    done = browser.post(f"/bookings/{made}/cancel")
    assert done.location == f"/bookings/{made}"
    after = plain(browser.get(done.location))
    assert "Pour rendre l’argent maintenant, annulez sa vente." in after and f'href="{sale}"' in after
    assert browser.post(f"{sale}/cancel", data={"reason": "Ne vient pas"}).status_code == 303
    assert "sur place" not in plain(browser.get(f"/bookings/{made}")), "its sale is cancelled"


def test_a_paid_booking_that_is_cancelled_too_late_says_that_it_stays_paid(billing_lieu, keys, sign_in, app, clock):
    lise, browser = billing_lieu.cast.stranger, sign_in(billing_lieu.cast.host)
    with app.app_context():
        made = booking.book_half_days(lise.actor(), date(2026, 11, 24), frozenset({"pm"})).public_id
    form = hidden(plain(browser.get(f"/sell?person={lise.public_id}")))
    browser.post("/sell", data=form | {"n-w": "0", "shown": "900", "method": "cash"})
    clock.advance(minutes=11)
    own = sign_in(lise)
    assert "Annulée maintenant, elle reste payée." in plain(own.get(f"/bookings/{made}"))
    assert ' <a href="/sales/' in plain(browser.get(f"/bookings/{made}")).split("annulez aussi sa vente.")[1], (
        "a space between"
    )
    own.post(f"/bookings/{made}/cancel")
    assert "Elle a été annulée trop tard : elle reste payée." in plain(own.get(f"/bookings/{made}"))
    own.post(f"/bookings/{made}/undo")
    back = plain(own.get(f"/bookings/{made}"))
    assert "Vous avez payé cette réservation sur place." in back and "sur la facture" not in back


def test_who_has_a_plan_is_sold_nothing_for_their_half_day(billing_lieu, keys, sign_in, app):
    with app.app_context():
        factories.make_subscription(billing_lieu.cast.stranger)
    browser = sign_in(billing_lieu.cast.host)
    page = plain(browser.get(f"/sell?person={billing_lieu.cast.stranger.public_id}"))
    assert "La demi-journée est comprise dans la formule." in page and 'name="n-w"' not in page
    arrived = browser.post("/for-someone", data={"person": billing_lieu.cast.stranger.public_id, "here": "1"})
    assert arrived.location == "/today"


def test_a_sale_is_undone_with_a_reason(billing_lieu, keys, sign_in, app):
    browser = sign_in(billing_lieu.cast.host)
    form = hidden(browser.get("/sell?person=nobody").text) | {f"n-{keys['coffee']}": "1", "shown": "150"}
    sale = browser.post("/sell", data=form | {"method": "cash"}).location
    assert browser.get(f"{sale}/cancel").status_code == 200
    assert browser.post(f"{sale}/cancel", data={"reason": ""}).status_code == 422
    done = browser.post(f"{sale}/cancel", data={"reason": "Mauvais article"})
    assert done.status_code == 303
    assert "Contre-vente : −1,50 €" in plain(browser.get(done.location)).replace("-1,50", "−1,50")
    assert "Annulée : Mauvais article" in plain(browser.get(sale))
    assert browser.post(f"{sale}/cancel", data={"reason": "Encore"}).status_code == 409
    with app.app_context():
        assert db.session.scalar(select(func.sum(DoorReceipt.payable_cents))) == 0


def test_a_receipt_is_emailed_and_drawn(billing_lieu, keys, sign_in, run_outbox, mailbox, app):
    browser = sign_in(billing_lieu.cast.host)
    form = hidden(browser.get("/sell?person=nobody").text)
    form |= {f"n-{keys['coffee']}": "2", f"n-{keys['key']}": "1", "shown": "2300"}
    sale = browser.post("/sell", data=form | {"method": "cheque"}).location
    assert browser.post(f"{sale}/email", data={"email": "x"}).status_code == 422
    for _twice in range(2):
        assert browser.post(f"{sale}/email", data={"email": "passant@demo.example"}).status_code == 303
    with app.app_context():
        run_outbox()
    (email,) = mailbox()
    golden.check(email, "billing/receipt")
    (attached,) = email.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    drawn = browser.get(f"{sale}.pdf")
    assert drawn.data.startswith(b"%PDF-") and drawn.data == attached.get_content()


def speaks(person, language: str) -> None:
    with write_unit():
        db.session.get_one(Person, person.id).locale = language


def test_the_english_receipt(billing_lieu, keys, sign_in, run_outbox, mailbox, app):
    with app.app_context():
        speaks(billing_lieu.cast.host, "en")
    browser = sign_in(billing_lieu.cast.host, language="en")
    form = hidden(browser.get("/sell?person=nobody").text)
    form |= {f"n-{keys['coffee']}": "2", f"n-{keys['key']}": "1", "shown": "2300"}
    sale = browser.post("/sell", data=form | {"method": "cheque"}).location
    browser.post(f"{sale}/email", data={"email": "passant@demo.example"})
    with app.app_context():
        run_outbox()
    golden.check(mailbox()[0], "billing/receipt")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_invoice_of_a_sale_says_that_it_is_paid(billing_lieu, keys, sign_in, run_outbox, mailbox, app, language):
    with app.app_context():
        speaks(billing_lieu.cast.lead, language)
    browser = sign_in(billing_lieu.cast.host)
    form = hidden(browser.get(f"/sell?person={billing_lieu.cast.lead.public_id}").text)
    form |= {"n-w": "0", f"n-{keys['coffee']}": "1", "shown": "150", "method": "cash"}
    sale = browser.post("/sell", data=form).location
    with app.app_context():
        run_outbox()
        public = db.session.scalars(select(Invoice.public_id)).one()
    golden.check(mailbox()[0], "billing/issued-paid")
    assert f"/invoices/{public}" not in browser.get(sale).text, "a host reads no invoices"
    page = plain(sign_in(billing_lieu.cast.manager).get(f"/invoices/{public}"))
    assert "Payée le 24 novembre 2026" in page and "payée" in page
    browser.post(f"{sale}/cancel", data={"reason": "Rien bu"})
    with app.app_context():
        run_outbox()
    golden.check(mailbox()[-1], "billing/issued-credit-given-back")


def test_a_deposit_is_given_back_once(billing_lieu, keys, sign_in):
    browser = sign_in(billing_lieu.cast.host)
    form = hidden(browser.get(f"/sell?person={billing_lieu.cast.lead.public_id}").text)
    form |= {"n-w": "0", f"n-{keys['key']}": "1", "shown": "2000", "method": "cash"}
    assert browser.post("/sell", data=form).status_code == 303
    page = plain(browser.get("/deposits"))
    back = re.search(r'action="(/deposits/\w+/return)"', page)
    assert back and "20,00 €" in page
    assert browser.post(back[1], data={"method": "shells"}).status_code == 422
    assert browser.post(back[1], data={"method": "cash"}).status_code == 303
    again = browser.post(back[1], data={"method": "cash"})
    assert again.status_code == 409 and "déjà été rendue" in plain(again)
    assert "Aucune caution en cours" in plain(browser.get("/deposits"))
    assert browser.post("/deposits/nonesuch/return", data={"method": "cash"}).status_code == 404


def test_the_drawer_through_a_day(billing_lieu, keys, sign_in):
    browser = sign_in(billing_lieu.cast.host)
    assert browser.post("/drawer/open", data={"counted": "x"}).status_code == 422
    assert browser.post("/drawer/open", data={"counted": "50"}).status_code == 303
    form = hidden(browser.get("/sell?person=nobody").text) | {f"n-{keys['coffee']}": "2", "shown": "300"}
    browser.post("/sell", data=form | {"method": "cash"})
    page = plain(browser.get("/drawer"))
    assert "Il doit s’y trouver 53,00 €." in page
    close = re.search(r'action="(/drawer/\w+/close)"', page)
    bank = re.search(r'formaction="(/drawer/\w+/bank)"', page)
    assert close and bank
    assert browser.post(bank[1], data={"cents": "99", "carried": ""}).status_code == 422
    assert browser.post(bank[1], data={"cents": "3", "carried": "Dépôt"}).status_code == 303
    asked = browser.post(close[1], data={"counted": "49"})
    assert asked.status_code == 422 and "Il doit y avoir 50,00 €" in plain(asked)
    assert browser.post(close[1], data={"counted": "49", "note": "Rendu"}).status_code == 303
    assert browser.post(close[1], data={"counted": "49", "note": "Rendu"}).status_code == 409
    page = plain(browser.get("/drawer/2026-11-24"))
    assert "écart trouvé en comptant".capitalize() in page and "Rendu" in page
    assert browser.get("/drawer/2026-11-25").status_code == 404
    assert browser.get("/drawer/2026-11-23").status_code == 200
    assert browser.get("/drawer/x").status_code == 422


BROKEN = [
    {},
    {"person": "nobody"},
    {"person": "nobody", "nonce": "0"},
    {"person": "nobody", "nonce": "9" * 16},
    {"person": "nobody", "nonce": "x"},
    {"person": "nobody", "nonce": "5", "method": "cash"},
    {"person": "nobody", "nonce": "5", "method": "shells", "n-h": "1", "shown": "900"},
    {"person": "nobody", "nonce": "5", "method": "cash", "n-h": "9999999999999999999", "shown": "900"},
    {"person": "nobody", "nonce": "5", "method": "cash", "n-h": "-1", "shown": "900"},
    {"person": "nobody", "nonce": "5", "method": "cash", "n-w": "1", "shown": "900"},
    {"person": "nobody", "nonce": "5", "method": "invoice", "n-h": "1", "shown": "900"},
    {"person": "nobody", "nonce": "5", "method": "cash", "n-\x00": "1", "shown": "900"},
]


@pytest.mark.parametrize("form", BROKEN)
def test_nonsense_is_refused_and_sells_nothing(billing_lieu, keys, sign_in, app, form):
    answer = sign_in(billing_lieu.cast.host).post("/sell", data=form)
    assert 400 <= answer.status_code < 500
    with app.app_context():
        assert db.session.scalar(select(func.count(DoorSale.id))) == 0


def test_the_pages_are_for_who_welcomes_people(billing_lieu, keys, sign_in, client):
    urls = ["/sell", "/sell?person=nobody", "/sell/people?q=a", "/deposits", "/drawer", "/drawer/2026-11-24"]
    for who, status in (("host", 200), ("manager", 200), ("accountant", 403), ("member", 403), ("lead", 403)):
        browser = sign_in(getattr(billing_lieu.cast, who))
        assert {browser.get(url).status_code for url in urls} == {status}, who
        if status == 403:
            for url in ("/sell", "/sales/x/cancel", "/deposits/x/return", "/drawer/open", "/drawer/x/close"):
                assert browser.post(url).status_code == 403
    assert client.get("/sell").status_code in (302, 303, 401)
    host = sign_in(billing_lieu.cast.host)
    assert host.get("/sales/nonesuch").status_code == 404
    assert host.get("/sell?person=nonesuch").status_code == 404


def test_the_pages_cost_the_same_whatever_was_sold(billing_lieu, keys, sign_in, count_statements):
    browser = sign_in(billing_lieu.cast.host)

    def sell() -> None:
        form = hidden(browser.get("/sell?person=nobody").text)
        form |= {f"n-{keys['coffee']}": "1", f"n-{keys['key']}": "1", "shown": "2150", "method": "cash"}
        assert browser.post("/sell", data=form).status_code == 303

    def cost(url: str) -> int:
        browser.get(url)
        with count_statements() as found:
            browser.get(url)
        return len(found)

    sell()
    urls = ("/drawer", "/deposits", "/sell?person=nobody")
    few = [cost(url) for url in urls]
    for _more in range(4):
        sell()
    assert [cost(url) for url in urls] == few
