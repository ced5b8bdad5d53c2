"""An uploaded table as rows of text, whatever program wrote it: encoding, separator and heading are found out.

CSV in UTF-8, UTF-16 or Windows-1252 (of which Latin-1 is a part) with ``;``, ``,``, tab or ``|``. Bounds hold before
anything is kept: `MOST_LINES`, `MOST_COLUMNS`, `MOST_CELL`.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coworking.core.errors import N_, DomainError

MOST_BYTES = 10 * 1024 * 1024
MOST_LINES = 10_000
MOST_COLUMNS = 60
MOST_CELL = 2_000
"""A cell keeps one character more, so that whoever reads it sees that it was too long."""

TableRow = list[str] | None
"""The cells of a row of the file; None: a row that cannot be read."""


class TableUnreadable(DomainError):
    code = "table_unreadable"
    message = N_(
        "This file cannot be read as a table. Save it as CSV or as an Excel workbook (.xlsx) and choose it again."
    )
    field = "file"


class TableEmpty(DomainError):
    code = "table_empty"
    message = N_("There is no line in this file.")
    field = "file"


class TableTooLong(DomainError):
    code = "table_too_long"
    message = N_("This file has more than %(most)s lines. Divide it and import the parts one after the other.")
    field = "file"


class TableTooLarge(DomainError):
    code = "table_too_large"
    message = N_("This file is larger than %(most)s MB. Divide it and import the parts one after the other.")
    field = "file"


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of the file: its number as spreadsheets count them, and its cells; None: they cannot be read."""

    number: int
    cells: TableRow


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A file: the ``head`` above its columns (empty texts where it has none) and its ``lines``."""

    head: list[str]
    lines: list[TableLine]

    def samples(self, at: int, most: int = 3) -> list[str]:
        """The first ``most`` different values of the column ``at``."""
        found: list[str] = []
        for line in self.lines:
            value = line.cells[at] if line.cells is not None else ""
            if value and value not in found:
                found.append(value)
                if len(found) == most:
                    break
        return found


def read_csv(content: bytes) -> ReadTable:
    """The table in a CSV file. Raises `TableEmpty`, `TableTooLong`, `TableUnreadable`."""
    text = _decoded(content)
    return table_from(_rows(text, _delimiter(text)))


def table_from(rows: Iterable[TableRow]) -> ReadTable:
    """The table whose first row that is not empty is the head, unless it is a line like the others (it holds an address)."""
    head: list[str] | None = None
    lines: list[TableLine] = []
    width = 0
    for number, row in enumerate(rows, 1):
        cells = None if row is None else [_clean(cell) for cell in row[:MOST_COLUMNS]]
        if cells is not None and not any(cells):
            continue
        if head is None and cells is not None and not lines:
            if not any("@" in cell for cell in cells):
                head = cells
                width = len(cells)
                continue
            head = []
        if len(lines) == MOST_LINES:
            raise TableTooLong(most=MOST_LINES)
        width = max(width, len(cells or ()))
        lines.append(TableLine(number, cells))
    if not lines:
        raise TableEmpty()
    whole = [TableLine(line.number, None if line.cells is None else _padded(line.cells, width)) for line in lines]
    return ReadTable(_padded(head or [], width), whole)


def packed(table: ReadTable) -> bytes:
    """``table`` as it is kept until it is imported."""
    rows = [table.head, *([line.number, line.cells] for line in table.lines)]
    return zlib.compress("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(), 6)


def unpacked(content: bytes) -> ReadTable:
    """What `packed` kept."""
    head, *rows = map(json.loads, zlib.decompress(content).decode().split("\n"))
    return ReadTable(head, [TableLine(number, cells) for number, cells in rows])


def _decoded(content: bytes) -> str:
    for start, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(start):
            try:
                return content.decode(name)
            except UnicodeError:
                raise TableUnreadable() from None
    try:
        text = content.decode()
    except UnicodeError:
        text = content.decode("cp1252", "replace")
    if text.count("\x00") > 10 + len(text) // 100:  # some other kind of file
        raise TableUnreadable()
    return text


def _rows(text: str, delimiter: str) -> Iterator[TableRow]:
    """Every record. One that the reader refuses (a cell of 128 kB) is a row that cannot be read; the next ones are read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        yield row


def _delimiter(text: str) -> str:
    """The sign that divides the first lines most steadily into the most columns."""
    start = text[:40_000]

    def steadiness(sign: str) -> tuple[int, int]:
        widths: list[int] = []
        for row in _rows(start, sign):
            if row and len(widths) < 60:
                widths.append(len(row))
        several = [width for width in widths if width > 1]
        usual = max(set(several), key=several.count, default=0)
        return several.count(usual) if usual else 0, usual

    return max(";,\t|", key=steadiness)


def _clean(cell: str) -> str:
    """A cell without what nobody sees (control characters, marks of direction, spaces around it), not much longer than it
    may be; without the quote before a sign that keeps a spreadsheet from calculating (`coworking.core.tables`)."""
    kept = "".join(" " if char.isspace() and char != "\n" else char for char in cell[: 2 * MOST_CELL])
    text = "".join(char for char in kept if char.isprintable() or char == "\n").strip()[: MOST_CELL + 1]
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@" else text


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))][:width]
