"""A network head's pages and the page of the six figures: at both sizes, light and dark, and without scripts."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.network.head import enrolment, six_figures
from coworking.network.head.models import FIGURES, JOIN
from tests.browser.conftest import PHONE, WIDE, assert_accessible
from tests.network.head.figures import NUMBERS
from tests.network.head.lieux import make_lieu, put, say


@pytest.fixture
def network(app, place, cast):
    """A directory of sixty with one lieu of each kind; their ids, and the token of the one that types its figures in."""
    lead = cast.lead.actor()
    with app.app_context():
        for number in range(60):
            put(f"Lieu {number:02}")
        entry = put("Au Bord de l’Eau", website="https://eau.example", contact_email="eau@example.org")
        typing = put("Chez Jeanne", city="Courpière", postcode="63120")
        sending = make_lieu("Manufacture")
        say(sending, offered=100, booked=40, attended=30, known=40, desk_absent_halfdays=10)
        enrolment.invite(lead, entry, JOIN)
        token = enrolment.invite(lead, typing, FIGURES)
        six_figures.send(token, date(2026, 9, 1), NUMBERS)
        six_figures.send(token, date(2026, 9, 1), NUMBERS | {"distinct_people": 40}, "Deux personnes oubliées")
        return {"entry": entry, "typing": typing, "sending": sending.public_id, "token": token}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_no_barrier_for_the_lead(network, open_page, size, scheme):
    page = open_page("lead@demo.example", size, scheme)
    paths = ["/network", "/network/directory", "/network/directory?page=2", "/network/directory?q=rien"]
    paths += ["/network/directory?state=left", "/network/directory/new"]
    for path in [*paths, *(f"/network/lieux/{network[name]}" for name in ("entry", "typing", "sending"))]:
        page.goto(path)
        assert_accessible(page)
    page.goto(f"/network/lieux/{network['typing']}")
    page.get_by_role("button", name="Inviter à rejoindre").click()
    assert "/network/join/" in page.get_by_label("Lien de Chez Jeanne").input_value()
    assert_accessible(page)
    page.get_by_role("button", name="Noter le départ").click()
    page.get_by_role("button", name="Annuler").click()
    page.locator(".toast", has_text="Chez Jeanne est de nouveau dans le réseau").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_no_barrier_to_six_figures(network, open_page, size, scheme):
    page = open_page(None, size, scheme)
    address = f"/network/figures/{network['token']}"
    for path in (address, f"{address}?month=2026-09", f"{address}?month=2026-09&sent=1"):
        page.goto(path)
        assert_accessible(page)
    page.goto(address)
    page.get_by_role("button", name="Envoyer octobre 2026").click()
    assert page.locator("[aria-invalid=true]").count() == 3
    assert_accessible(page)


def test_six_figures_are_given_without_scripts(network, open_page):
    page = open_page(None, PHONE, java_script_enabled=False)
    page.goto(f"/network/figures/{network['token']}")
    for label, value in (
        ("Jours d’ouverture", "20"),
        ("Demi-journées offertes", "400"),
        ("Demi-journées réservées", "120"),
        ("Demi-journées occupées", "101"),
    ):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Envoyer octobre 2026").click()
    page.get_by_role("heading", name="Merci, octobre 2026 est bien arrivé").wait_for()
    page.get_by_role("link", name="Corriger octobre 2026").click()
    page.get_by_label("Personnes différentes").fill("17")
    page.get_by_label("Pourquoi cette correction").fill("Les personnes ont été comptées")
    page.get_by_role("button", name="Envoyer la correction").click()
    page.get_by_text("Révision 2 : Les personnes ont été comptées").wait_for()
    assert page.evaluate("document.referrer") == ""


def test_a_link_is_copied(network, open_page):
    page = open_page("lead@demo.example", WIDE, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/network/lieux/{network['entry']}")
    page.get_by_role("button", name="Donner un nouveau lien pour rejoindre").click()
    page.get_by_role("button", name="Copier le lien").click()
    page.get_by_role("button", name="Copié").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.get_by_label("Lien de").input_value()
