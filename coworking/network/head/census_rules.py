"""Reading a directory of places from a CSV file: what can be used of each row, and what cannot.

The columns are those of the census of French tiers-lieux that the CGET published in 2019; of other files with the same
columns too. No Flask, no database.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold
from coworking.network.head.duplicate_rules import Listed, proposals
from coworking.network.head.entry_rules import REGIONS, website_of

COLUMNS = ("ID", "NOM_TL", "ADRESSE", "CP", "INSEECOM", "NOMCOM", "WEB", "LAT", "LONG")
"""What a file must have; other columns may stand beside them."""
BESIDE = {"TYPO": "kind", "INSEEREG": "region", "NOMREG": "region"}
"""What is read too where it is there, and the field it fills. ``INSEEDEP`` helps to mend codes."""
DEPARTMENT = "INSEEDEP"
MOST_BYTES = 10_000_000
MOST_TEXT = 300
SOURCE = "cget-2019"
FIELDS = ("name", "address", "postcode", "city", "code_insee", "latitude", "longitude", "website")

_POSTCODE = re.compile(r"\d{5}", re.ASCII)
_INSEE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_SHORT = re.compile(r"\d{4}", re.ASCII)
_NOT_NAMES = re.compile(r"[\W_]+")
_REGION_NAMES = {_NOT_NAMES.sub("", fold(name).replace(" et ", " ")): code for code, name in REGIONS.items()}

LEFT_OUT = frozenset({"cells", "empty", "too_long", "same_id"})
"""Remarks on rows that were left out; the others were taken."""
DROPPED = frozenset({"no_postcode", "no_insee", "no_position", "no_website", "no_kind", "no_region"})
"""Remarks on cells that a row was taken without."""
MAYBE_DUPLICATE = "twin"
"""The remark on a row that may be the place of an earlier one; imports are kept with this word."""


class FileTooLarge(DomainError):
    code = "file_too_large"
    status = 413
    message = N_("This file is too large: %(most)s MB at most.")


class NotACsv(DomainError):
    code = "not_a_csv"
    message = N_("This is not a CSV file in UTF-8 with the columns %(columns)s.")


@dataclass(frozen=True, slots=True)
class CensusPlace:
    """A place as the file has it. ``external_id`` stays the same from one import to the next; empty cells are None."""

    line: int
    external_id: str
    name: str
    address: str | None
    postcode: str | None
    city: str | None
    code_insee: str | None
    latitude: float | None
    longitude: float | None
    website: str | None
    kind: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person should know about ``line``, where ``place`` stands; `import_labels` has the words for each ``code``.

    ``value`` is what the file says; ``field`` what it is about; ``instead`` what was taken, or the line or limit meant.
    """

    line: int
    code: str
    place: str = ""
    field: str = ""
    value: str = ""
    instead: str = ""

    @property
    def kept(self) -> bool:
        """Whether the row was taken."""
        return self.code not in LEFT_OUT


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: ``fields`` are those that its columns speak of."""

    places: list[CensusPlace]
    remarks: list[Remark]
    fields: tuple[str, ...]


def read(content: bytes) -> Reading:
    """Every usable row of ``content`` and what was odd; raises `FileTooLarge` or `NotACsv` where the file is no use."""
    if len(content) > MOST_BYTES:
        raise FileTooLarge(most=MOST_BYTES // 1_000_000)
    places: list[CensusPlace] = []
    remarks: list[Remark] = []
    ids: dict[str, int] = {}
    fields = set(FIELDS)
    for line, row in _rows(content):
        fields |= {BESIDE[name] for name in BESIDE if name in row}
        found = _place(line, row, remarks)
        if found is None:
            continue
        if (first := ids.setdefault(found.external_id, line)) != line:
            remarks.append(Remark(line, "same_id", found.name, instead=str(first)))
            continue
        places.append(found)
    remarks += _possible_duplicates(places)
    return Reading(places, sorted(remarks, key=lambda remark: remark.line), tuple(sorted(fields)))


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str | None]]]:
    columns = ", ".join(COLUMNS)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotACsv(columns=columns) from None
    if "\x00" in text:
        raise NotACsv(columns=columns)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise NotACsv(columns=columns)
        for row in reader:
            yield reader.line_num, row
    except csv.Error:
        raise NotACsv(columns=columns) from None


def _place(line: int, row: dict[str, str | None], remarks: list[Remark]) -> CensusPlace | None:
    """The row as an entry; None, with a remark, where it is no use."""
    name = " ".join((row.get("NOM_TL") or "").split())[:MOST_TEXT]
    if None in row or any(row[column] is None for column in COLUMNS):
        remarks.append(Remark(line, "cells", name))
        return None
    cells = {column: " ".join((row.get(column) or "").split()) for column in (*COLUMNS, *BESIDE, DEPARTMENT)}
    for column in ("ID", "NOM_TL"):
        if not cells[column]:
            remarks.append(Remark(line, "empty", name, value=column))
            return None
    if too_long := next((column for column in cells if len(cells[column]) > MOST_TEXT), None):
        remarks.append(Remark(line, "too_long", name, value=too_long, instead=str(MOST_TEXT)))
        return None

    def dropped(code: str, value: str) -> None:
        remarks.append(Remark(line, code, name, value=value))

    latitude, longitude = _position(cells["LAT"], cells["LONG"])
    if latitude is None and (cells["LAT"] or cells["LONG"]):
        dropped("no_position", f"{cells['LAT']}, {cells['LONG']}")
    postcode, code_insee = _codes(cells)
    for said, taken, field, code in (
        (cells["CP"], postcode, "postcode", "no_postcode"),
        (cells["INSEECOM"], code_insee, "code_insee", "no_insee"),
    ):
        if said and taken is None:
            dropped(code, said)
        elif taken is not None and taken != said:
            remarks.append(Remark(line, "mended", name, field, said, taken))
    website, kind, region = website_of(cells["WEB"]), _kind(cells["TYPO"]), _region(cells)
    for taken, code, column in (
        (website, "no_website", "WEB"),
        (kind, "no_kind", "TYPO"),
        (region, "no_region", "NOMREG"),
    ):
        if cells[column] and taken is None:
            dropped(code, cells[column])
    return CensusPlace(
        line=line,
        external_id=f"{SOURCE}:{cells['ID']}",
        name=cells["NOM_TL"],
        address=cells["ADRESSE"] or None,
        postcode=postcode,
        city=cells["NOMCOM"] or None,
        code_insee=code_insee,
        latitude=latitude,
        longitude=longitude,
        website=website,
        kind=kind,
        region=region,
    )


def _codes(cells: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Postcode and INSEE code, each with the zero in front that a spreadsheet takes away where that is certain.

    Four digits alone may be any slip. They are the end of a code from 01 to 09 where something else in the row says so:
    the département, or the other code.
    """
    texts = {"CP": cells["CP"], "INSEECOM": cells["INSEECOM"]}
    whole = {
        name: text if pattern.fullmatch(text) else f"0{text}" if _SHORT.fullmatch(text) else None
        for (name, text), pattern in zip(texts.items(), (_POSTCODE, _INSEE), strict=True)
    }
    department = cells[DEPARTMENT].zfill(2) if cells[DEPARTMENT] else None

    def certain(name: str, other: str) -> str | None:
        code, beside = whole[name], whole[other]
        if code is None or code == texts[name]:
            return code
        says = department if department is not None else beside[:2] if beside is not None else None
        return code if says == code[:2] else None

    return certain("CP", "INSEECOM"), certain("INSEECOM", "CP")


def _kind(text: str) -> str | None:
    """The census says « Tiers lieux à dominante coworking »."""
    words = fold(text)
    return next((kind for kind in ("coworking", "fablab") if kind in words), None)


def _region(cells: Mapping[str, str]) -> str | None:
    """The region's code; by its name where the code is none."""
    code = cells["INSEEREG"].zfill(2)
    return (
        code if code in REGIONS else _REGION_NAMES.get(_NOT_NAMES.sub("", fold(cells["NOMREG"]).replace(" et ", " ")))
    )


def _position(latitude: str, longitude: str) -> tuple[float | None, float | None]:
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None, None
    on_earth = -90 <= north <= 90 and -180 <= east <= 180
    return (round(north, 6), round(east, 6)) if on_earth and (north, east) != (0, 0) else (None, None)


def _possible_duplicates(places: list[CensusPlace]) -> Iterator[Remark]:
    """A remark on each row that may be the place of an earlier one. Both are imported: the lead decides."""
    names = {place.line: place.name for place in places}
    pairs = proposals(
        Listed(place.line, place.name, place.address, place.postcode, place.city, place.code_insee) for place in places
    )
    first: dict[int, int] = {}
    for earlier, later in pairs:
        first.setdefault(later, earlier)
    yield from (Remark(later, MAYBE_DUPLICATE, names[later], instead=str(earlier)) for later, earlier in first.items())
