"""Lists as files: the address of a list answers with the whole list as CSV or as a spreadsheet (XLSX).

The list's own view does it, so that a file holds what the list shows: the same policy, the same filters. On the page one
control offers both (`templates/_components/export.html`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import IO, Any, Generic, Literal, TypeVar

from flask import Response, request, send_file

from coworking.core.clock import now
from coworking.core.errors import N_, DomainError
from coworking.core.folding import listed_by
from coworking.core.formats import instant_day, wall_clock
from coworking.core.i18n import _, language
from coworking.core.money import Cents
from coworking.core.tables import cents_cell, lines_of_csv, without_controls

ListRow = TypeVar("ListRow")
Kind = Literal["csv", "xlsx"]

MOST_ROWS = 200_000
"""The longest list that is written into a file; a spreadsheet takes five times as many."""
_MOST_CELL = 32_767
_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_KEPT_IN_MEMORY = 1 << 20


class ListTooLong(DomainError):
    code = "list_too_long"
    message = N_("This list is longer than %(most)s lines. Narrow it first.")


@dataclass(frozen=True, slots=True)
class Column(Generic[ListRow]):
    """A column of a list's file: its ``heading`` (English, marked with `N_`) and what it ``read``s from a row.

    A cell is text, a number, a date, an instant (written in the lieu's time), an amount (`Cents`), True (« oui »), or
    None and False, which leave it empty.
    """

    heading: str
    read: Callable[[ListRow], object]


def numbered(headings: Sequence[str]) -> list[Column[Sequence[object]]]:
    """Columns under ``headings`` of rows that are already cells, in this order."""
    return [Column(heading, itemgetter(at)) for at, heading in enumerate(headings)]


def asked() -> Kind | None:
    """Which file the request asks for instead of the page (``?as=csv``, ``?as=xlsx``); None: the page."""
    wanted = request.args.get("as")
    return "csv" if wanted == "csv" else "xlsx" if wanted == "xlsx" else None


def list_answer(kind: Kind, name: str, columns: Sequence[Column[ListRow]], rows: Iterable[ListRow]) -> Response:
    """``rows`` as a file to keep, called by ``name`` (marked with `N_`) and today's date. Raises `ListTooLong`."""
    heads = [_(column.heading) for column in columns]
    cells = ([column.read(row) for column in columns] for row in _bounded(rows))
    title = _(name)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    (_write_csv if kind == "csv" else _write_xlsx)(file, title, heads, cells)
    file.seek(0)
    stem = listed_by(title).replace(" ", "-")
    answer = send_file(
        file,
        mimetype=_TYPES[kind],
        as_attachment=True,
        download_name=f"{stem}-{instant_day(now()).isoformat()}.{kind}",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _bounded(rows: Iterable[ListRow]) -> Iterator[ListRow]:
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise ListTooLong(most=MOST_ROWS)
        yield row


# CSV ------------------------------------------------------------------------------------------------------------------


def _write_csv(file: IO[bytes], _title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    for line in csv_bytes(heads, rows):
        file.write(line)


def csv_bytes(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A CSV file line by line. French offices expect semicolons and decimal commas, others commas and points. A mark in
    front says UTF-8, without which spreadsheets guess. Cells: see `Column`."""
    delimiter, point = (";", ",") if language() == "fr" else (",", ".")
    yield b"\xef\xbb\xbf"
    for line in lines_of_csv(_lines(heads, rows, point), delimiter=delimiter):
        yield line.encode()


def _lines(heads: Sequence[str], rows: Iterable[Sequence[object]], point: str) -> Iterator[Sequence[object]]:
    yield heads
    for row in rows:
        yield [_text_of(cell, point) for cell in row]


def _text_of(cell: object, point: str) -> object:
    if cell is None or cell is False:
        return ""
    if cell is True:
        return _("yes")
    if isinstance(cell, Cents):
        return cents_cell(cell, point=point)
    if isinstance(cell, float):
        return repr(cell).replace(".", point)
    if isinstance(cell, datetime):
        return wall_clock(cell).strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    return cell


# XLSX -----------------------------------------------------------------------------------------------------------------


def _write_xlsx(file: IO[bytes], title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Row by row, in memory of a fixed size. Every cell is written as what it is, so that no text becomes a formula."""
    from xlsxwriter.workbook import Workbook  # only who exports one pays for loading it

    book = Workbook(file, {"constant_memory": True})
    try:
        book.set_properties({"title": title, "created": now().replace(tzinfo=None)})
        sheet: Any = book.add_worksheet("".join(sign for sign in title if sign not in "[]:*?/\\")[:31])
        bold = book.add_format({"bold": True, "bottom": 1})
        as_cents = book.add_format({"num_format": "#,##0.00"})
        as_day = book.add_format({"num_format": "dd/mm/yyyy" if language() == "fr" else "yyyy-mm-dd"})
        as_instant = book.add_format({"num_format": "dd/mm/yyyy hh:mm" if language() == "fr" else "yyyy-mm-dd hh:mm"})
        sheet.freeze_panes(1, 0)
        for at, head in enumerate(heads):
            sheet.set_column(at, at, max(14, min(40, len(head) + 3)))
            sheet.write_string(0, at, head, bold)
        for line, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                if cell is None or cell is False or cell == "":
                    continue
                if isinstance(cell, Cents):
                    sheet.write_number(line, at, cell / 100, as_cents)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(line, at, wall_clock(cell), as_instant)
                elif isinstance(cell, date):
                    sheet.write_datetime(line, at, cell, as_day)
                elif isinstance(cell, int | float) and cell is not True:
                    sheet.write_number(line, at, cell)
                else:
                    sheet.write_string(line, at, _("yes") if cell is True else without_controls(str(cell))[:_MOST_CELL])
    finally:
        book.close()
