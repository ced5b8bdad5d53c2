"""The page of the copy of somebody's data that a person reads and prints: one file that needs no other and no network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from flask import current_app

from coworking.core import holdings, place
from coworking.core.errors import N_
from coworking.core.formats import day_year, hour, instant_day, money, number
from coworking.core.holdings import HeldValue, Holds
from coworking.core.i18n import _, language

_WORDS: dict[tuple[str, str], str] = {
    ("half", "am"): N_("morning"),
    ("half", "pm"): N_("afternoon"),
    ("unit", "half_day"): N_("half-day"),
    ("unit", "hour"): N_("hour"),
    ("status", "confirmed"): N_("confirmed"),
    ("status", "cancelled"): N_("cancelled"),
    ("cover", "tariff"): N_("paid by the price list"),
    ("cover", "subscription"): N_("covered by the plan"),
    ("cover", "pack"): N_("covered by a pack"),
    ("cover", "agreement"): N_("paid by the employer"),
    ("cover", "share"): N_("the rest of what the employer pays a part of"),
    ("cover", "trial"): N_("first half-day, to try"),
    ("cover", "free"): N_("free of charge"),
    ("state", "live"): N_("in force"),
    ("state", "kept"): N_("cancelled late, and still owed"),
    ("state", "released"): N_("cancelled, and nothing is owed"),
    ("basis", "ttc"): N_("VAT included"),
    ("basis", "ht"): N_("before VAT"),
    ("locale", "fr"): "français",
    ("locale", "en"): "English",
}
"""Values that programs write in short, by column and value, in words; others stand as they are kept."""
_SOME_AT_ONCE = 40
"""Pieces of the page that are written together."""


@dataclass(frozen=True, slots=True)
class ShownKind:
    """One kind of rows: its ``title``, how many there are, and the rows with what each says, one after the other."""

    anchor: str
    title: str
    count: int
    one: Holds
    records: Sequence[int]

    @property
    def rows(self) -> Iterator[list[tuple[str, str]]]:
        """What each row says, word and value; what is empty is left out."""
        fields = self.one.fields()
        for row in holdings.rows_of_records(self.one, self.records):
            yield [
                (_(each.head), shown) for each, value in zip(fields, row, strict=True) if (shown := _shown(each, value))
            ]


def write_page(
    out: IO[bytes],
    *,
    name: str,
    made: datetime,
    records: Sequence[int],
    counts: dict[str, int],
    left: Sequence[tuple[str, Sequence[str]]],
    files: Sequence[str],
) -> None:
    """Write the page into ``out``, in the language of the moment: rows come from the database as they are written.

    ``counts``: how many rows there are of each kind; ``left``: why what is left out is; ``files``: the others of the copy.
    """
    kinds = [
        ShownKind(one.kind, _(one.title), counts[one.kind], one, records)
        for one in holdings.declared()
        if one.paper is None and counts[one.kind]
    ]
    template = current_app.jinja_env.get_template("accounts/my_data_copy.html")
    page = template.stream(
        lang=language(), name=name, place=place.name(), made=made, kinds=kinds, left=left, files=files
    )
    page.enable_buffering(_SOME_AT_ONCE)
    for piece in page:
        out.write(piece.encode())


def _shown(each: HeldValue, value: Any) -> str:
    """A value in the reader's words; empty for none."""
    if value is None or value == "":
        return ""
    if each.is_person:
        return _("you") if value else _("somebody else")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{day_year(instant_day(value))}, {hour(value)}"
    if isinstance(value, date):
        return day_year(value)
    if isinstance(value, int):
        return money(value, place.currency()) if each.is_cents else number(value)
    if _is_for_programs(value):
        return _("It stands in %(file)s, as programs read it.", file="data.json")
    words = _WORDS.get((each.key, value))
    return str(value) if words is None else _(words)


def _is_for_programs(value: Any) -> bool:
    """Whether the value is a whole document, such as that of an invoice, which its PDF shows better."""
    if not isinstance(value, str):
        return isinstance(value, dict | list)
    if not value.startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(value), dict | list)
    except ValueError:
        return False
