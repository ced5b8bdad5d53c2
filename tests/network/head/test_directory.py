"""A directory of places from a CSV file: what is usable is taken, what is odd is said, and nothing is taken twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.network.head import directory_import, entries
from coworking.network.head.census_rules import COLUMNS, MAYBE_DUPLICATE, FileTooLarge, NotACsv, read
from coworking.network.head.entry_rules import fingerprint, stated, website_of
from coworking.network.head.models import NetworkLieu
from tests.network.head.census import HEADER, a_census, file_of, row


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(NetworkLieu)) or 0


def test_every_cell_finds_its_place(inside):
    directory_import.import_places(read(file_of(row(1))))
    found = db.session.scalars(select(NetworkLieu)).one()
    assert (found.name, found.address, found.postcode) == ("L’Étape n° 1", "1 rue de l’Église", "63300")
    assert (found.city, found.code_insee, found.website) == ("Ambert", "63003", "https://www.etape.example")
    assert (found.latitude, found.longitude) == (45.55, 3.742)
    assert (found.source, found.external_id, found.way) == ("directory", "cget-2019:1", None)


def test_the_whole_census_comes_in_and_the_second_time_nothing_changes(inside, count_statements):
    reading = read(a_census())
    assert len(reading.places) == 1512
    done = directory_import.import_places(reading)
    assert (done.added, done.changed, done.same) == (1512, 0, 0)
    again = directory_import.import_places(read(a_census()))
    assert (again.added, again.changed, again.same) == (0, 0, 1512)
    assert count() == 1512
    ids = db.session.scalars(select(NetworkLieu.public_id)).all()
    assert len(set(ids)) == 1512


def test_a_trial_changes_nothing(inside):
    assert directory_import.import_places(read(file_of(row(1), row(2))), dry_run=True).added == 2
    assert count() == 0


def test_what_changed_is_followed_unless_the_place_speaks_for_itself(inside):
    directory_import.import_places(read(file_of(row(1), row(2))))
    with write_unit():
        db.session.scalars(select(NetworkLieu).where(NetworkLieu.external_id == "cget-2019:2")).one().way = "link"
    done = directory_import.import_places(read(file_of(row(1, NOM_TL="Le Nouveau"), row(2, NOM_TL="Un autre nom"))))
    assert (done.added, done.changed, done.same) == (0, 1, 1)
    assert [(one.line, one.code, one.field) for one in done.remarks] == [(3, "own", "name")]
    names = set(db.session.scalars(select(NetworkLieu.name)))
    assert names == {"Le Nouveau", "L’Étape n° 2"}


@pytest.mark.parametrize(
    ("cells", "code"),
    [({"NOM_TL": " "}, "empty"), ({"ID": ""}, "empty"), ({"ADRESSE": "x" * 301}, "too_long")],
)
def test_an_invalid_row_is_named_and_the_others_are_imported(cells, code):
    reading = read(file_of(row(1), row(2, **cells), row(3)))
    assert [entry.line for entry in reading.places] == [2, 4]
    assert [(remark.line, remark.code, remark.kept) for remark in reading.remarks] == [(3, code, False)]


def test_a_row_with_a_wrong_number_of_cells_is_named():
    reading = read(file_of(row(1)) + b"2,Trop court\n" + file_of(row(3)).split(b"\n", 1)[1])
    assert [entry.external_id for entry in reading.places] == ["cget-2019:1", "cget-2019:3"]
    assert [(remark.line, remark.place) for remark in reading.remarks] == [(3, "Trop court")]


def test_the_same_id_twice_is_taken_once():
    reading = read(file_of(row(1), row(1, NOM_TL="Autre")))
    assert len(reading.places) == 1
    assert (reading.remarks[0].code, reading.remarks[0].instead) == ("same_id", "2")


def test_possible_duplicates_are_both_imported_and_named():
    reading = read(file_of(row(3, NOM_TL="La Station"), row(6, NOM_TL="LA  STATION !"), row(4, NOM_TL="La Station")))
    assert len(reading.places) == 3
    assert [(remark.line, remark.code, remark.kept) for remark in reading.remarks] == [(3, MAYBE_DUPLICATE, True)]


def test_what_the_census_does_not_know_is_unknown():
    reading = read(file_of(row(1, CP="0", INSEECOM="0", NOMCOM="", WEB="", ADRESSE="")))
    (entry,) = reading.places
    assert (entry.postcode, entry.code_insee, entry.city, entry.website, entry.address) == (None,) * 5
    assert [(one.line, one.code, one.value) for one in reading.remarks] == [
        (2, "no_postcode", "0"),
        (2, "no_insee", "0"),
    ]


@pytest.mark.parametrize(
    ("postcode", "insee", "department", "taken"),
    [
        ("1000", "1053", "01", ("01000", "01053")),
        ("1000", "01053", "", ("01000", "01053")),
        ("1000", "1053", "", ("01000", "01053")),
        ("1000", "1053", "1", ("01000", "01053")),
        ("1000", "0", "", (None, None)),
        ("1000", "2053", "", (None, None)),
        ("6330", "63430", "63", (None, "63430")),
        ("1000", "1053", "63", (None, None)),
        ("100", "0", "01", (None, None)),
    ],
)
def test_a_lost_zero_is_put_back_where_something_else_says_so(postcode, insee, department, taken):
    content = file_of(row(1, CP=postcode, INSEECOM=insee, INSEEDEP=department), header=[*HEADER, "INSEEDEP"])
    reading = read(content)
    (entry,) = reading.places
    assert (entry.postcode, entry.code_insee) == taken
    told = [one for one in reading.remarks if one.code in {"mended", "no_postcode", "no_insee"}]
    assert len(told) == (postcode != taken[0]) + (insee != taken[1])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"TYPO": "Tiers lieux à dominante FabLab", "INSEEREG": "84"}, ("fablab", "84")),
        ({"TYPO": "Tiers lieux à dominante coworking", "NOMREG": "Auvergne et Rhône-Alpes"}, ("coworking", "84")),
        ({"TYPO": "", "INSEEREG": "1"}, (None, "01")),
        ({"TYPO": "Guinguette", "NOMREG": "Bavière"}, (None, None)),
    ],
)
def test_type_and_region_are_kept(inside, cells, expected):
    reading = read(file_of(row(1, **cells), header=[*HEADER, "INSEEREG", "NOMREG"]))
    directory_import.import_places(reading)
    found = db.session.scalars(select(NetworkLieu)).one()
    assert (found.kind, found.region) == expected
    told = {one.code for one in reading.remarks}
    assert told == ({"no_kind", "no_region"} if "Guinguette" in cells.values() else set())


def test_a_file_without_these_columns_takes_nothing_away(inside):
    whole = [*HEADER, "INSEEREG"]
    directory_import.import_places(read(file_of(row(1, INSEEREG="84"), header=whole)))
    done = directory_import.import_places(read(file_of(row(1, NOM_TL="Le Nouveau"), header=list(COLUMNS))))
    found = db.session.scalars(select(NetworkLieu)).one()
    assert (done.changed, found.name, found.kind, found.region) == (1, "Le Nouveau", "coworking", "84")


def test_values_edited_by_hand_stay_with_a_remark(inside, cast):
    directory_import.import_places(read(file_of(row(1))))
    entry = db.session.scalars(select(NetworkLieu)).one()
    old = stated(entry)
    entries.edit(cast.lead.actor(), entry.public_id, old | {"name": "À la main"}, seen=fingerprint(old))
    done = directory_import.import_places(read(file_of(row(1, NOM_TL="Du fichier", ADRESSE="2 rue Neuve"))))
    assert (done.added, done.changed, done.same) == (0, 1, 0)
    assert [(one.line, one.code, one.field, one.value, one.instead) for one in done.remarks] == [
        (2, "edited", "name", "Du fichier", "À la main")
    ]
    found = db.session.scalars(select(NetworkLieu)).one()
    assert (found.name, found.address) == ("À la main", "2 rue Neuve")
    again = directory_import.import_places(read(file_of(row(1, NOM_TL="Du fichier", ADRESSE="2 rue Neuve"))))
    assert (again.changed, again.same, len(again.remarks)) == (0, 1, 1)


@pytest.mark.parametrize(
    ("north", "east"), [("91", "3"), ("45", "181"), ("nan", "3"), ("inf", "3"), ("0", "0"), ("45,8", "3")]
)
def test_no_position_on_earth_is_no_position(north, east):
    reading = read(file_of(row(1, LAT=north, LONG=east)))
    assert (reading.places[0].latitude, reading.places[0].longitude) == (None, None)
    assert reading.remarks[0].kept


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "ftp://a.example", "http://", "un site", "www.a b.example", "//x"]
)
def test_a_website_is_a_link_one_may_follow_or_nothing(text):
    assert website_of(text) is None


def test_overseas_places_are_places():
    (entry,) = read(file_of(row(1, LAT="-20.98", LONG="55.28"))).places
    assert entry.latitude == -20.98


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "ID,NOM_TL\n1,é".encode("latin-1"),
        b"ID;NOM_TL;ADRESSE\n1;a;b\n",
        b"ID,NOM_TL\n1,a\n",
        file_of(row(1)) + b'"never closed',
        file_of(row(1)).replace(b"Thiers", b"Th\x00ers").replace(b"Ambert", b"Am\x00bert"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(content):
    with pytest.raises(NotACsv):
        read(content)


def test_twenty_megabytes_are_too_many():
    with pytest.raises(FileTooLarge):
        read(b"x" * 20_000_000)


def test_the_command_says_what_it_did(app, tmp_path: Path):
    good, bad = tmp_path / "lieux.csv", tmp_path / "bad.csv"
    good.write_bytes(file_of(row(1, CP="6330", WEB="ftp://x"), row(2, NOM_TL=""), row(3, CP="0")))
    bad.write_bytes(b"\x00\x01")
    run = app.test_cli_runner().invoke
    trial = run(args=["network", "import-lieux", str(good), "--dry-run"])
    assert "2 would be added" in trial.output
    done = run(args=["network", "import-lieux", str(good)])
    assert done.exit_code == 0
    assert "line 3: Left out: NOM_TL is empty" in done.output
    assert "2 added, 0 changed, 0 as they were, 1 left out." in done.output
    assert "line 2: Imported without a postcode: “6330” is not valid\n" in done.output
    assert "line 4: Imported without a postcode: “0” is not valid\n" in done.output
    assert "Imported without: postcode 2, website 1." in done.output
    failed = run(args=["network", "import-lieux", str(bad)])
    assert failed.exit_code == 1 and "not a CSV file" in failed.output
    assert run(args=["network", "import-lieux", str(tmp_path / "none.csv")]).exit_code == 2
    with app.app_context():
        assert count() == 2
