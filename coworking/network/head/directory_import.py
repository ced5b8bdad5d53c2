"""Filling the directory of a network head: places that exist, whether they belong to the network or not."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.types import public_id
from coworking.core.units import locked, write_unit
from coworking.network.head.census_rules import FIELDS, CensusPlace, Reading, Remark
from coworking.network.head.models import DirectoryImport, NetworkLieu

DIRECTORY = "directory"
IMPORTS_KEPT = 10
"""Of this many imports the lead can read what they did."""
_FILLED = ("kind", "region")
"""What an import may add to an entry that belongs to the network: it says nothing of them itself."""
_COMPARED = (*FIELDS, *_FILLED)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entries were new, changed and as they were; ``remarks``: what was read oddly, and what was not taken over."""

    added: int
    changed: int
    same: int
    remarks: list[Remark]

    @property
    def left_out(self) -> int:
        return sum(not remark.kept for remark in self.remarks)


def import_places(reading: Reading, *, dry_run: bool = False, file_name: str = "") -> Imported:
    """Write what was read, and what was odd about it; importing the same file again changes no entry.

    What the lead edited by hand stays, field by field; so does what an entry that belongs to the network says of itself.
    Where the file says something else there, a remark tells.
    """
    with write_unit():
        known: dict[str, Any] = {
            row.external_id: row
            for row in db.session.execute(
                locked(
                    select(
                        NetworkLieu.id,
                        NetworkLieu.external_id,
                        NetworkLieu.way,
                        NetworkLieu.edited,
                        NetworkLieu.merged_into_id,
                        *(getattr(NetworkLieu, name) for name in _COMPARED),
                    )
                    .where(NetworkLieu.external_id.is_not(None))
                    .order_by(NetworkLieu.id)
                )
            )
        }
        fresh = [entry for entry in reading.places if entry.external_id not in known]
        remarks = list(reading.remarks)
        changed: list[dict[str, object]] = []
        for entry in reading.places:
            row = known.get(entry.external_id)
            if row is None or row.merged_into_id is not None:  # what is shown is the entry it was merged into
                continue
            values, kept = _taken(row, entry, reading.fields)
            remarks += kept
            if values:
                changed.append({"id": row.id, **{name: getattr(row, name) for name in _COMPARED}, **values})
        remarks.sort(key=lambda remark: remark.line)
        done = Imported(len(fresh), len(changed), len(reading.places) - len(fresh) - len(changed), remarks)
        if not dry_run:
            _write(fresh, changed)
            _keep(done, file_name)
    return done


def _keep(done: Imported, file_name: str) -> None:
    """Keep what a lead can read of this import, and forget the oldest ones."""
    db.session.add(
        DirectoryImport(
            file_name=file_name[:200],
            added=done.added,
            changed=done.changed,
            same=done.same,
            left_out=done.left_out,
            remarks=[list(astuple(remark)) for remark in done.remarks],
        )
    )
    db.session.flush()
    latest = select(DirectoryImport.id).order_by(DirectoryImport.id.desc()).limit(IMPORTS_KEPT)
    db.session.execute(delete(DirectoryImport).where(DirectoryImport.id.not_in(latest)))


def _taken(row: Any, entry: CensusPlace, fields: tuple[str, ...]) -> tuple[dict[str, object], list[Remark]]:
    """What of ``entry`` the row takes over, and what it does not."""
    values: dict[str, object] = {}
    kept: list[Remark] = []
    for name in fields:
        said, here = getattr(entry, name), getattr(row, name)
        if said == here:
            continue
        is_own = row.way is not None and not (name in _FILLED and here is None)
        if name in row.edited or is_own:
            code = "edited" if name in row.edited else "own"
            kept.append(Remark(entry.line, code, entry.name, name, _text(said), _text(here)))
        else:
            values[name] = said
    return values, kept


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _write(fresh: list[CensusPlace], changed: list[dict[str, object]]) -> None:
    instant = now()
    if fresh:
        db.session.execute(
            insert(NetworkLieu),
            [
                {
                    "public_id": public_id(),
                    "external_id": entry.external_id,
                    "source": DIRECTORY,
                    "edited": [],
                    "created_at": instant,
                    **{name: getattr(entry, name) for name in _COMPARED},
                }
                for entry in fresh
            ],
        )
    if changed:
        db.session.execute(update(NetworkLieu), changed)
