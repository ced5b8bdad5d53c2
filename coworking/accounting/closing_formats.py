"""How closings leave the lieu: a file with their exact signed texts, a table, the public keys, and how to check them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template

from coworking.core.i18n import in_language
from coworking.core.links import ChainLink
from coworking.core.tables import cents_cell, csv_text
from coworking.core.version import VERSION

NOTICE, TABLE, TEXTS = "LISEZMOI.txt", "clotures.csv", "clotures.json"
MEANS = ("cash", "card", "cheque", "transfer", "debit")
"""The means that the table has columns for, in this order."""

_MADE = (1980, 1, 1, 0, 0, 0)
"""The date of the files in the archive: the same closings make the same bytes."""


@dataclass(frozen=True, slots=True)
class SignedClosing:
    """A closing as it is stored: its link, the exact text that was signed, and what that says."""

    link: ChainLink
    payload: str
    content: Mapping[str, Any]


def archive(year: int, closings: Sequence[SignedClosing], keys: Mapping[str, bytes]) -> bytes:
    """A ZIP of the closings of ``year``: JSON with the signed texts, CSV for spreadsheets, a notice in French.

    ``keys``: the public keys (32 raw bytes) by id.
    """
    texts = {
        "schema": "closings/1",
        "year": year,
        "software": {"name": "coworking", "version": VERSION},
        "public_keys": {name: key.hex() for name, key in sorted(keys.items())},
        "closings": [
            {
                "kind": one.content["kind"],
                "seq": one.link.seq,
                "prev": one.link.prev,
                "sha256": one.link.sha256,
                "key_id": one.link.key_id,
                "signature": one.link.signature,
                "payload": one.payload,
            }
            for one in closings
        ],
    }
    with in_language("fr"):
        notice = render_template("accounting/closings_notice.txt", year=year, version=VERSION, files=(TEXTS, TABLE))
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in (
            (NOTICE, notice),
            (TABLE, "\ufeff" + csv_text(_table(closings))),
            (TEXTS, json.dumps(texts, ensure_ascii=False, indent=1)),
        ):
            file.writestr(zipfile.ZipInfo(name, _MADE), text)
    return found.getvalue()


def _table(closings: Iterable[SignedClosing]) -> Iterator[list[object]]:
    yield [
        "kind",
        "seq",
        "first_day",
        "last_day",
        "first_entry",
        "last_entry",
        "receipts",
        "invoices",
        "credit_notes",
        "sales",
        "net",
        "vat",
        *(f"taken_{method}" for method in MEANS),
        "taken",
        "deposits_taken",
        "deposits_returned",
        "cash_difference",
        "gross",
        "perpetual_sales",
        "perpetual_gross",
        "closed_at",
        "sha256",
        "prev",
        "key_id",
        "signature",
    ]
    for one in closings:
        content, figures = one.content, one.content["figures"]
        ways: Mapping[str, Mapping[str, int]] = figures["means"]
        yield [
            content["kind"],
            content["seq"],
            content["first_day"],
            content["last_day"],
            content["entries"]["first"],
            content["entries"]["last"],
            *(cents_cell(figures[kind]["sales_cents"]) for kind in ("receipts", "invoices", "credit_notes")),
            *(cents_cell(figures[name]) for name in ("sales_cents", "net_cents", "vat_cents")),
            *(
                cents_cell(ways[way]["in_cents"] - ways[way]["out_cents"]) if way in ways else cents_cell(0)
                for way in MEANS
            ),
            cents_cell(figures["taken_cents"]),
            cents_cell(figures["deposits"]["taken_cents"]),
            cents_cell(figures["deposits"]["returned_cents"]),
            cents_cell(figures["drawer"]["difference_cents"]),
            cents_cell(figures["gross_cents"]),
            cents_cell(content["perpetual"]["sales_cents"]),
            cents_cell(content["perpetual"]["gross_cents"]),
            content["closed_at"],
            one.link.sha256,
            one.link.prev,
            one.link.key_id,
            one.link.signature,
        ]
