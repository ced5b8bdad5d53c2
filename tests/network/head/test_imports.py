"""What an import could not read, or left as it was, is kept for the lead: on a page, line by line, and as a table."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import func, select

from coworking.core.db import db
from coworking.network.head import directory_import
from coworking.network.head.census_rules import read
from coworking.network.head.models import DirectoryImport
from tests.network.head.census import a_census, file_of, row
from tests.network.head.lieux import plain

PAGE = "/network/directory/imports"


def imported(*rows: dict[str, str], name: str = "lieux.csv") -> None:
    directory_import.import_places(read(file_of(*rows)), file_name=name)


@pytest.fixture
def done(app, place):
    """An import of four lines: one whole, one without codes, one left out, one that a spreadsheet would run."""
    with app.app_context():
        imported(
            row(1),
            row(2, CP="0", INSEECOM="0"),
            row(3, NOM_TL=""),
            row(4, NOM_TL="=HYPERLINK(1)", WEB="ftp://x.example"),
        )


def test_the_lead_reads_what_was_dropped_line_by_line(cast, done, sign_in):
    lead = sign_in(cast.lead)
    assert f'href="{PAGE}"' in lead.get("/network/directory").text
    page = plain(lead.get(PAGE).text)
    assert "lieux.csv, importé le" in page and "3 ajoutés, 0 modifiés, 0 inchangés, 1 écartés." in page
    assert "3 L’Étape n° 2 Importée sans code postal : «0» n’est pas valable".replace("«0»", "« 0 »") in page
    assert "Importée sans code INSEE" in page and "Écartée : NOM_TL est vide" in page
    only = lead.get(f"{PAGE}?code=no_insee").text
    assert "Importée sans code INSEE" in only and "Écartée" not in only
    assert plain(lead.get(f"{PAGE}?code=nonsense&page=-3").text) == page


def test_the_table_holds_every_remark_and_no_formula(cast, done, sign_in):
    answer = sign_in(cast.lead).get(f"{PAGE}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))
    assert [one["Ligne"] for one in rows] == ["3", "3", "4", "5"]
    assert rows[0]["Dans le fichier"] == "0" and rows[3]["Lieu"] == "'=HYPERLINK(1)"


def test_a_trial_is_not_kept_and_old_imports_are_forgotten(app, cast, place, sign_in):
    with app.app_context():
        directory_import.import_places(read(file_of(row(1))), dry_run=True)
    lead = sign_in(cast.lead)
    assert "Rien n’a encore été importé" in plain(lead.get(PAGE).text)
    assert lead.get(f"{PAGE}.csv").status_code == 404
    with app.app_context():
        for number in range(directory_import.IMPORTS_KEPT + 2):
            imported(row(1, CP="0"), name=f"{number}.csv")
        kept = db.session.scalars(select(DirectoryImport.file_name).order_by(DirectoryImport.id)).all()
        assert kept == [f"{number}.csv" for number in range(2, directory_import.IMPORTS_KEPT + 2)]
        first = db.session.scalar(select(func.min(DirectoryImport.id)))
    assert "2.csv, importé le" in plain(lead.get(f"{PAGE}?id={first}").text)
    assert lead.get(f"{PAGE}?id={(first or 0) - 1}").status_code == 404
    assert lead.get(f"{PAGE}?id=x").status_code == 404


def test_the_remarks_of_the_whole_census_stand_on_pages_at_the_same_cost(app, cast, done, sign_in, count_statements):
    lead = sign_in(cast.lead)
    with count_statements() as few:
        lead.get(PAGE)
    with app.app_context():
        reading = read(a_census())
        directory_import.import_places(reading, file_name="census.csv")
    with count_statements() as many:
        page = lead.get(f"{PAGE}?page=2").text
    assert len(many) == len(few) <= 5, many
    if len(reading.remarks) > 200:
        assert len(re.findall(r'<td class="num">', page)) == 100
        assert plain(page).count("Importée sans") > 50


def test_only_the_lead_reads_them(cast, done, sign_in, client):
    for person in (cast.member, cast.host, cast.manager, cast.accountant):
        browser = sign_in(person)
        assert {browser.get(path).status_code for path in (PAGE, f"{PAGE}.csv")} == {403}
    assert client.get(PAGE).status_code == 302
