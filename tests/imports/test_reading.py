"""A table is read whatever program wrote it, and nothing unpacks into more than may be."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coworking.imports import xlsx_rules
from coworking.imports.column_rules import ColumnTwice, NameColumnMissing, check_columns, guessed_columns
from coworking.imports.table_rules import (
    MOST_CELL,
    MOST_LINES,
    TableEmpty,
    TableTooLong,
    TableUnreadable,
    packed,
    read_csv,
    table_from,
    unpacked,
)
from coworking.imports.xlsx_rules import WorkbookRefused, check_workbook, read_workbook
from tests.imports.uploads import HEAD, csv_file, xlsx_file

ANNE = ("Anaïs", "Lefèvre", "anais@demo.example")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_csv_of_any_encoding_and_separator(encoding: str, delimiter: str):
    table = read_csv(csv_file([HEAD[:3], ANNE, ("Bob, dit «B»", "Roy", "")], encoding=encoding, delimiter=delimiter))
    assert table.head == list(HEAD[:3])
    assert [line.cells for line in table.lines] == [list(ANNE), ["Bob, dit «B»", "Roy", ""]]
    assert [line.number for line in table.lines] == [2, 3]


def test_lines_keep_the_numbers_that_spreadsheets_show():
    table = read_csv(b'\nNom;Notes\n\nAnne;"deux\nlignes"\n\nBob;\n')
    assert [(line.number, line.cells) for line in table.lines] == [(4, ["Anne", "deux\nlignes"]), (6, ["Bob", ""])]


def test_a_file_without_headings_loses_no_line():
    table = read_csv(csv_file([ANNE, ("Bob", "Roy", "bob@demo.example")]))
    assert table.head == ["", "", ""] and len(table.lines) == 2
    assert guessed_columns("people", table)[2] == "email"


def test_what_nobody_sees_is_left_out():
    [line] = read_csv("Nom;Note\n\u202eAn\x00ne\u200b\u00a0Roy\x07;'=1+1\n".encode()).lines
    assert line.cells == ["Anne Roy", "=1+1"]


def test_a_cell_of_a_megabyte_is_one_broken_line():
    table = read_csv(csv_file([HEAD[:2], ("x" * 1_000_000, "A"), ("Bob", "Roy"), ("y" * 100_000, "B")]))
    assert table.lines[0].cells is None and table.lines[1].cells == ["Bob", "Roy"]
    assert [len(line.cells[0]) for line in table.lines[2:] if line.cells] == [MOST_CELL + 1]


def test_bounds():
    assert len(read_csv(csv_file([["Nom"], *[[f"n{at}"] for at in range(MOST_LINES)]])).lines) == MOST_LINES
    with pytest.raises(TableTooLong):
        read_csv(csv_file([["Nom"], *[[f"n{at}"] for at in range(MOST_LINES + 1)]]))
    with pytest.raises(TableEmpty):
        read_csv(b"Nom;Notes\n")
    with pytest.raises(TableUnreadable):
        read_csv(bytes(range(256)) * 40 + b"\x00" * 1000)


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), min_size=1, max_size=5))
def test_what_is_kept_is_what_was_read(rows: list[list[str]]):
    try:
        table = table_from(rows)
    except TableEmpty:
        return
    assert unpacked(packed(table)) == table


# Workbooks


def test_a_workbook_reads_as_people_type():
    rows = list(read_workbook(xlsx_file([HEAD[:3], ("Anaïs", 612345678, "=1+1"), ("Bob", 0.5, "")])))
    assert rows == [list(HEAD[:3]), ["Anaïs", "612345678", "0"], ["Bob", "0.5", ""]]


def bomb(name: str, content: bytes, *, more: dict[str, bytes] | None = None) -> bytes:
    """A workbook with ``name`` replaced by ``content``, as small as it compresses."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_file([("Nom",), ("Anne",)]))) as old:
        parts = {part: old.read(part) for part in old.namelist()} | {name: content} | (more or {})
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part, said in parts.items():
            new.writestr(part, said)
    return file.getvalue()


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: bomb("xl/sharedStrings.xml", b"<sst>" + b"a" * 60_000_000), id="shared strings"),
        pytest.param(lambda: bomb("xl/worksheets/sheet1.xml", SHEET % (b" " * 60_000_000)), id="a sheet"),
        pytest.param(
            lambda: bomb("x", b"", more={f"xl/media/{at}": b"" for at in range(xlsx_rules.MOST_FILES)}), id="parts"
        ),
        pytest.param(
            lambda: bomb(
                "xl/worksheets/sheet1.xml",
                SHEET % b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            ),
            id="a cell far out",
        ),
    ],
)
def test_a_bomb_is_refused_before_it_is_parsed(content, monkeypatch):
    def parsed(*args, **options):
        raise AssertionError("it must not be parsed")

    monkeypatch.setattr(xlsx_rules.subprocess, "run", parsed)
    made = content()
    assert len(made) < 1_000_000
    with pytest.raises(WorkbookRefused):
        list(read_workbook(made))


def test_an_archive_that_lies_about_its_size_is_refused():
    made = bytearray(bomb("xl/sharedStrings.xml", b"<sst>" + b"a" * 60_000_000))
    at = made.rindex(b"xl/sharedStrings.xml") - 46
    made[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises((WorkbookRefused, TableUnreadable)):
        check_workbook(bytes(made))


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"\x00" * 500, bomb("xl/workbook.xml", b"<x")])
def test_what_is_no_workbook_is_said_to_be_none(content: bytes):
    with pytest.raises(TableUnreadable):
        list(read_workbook(content))


def test_a_workbook_of_ten_thousand_lines_is_read():
    rows = [HEAD, *[(f"P{at}", f"Nom{at}", f"p{at}@demo.example", "", "", "", "", "") for at in range(MOST_LINES)]]
    assert len(table_from(read_workbook(xlsx_file(rows))).lines) == MOST_LINES


# Columns


@pytest.mark.parametrize(
    "head, expected",
    [
        (HEAD, ["first_name", "last_name", "email", "phone", "address", "postcode", "city", "note"]),
        (("Nom", "Prénom", "Adresse e-mail :", "Tél."), ["last_name", "first_name", "email", "phone"]),
        (("Nom", "Courriel"), ["full_name", "email"]),
        (("Name", "Email Address", "Zip Code", "City"), ["full_name", "email", "postcode", "city"]),
        (("First Name", "Name", "Mobile Phone"), ["first_name", "last_name", "phone"]),
        (("FullName", "MobilePhone", "PostalCode", "CityName"), ["full_name", "phone", "postcode", "city"]),
        (("Nom adhérent", "Prénom adhérent", "Email payeur"), ["last_name", "first_name", "email"]),
        (("Couleur", "Nom et prénom"), ["", "full_name"]),
    ],
)
def test_headings_are_understood(head: tuple[str, ...], expected: list[str]):
    assert guessed_columns("people", read_csv(csv_file([head, ["x"] * len(head)]))) == expected


def test_columns_that_cannot_be_imported():
    with pytest.raises(ColumnTwice):
        check_columns("people", ["email", "email"])
    with pytest.raises(NameColumnMissing):
        check_columns("people", ["", "phone"])
