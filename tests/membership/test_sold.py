"""One page for all that is sold; new prices are looked at, and whom they concern, before they apply."""

from __future__ import annotations

import re
from datetime import date

import pytest

from coworking.booking import services
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.membership.models import Adhesion
from coworking.pricing.models import Tariff
from tests import factories

DECEMBER = {"valid_from": "2026-12-01", "desk": "10", "desk-day": "16", "room": "15"}


def plain(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.text.replace("\u202f", " ").replace("\xa0", " ")).split())


@pytest.fixture
def lieu(app, place, cast):
    with app.app_context():
        factories.make_tariff()
        factories.make_agreement()
        factories.make_subscription(cast.colleague)
        factories.make_pack(cast.stranger)
        factories.make_group("étudiant")
        with write_unit():
            db.session.add(
                Adhesion(
                    person_id=cast.member.id, valid_from=date(2026, 3, 1), valid_until=date(2027, 2, 28), cents=1500
                )
            )
    return cast


def test_it_shows_everything_that_is_sold_and_who_has_it(lieu, sign_in):
    page = plain(sign_in(lieu.manager).get("/settings/sold"))
    for words in ("Un poste, la demi-journée 9,00 €", "1 personne l’a", "étudiant 0 personne aujourd’hui"):
        assert words in page, words
    for said in ("Changer les tarifs", "Changer les formules", "Changer les carnets", "Changer les articles"):
        assert said in page


def test_a_place_that_sells_nothing_says_so(place, cast, sign_in):
    page = plain(sign_in(cast.manager).get("/settings/sold"))
    for words in (
        "Tout est gratuit.",
        "Aucune formule n’est proposée.",
        "Ce lieu n’en a pas.",
        "Tout le monde paie le même prix.",
    ):
        assert words in page


@pytest.mark.parametrize("who", ["host", "member", "accountant", "lead"])
def test_nobody_else_opens_it(lieu, sign_in, who):
    assert sign_in(getattr(lieu, who)).get("/settings/sold").status_code in (403, 404)


def test_new_prices_are_looked_at_before_they_apply(app, lieu, sign_in):
    with app.app_context():
        services.book_half_days(lieu.stranger.actor(), date(2026, 11, 24), frozenset({"pm"}))
        services.book_half_days(lieu.member.actor(), date(2026, 11, 24), frozenset({"pm"}))
        services.book_half_days(lieu.member.actor(), date(2026, 12, 3), frozenset({"am"}), payer="me")
    manager = sign_in(lieu.manager)
    looked = manager.post("/settings/prices", data=DECEMBER | {"look": "1"})
    page = plain(looked)
    assert looked.status_code == 200
    assert "Un poste, la demi-journée avant : 9,00 € ensuite : 10,00 €" in page
    assert "Un poste, la journée avant : deux fois la demi-journée ensuite : 16,00 €" in page
    assert "Une salle, une heure" not in page.split("Qui est concerné")[0], "it stays"
    assert "Employeurs qui paient ces tarifs : Coutellerie Durand SA." in page
    assert "1 réservation à partir de ce jour garde son prix." in page
    with app.app_context():
        assert db.session.query(Tariff).count() == 1, "looking changes nothing"
    again = manager.post("/settings/prices", data=DECEMBER | {"again": "1"})
    assert 'value="10"' in again.text
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', looked.text))
    assert manager.post("/settings/prices", data=fields).status_code == 303
    assert "D’autres tarifs s’appliquent à partir du" in plain(manager.get("/settings/sold"))


def test_prices_of_yesterday_are_refused_on_the_form(lieu, sign_in):
    answer = sign_in(lieu.manager).post("/settings/prices", data=DECEMBER | {"valid_from": "2026-11-23", "look": "1"})
    assert answer.status_code == 422
    assert "Les prix qui ont eu cours restent" in plain(answer)


def test_the_page_of_plans_counts_who_has_what(lieu, sign_in):
    page = plain(sign_in(lieu.manager).get("/settings/plans"))
    assert "1 personne l’a." in page
    assert "1 personne l’a et la garde ; un nouveau prix vaut à partir de son année suivante." in page


def test_who_pays_an_agreed_price_is_not_concerned(app, place, cast, sign_in):
    with app.app_context():
        factories.make_tariff()
        factories.make_agreement(cents=800)
        services.book_half_days(cast.member.actor(), date(2026, 11, 24), frozenset({"pm"}))
    page = plain(sign_in(cast.manager).post("/settings/prices", data=DECEMBER | {"look": "1"}))
    assert "Personne n’a payé à ces tarifs ces trois derniers mois." in page
    assert "Coutellerie" not in page
