"""The public page: what a visitor learns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from coworking.booking import services as booking
from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.membership import trials
from coworking.membership.services import set_adhesion_price
from coworking.spaces import services
from coworking.spaces.models import Lieu
from coworking.spaces.rules import ACCESSIBLE, Closing, Opening
from tests.factories import make_pack, make_plan, make_tariff

pytestmark = pytest.mark.usefixtures("place")


def close(app: Flask, first: date, last: date, start: int | None = None, end: int | None = None) -> None:
    with app.app_context():
        services.add_closure(SYSTEM, Closing(first, last, start, end, "Inventaire"))


@pytest.mark.parametrize(
    ("instant", "sentence"),
    [
        (datetime(2026, 11, 24, 6, tzinfo=UTC), "Ouvert aujourd’hui de 9\u202fh à 18\u202fh."),
        (datetime(2026, 11, 24, 16, 59, tzinfo=UTC), "Ouvert aujourd’hui de 9\u202fh à 18\u202fh."),
        (datetime(2026, 11, 24, 17, tzinfo=UTC), "Fermé depuis 18\u202fh. Réouverture demain à 9\u202fh."),
        (datetime(2026, 11, 28, 13, tzinfo=UTC), "Fermé depuis 13\u202fh. Réouverture lundi 30 novembre à 9\u202fh."),
        (datetime(2026, 11, 29, 9, tzinfo=UTC), "Fermé aujourd’hui. Réouverture demain à 9\u202fh."),
        (datetime(2026, 12, 25, 9, tzinfo=UTC), "Fermé aujourd’hui\u202f: Noël. Réouverture demain à 9\u202fh."),
    ],
)
def test_one_sentence_says_whether_it_is_open(client: FlaskClient, clock: Any, instant: datetime, sentence: str):
    clock.set(instant)
    assert sentence in client.get("/").text


def test_the_sentence_names_pauses_and_closures(app: Flask, client: FlaskClient):
    close(app, date(2026, 11, 24), date(2026, 11, 24), 720, 810)
    assert "Ouvert aujourd’hui de 9\u202fh à 12\u202fh et de 13\u202fh\u202f30 à 18\u202fh." in client.get("/").text
    close(app, date(2026, 11, 24), date(2026, 11, 26))
    text = client.get("/").text
    assert "Fermé aujourd’hui\u202f: Inventaire." in text
    assert "Réouverture vendredi 27 novembre à 9\u202fh." in text


def test_a_visitor_reads_hours_closures_spaces_and_the_way(app: Flask, client: FlaskClient):
    close(app, date(2026, 12, 21), date(2026, 12, 24))
    text = client.get("/lieu").text
    for said in ("9–18\u202fh", "4 postes", "2 salles de réunion", "4 rue du Pont", "63300 Thiers", "Inventaire"):
        assert said in text
    assert "24 décembre" in text
    assert "Noël" in text  # in the next six weeks
    assert "Accessibilité" not in text


def test_the_public_page_is_available_in_english(client: FlaskClient):
    text = client.get("/", headers={"Accept-Language": "en"}).text
    assert "Open today from 9:00 to 18:00." in text
    assert "4 desks" in text


def test_coming_hours_are_announced(app: Flask, client: FlaskClient):
    with app.app_context():
        mornings = [Opening(0, ACCESSIBLE, 540, 720)]
        services.set_schedule(SYSTEM, valid_from=date(2027, 1, 4), split_minute=780, openings=mornings)
    assert "À partir du lundi 4 janvier" in client.get("/").text


def test_a_public_authority_states_its_accessibility(app: Flask, client: FlaskClient):
    assert client.get("/accessibility").status_code == 404
    with app.app_context(), write_unit():
        db.session.get_one(Lieu, 1).legal_status = "public"
    assert "Accessibilité\u202f: non conforme" in client.get("/").text
    assert "n’a encore été mené" in client.get("/accessibility").text


@pytest.mark.parametrize(("who", "endpoint"), [("member", "week.show"), ("host", "frontdesk.today")])
def test_people_who_are_signed_in_go_to_their_own_page(
    app: Flask, sign_in: Callable[..., FlaskClient], cast: Any, who: str, endpoint: str
):
    answer = sign_in(getattr(cast, who)).get("/")
    assert answer.status_code == (302 if endpoint in app.view_functions else 200)
    assert sign_in(getattr(cast, who)).get("/lieu").status_code == 200


def test_a_year_of_the_association_is_among_the_prices(app: Flask, client: FlaskClient, cast: Any):
    assert "L’adhésion à l’association" not in client.get("/").text
    with app.app_context():
        set_adhesion_price(cast.manager.actor(), 2000)
    page = client.get("/").text
    assert "L’adhésion à l’association, par an" in page
    assert "20,00\u00a0€" in page


def test_a_visitor_costs_few_statements(client: FlaskClient, count_statements: Callable[[], Any]):
    with count_statements() as seen:
        client.get("/")
    assert len(seen) <= 14, seen  # of the first one: what the lieu sells, its photos and its terms are kept


def test_a_phone_can_keep_the_lieu_among_its_programs(client, place):
    page = client.get("/").get_data(as_text=True)
    assert '<link rel="manifest" href="/manifest.webmanifest">' in page
    answer = client.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    assert answer.json["name"] == "La Fabrique du Pont"
    touch = page.split('<link rel="apple-touch-icon" href="', 1)[1].split('"', 1)[0]
    for address in (touch, *(icon["src"] for icon in answer.json["icons"])):
        icon = client.get(address)
        assert (icon.status_code, icon.data[:8]) == (200, b"\x89PNG\r\n\x1a\n"), address


def test_public_pages_say_what_they_are_about(client, place, cast, sign_in):
    for address in ("/", "/sign-in"):
        page = client.get(address).get_data(as_text=True)
        assert '<meta name="description" content="La Fabrique du Pont, Thiers\u202f: des postes et des salles' in page
    assert 'name="description"' not in sign_in(cast.member).get("/week").get_data(as_text=True)


def test_an_error_page_shows_no_code(client, place):
    page = client.get("/rien-ici").get_data(as_text=True)
    assert "Erreur 404" in page
    assert "not_found" not in page


# Room, prices, a half-day to try ---------------------------------------------------------------------------------------


def offer_trial(app: Flask, cast: Any, cents: int | None = 0) -> None:
    with app.app_context():
        make_tariff()
        trials.set_trial(cast.manager.actor(), cents)


def test_the_free_desks_of_the_next_open_day_are_said_by_half_day(app, client, place, cast):
    with app.app_context():
        booking.book_half_days(cast.member.actor(), date(2026, 11, 25), frozenset({"am"}))
    page = client.get("/").get_data(as_text=True)
    assert "Mercredi 25 novembre\u202f:" in page
    assert "3 postes libres le matin, 4 l’après-midi." in page


def test_a_day_without_a_free_desk_is_said_to_be_full(app, client, place, cast):
    with app.app_context():
        people = (cast.member, cast.colleague, cast.stranger, cast.host)
        for person in people:
            booking.book_half_days(person.actor(), date(2026, 11, 25), frozenset({"am", "pm"}))
    assert "tous les postes sont pris." in client.get("/").get_data(as_text=True)


def test_a_closed_day_is_passed_over(app, client, clock, place):
    clock.set(datetime(2026, 11, 28, 9, tzinfo=UTC))
    assert "Lundi 30 novembre" in client.get("/").get_data(as_text=True)


def test_prices_stand_together_and_say_their_vat(app, client, place, cast):
    offer_trial(app, cast, 500)
    with app.app_context():
        make_pack(cast.stranger)
    page = client.get("/").get_data(as_text=True)
    prices = page.split('id="prices"', 1)[1].split("</section>", 1)[0]
    for said in (
        "à l’essai",
        "5,00",
        "la demi-journée",
        "9,00",
        "la journée",
        "18,00",
        "10 demi-journées",
        "Aucune TVA",
    ):
        assert said in prices
    with app.app_context(), write_unit():
        db.session.get_one(Lieu, 1).vat_status = "taxable"
    assert "Les prix comprennent la TVA" in client.get("/").get_data(as_text=True)


def test_a_visitor_learns_how_to_try(app, client, place, cast, sign_in):
    assert client.get("/try").status_code == 404
    offer_trial(app, cast)
    assert 'href="/try"' in client.get("/").get_data(as_text=True)
    page = client.get("/try").get_data(as_text=True)
    assert "Venez travailler ici une demi-journée, sans rien payer." in page
    assert "Samedi 28 novembre" in page
    assert 'href="/sign-up"' in page
    assert "Ouvrir ma semaine" in sign_in(cast.member).get("/try").get_data(as_text=True)


def test_who_signs_up_confirms_and_books_pays_nothing_and_the_host_sees_that_they_try(
    app, client, clock, place, cast, sign_in, run_outbox, mailbox
):
    offer_trial(app, cast)
    typed = {"first_name": "Léa", "last_name": "Roux", "email": "lea@example.org", "password": "une-nuit-au-moulin"}
    assert client.post("/sign-up", data=typed).status_code == 200
    run_outbox()
    told = mailbox()[-1].get_body(("plain",)).get_content()
    client.post(re.search(r"http://lieu\.test(/confirm/\S+)", told)[1])
    answer = client.post("/bookings", data={"day": "2026-11-25", "half": "am"}, follow_redirects=True)
    assert "Première demi-journée, à l’essai." in answer.get_data(as_text=True)
    clock.set(datetime(2026, 11, 25, 7, tzinfo=UTC))
    assert "premier essai" in sign_in(cast.host).get("/today").get_data(as_text=True)


def test_a_manager_offers_the_half_day_and_the_spot(app, client, place, cast, sign_in):
    with app.app_context():
        make_tariff()
    manager = sign_in(cast.manager)
    manager.post("/settings/public-page/trial", data={"trial": "1", "trial_price": "5"})
    manager.post("/settings/public-page/map", data={"spot": "45.8566, 3.5489"})
    page = manager.get("/settings/public-page").get_data(as_text=True)
    assert 'id="trial_price"' in page and 'value="5"' in page
    assert 'value="45.856600, 3.548900"' in page
    assert "openstreetmap.org/?mlat=45.856600" in client.get("/lieu").get_data(as_text=True)
    refused = manager.post("/settings/public-page/trial", data={"trial": "1", "trial_price": "cinq"})
    assert (refused.status_code, "cinq" in refused.get_data(as_text=True)) == (422, True)
    assert manager.post("/settings/public-page/map", data={"spot": "ici"}).status_code == 422
    manager.post("/settings/public-page/trial", data={})
    manager.post("/settings/public-page/map", data={"spot": ""})
    with app.app_context():
        assert trials.trial_cents() is None
        assert db.session.get_one(Lieu, 1).latitude_e6 is None


def test_a_plan_for_members_of_the_association_says_so(app, client):
    with app.app_context():
        make_tariff()
        make_plan("Adhérent", cents=4000, halfdays=8, taken_by="adherents")
        make_plan("Ouvert", cents=6000, halfdays=8)
    page = client.get("/").text
    assert "Réservée aux adhérents." in page.split("Adhérent,")[1].split("</li>")[0]
    assert "Réservée" not in page.split("Ouvert,")[1].split("</li>")[0]
