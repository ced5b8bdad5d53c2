"""An Excel workbook as rows of text, in bounds that hold before anything is unpacked into memory.

`check_workbook` unpacks the archive piece by piece and throws the pieces away, counting: a bomb ends there. What passes is
parsed by a process of its own (``python -m coworking.imports.xlsx_rules``) whose memory the system bounds.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from coworking.core.errors import N_, DomainError
from coworking.imports.table_rules import MOST_CELL, MOST_COLUMNS, MOST_LINES, TableRow, TableTooLong, TableUnreadable

MOST_FILES = 300
MOST_UNPACKED = 120 * 1024 * 1024
MOST_RATIO = 200
"""A part that unpacks to more than so many times its size is no spreadsheet: those of people come to 5 to 30."""
MOST_ROWS = 2 * MOST_LINES
MOST_WIDTH = 256
MEMORY = 1024 * 1024 * 1024
SECONDS = 30
_PIECE = 1 << 16
_REFERENCE = re.compile(rb"""[rf=\s"':]\$?([A-Z]{1,4})\$?(\d{1,9})["':\s]""")


class WorkbookRefused(DomainError):
    code = "workbook_refused"
    message = N_("This workbook is larger inside than a list may be. Copy the list into a new one, or save it as CSV.")
    field = "file"


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins with ``start`` is an archive, as Excel workbooks are."""
    return start.startswith(b"PK\x03\x04")


def check_workbook(content: bytes) -> None:
    """Raise `WorkbookRefused` or `TableUnreadable` for what must not be parsed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if len(parts) > MOST_FILES or len(names) != len(parts):
                raise WorkbookRefused()
            if "xl/workbook.xml" not in names:
                raise TableUnreadable()
            left = MOST_UNPACKED
            for part in parts:
                if part.file_size > left:
                    raise WorkbookRefused()
                left -= _walk(archive, part, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise TableUnreadable() from None


def _walk(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """How many bytes ``part`` unpacks to, read piece by piece."""
    size, rest = 0, b""
    most = min(left, max(MOST_RATIO * part.compress_size, 1 << 20))
    is_sheet = part.filename.startswith("xl/worksheets/")
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > most:
                raise WorkbookRefused()
            if is_sheet:
                rest = _check_references(rest + piece)
    return size


def _check_references(text: bytes) -> bytes:
    """Refuse a cell far out: a parser would make room for all that lies before it. Returns what may be cut off."""
    for column, row in _REFERENCE.findall(text):
        number = 0
        for letter in column:
            number = number * 26 + letter - 64
        if number > MOST_WIDTH or int(row) > MOST_ROWS:
            raise TableTooLong(most=MOST_LINES) if number <= MOST_WIDTH and int(row) <= 1_100_000 else WorkbookRefused()
    return text[-24:]


def read_workbook(content: bytes) -> Iterator[TableRow]:
    """The rows of the first sheet that holds something, parsed beside this process."""
    check_workbook(content)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "coworking.imports.xlsx_rules"],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WorkbookRefused() from None
    if done.returncode == 3:
        raise TableTooLong(most=MOST_LINES)
    if done.returncode:
        raise TableUnreadable()
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _text(cell: object) -> str:
    """A cell as a person would type it: whole numbers without decimals, dates as ISO."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, bool):
        return "1" if cell else ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, timedelta):
        minutes = int(cell.total_seconds()) // 60
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return str(cell)[: 2 * MOST_CELL]


def _parse() -> int:
    """In the process beside: the workbook from the standard input, its rows as JSON lines on the standard output."""
    import resource

    from python_calamine import CalamineError, CalamineWorkbook

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        for at in range(min(len(book.sheet_names), 10)):
            sheet = book.get_sheet_by_index(at)
            if sheet.height == 0:
                continue
            if sheet.total_height > MOST_ROWS:
                return 3
            for row in sheet.iter_rows():
                cells = [_text(cell) for cell in row[:MOST_COLUMNS]]
                sys.stdout.write(json.dumps(cells) + "\n")
            break
    except (CalamineError, ValueError, MemoryError):
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(_parse())
