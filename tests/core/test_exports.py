"""A list as a file: real dates and amounts, words in the reader's language, and no text that becomes a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask import Response
from python_calamine import CalamineWorkbook

from coworking.core import exports
from coworking.core.exports import Column, ListTooLong, list_answer
from coworking.core.money import Cents

DAY, INSTANT = date(2026, 11, 27), datetime(2026, 11, 27, 8, 30, tzinfo=UTC)
ROWS = [
    ("=HYPERLINK(1)", Cents(-123450), DAY, INSTANT, True, 3),
    ("é\x00\x0b", None, None, None, False, 0.5),
]
COLUMNS = [
    Column(name, lambda row, at=at: row[at]) for at, name in enumerate(("Name", "Amount", "Day", "Time", "x", "y"))
]


@pytest.fixture
def answer(app, place) -> Callable[..., Response]:
    def made(kind: exports.Kind, language: str = "fr", **given) -> Response:
        with app.test_request_context("/", headers={"Accept-Language": language}):
            found = list_answer(kind, "People", given.get("columns", COLUMNS), given.get("rows", ROWS))
            found.direct_passthrough = False
            return found

    return made


def test_csv_for_french_readers_has_semicolons_and_commas(answer):
    found = answer("csv")
    assert found.get_data().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(found.get_data().decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows[0][:4] == ["Nom", "Montant", "Jour", "Heure"]
    assert rows[1] == ["'=HYPERLINK(1)", "-1234,50", "2026-11-27", "2026-11-27 09:30", "oui", "3"]
    assert rows[2] == ["é", "", "", "", "", "0,5"]
    assert found.headers["Content-Disposition"] == "attachment; filename=personnes-2026-11-24.csv"
    assert found.headers["Cache-Control"] == "no-store"


def test_csv_for_english_readers_has_commas_and_points(answer):
    rows = list(csv.reader(io.StringIO(answer("csv", "en").get_data().decode("utf-8-sig"), newline="")))
    assert rows[0][:4] == ["Name", "Amount", "Day", "Time"]
    assert rows[1] == ["'=HYPERLINK(1)", "-1234.50", "2026-11-27", "2026-11-27 09:30", "yes", "3"]


def test_xlsx_holds_dates_and_amounts_and_formulas_as_text(answer):
    content = answer("xlsx").get_data()
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[0][:4] == ["Nom", "Montant", "Jour", "Heure"]
    assert rows[1] == ["=HYPERLINK(1)", -1234.5, DAY, datetime.fromisoformat("2026-11-27 09:30"), "oui", 3.0]
    assert rows[2][0] == "é" and rows[2][5] == 0.5
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and 'ySplit="1"' in sheet and 'state="frozen"' in sheet


def test_a_cell_longer_than_a_spreadsheet_takes_is_cut(answer):
    content = answer("xlsx", columns=[Column("Name", lambda row: row)], rows=["x" * 1_000_000]).get_data()
    [_head, [cell]] = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert len(cell) == 32_767


def test_a_list_of_any_length_is_bounded(answer, monkeypatch):
    monkeypatch.setattr(exports, "MOST_ROWS", 3)
    assert answer("csv", rows=ROWS[:1] * 3).get_data().count(b"\n") == 4
    for kind in ("csv", "xlsx"):
        with pytest.raises(ListTooLong):
            answer(kind, rows=ROWS[:1] * 4)
