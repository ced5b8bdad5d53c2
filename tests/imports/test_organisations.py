"""Organisations from a spreadsheet, and who belongs to them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coworking.accounts.models import Organisation, OrganisationMember, Person
from coworking.core.db import db
from tests.imports.uploads import csv_file

HEAD = ("Raison sociale", "SIRET", "N° TVA", "Courriel", "Adresse", "CP", "Ville")
SIRET = "73282932000074"


def organisations(app) -> dict[str, Organisation]:
    with app.app_context():
        return {row.name: row for row in db.session.scalars(select(Organisation))}


def imported(steps, rows, replaces: str = "0", **start: str) -> str:
    place = steps.place(csv_file([HEAD, *rows]), subject="organisations")
    assert steps.choose(place, steps.chosen(place), replaces).status_code == 303
    assert steps.browser.get(f"{place}/check").status_code == 200
    steps.browser.post(f"{place}/start", data={"doubts": "skip", "then": "start", **start})
    steps.run_outbox()
    return place


def test_organisations_move_in_with_what_their_invoices_need(app, steps):
    before = len(organisations(app))
    rows = [("Durand & Fils", "732 829 320 00074", "", "compta@durand.example", "2 rue Basse", "63300", "Thiers")]
    rows += [
        ("Sans Détail", "", "", "", "", "", ""),
        ("", "", "", "x@y.example", "", "", ""),
        ("Faux", "123", "", "", "", "", ""),
        ("sans detail", "", "", "", "", "", ""),
    ]
    place = imported(steps, rows)
    found = organisations(app)
    durand = found["Durand & Fils"]
    assert (durand.siret, durand.siren, durand.email, durand.city) == (
        SIRET,
        "732829320",
        "compta@durand.example",
        "Thiers",
    )
    assert len(found) == before + 2
    assert [row[2] for row in steps.report(place)] == ["ajouté·e"] * 2 + ["laissé de côté"] * 3


def test_one_that_is_here_is_completed_and_keeps_its_name(app, steps):
    imported(steps, [("Durand & Fils", "", "", "compta@durand.example", "", "", "")])
    place = imported(steps, [("durand & fils", SIRET, "", "x@y.example", "", "", "")])
    assert [row[2] for row in steps.report(place)] == ["complété·e"]
    place = imported(steps, [("DURAND ET FILS", SIRET, "", "", "", "", ""), ("Autre", SIRET, "", "", "", "", "")])
    assert [row[2] for row in steps.report(place)] == ["déjà là", "laissé de côté"]
    durand = organisations(app)["Durand & Fils"]
    assert (durand.siret, durand.email) == (SIRET, "compta@durand.example")


@pytest.mark.parametrize("decision, outcome", [("skip", "laissé de côté"), ("same", "complété·e"), ("new", "ajouté·e")])
def test_the_same_siren_under_another_name_is_a_doubt(app, steps, decision, outcome):
    imported(steps, [("Durand", "", "FR44732829320", "", "", "", "")])
    with app.app_context():
        assert db.session.scalar(select(Organisation.siren).where(Organisation.name == "Durand")) is None
    head = ("Nom", "SIREN", "Ville")
    first = steps.place(csv_file([head, ("Durand", "732829320", "")]), subject="organisations")
    steps.choose(first, steps.chosen(first))
    steps.browser.post(f"{first}/start", data={"doubts": "skip", "then": "start"})
    steps.run_outbox()
    place = steps.place(csv_file([head, ("Coutellerie D.", "732829320", "Thiers")]), subject="organisations")
    steps.choose(place, steps.chosen(place))
    steps.browser.post(f"{place}/start", data={"doubts": decision, "then": "start"})
    steps.run_outbox()
    assert steps.report(place)[0][2] == outcome


def test_people_join_the_organisation_that_their_line_names(app, steps, cast):
    head = ("Prénom", "Nom", "E-mail", "Entreprise")
    rows = [
        ("Zoé", "A", "zoe@demo.example", "Tôlerie Roy"),
        ("Max", "B", "max@demo.example", "TOLERIE ROY"),
        ("Léo", "C", "leo@demo.example", ""),
        (cast.stranger.first_name, cast.stranger.last_name, str(cast.stranger.email), "Tolerie Roy"),
    ]
    place = steps.whole(csv_file([head, *rows]))
    assert [row[2] for row in steps.report(place)] == [*["ajouté·e"] * 3, "complété·e"]
    again = steps.whole(csv_file([head, *rows, ("Ida", "D", "ida@demo.example", "Tôlerie Roy")]))
    assert [row[2] for row in steps.report(again)] == [*["déjà là"] * 4, "ajouté·e"]
    with app.app_context():
        rows = db.session.execute(
            select(Person.email, Organisation.name)
            .join(OrganisationMember, OrganisationMember.person_id == Person.id)
            .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
            .where(Organisation.name.contains("Roy"))
        ).all()
    assert {name for _email, name in rows} == {"Tôlerie Roy"}
    assert sorted(email for email, _name in rows) == sorted(
        ["zoe@demo.example", "max@demo.example", "ida@demo.example", str(cast.stranger.email)]
    )
