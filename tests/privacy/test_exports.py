"""Every list can be kept as a file: by whoever may read it, and nobody else.

On SQLite alone, as the walk beside it.
"""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from tests.privacy import walk as walks
from tests.privacy.lieu import Filled

READERS = {"network_head": "lead", "booking.mine": "member", "billing.mine": "member"}
"""Who opens a list; of the others the manager."""

EMPTY = {"money.due", "network_head.imports_table", "reminders.index", "spaces.closures"}
"""Lists of which the lieu of the walk has no line: their pages offer no file."""


def reader_of(endpoint: str) -> str:
    return READERS.get(endpoint) or READERS.get(endpoint.partition(".")[0], "manager")


def paths(app: Flask, filled: Filled, endpoint: str) -> list[str]:
    """The addresses of a list's page."""
    found = walks.addresses(app, filled, "manager")
    return [path for name, path in found if name == endpoint and "as=" not in path]


def file_of(path: str, kind: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}as={kind}"


def test_each_list_offers_its_files_and_no_other_page_does(lieu: tuple[Flask, Filled]):
    app, filled = lieu
    offering: set[str] = set()
    for part in ("manager", "lead", "member"):
        visit = walks.Visit(app, filled, part)
        for endpoint, path in walks.addresses(app, filled, part):
            if "as=" in path or path.startswith("/api/") or endpoint == "static":
                continue
            page = visit.browser.get(path)
            if page.mimetype == "text/html" and (links := re.findall(r'href="([^"]*[?&;]as=csv)"', page.text)):
                adapter = app.url_map.bind("lieu.test")
                offering |= {str(adapter.match(link.partition("?")[0].replace("&amp;", "&"))[0]) for link in links}
    assert offering == {*walks.LISTS, *walks.FILES} - EMPTY


@pytest.mark.parametrize("endpoint", [*walks.LISTS, *walks.FILES])
def test_a_file_holds_the_list_and_no_formula(lieu: tuple[Flask, Filled], endpoint: str):
    app, filled = lieu
    visit = walks.Visit(app, filled, reader_of(endpoint))
    rows = 0
    for path in paths(app, filled, endpoint):
        if visit.browser.get(path).status_code != 200:
            continue
        answer = visit.browser.get(file_of(path, "csv"))
        assert answer.status_code == 200 and answer.mimetype == "text/csv", path
        text = answer.get_data().decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
        assert {len(row) for row in table} == {len(table[0])}
        assert not any(cell.startswith(("=", "+", "@")) for row in table for cell in row)
        book = visit.browser.get(file_of(path, "xlsx"))
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.get_data())).get_sheet_by_index(0)
        cells = sheet.to_python(skip_empty_area=False)
        assert cells[0] == table[0] and len(cells) == len(table)
        rows += len(table) - 1
    assert (rows == 0) == (endpoint in EMPTY)


@pytest.mark.parametrize("part", list(walks.CAST))
def test_a_file_is_refused_to_whom_the_list_is(lieu: tuple[Flask, Filled], part: str):
    app, filled = lieu
    visit = walks.Visit(app, filled, part)
    for endpoint, path in walks.addresses(app, filled, part):
        if endpoint not in walks.LISTS or "as=" in path:
            continue
        page = visit.browser.get(path).status_code
        for kind in ("csv", "xlsx"):
            answer = visit.browser.get(file_of(path, kind))
            if endpoint == "frontdesk.timeline" and page == 200 and part not in {"host", "manager"}:
                assert answer.status_code == 403, (part, path)
            else:
                assert answer.status_code == page, (part, path)
