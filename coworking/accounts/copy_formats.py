"""The copy of what the lieu holds about somebody, as one ZIP: a page to read and print, a JSON file for programs, a table
for each kind, and PDFs.

Everything streams from the database into the file: no more than some rows are in memory at a time.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any

from coworking.accounts import copy_page
from coworking.accounts.models import Person
from coworking.core import exports, holdings
from coworking.core.clock import now
from coworking.core.folding import listed_by
from coworking.core.formats import day_full, hour, instant_day
from coworking.core.holdings import HeldValue, Holds
from coworking.core.i18n import _
from coworking.core.money import Cents

FORMAT = "my-data/1"
JSON_NAME = "data.json"


def write(file: IO[bytes], person: Person, records: Sequence[int], place: str) -> None:
    """Write the copy into ``file``: what is about any of a person's ``records``, in the language of the moment.

    Inside `core.units.snapshot`, so that it is from one instant.
    """
    who = (records, person.public_id, person.name)
    made = now()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        counts = _write_json(archive, who[0], who[1], place, made)
        names = _write_tables(archive, who[0], counts, made)
        names += _write_papers(archive, who[0], made)
        page = _("To read and print") + ".html"
        with archive.open(_info(page, made), "w", force_zip64=True) as out:
            copy_page.write_page(
                out,
                name=who[2],
                made=made,
                records=who[0],
                counts=counts,
                left=list(_left_out().items()),
                files=[*names, JSON_NAME],
            )
        title = _("Read me first")
        _put(archive, f"{title}.txt", made, _explained(who[2], place, made, page, names))


def _write_json(
    archive: zipfile.ZipFile, records: Sequence[int], public_id: str, place: str, made: datetime
) -> dict[str, int]:
    """Everything in one document; how many rows there are of each kind."""
    head = {
        "format": FORMAT,
        "made_at": _plain(made),
        "lieu": place,
        "person": public_id,
        "left_out": [
            *({"what": _(one.title), "value": name, "why": _(why)} for one, name, why in _left_columns()),
            *({"what": _(one.title), "why": _(one.why)} for one in holdings.left()),
        ],
    }
    counts: dict[str, int] = {}
    with archive.open(_info(JSON_NAME, made), "w", force_zip64=True) as out:
        out.write(json.dumps(head, ensure_ascii=False, indent=1).rstrip("}\n").encode())
        out.write(b',\n "kinds": {')
        for at, one in enumerate(holdings.declared()):
            fields = one.fields()
            words = {each.key: _(each.head) for each in fields}
            title = json.dumps({"title": _(one.title), "words": words}, ensure_ascii=False)
            out.write(f'{"," if at else ""}\n  {json.dumps(one.kind)}: {title[:-1]}, "rows": ['.encode())
            counts[one.kind] = 0
            for row in holdings.rows_of_records(one, records):
                value = {each.key: _said(each, cell) for each, cell in zip(fields, row, strict=True)}
                line = json.dumps(value, ensure_ascii=False, default=_plain)
                out.write(f"{',' if counts[one.kind] else ''}\n   {line}".encode())
                counts[one.kind] += 1
            out.write(b"]}")
        out.write(b"\n }\n}\n")
    return counts


def _write_tables(
    archive: zipfile.ZipFile, records: Sequence[int], counts: dict[str, int], made: datetime
) -> list[str]:
    """A table for each kind of which there is something; the names of their files."""
    names: list[str] = []
    for one in holdings.declared():
        if not counts[one.kind] or one.paper is not None:
            continue
        fields = one.fields()
        heads = [_(each.head) for each in fields]
        names.append(_file_name(_(one.title)) + ".csv")
        with archive.open(_info(names[-1], made), "w", force_zip64=True) as out:
            for line in exports.csv_bytes(heads, _cells(fields, holdings.rows_of_records(one, records))):
                out.write(line)
    return names


def _write_papers(archive: zipfile.ZipFile, records: Sequence[int], made: datetime) -> list[str]:
    names: list[str] = []
    for one in holdings.declared():
        if one.paper is None:
            continue
        folder = _file_name(_(one.title))
        for name, content in (paper for person_id in records for paper in holdings.papers_of(one, person_id)):
            names.append(f"{folder}/{_file_name(name)}.pdf")
            _put(archive, names[-1], made, content)
    return names


def _explained(name: str, place: str, made: datetime, page: str, names: Sequence[str]) -> str:
    """What the files are, and what is not in them and why, for who unpacks them."""
    day, time = day_full(instant_day(made)), hour(made)
    lines = [
        _("What %(place)s holds about %(name)s", place=place, name=name),
        _("Made on %(day)s at %(hour)s.", day=day, hour=time),
        "",
        _("Open %(file)s in a browser: it says everything, and can be printed.", file=page),
        "",
        _("%(file)s holds everything, for programs. Each table opens in a spreadsheet:", file=JSON_NAME),
        *(f"  {one}" for one in names),
        "",
        _("“you” is who this copy is about; whoever else did something is not named."),
        "",
        _("What is not in this copy, and why:"),
    ]
    for why, what in _left_out().items():
        lines += ["- " + why, *(f"    {one}" for one in what)]
    return "\r\n".join([*lines, ""])


def _left_out() -> dict[str, list[str]]:
    """What is not in the copy, by the reason, each once."""
    left: dict[str, dict[str, None]] = {}
    for one, _column, why in _left_columns():
        left.setdefault(_(why), {})[_(one.title)] = None
    for one in holdings.left():
        left.setdefault(_(one.why), {})[_(one.title)] = None
    return {why: list(what) for why, what in left.items()}


def _left_columns() -> Iterator[tuple[Holds, str, str]]:
    for one in holdings.declared():
        for column, why in one.leaves.items():
            yield one, column, why


def _cells(fields: Sequence[HeldValue], rows: Iterator[tuple[Any, ...]]) -> Iterator[list[object]]:
    for row in rows:
        yield [_cell(each, value) for each, value in zip(fields, row, strict=True)]


def _cell(each: HeldValue, value: Any) -> object:
    if each.is_person and value is not None:
        return _("you") if value else _("somebody else")
    if each.is_cents and value is not None:
        return Cents(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return value


def _said(each: HeldValue, value: Any) -> Any:
    """« you » or « somebody else », in English as all keys of the JSON are."""
    if each.is_person and value is not None:
        return "you" if value else "somebody else"
    return value


def _plain(value: Any) -> str:
    """An instant in UTC and a day, as RFC 3339 writes them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _put(archive: zipfile.ZipFile, name: str, made: datetime, content: str | bytes) -> None:
    archive.writestr(_info(name, made), content)


def _info(name: str, made: datetime) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, made.astimezone(UTC).timetuple()[:6])
    found.compress_type = zipfile.ZIP_DEFLATED
    found.external_attr = 0o600 << 16
    return found


def _file_name(words: str) -> str:
    """Without accents, spaces and what some system refuses in a name."""
    return "-".join("".join(sign if sign.isalnum() else " " for sign in listed_by(words)).split())
