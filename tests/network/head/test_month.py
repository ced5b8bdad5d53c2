"""The lead's month: who sent, what it adds up to as Σ ÷ Σ, and who needs a call; equal to a computation by hand."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from coworking.core.db import db
from coworking.core.months import month_before
from coworking.core.units import write_unit
from coworking.network.head import drawing
from coworking.network.head.models import NetworkLieu
from coworking.network.head.overview import lieu_month, overview
from tests.factories import PASSWORD, make_person
from tests.network.head.lieux import OCTOBER, make_lieu, plain, say
from tests.support.api import Program


@pytest.fixture
def network(app, place):
    """Four lieux: a large and a small one that know, one that knows too little, one that has not sent."""
    with app.app_context():
        names = ("Grand Atelier", "Petit Relais", "Sans Pointage", "La Doyenne")
        large, small, blind, late = (make_lieu(name) for name in names)
        say(large, offered=1000, booked=200, attended=150, known=200, desk_absent_halfdays=50)
        say(small, offered=100, booked=90, attended=90, known=90, desk_absent_halfdays=0)
        say(blind, offered=400, booked=300, attended=None, known=100, desk_absent_halfdays=0)
    return large, small, blind, late


def test_rates_are_sums_and_who_knows_too_little_is_left_out_whole(network, inside):
    found = overview(OCTOBER)
    assert (found.sent, found.expected) == (3, 4)
    booked, attended = found.summary.rates["desk_booked"], found.summary.rates["desk_attended"]
    assert tuple(booked.pair) == (200 + 90 + 300, 1000 + 100 + 400)
    assert tuple(attended.pair) == (150 + 90, 1000 + 100)
    assert (attended.lieux, attended.left_out) == (2, 1)
    assert booked.pair.percent == 39 and attended.pair.percent == 22  # the means of rates would be 62 and 53


def test_who_is_left_out_of_what_was_booked_or_of_the_people_is_counted(app, cast, network, sign_in):
    with app.app_context():
        say(make_lieu("Sans Registre"), offered=None, booked=None, attended=None, known=None, distinct_people=None)
    page = plain(sign_in(cast.lead).get("/network?month=2026-10").text)
    assert "39 % des demi-journées offertes ont été réservées" in page
    assert "1 lieu ne connaît pas ses réservations et n’entre pas dans le taux de réservation" in page
    assert "1 lieu n’a pas compté ses personnes." in page


def test_who_needs_a_call(network, inside):
    large, *_ = network
    say(large, date(2025, 10, 1), offered=1000, booked=400, attended=300, known=400, desk_absent_halfdays=100)
    calls = [(call.row.name, call.why, call.amount) for call in overview(OCTOBER).calls]
    assert calls == [("La Doyenne", "late", None), ("Sans Pointage", "unknown", 33), ("Grand Atelier", "drop", 20)]


def test_the_highest_revision_counts(network, inside):
    small = network[1]
    say(small, revision=2, status="restatement", offered=100, booked=10, attended=10, known=10, desk_absent_halfdays=0)
    found = overview(OCTOBER)
    assert tuple(found.summary.rates["desk_booked"].pair) == (200 + 10 + 300, 1500)
    assert {row.name: row.state for row in found.rows}["Petit Relais"] == "restatement"


def test_before_the_fifth_no_lieu_is_late(network, inside, clock):
    clock.set(datetime(2026, 11, 5, 12, tzinfo=UTC))
    assert {row.state for row in overview(OCTOBER).rows} == {"final", "waiting"}
    clock.set(datetime(2026, 11, 6, 12, tzinfo=UTC))
    assert "late" in {row.state for row in overview(OCTOBER).rows}


def test_who_joined_later_or_left_is_not_awaited(network, inside):
    with write_unit():
        for name, values in {
            "Plus Tard": {"expected_from": date(2026, 11, 1)},
            "Parti": {"left_at": datetime(2026, 9, 1, tzinfo=UTC)},
            "Annuaire": {"way": None},
        }.items():
            db.session.add(NetworkLieu(name=name, source="directory", **({"way": "link"} | values)))
    assert overview(OCTOBER).expected == 4


def test_every_received_return_counts_and_page_table_and_api_agree(app, cast, network, sign_in):
    """Whatever became of the lieu since, and whenever it joined."""
    with app.app_context():
        for name, values in {
            "Venu Plus Tard": {"expected_from": date(2026, 11, 1)},
            "Parti": {"left_at": datetime(2026, 11, 9, tzinfo=UTC)},
            "Annuaire Seul": {"way": None},
        }.items():
            say(make_lieu(name, **values), offered=100, booked=50, attended=None, known=0, desk_absent_halfdays=0)
    lead = sign_in(cast.lead)
    page = lead.get("/network?month=2026-10").text
    shown = re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', page)
    assert "6 lieux sur 7 ont envoyé octobre" in plain(page)
    assert len(shown) == 7 and {"Venu Plus Tard", "Parti", "Annuaire Seul"} <= set(shown)
    table = lead.get("/network/returns.csv?month=2026-10").text.splitlines()[1:]
    assert [line.split(";")[0] for line in table] == shown
    answer = Program(app, cast.lead).get("/network/returns", month="2026-10").get_json()
    assert [one["lieu"]["name"] for one in answer["items"]] == [name for name in shown if name != "La Doyenne"]
    assert answer["missing"] == 1
    booked = answer["aggregate"]["rates"]["desk_booked"]
    assert (booked["numerator"], booked["denominator"]) == (200 + 90 + 300 + 150, 1000 + 100 + 400 + 300)


def test_the_page_says_it_in_one_sentence(app, cast, network, sign_in):
    page = plain(sign_in(cast.lead).get("/network?month=2026-10").text)
    assert "3 lieux sur 4 ont envoyé octobre. 39 % des demi-journées offertes ont été réservées ; 22 % occupées" in page
    assert "sur les 2 lieux qui pointent." in page
    assert "? 33 % connus" in page and "pas reçu" in page
    with app.app_context():
        reader = make_person("Grace", "Lane", "grace@demo.example", "lead", locale="en")
    english = plain(sign_in(reader).get("/network?month=2026-10").text)
    assert "3 places of 4 sent October. 39 % of the half-days offered were booked; 22 % used" in english


def test_only_the_lead_sees_the_network(cast, network, sign_in, client):
    paths = ["/network", "/network/returns.csv", f"/network/lieux/{network[0].public_id}"]
    for person in (cast.member, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert {browser.get(path).status_code for path in paths} == {403}
    assert {client.get(path).status_code for path in paths} == {302}


def test_the_page_of_one_lieu(app, cast, network, sign_in):
    with app.app_context():
        told = {"offered": 100, "booked": 50, "attended": 40, "known": 50, "desk_absent_halfdays": 10}
        say(network[1], revision=2, status="restatement", **told)
        public = network[1].public_id
    lead = sign_in(cast.lead)
    page = plain(lead.get(f"/network/lieux/{public}").text)
    assert "En octobre, 50 % des demi-journées offertes ont été réservées." in page
    assert "r2" in page and "r1" in page and "oubli" in page
    assert lead.get("/network/lieux/nobody").status_code == 404


def test_a_place_of_the_directory_has_a_page_without_figures(app, cast, network, sign_in):
    with app.app_context():
        public = make_lieu("Ailleurs", way=None).public_id
    page = sign_in(cast.lead).get(f"/network/lieux/{public}").text
    assert "Inviter à rejoindre" in page and "Ce qu’il a envoyé" not in page


def test_it_can_be_searched_sorted_and_exported(cast, network, sign_in):
    lead = sign_in(cast.lead)

    def order(query: str) -> list[str]:
        page = lead.get(f"/network?month=2026-10&{query}").text
        return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', page)

    assert order("") == ["Grand Atelier", "La Doyenne", "Petit Relais", "Sans Pointage"]
    assert order("sort=booked") == ["Petit Relais", "Sans Pointage", "Grand Atelier", "La Doyenne"]
    assert order("sort=attended")[0] == "Petit Relais"
    assert order("sort=state")[0] == "La Doyenne"
    assert order("q=RELAIS") == ["Petit Relais"]
    assert order("sort=nonsense")[0] == "Grand Atelier"
    table = lead.get("/network/returns.csv?month=2026-10").text
    assert table.startswith("\ufeffLieu;Commune;Mois;État;"), "as the directory’s: what French spreadsheets open"
    rows = table.splitlines()
    assert rows[1].startswith("Grand Atelier;Ambert;2026-10;définitif;200;1000;150;1000")
    assert rows[2].split(";")[3] == "pas reçu"
    assert rows[4].split(";")[6:8] == ["", ""]


def test_a_month_before_anyone_s_first_is_not_called_an_empty_network(app, place, cast, sign_in):
    with app.app_context():
        make_lieu("Plus Tard", expected_from=date(2026, 10, 1))
    page = sign_in(cast.lead).get("/network?month=2026-09").text
    assert "Aucun lieu ne devait envoyer de chiffres pour septembre 2026" in page
    assert "Invitez le premier" not in page


@pytest.mark.parametrize("month", ["2026-13", "octobre", "99999-01", "", "2026-1"])
def test_a_month_that_is_none_is_said(cast, network, sign_in, month):
    answer = sign_in(cast.lead).get(f"/network?month={month}")
    assert answer.status_code == (200 if month == "" else 422)


def test_the_page_costs_the_same_whatever_the_network(cast, network, sign_in, count_statements, app):
    lead = sign_in(cast.lead)
    with count_statements() as few:
        lead.get("/network?month=2026-10")
    with app.app_context():
        for number in range(12):
            lieu = make_lieu(f"Lieu {number}")
            for back in range(3):
                say(
                    lieu, month_before(OCTOBER, back), offered=10, booked=5, attended=5, known=5, desk_absent_halfdays=0
                )
    with count_statements() as many:
        lead.get("/network?month=2026-10")
    assert len(many) == len(few) <= 6, many
    assert not any("received_return.document" in one for one in many), "no document is parsed for a whole network"


def test_one_lieu_s_page_costs_the_same_whatever_the_network_and_the_months(
    cast, network, sign_in, count_statements, app
):
    lead = sign_in(cast.lead)
    page = f"/network/lieux/{network[0].public_id}?month=2026-10"
    with count_statements() as few:
        lead.get(page)
    with app.app_context():
        for back in range(1, 24):
            for lieu in network:
                say(lieu, month_before(OCTOBER, back))
        for number in range(12):
            say(make_lieu(f"Lieu {number}"))
    with count_statements() as many:
        lead.get(page)
    assert len(many) == len(few) <= 8, many


def test_the_lieu_s_page_has_the_row_of_the_month_s_table(network, inside):
    for back in (1, 2, 12, 23):
        for number, lieu in enumerate(network):
            say(lieu, month_before(OCTOBER, back), offered=100, booked=10 * back // (number + 1), attended=None)
    rows = {row.public_id: row for row in overview(OCTOBER).rows}
    for lieu in network:
        assert lieu_month(lieu, OCTOBER) == rows[lieu.public_id]
    assert lieu_month(make_lieu("Ailleurs", way=None), OCTOBER) is None


def test_the_table_is_sorted_as_french_readers_sort(app, cast, place, sign_in):
    with app.app_context():
        for name in ("Zinc", "les bureaux du Lac", "« Ô Local »", "L’Étape", "Osier", "ÉCLUSE", "Le Relais", "42 rue"):
            make_lieu(name)
    table = sign_in(cast.lead).get("/network/returns.csv?month=2026-10").text.splitlines()[1:]
    assert [line.split(";")[0] for line in table] == [
        "42 rue",
        "ÉCLUSE",
        "L’Étape",
        "Le Relais",
        "les bureaux du Lac",
        "« Ô Local »",
        "Osier",
        "Zinc",
    ]


def test_an_empty_network_teaches(cast, place, sign_in):
    assert "Invitez le premier depuis l’annuaire" in sign_in(cast.lead).get("/network").text


def test_the_lead_lands_there(cast, place, client):
    answer = client.post("/sign-in", data={"email": "lead@demo.example", "password": PASSWORD})
    assert answer.headers["Location"].endswith("/network")


# The pictures ----------------------------------------------------------------------------------------------------------


def test_the_map_keeps_its_directions():
    frame = drawing.Frame(*drawing.FRANCE)
    lille, nice, brest = frame.place(50.63, 3.06), frame.place(43.7, 7.26), frame.place(48.39, -4.49)
    assert lille[1] < brest[1] < nice[1] and brest[0] < lille[0] < nice[0]
    assert frame.place(-20.9, 55.5) is None
    assert all(0 <= value <= 430 for point in (lille, nice, brest) for value in point)


def test_a_frame_holds_its_places():
    places = [(45.5, 3.7), (46.1, 2.9)]
    frame = drawing.frame_of(places)
    assert all(frame.place(*place) is not None for place in places)
    assert drawing.frame_of([]) == drawing.Frame(*drawing.FRANCE)
    overseas = drawing.frame_of([(-20.9, 55.5), (-21.2, 55.3)])
    assert overseas.place(-20.9, 55.5) is not None


def test_lines_break_where_nothing_is_known():
    assert drawing.lines([50, None, 100, 0]) == ["3.0,17.0 3.0,17.0", "99.0,3.0 147.0,31.0"]
    assert drawing.lines([]) == [] and drawing.lines([None]) == []
    assert drawing.thinned([(1, 1), (1.2, 0.9), None, (50, 50)]) == [(0, 0), (51, 51)]
