"""Reading a directory of places from a CSV file: what can be used of each row, and what cannot.

The columns are those of the census of French tiers-lieux that the CGET published in 2019; of other files with the same
columns too. No Flask, no database.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from coworking.core.errors import N_, DomainError
from coworking.core.folding import fold

COLUMNS = ("ID", "NOM_TL", "ADRESSE", "CP", "INSEECOM", "NOMCOM", "WEB", "LAT", "LONG")
"""What is read; other columns may stand beside them."""
MOST_BYTES = 10_000_000
MOST_TEXT = 300
SOURCE = "cget-2019"

_POSTCODE = re.compile(r"\d{5}", re.ASCII)
_INSEE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?")
_NOT_NAMES = re.compile(r"[\W_]+")


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


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person should know about ``line``: the row was left out, or taken without something (``kept``).

    ``dropped`` names the cell that it was taken without.
    """

    line: int
    words: str
    kept: bool = False
    dropped: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds."""

    places: list[CensusPlace]
    remarks: list[Remark]


def read(content: bytes) -> Reading:
    """Every usable row of ``content`` and what was odd; raises `FileTooLarge` or `NotACsv` where the file is no use."""
    if len(content) > MOST_BYTES:
        raise FileTooLarge(most=MOST_BYTES // 1_000_000)
    places: list[CensusPlace] = []
    remarks: list[Remark] = []
    ids: dict[str, int] = {}
    for line, row in _rows(content):
        found = _place(line, row, remarks)
        if found is None:
            continue
        if (first := ids.setdefault(found.external_id, line)) != line:
            remarks.append(Remark(line, f"the same ID as line {first}"))
            continue
        places.append(found)
    remarks += _twins(places)
    return Reading(places, sorted(remarks, key=lambda remark: remark.line))


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
    if None in row or any(row[name] is None for name in COLUMNS):
        remarks.append(Remark(line, "another number of cells than the header"))
        return None
    cells = {name: " ".join((row[name] or "").split()) for name in COLUMNS}
    for name in ("ID", "NOM_TL"):
        if not cells[name]:
            remarks.append(Remark(line, f"{name} is empty"))
            return None
    if too_long := next((name for name in COLUMNS if len(cells[name]) > MOST_TEXT), None):
        remarks.append(Remark(line, f"{too_long} is longer than {MOST_TEXT} characters"))
        return None
    latitude, longitude = _position(cells["LAT"], cells["LONG"])
    if latitude is None and (cells["LAT"] or cells["LONG"]):
        words = f"no position on Earth: {cells['LAT']}, {cells['LONG']}"
        remarks.append(Remark(line, words, kept=True, dropped="position"))
    website = website_of(cells["WEB"])
    for name, pattern, column in (("postcode", _POSTCODE, "CP"), ("INSEE code", _INSEE, "INSEECOM")):
        if cells[column] and not pattern.fullmatch(cells[column]):
            remarks.append(Remark(line, f"no {name}: {cells[column]}", kept=True, dropped=name))
    if cells["WEB"] and website is None:
        remarks.append(Remark(line, f"no address of a website: {cells['WEB']}", kept=True, dropped="website"))
    return CensusPlace(
        line=line,
        external_id=f"{SOURCE}:{cells['ID']}",
        name=cells["NOM_TL"],
        address=cells["ADRESSE"] or None,
        postcode=_matching(_POSTCODE, cells["CP"]),
        city=cells["NOMCOM"] or None,
        code_insee=_matching(_INSEE, cells["INSEECOM"]),
        latitude=latitude,
        longitude=longitude,
        website=website,
    )


def _position(latitude: str, longitude: str) -> tuple[float | None, float | None]:
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None, None
    on_earth = -90 <= north <= 90 and -180 <= east <= 180
    return (round(north, 6), round(east, 6)) if on_earth and (north, east) != (0, 0) else (None, None)


def _matching(pattern: re.Pattern[str], text: str) -> str | None:
    """``text`` when it has the form; the census writes 0 or a shortened code for what it does not know."""
    return text if pattern.fullmatch(text) else None


def website_of(text: str) -> str | None:
    """The address as a link that a browser may follow; None for anything else than http(s)."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    usable = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc)
    return url if text and usable and " " not in url else None


def _twins(places: list[CensusPlace]) -> Iterator[Remark]:
    """Rows that name the same place in the same commune. Both stay: whether they are one place, only people know."""
    seen: dict[tuple[str, str], int] = {}
    for entry in places:
        if entry.code_insee is None:
            continue
        key = (_NOT_NAMES.sub("", fold(entry.name)), entry.code_insee)
        if (first := seen.setdefault(key, entry.line)) != entry.line:
            yield Remark(entry.line, f"perhaps the same place as line {first}: {entry.name}", kept=True)
