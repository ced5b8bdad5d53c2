"""CSV statements of French banks: separators, encodings, lines above the table, one column of amounts or two."""

from __future__ import annotations

from datetime import date

import pytest

from coworking.accounting.csv_rules import (
    ColumnsUnclear,
    RowUnreadable,
    csv_lines,
    guessed,
    read_table,
    remembered_columns,
)
from coworking.accounting.statement_rules import StatementEmpty, StatementUnreadable

TWO_COLUMNS = (
    "Téléchargement du 24/11/2026;;;;\r\nCompte FR76 3000 6000 0112 3456 7890 189;;;;\r\n;;;;\r\n"
    "Date;Libellé;Débit euros;Crédit euros;\r\n"
    '20/11/2026;"VIR INST RECU\nVIDAL LISE F2026-0001";;66,00;\r\n'
    "21/11/2026;PRLV EDF;-1 234,50;;\r\n"
    "Solde au 24/11/2026;;;9 999,99;\r\n"
)
ONE_COLUMN = "date,libelle,montant\n2026-11-20,VIDAL LISE F2026-0001,66.00\n2026-11-21,EDF,-1234.5\n"
NO_HEAD = "20/11/26;VIDAL LISE F2026-0001;66,00\n21/11/26;EDF;-1.234,50\n"
EXPECTED = [(date(2026, 11, 20), 6600), (date(2026, 11, 21), -123450)]


@pytest.mark.parametrize(
    "content",
    [
        TWO_COLUMNS.encode("latin-1"),
        TWO_COLUMNS.encode("cp1252"),
        b"\xef\xbb\xbf" + TWO_COLUMNS.encode(),
        TWO_COLUMNS.encode("utf-16"),
        ONE_COLUMN.encode(),
        ONE_COLUMN.replace(",", "\t").encode(),
        NO_HEAD.encode(),
    ],
)
def test_what_banks_export_is_understood(content):
    table = read_table(content)
    lines = list(csv_lines(table, guessed(table), "EUR"))
    assert [(line.booked_on, line.cents) for line in lines] == EXPECTED
    assert "F2026-0001" in lines[0].text


def test_accents_and_an_account_above_the_table_are_read():
    table = read_table(TWO_COLUMNS.encode("latin-1"))
    assert table.head[:4] == ["Date", "Libellé", "Débit euros", "Crédit euros"]
    assert table.iban == "FR7630006000011234567890189"


def test_columns_are_remembered_by_their_heads_and_fit_the_table():
    table = read_table(ONE_COLUMN.encode())
    assert remembered_columns("day,text,amount", 3) == ["day", "text", "amount"]
    unknown = ("day,text", "day,text,shoes", None)
    assert [remembered_columns(said, 3) for said in unknown] == [None] * 3
    assert table.layout == read_table(ONE_COLUMN.replace("66.00", "1.00").encode()).layout
    assert table.layout != read_table(ONE_COLUMN.replace("montant", "valeur").encode()).layout


@pytest.mark.parametrize(
    "columns",
    [
        ["", "text", "amount"],
        ["day", "day", "amount"],
        ["day", "text", ""],
        ["day", "debit", "text"],
        ["day", "amount"],
    ],
)
def test_unclear_columns_are_refused(columns):
    with pytest.raises(ColumnsUnclear):
        list(csv_lines(read_table(ONE_COLUMN.encode()), columns, "EUR"))


def test_a_cell_that_is_no_amount_is_named_with_its_line():
    table = read_table(ONE_COLUMN.replace("-1234.5", "douze").encode())
    with pytest.raises(RowUnreadable) as refused:
        list(csv_lines(table, ["day", "text", "amount"], "EUR"))
    assert "douze" in str(refused.value) and "3" in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"bonjour", b"a;b;c\n", b"\x00\x01\x02"])
def test_what_holds_no_line_is_refused(content):
    with pytest.raises((StatementEmpty, StatementUnreadable)):
        read_table(content)
