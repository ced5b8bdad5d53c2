"""The public page: what a visitor learns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from coworking.core.db import db
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.membership.services import set_adhesion_price
from coworking.spaces import services
from coworking.spaces.models import Lieu
from coworking.spaces.rules import ACCESSIBLE, Closing, Opening

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
    assert len(seen) <= 9, seen


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
