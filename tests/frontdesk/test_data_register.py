"""The register of processing and the public pages about data say what the software really does."""

from __future__ import annotations

import csv
import importlib
import io
import re

import pytest

from coworking.app import HANDLERS, MODELS
from coworking.core import holdings, legal, processing, retention
from coworking.core.db import db
from coworking.core.privacy import SELF, VIEWERS, seen_by
from coworking.core.processing import WHO
from coworking.frontdesk import register_pages

for _module in (*MODELS, *HANDLERS):  # whichever test runs first
    importlib.import_module(_module)

FILLED = {
    "director": "Jeanne Morel",
    "register_number": "RNA W631234567",
    "host_name": "Alwaysdata",
    "host_address": "91 rue du Faubourg Saint-Honoré\n75008 Paris",
    "host_phone": "01 84 16 23 40",
    "data_contact": "donnees@pont.example",
    "dpo": "Cabinet Clair",
}


def words(page: str) -> str:
    return re.sub(r"\s+", " ", page.replace("\u202f", " ").replace("\xa0", " "))


def test_whatever_is_held_or_let_go_belongs_to_one_activity():
    """Otherwise a package would hold something that the register does not tell."""
    for models in ([one.model for one in holdings.declared()], [one.model for one in retention.declared()]):
        for model in models:
            owners = [one.key for one in processing.declared() if processing.package_of(model) in one.packages]
            assert len(owners) == 1, model
    assert len({one.key for one in processing.declared()}) == len(processing.declared())


def test_who_receives_is_what_the_columns_declare():
    assert WHO.keys() == VIEWERS.keys() - {SELF}
    for one in processing.declared():
        tables = {held.table for held in one.holds()}
        seen = {
            who for name, viewers in seen_by(db.metadata).items() if name.split(".")[0] in tables for who in viewers
        }
        assert set(one.seen_by()) == {*seen, *one.also} - {SELF}, one.key
        assert one.seen_by(), "somebody of the team sees it"


def test_who_came_and_who_has_which_plan_is_seen_by_the_team():
    """Dates and amounts declare no viewers: the activity does."""
    seen = {one.key: one.seen_by() for one in processing.declared()}
    assert {"hosts", "managers"} <= {*seen["presence"]} and {"hosts", "managers"} <= {*seen["membership"]}
    assert "accountants" in seen["billing"] and "accountants" not in seen["presence"]


def test_the_register_names_all_that_is_held_and_is_a_file_too(app, place, cast, sign_in):
    with app.app_context():
        legal.change(cast.manager.actor(), FILLED)
    boss = sign_in(cast.manager)
    page = words(boss.get("/settings/privacy/register").text)
    for said in ("Mes réservations", "Alwaysdata", "Cabinet Clair", "donnees@pont.example", "les hôtes"):
        assert said in page, said
    answer = boss.get("/settings/privacy/register?as=csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) == len(processing.declared())
    with app.test_request_context():
        titles = {title for line in register_pages.lines() for title in line.what}
    assert len(titles) == len(holdings.declared())
    said = " ".join(row["Quelles données"] for row in rows)
    assert "Mes factures et avoirs" in said
    for who in ("host", "accountant", "member"):
        assert sign_in(getattr(cast, who)).get("/settings/privacy/register").status_code == 403


def test_a_chosen_time_stands_at_once_in_the_register_and_for_everyone(app, place, cast, sign_in, client):
    with app.app_context():
        retention.choose(cast.manager.actor(), {"emails": 92})
    for page in (sign_in(cast.manager).get("/settings/privacy/register"), client.get("/your-data")):
        assert "E-mails envoyés, sauf ceux des factures – 3 mois" in words(page.text)


def test_anyone_reads_the_notice_and_what_becomes_of_their_data(app, place, cast, client):
    assert 'href="/legal-notice"' in client.get("/").text and 'href="/your-data"' in client.get("/").text
    with app.app_context():
        legal.change(cast.manager.actor(), FILLED)
    notice = words(client.get("/legal-notice").text)
    for said in ("La Fabrique du Pont", "Jeanne Morel", "RNA W631234567", "Alwaysdata", "01 84 16 23 40"):
        assert said in notice, said
    page = words(client.get("/your-data").text)
    for said in ("donnees@pont.example", "Cabinet Clair", "CNIL", "Télécharger", "dix ans"):
        assert said.lower() in page.lower(), said
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    english = words(client.get("/your-data").text)
    assert "What you can do" in english and "Ce que vous pouvez" not in english


def test_what_is_missing_is_said_to_the_manager_until_it_is_there(app, place, cast, sign_in):
    boss = sign_in(cast.manager)
    assert "Il manque aux mentions légales : le directeur de publication" in words(boss.get("/today").text)
    answer = boss.post("/settings/privacy/legal", data=FILLED | {"host_phone": ""})
    assert answer.status_code == 303
    page = words(boss.get("/settings/privacy/legal").text)
    assert "le téléphone de l’hébergeur" in page and "Jeanne Morel" in page
    boss.post("/settings/privacy/legal", data=FILLED)
    assert "Il manque aux mentions" not in words(boss.get("/today").text)
    with app.app_context():
        assert legal.missing() == []


@pytest.mark.parametrize("name", ["director", "host_address", "dpo"])
def test_what_is_too_long_is_refused_and_still_there(app, place, cast, sign_in, name):
    answer = sign_in(cast.manager).post("/settings/privacy/legal", data=FILLED | {name: "x" * 501})
    assert answer.status_code == 422 and "x" * 501 in answer.text
    with app.app_context():
        assert legal.missing() != []
    assert sign_in(cast.host).post("/settings/privacy/legal", data=FILLED).status_code == 403
