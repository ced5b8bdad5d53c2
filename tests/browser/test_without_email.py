"""A member without an e-mail address: added, booked for, told on paper, checked in by a card, invoiced, all by the team."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import select

from coworking.accounts.models import Person
from coworking.billing import services as billing
from coworking.billing.models import Invoice
from coworking.core import outbox
from coworking.core.db import db
from coworking.frontdesk import views_card
from tests import factories
from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.support.billing import make_billing_lieu

HOST, MANAGER, PROXY = "host@demo.example", "manager@demo.example", "stranger@demo.example"


@pytest.fixture
def lieu(app):
    with app.app_context():
        made = make_billing_lieu()
        factories.make_tariff()
    return made


@pytest.fixture
def card_codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands in the QR code of each card that is printed."""
    codes: list[str] = []
    made = views_card.new_token
    monkeypatch.setattr(views_card, "new_token", lambda: codes.append(made()) or codes[-1])
    return codes


def deliver(app) -> None:
    with app.app_context():
        while outbox.run_due():
            pass


def paper(page: Page, what: str) -> str:
    """Read the message about ``what`` as it is printed, say that it was handed over; its text."""
    page.get_by_role("link", name=what).first.click()
    assert_accessible(page)
    said = page.locator("article.paper").inner_text()
    assert "http" not in said
    page.get_by_role("button", name="C’est remis").click()
    return said


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_team_does_it_all(app, lieu, open_page, clock, mailbox, card_codes, size):
    page = open_page(HOST, size=size)
    page.goto("/people/new")
    page.locator("input[name=first_name]").fill("Odette")
    page.locator("input[name=last_name]").fill("Faure")
    page.locator("input[name=address]").fill("3 rue du Lavoir")
    page.get_by_label("Code postal").fill("63300")
    page.get_by_label("Commune").fill("Thiers")
    page.get_by_role("button", name="Ajouter cette personne").click()
    with app.app_context():
        person = db.session.scalars(select(Person).where(Person.first_name == "Odette")).unique().one().public_id
    page.goto(f"/people/{person}/story")
    expect(page.locator("main")).to_contain_text("aucune : à remettre sur papier")
    with page.expect_download() as printed:
        page.get_by_role("button", name="Imprimer une carte").click()
    card = PdfReader(BytesIO(Path(printed.value.path()).read_bytes())).pages[0].extract_text()
    assert "Odette Faure" in card

    page.get_by_role("link", name="Réserver pour Odette").click()
    page.locator(".when-day", has_text="mer. 25").get_by_text("matin", exact=True).click()
    page.get_by_role("button", name="Réserver cette place").click()
    clock.advance(minutes=11)
    deliver(app)
    page.goto(f"/people/{person}/story")
    page.get_by_role("link", name="1 message à imprimer").click()
    assert_accessible(page)
    said = paper(page, "Réservé")
    assert "Bonjour Odette," in said and "mercredi 25 novembre" in said

    page.goto(f"/people/{person}/story")
    page.get_by_role("link", name="Changer qui réserve").click()
    page.get_by_label("Adresse du membre qui réserve").fill(PROXY)
    page.get_by_label("Odette a donné son accord le").fill("2026-11-24")
    page.get_by_role("button", name="Laisser réserver").click()
    proxy = open_page(PROXY, size=size)
    proxy.goto("/me")
    proxy.locator(f'a[href="/for/{person}"]').first.click()
    expect(proxy.locator("main")).to_contain_text("Vous réservez au nom de Odette")
    assert_accessible(proxy)
    proxy.get_by_role("link", name="matin", exact=False).first.click()
    proxy.get_by_role("button", name="Réserver ce poste").click()
    expect(proxy.locator(".toast")).to_be_visible()
    assert proxy.goto(f"/people/{person}/story").status == 403

    clock.set(datetime(2026, 11, 25, 8, 20, tzinfo=UTC))
    page = open_page(HOST, size=size)
    page.goto("/card")
    page.get_by_label("Code de la carte").fill(card_codes[-1])
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Est attendu·e aujourd’hui")
    page.get_by_role("button", name="Noter l’arrivée de Odette").click()
    page.goto("/today")
    expect(page.locator("main")).to_contain_text("Odette Faure")

    clock.set(datetime(2026, 12, 2, 9, tzinfo=UTC))
    with app.app_context():
        assert billing.run(factories.the_cast().manager.actor(), date(2026, 11, 1)).problems == []
        number = db.session.scalars(select(Invoice.number)).one()
    deliver(app)
    page = open_page(HOST, size=size)
    page.goto("/to-print")
    expect(page.locator("main")).not_to_contain_text(number)
    page = open_page(MANAGER, size=size)
    page.goto("/to-print")
    said = paper(page, number)
    assert "18,00\xa0€" in said
    assert [email["To"] for email in mailbox()] == [PROXY], "who may book for her is told, and nobody else anything"
