"""A new member's first week: what the card says, to whom, and when it goes."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership import trials
from coworking.spaces.models import Lieu
from tests.booking.pages import text
from tests.factories import make_subscription, make_tariff

WELCOME = "Bienvenue, Lise"


@pytest.fixture
def priced(app, place, cast):
    with app.app_context():
        make_tariff()
    return cast


def test_it_says_what_to_do_and_what_it_costs(app, priced, sign_in):
    with app.app_context():
        trials.set_trial(priced.manager.actor(), 0)
        with write_unit():
            db.session.execute(update(Lieu).values(arrival_wifi="pont / 2026"))
    page = text(sign_in(priced.stranger).get("/week"))
    for said in (WELCOME, "Votre première demi-journée est offerte.", "Je suis là", "9,00", "Formules et carnets"):
        assert said in page
    assert "L’accès et le Wi-Fi sont dans l’e-mail" in page
    assert "pont / 2026" not in page, "the Wi-Fi is for people who come"


def test_who_has_a_plan_reads_that_it_is_used_first(app, priced, sign_in):
    with app.app_context():
        make_subscription(priced.stranger)
    assert "Ce qu’il vous reste plus bas sert d’abord." in text(sign_in(priced.stranger).get("/week"))


def test_a_lieu_without_prices_says_that_desks_are_free(place, cast, sign_in):
    assert "Les postes sont gratuits." in text(sign_in(cast.stranger).get("/week"))


def test_it_goes_after_a_week(priced, sign_in, clock):
    stranger = sign_in(priced.stranger)
    clock.advance(days=6, hours=23)
    assert WELCOME in text(stranger.get("/week"))
    clock.advance(hours=2)
    assert WELCOME not in text(stranger.get("/week"))


def test_it_goes_when_it_is_closed(priced, sign_in):
    stranger = sign_in(priced.stranger)
    answer = stranger.post("/week/first/close")
    assert answer.status_code == 303
    kept = answer.headers["Set-Cookie"]
    assert all(part in kept for part in ("HttpOnly", "SameSite=Lax", "Max-Age=604800"))
    assert WELCOME not in text(stranger.get("/week"))


def test_the_team_is_not_welcomed(priced, sign_in):
    assert "Bienvenue" not in text(sign_in(priced.host).get("/week"))


def test_it_costs_no_statement_where_no_half_day_to_try_is_offered(priced, sign_in, count_statements):
    stranger = sign_in(priced.stranger)
    stranger.get("/week")
    with count_statements() as first:
        assert WELCOME in text(stranger.get("/week"))
    stranger.post("/week/first/close")
    stranger.get("/week")
    with count_statements() as closed:
        stranger.get("/week")
    assert len(first) == len(closed), (first, closed)
