"""The directory and a lieu's page: finding, adding, giving and ending links, leaving and coming back; for the lead alone."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from coworking.core.audit import AuditEntry
from coworking.core.db import db
from coworking.core.errors import Gone, NotFound
from coworking.network.head import directory_queries, enrolment, lieux
from coworking.network.head.directory_queries import Narrowing
from coworking.network.head.models import FIGURES, JOIN, Enrolment, NetworkLieu
from coworking.network.head.overview import overview
from tests.network.head.lieux import OCTOBER, make_lieu, plain, put, say

GOOD = {"name": "Le Vieux Lavoir", "postcode": "63 120", "city": "Courpière", "siret": "", "email": ""}


@pytest.fixture
def listed(app, place, cast):
    """Four places, one of each kind; their public ids by name."""
    with app.app_context():
        found = {
            "Écluse": put("Écluse", city="Thiers", postcode="63300"),
            "L'Abri": put("L’Abri"),
            "Relais": put("Relais", way="link", expected_from=date(2026, 9, 1)),
            "Zinc": put("Zinc", left_at=datetime(2026, 10, 1, tzinfo=UTC)),
        }
        make_lieu("Manufacture")
        enrolment.invite(cast.lead.actor(), found["L'Abri"], JOIN)
    return found


@pytest.fixture
def names(cast, sign_in):
    """The names on a page of the directory, in its order."""
    lead = sign_in(cast.lead)

    def shown(query: str = "") -> list[str]:
        page = lead.get(f"/network/directory?{query}")
        assert page.status_code == 200
        return [plain(name) for name in re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', page.text)]

    return shown


def test_it_is_searched_without_regard_to_accents_and_sorted_by_name(listed, names):
    assert names() == ["Écluse", "L’Abri", "Manufacture", "Relais", "Zinc"]
    assert names("q=ecluse") == ["Écluse"]
    assert names("q=THIERS+633") == ["Écluse"]
    assert names("q=l'abri") == ["L’Abri"]
    assert names("q=100%25") == names("q=_") == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("enrolled", ["Manufacture"]),
        ("invited", ["L’Abri"]),
        ("link", ["Relais"]),
        ("left", ["Zinc"]),
        ("nonsense", ["Écluse", "L’Abri", "Manufacture", "Relais", "Zinc"]),
    ],
)
def test_it_is_narrowed(listed, names, state, expected):
    assert names(f"state={state}") == expected


def test_an_invitation_that_ran_out_is_none(listed, names, clock):
    clock.advance(days=31)
    assert names("state=invited") == []


def test_every_page_has_an_address_and_none_repeats_or_forgets(app, cast, place, names):
    with app.app_context():
        for number in range(120):
            put("Même nom" if number % 2 else f"Lieu {number:03}")
    pages = [names(f"page={number}") for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 20]
    with app.app_context():
        shown = [
            [entry.lieu.id for entry in directory_queries.list_lieux(Narrowing(), number).entries]
            for number in (1, 2, 3)
        ]
        assert len({one for page in shown for one in page}) == 120
    assert names("page=99999999999999999999") == names("page=3") and names("page=-4") == names("page=x") == pages[0]


def test_it_costs_the_same_with_twice_as_many(app, cast, listed, sign_in, count_statements):
    lead = sign_in(cast.lead)
    with count_statements() as few:
        lead.get("/network/directory")
    with app.app_context():
        for number in range(60):
            put(f"Encore {number}")
    with count_statements() as many:
        lead.get("/network/directory")
    assert len(many) == len(few) <= 4, many
    with app.app_context(), count_statements() as two:
        directory_queries.list_lieux(Narrowing("e"))
    assert len(two) == 2


def test_the_export_is_the_filtered_list_and_no_formula(app, cast, listed, sign_in):
    with app.app_context():
        put("=HYPERLINK(1)", city="+33")
    lead = sign_in(cast.lead)

    def table(query: str) -> list[dict[str, str]]:
        answer = lead.get(f"/network/directory.csv?{query}")
        assert answer.content_type.startswith("text/csv")
        return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))

    assert [row["Nom"] for row in table("state=link")] == ["Relais"]
    assert table("state=link")[0]["Chiffres attendus à partir de"] == "2026-09"
    assert table("state=invited")[0]["Invités"] == "Oui"
    assert len(table("")) == 6
    (odd,) = table("q=hyperlink")
    assert (odd["Nom"], odd["Commune"]) == ("'=HYPERLINK(1)", "'+33")


def test_an_empty_directory_teaches(cast, place, sign_in):
    page = sign_in(cast.lead).get("/network/directory").text
    assert "flask network import-lieux FILE.csv" in page and "Ajouter un lieu" in page
    assert "Aucun lieu de ce nom" in sign_in(cast.lead).get("/network/directory?q=rien").text


def test_a_place_is_added_by_hand_once(app, cast, place, sign_in):
    lead = sign_in(cast.lead)
    done = lead.post("/network/directory/new", data=GOOD, follow_redirects=True)
    assert "Le Vieux Lavoir est dans l’annuaire" in done.text and "63120 Courpière" in done.text
    again = lead.post("/network/directory/new", data=GOOD | {"name": "LE VIEUX LAVOIR"})
    assert again.status_code == 409 and "déjà dans l’annuaire" in again.text and 'value="LE VIEUX LAVOIR"' in again.text
    with app.app_context():
        (row,) = db.session.scalars(select(NetworkLieu))
        assert (row.source, row.postcode, row.way, row.siret) == ("hand", "63120", None, None)
        assert "network.lieu_added" in db.session.scalars(select(AuditEntry.action)).all()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"postcode": "6312"}, {"city": ""}, {"siret": "123"}, {"email": "x"}, {"name": "\x07"}],
)
def test_what_is_typed_wrong_is_said_and_kept(app, cast, place, sign_in, wrong):
    answer = sign_in(cast.lead).post("/network/directory/new", data=GOOD | wrong)
    assert answer.status_code == 422
    assert ("aria-invalid" in answer.text and "Courpière" in answer.text) or wrong.get("city") == ""
    with app.app_context():
        assert db.session.scalars(select(NetworkLieu)).all() == []


def test_a_control_character_in_a_name_is_left_out(app, cast, place, sign_in):
    assert sign_in(cast.lead).post("/network/directory/new", data=GOOD | {"name": "a\x07b"}).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(NetworkLieu.name)).all() == ["ab"]


def test_one_siret_is_one_place(cast, inside):
    lieux.add(cast.lead.actor(), name="Un", postcode="63300", city="Thiers", siret="73282932000074")
    with pytest.raises(lieux.AlreadyListed):
        lieux.add(cast.lead.actor(), name="Deux", postcode="63120", city="Courpière", siret="73282932000074")


def test_a_link_is_shown_once_and_kept_nowhere(app, cast, listed, sign_in, caplog):
    lead = sign_in(cast.lead)
    path = f"/network/lieux/{listed['Écluse']}"
    for purpose, start in (("join", "/network/join/"), ("figures", "/network/figures/")):
        answer = lead.post(f"{path}/links", data={"purpose": purpose})
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        (token,) = set(re.findall(rf"{start}([\w-]+)", answer.text))
        assert lead.get(start + token).status_code == 200
        assert token not in lead.get(path).text and token not in str(answer.headers) and token not in caplog.text
        with app.app_context():
            kept = [vars(row) for model in (Enrolment, AuditEntry) for row in db.session.scalars(select(model))]
            assert token not in str(kept)
    with app.app_context():
        row = db.session.scalars(select(NetworkLieu).where(NetworkLieu.name == "Écluse")).one()
        assert (row.way, row.expected_from) == ("link", OCTOBER)


def test_the_lead_may_write_to_a_place_with_an_address(app, cast, place, sign_in):
    with app.app_context():
        public = put("Le Lavoir & Cie", contact_email="lavoir@example.org")
    page = sign_in(cast.lead).post(f"/network/lieux/{public}/links", data={"purpose": "figures"}).text
    assert "mailto:lavoir@example.org?subject=" in page and "Lavoir%20%26%20Cie" in page


def test_a_link_is_revoked_and_a_place_that_sent_nothing_is_a_place_of_the_directory(cast, listed, sign_in, app):
    lead = sign_in(cast.lead)
    path = f"/network/lieux/{listed['Écluse']}"
    with app.app_context():
        token = enrolment.invite(cast.lead.actor(), listed["Écluse"], FIGURES)
    assert lead.post(f"{path}/links/revoke", data={"purpose": "figures"}).status_code == 303
    with app.app_context():
        with pytest.raises(Gone):
            enrolment.opened(token, FIGURES)
        assert db.session.scalars(select(NetworkLieu.way).where(NetworkLieu.name == "Écluse")).one() is None
    assert lead.post(f"{path}/links/revoke", data={"purpose": "figures"}).status_code == 303
    assert lead.post(f"{path}/links/revoke", data={"purpose": "other"}).status_code == 404


def test_who_sends_by_itself_gets_no_link_for_six_figures(app, cast, place, sign_in):
    with app.app_context():
        public = make_lieu("Manufacture").public_id
    lead = sign_in(cast.lead)
    assert "six chiffres" not in lead.get(f"/network/lieux/{public}").text
    answer = lead.post(f"/network/lieux/{public}/links", data={"purpose": "figures"}, follow_redirects=True)
    assert "envoie déjà son mois tout seul" in answer.text


def test_figures_are_awaited_from_the_month_that_is_chosen(app, cast, listed, sign_in):
    lead = sign_in(cast.lead)
    path = f"/network/lieux/{listed['Relais']}/expected-from"
    assert lead.post(path, data={"month": "2026-11"}).status_code == 303
    with app.app_context():
        assert "Relais" not in [row.name for row in overview(OCTOBER).rows]
    assert lead.post(path, data={"month": "novembre"}).status_code == 404


def test_leaving_ends_links_and_is_undone_whole(app, cast, listed, sign_in):
    lead = sign_in(cast.lead)
    with app.app_context():
        token = enrolment.invite(cast.lead.actor(), listed["Relais"], FIGURES)
    path = f"/network/lieux/{listed['Relais']}"
    page = lead.post(f"{path}/depart", follow_redirects=True).text
    assert "Relais a quitté le réseau" in page and f'action="{path}/come-back"' in page
    with app.app_context():
        with pytest.raises(Gone):
            enrolment.opened(token, FIGURES)
        assert "Relais" not in [row.name for row in overview(OCTOBER).rows]
    assert lead.post(f"{path}/links", data={"purpose": "join"}).status_code == 404
    assert lead.post(f"{path}/depart").status_code == 404
    for _ in range(2):
        assert lead.post(f"{path}/come-back").status_code == 303
    with app.app_context():
        assert enrolment.opened(token, FIGURES)[1].name == "Relais"
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "network_lieu")).all()
        assert actions.count("network.lieu_left") == actions.count("network.lieu_came_back") == 1


def test_what_was_sent_before_leaving_still_counts(place, inside, cast):
    gone, quiet = make_lieu("Parti"), make_lieu("Muet")
    say(gone, offered=100, booked=40, attended=30, known=40, desk_absent_halfdays=10)
    for row in (gone, quiet):
        lieux.depart(cast.lead.actor(), row.public_id)
    found = overview(OCTOBER)
    assert ([row.name for row in found.rows], found.sent, found.expected) == (["Parti"], 1, 1)
    assert overview(date(2026, 11, 1)).expected == 0


def test_only_the_lead_tends_the_directory(cast, listed, sign_in, client):
    public = listed["Relais"]
    pages = ["/network/directory", "/network/directory.csv", "/network/directory/new", f"/network/lieux/{public}"]
    acts = ["links", "links/revoke", "expected-from", "depart", "come-back"]
    posts = ["/network/directory/new", *(f"/network/lieux/{public}/{act}" for act in acts)]
    for person in (cast.member, cast.stranger, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert {browser.get(path).status_code for path in pages} == {403}
        assert {browser.post(path, data=GOOD | {"purpose": "join"}).status_code for path in posts} == {403}
    assert {client.get(path).status_code for path in pages} == {302}
    lead = sign_in(cast.lead)
    for act in acts:
        data = {"purpose": "join", "month": "2026-10"}
        assert lead.post(f"/network/lieux/nobody/{act}", data=data).status_code == 404


def test_services_know_no_lieu_of_that_name(cast, inside):
    for act in (lieux.depart, lieux.come_back):
        with pytest.raises(NotFound):
            act(cast.lead.actor(), "nobody")
