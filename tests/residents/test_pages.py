"""The manager's pages of assigned places say what something means before it is done, and the resident's home says where."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from coworking.booking import services as booking
from coworking.core.db import db
from coworking.residents.models import Residency

pytestmark = pytest.mark.once


@pytest.fixture
def manager(site, sign_in):
    return sign_in(site.cast.manager)


def typed(site, **values: str) -> dict[str, str]:
    usual = {
        "place": site.office,
        "who": "coutellerie durand sa",
        "chosen": "",
        "first_day": "2026-12-10",
        "last_day": "",
        "monthly": "300",
        "parts": "days",
        "min_months": "6",
        "notice_months": "1",
    }
    return usual | values


def text_of(answer) -> str:
    return " ".join(answer.get_data(as_text=True).replace("\xa0", " ").replace("\u202f", " ").split())


@pytest.fixture
def only(app):
    """``only()``: the one residency there is; None while there is none."""

    def read() -> Residency | None:
        with app.app_context():
            return db.session.scalars(select(Residency)).one_or_none()

    return read


def test_what_it_comes_to_is_said_before_it_is_assigned(site, manager, only):
    seen = text_of(manager.post("/residents/new", data=typed(site)))
    assert "Bureau Lavande pour Coutellerie Durand SA" in seen
    assert "du 10 décembre au 31 décembre 2026 : <b>212,90 €</b>" in seen
    assert "janvier 2027 : <b>300,00 €</b>" in seen
    assert "Karim Benali, Anne Marchand" in seen and "9 juin 2027" in seen
    assert only() is None
    done = manager.post("/residents", data=typed(site), follow_redirects=True)
    assert "Bureau Lavande est attribué à Coutellerie Durand SA." in text_of(done)
    assert only().monthly_cents == 30000


def test_bookings_in_the_way_are_shown_with_their_people_and_what_was_typed_stays(site, manager, only, app):
    with app.app_context():
        booking.book_half_days(site.member.actor(), date(2026, 12, 15), frozenset({"am"}), resource=site.desk)
    for path in ("/residents/new", "/residents"):
        answer = manager.post(path, data=typed(site, place=site.desk, monthly="123,45"))
        seen = text_of(answer)
        assert answer.status_code == 409
        assert ">Anne Marchand</a>, mardi 15 décembre" in seen and "libre à partir du 16 décembre 2026" in seen
        assert 'value="123,45"' in seen
    assert only() is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"who": ""}, "who-err"),
        ({"who": "Personne Inconnue"}, "Aucune personne ni organisation"),
        ({"who": "a"}, "Plusieurs personnes ou organisations"),
        ({"first_day": "hier"}, "first_day-err"),
        ({"first_day": "2026-11-01"}, "à partir d’aujourd’hui au plus tôt"),
        ({"last_day": "2026-12-01"}, "err"),
        ({"monthly": "beaucoup"}, "monthly-err"),
        ({"min_months": "99"}, "min_months-err"),
        ({"notice_months": "-1"}, "notice_months-err"),
    ],
)
def test_bad_input_is_answered_at_its_place_and_changes_nothing(site, manager, values, said, only):
    for path in ("/residents/new", "/residents"):
        answer = manager.post(path, data=typed(site, **values))
        assert answer.status_code in (409, 422) and said in text_of(answer)
    assert only() is None


def test_a_move_and_an_end_say_what_they_mean_first(site, manager, only):
    manager.post("/residents", data=typed(site, first_day="2026-11-24", min_months=""))
    page = f"/residents/{only().public_id}"
    moved = {"place": site.desk, "first_day": "2026-12-01"}
    assert "Poste 1 au lieu de Bureau Lavande" in text_of(manager.post(f"{page}/move", data=moved))
    assert len(only().places) == 1
    manager.post(f"{page}/move", data=moved | {"sure": "1"})
    assert [row.resource.name for row in only().places] == ["Bureau Lavande", "Poste 1"]
    early = manager.post(f"{page}/end", data={"last_day": "2026-11-30"})
    assert early.status_code == 409 and "au plus tôt le" in text_of(early)
    assert "cochez la case ci-dessous" in text_of(early)
    assert '<option value="2026-11-30" selected>' in text_of(early)
    ended = {"last_day": "2026-12-31"}
    seen = text_of(manager.post(f"{page}/end", data=ended))
    assert "Poste 1 se réserve à partir du 1er janvier 2027" in seen and "<b>300,00 €</b>" in seen
    assert only().last_day is None
    manager.post(f"{page}/end", data=ended | {"sure": "1"})
    assert only().last_day == date(2026, 12, 31)
    assert "Laisser continuer" in text_of(manager.get(page))
    manager.post(f"{page}/keep")
    assert only().last_day is None
    let_off = manager.post(f"{page}/end", data={"last_day": "2026-11-30", "let_off": "1", "sure": "1"})
    assert let_off.status_code == 303 and only().last_day == date(2026, 11, 30)


def test_every_month_is_offered_for_an_end_and_those_that_need_a_let_off_say_so(site, manager, only):
    manager.post("/residents", data=typed(site, first_day="2026-11-24", min_months="3", notice_months="1"))
    page = f"/residents/{only().public_id}"
    options = re.findall(r'<option value="(\d{4}-\d\d-\d\d)"(?: selected)?>([^<]*)', text_of(manager.get(page)))
    early = [day for day, words in options if "dispens" in words]
    assert early == ["2026-11-30", "2026-12-31", "2027-01-31"] and options[3][0] == "2027-02-28"
    manager.post(f"{page}/end", data={"last_day": "2026-12-31", "let_off": "1", "sure": "1"})
    ended = text_of(manager.get(page))
    assert "31 décembre 2026" in ended and "Au moins jusqu’au" not in ended


def test_what_has_not_begun_is_taken_back_on_its_page(site, manager, only):
    manager.post("/residents", data=typed(site))
    page = f"/residents/{only().public_id}"
    assert "Annuler l’attribution" in text_of(manager.get(page))
    manager.post(f"{page}/take-back")
    assert only().withdrawn_at is not None
    assert "Bureau Lavande" in text_of(manager.get("/residents?ended=1"))


def test_residents_see_their_place_on_their_week_and_book_nothing(site, manager, sign_in, only):
    manager.post("/residents", data=typed(site, first_day="2026-11-24"))
    for person, office in ((site.member, True), (site.colleague, True), (site.stranger, False)):
        client = sign_in(person)
        assert ("Votre bureau : Bureau Lavande" in text_of(client.get("/week"))) is office
        assert ("300,00 €" in text_of(client.get("/me/place"))) is (person is site.colleague)
    member = sign_in(site.member)
    assert "Bienvenue. Bureau Lavande est à vous." in text_of(member.post("/here", follow_redirects=True))


def test_the_team_reads_whose_a_place_is_on_the_planning_and_others_that_it_is_taken(site, manager, sign_in, only):
    manager.post("/residents", data=typed(site, first_day="2026-11-24"))
    manager.post("/residents", data=typed(site, place=site.desk, who="Lise Vidal", first_day="2026-11-24"))
    host, member = (text_of(sign_in(who).get("/planning")) for who in (site.cast.host, site.member))
    assert "<b>Coutellerie Durand SA</b>" in host and "<b>Lise V.</b>" in host
    assert "Durand" not in member and "Lise" not in member and "<b>Résident" in member


def test_only_managers_reach_the_pages(site, manager, sign_in, only):
    manager.post("/residents", data=typed(site))
    host = sign_in(site.cast.host)
    for path in ("/residents", "/residents/new", f"/residents/{only().public_id}"):
        assert host.get(path).status_code == 403
        assert sign_in(site.member).get(path).status_code == 403


def test_the_host_reads_where_a_resident_sits(site, manager, sign_in, clock):
    manager.post("/residents", data=typed(site, first_day="2026-11-24"))
    member = sign_in(site.member)
    member.post("/here")
    today = text_of(manager.get("/today"))
    assert "<h3>Résidents</h3>" in today and "Bureau Lavande · depuis 10 h 36" in today
    planning, listed = text_of(manager.get("/planning")), text_of(manager.get("/planning?view=list"))
    assert 'title="Résident : Coutellerie Durand SA"' in planning
    assert "toute la journée" in listed and "24 h" not in listed
