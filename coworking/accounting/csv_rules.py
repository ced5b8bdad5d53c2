"""A bank statement as CSV, as French banks export it: which column is what is chosen by a person.

``;`` or ``,`` or a tab, Latin-1 or UTF-8, with lines above the table, decimal commas, one column of amounts or two.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Literal

from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from coworking.accounting.statement_rules import (
    FIRST_YEAR,
    LAST_YEAR,
    MOST_CENTS,
    MOST_LINES,
    StatementEmpty,
    StatementLine,
    StatementTooLong,
    StatementUnreadable,
    compact_iban,
    one_line,
)
from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold

Field = Literal["", "day", "text", "amount", "debit", "credit", "name", "reference", "iban"]
FIELDS: tuple[Field, ...] = ("", "day", "text", "amount", "debit", "credit", "name", "reference", "iban")
MOST_COLUMNS = 30

_WORDS: dict[Field, tuple[str, ...]] = {
    "day": ("date de comptabilisation", "date comptable", "date operation", "date d'operation", "date", "booking date"),
    "debit": ("debit", "debit euros", "montant debit"),
    "credit": ("credit", "credit euros", "montant credit"),
    "amount": ("montant", "montant(euros)", "montant en euros", "amount", "montant de l'operation"),
    "name": ("nom", "contrepartie", "emetteur", "tiers", "nom contrepartie", "beneficiaire", "donneur d'ordre"),
    "reference": ("reference", "ref", "reference operation", "reference bancaire"),
    "iban": ("iban", "compte contrepartie", "iban contrepartie"),
}
_TEXT = (
    "libelle",
    "detail",
    "details",
    "communication",
    "motif",
    "informations complementaires",
    "description",
    "label",
)


class ColumnsUnclear(DomainError):
    """``missing`` is not chosen for any column, or for too many."""

    code = "columns_unclear"
    message = N_("Say which column holds the date, and which one the amount, or the debits and the credits.")
    field = "columns"


class RowUnreadable(DomainError):
    code = "row_unreadable"
    message = N_("Line %(row)s: « %(cell)s » is no %(what)s. Check which column is what.")
    field = "columns"


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file as a table: its ``head`` and ``rows``, the number of the head's line, and an IBAN named above it."""

    head: list[str]
    rows: list[list[str]]
    head_at: int
    iban: str | None

    @property
    def layout(self) -> str:
        """What files of the same kind have in common: by it the choice of columns is remembered."""
        return sha256("\n".join(fold(cell.strip()) for cell in self.head).encode()).hexdigest()


def read_table(content: bytes) -> Table:
    """The table in a CSV file. Raises `StatementUnreadable`, `StatementEmpty`, `StatementTooLong`."""
    text = _decoded(content)
    if "\x00" in text:
        raise StatementUnreadable(what="NUL")
    delimiter = max(";,\t|", key=lambda sign: _steady(text, sign))
    try:
        every = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise StatementUnreadable(what=str(error)) from error
    first = next((at for at, row in enumerate(every) if _has_values(row)), None)
    if first is None:
        raise StatementEmpty()
    above = next((at for at in range(first - 1, -1, -1) if any(every[at])), None)
    width = min(max(len(row) for row in every[first : first + 50]), MOST_COLUMNS)
    named = above is not None and len([cell for cell in every[above] if cell]) >= 2
    head = every[above] if named and above is not None else [""] * width
    rows = [row for row in every[first:] if any(row)]
    if len(rows) > MOST_LINES:
        raise StatementTooLong(most=MOST_LINES)
    preamble = " ".join(cell for row in every[: above if named and above is not None else first] for cell in row)
    return Table(
        (head + [""] * width)[:width], [(row + [""] * width)[:width] for row in rows], first, _iban_in(preamble)
    )


def _decoded(content: bytes) -> str:
    for start, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(start):
            try:
                return content.decode(name)
            except UnicodeError as error:
                raise StatementUnreadable(what=name) from error
    try:
        return content.decode()
    except UnicodeError:
        return content.decode("cp1252", "replace")


def _steady(text: str, sign: str) -> tuple[int, int]:
    """How many of the first lines hold the most common number of ``sign``, and that number."""
    counts = [line.count(sign) for line in text.splitlines()[:60] if line.count(sign) >= 1]
    usual = max(set(counts), key=counts.count, default=0)
    return counts.count(usual) if usual else 0, usual


def _has_values(row: Sequence[str]) -> bool:
    """Whether it is a movement: a date and an amount stand in it."""
    return any(_day(cell) for cell in row) and any(
        _amount(cell) is not None for cell in row if not _day(cell) and re.search(r"\d", cell)
    )


def _iban_in(text: str) -> str | None:
    for found in re.finditer(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}", text.upper()):
        try:
            return ibans.validate(found[0])
        except ValidationError:
            continue
    return None


def guessed(table: Table) -> list[Field]:
    """What each column probably holds, by its head, else by what stands in it."""
    found: list[Field] = [""] * len(table.head)
    heads = [fold(cell.strip()).replace("\u2019", "'") for cell in table.head]
    for name, words in _WORDS.items():
        at = next((heads.index(word) for word in words if word in heads), None)
        if at is not None and not found[at]:
            found[at] = name
    for at, head in enumerate(heads):
        if not found[at] and any(head.startswith(word) for word in _TEXT):
            found[at] = "text"
    sample = table.rows[:20]
    if "day" not in found:
        at = next((at for at in range(len(found)) if not found[at] and any(_day(row[at]) for row in sample)), None)
        if at is not None:
            found[at] = "day"
    if not {"amount", "debit", "credit"} & set(found):
        numeric = [
            at
            for at in range(len(found))
            if not found[at] and any(_amount(row[at]) is not None and "," in row[at] for row in sample)
        ]
        if numeric:
            found[numeric[0]] = "amount"
    if "text" not in found and (free := [at for at in range(len(found)) if not found[at]]):
        longest = max(free, key=lambda at: sum(len(row[at]) for row in sample))
        if any(row[longest] for row in sample):
            found[longest] = "text"
    if {"debit", "credit"} & set(found) and "amount" in found:
        found[found.index("amount")] = ""
    return found


def remembered_columns(text: str | None, width: int) -> list[Field] | None:
    """Remembered columns, where they fit a table of ``width`` columns."""
    said = (text or "-").split(",")
    return [field_named(name) for name in said] if len(said) == width and set(said) <= set(FIELDS) else None


def field_named(text: str) -> Field:
    """What a form says that a column holds; nothing for anything else."""
    for name in FIELDS:
        if name == text:
            return name
    return ""


def csv_lines(table: Table, columns: Sequence[Field], currency: str) -> Iterator[StatementLine]:
    """The lines of the table; rows with words or nothing in place of a date (totals, balances) are left out.

    Raises `ColumnsUnclear`, `RowUnreadable`.
    """
    days, amounts = [at for at, name in enumerate(columns) if name == "day"], _amount_columns(columns)
    if len(days) != 1 or amounts is None or len(columns) != len(table.head):
        raise ColumnsUnclear()
    for number, row in enumerate(table.rows, table.head_at + 1):
        cell = row[days[0]]
        if not cell:
            continue
        day = _day(cell)
        if day is None:
            if not any(row[at] for at in amounts) or re.search(r"[^\W\d]{3}", cell):
                continue  # « Solde au 24/11/2026 », a total
            raise RowUnreadable(row=number, cell=cell[:40], what=N_("date"))
        cents = _cents_of(row, columns, number)
        if cents:
            yield _line(row, columns, day, cents, currency)


def _amount_columns(columns: Sequence[Field]) -> list[int] | None:
    """Where amounts stand: one column, or debits and credits; None where that is not clear."""
    counts = {name: columns.count(name) for name in ("amount", "debit", "credit")}
    if counts not in ({"amount": 1, "debit": 0, "credit": 0}, {"amount": 0, "debit": 1, "credit": 1}):
        return None
    return [at for at, name in enumerate(columns) if name in counts]


def _cents_of(row: Sequence[str], columns: Sequence[Field], number: int) -> int:
    total = 0
    for cell, name in zip(row, columns, strict=True):
        if name not in {"amount", "debit", "credit"} or not cell.strip():
            continue
        cents = _amount(cell)
        if cents is None or abs(total + cents) > MOST_CENTS:
            raise RowUnreadable(row=number, cell=cell[:40], what=N_("amount"))
        total += cents if name == "amount" else -abs(cents) if name == "debit" else abs(cents)
    return total


def _line(row: Sequence[str], columns: Sequence[Field], day: date, cents: int, currency: str) -> StatementLine:
    def of(name: Field, most: int = 140) -> str | None:
        return one_line(*(cell for cell, column in zip(row, columns, strict=True) if column == name), most=most) or None

    return StatementLine(
        booked_on=day,
        cents=cents,
        currency=currency,
        text=of("text", 500) or "",
        reference=of("reference"),
        name=of("name"),
        iban=compact_iban(of("iban")),
    )


_FRENCH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?", re.ASCII)


def _day(text: str) -> date | None:
    plain = text.strip()
    try:
        if found := _FRENCH.fullmatch(plain):
            year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
            day = date(year, int(found[2]), int(found[1]))
        elif found := _ISO.fullmatch(plain):
            day = date(int(found[1]), int(found[2]), int(found[3]))
        else:
            return None
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


_GROUPED = re.compile(r"([+-]?)(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](\d{1,2}))?(-?)", re.ASCII)


def _amount(text: str) -> int | None:
    """« 1 234,50 », « -12.5 », « 1.234,56 € », « 12,00- » in cents; None for anything else."""
    plain = re.sub(r"[\s\u00a0\u202f]|EUR|€", "", text.upper().replace("\u2212", "-"))
    found = _GROUPED.fullmatch(plain)
    if found is None or (found[1] == "-" and found[4]):
        return None
    whole = re.sub(r"[.,]", "", found[2])
    if len(whole) > 12:
        return None
    cents = int(whole) * 100 + int((found[3] or "").ljust(2, "0"))
    return -cents if found[1] == "-" or found[4] else cents
