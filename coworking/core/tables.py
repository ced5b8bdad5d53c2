"""Tables for spreadsheets: CSV that French offices open, in which nothing typed by anyone becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"-?\d+([,.]\d+)?", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def csv_text(rows: Iterable[Iterable[object]], *, delimiter: str = ";") -> str:
    """``rows`` as CSV with CRLF at the end of each."""
    return "".join(lines_of_csv(rows, delimiter=delimiter))


def lines_of_csv(rows: Iterable[Iterable[object]], *, delimiter: str = ";") -> Iterator[str]:
    """The same line by line, so that a long table is never whole in memory."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def cents_cell(cents: int, *, point: str = ",") -> str:
    """« -1234,50 », as a spreadsheet of a French office reads an amount; with ``point`` another sign for the decimals."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}{point}{abs(cents) % 100:02d}"


def without_controls(text: str) -> str:
    """``text`` without control characters, which no spreadsheet opens; line breaks stay."""
    return _CONTROLS.sub("", text)


def _safe(cell: object) -> object:
    """A spreadsheet takes text that begins with such a sign for a formula; a quote before it keeps it text."""
    if not isinstance(cell, str):
        return cell
    text = without_controls(cell)
    return f"'{text}" if text.startswith(_SIGNS) and not _NUMBER.fullmatch(text) else text
