"""Tables for spreadsheets: CSV that French offices open, in which nothing typed by anyone becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from flask import Response

_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?\d+(,\d+)?", re.ASCII)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """``rows`` as CSV with semicolons and CRLF."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def csv_answer(name: str, rows: Iterable[Iterable[object]]) -> Response:
    """``rows`` as a file to keep; a mark in front says UTF-8, without which spreadsheets guess."""
    answer = Response("\ufeff" + csv_text(rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def cents_cell(cents: int) -> str:
    """« -1234,50 », as a spreadsheet of a French office reads an amount."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _safe(cell: object) -> object:
    """A spreadsheet takes text that begins with such a sign for a formula; a quote before it keeps it text."""
    if not isinstance(cell, str) or not cell.startswith(_SIGNS) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
