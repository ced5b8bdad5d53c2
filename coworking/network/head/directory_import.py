"""Filling the directory of a network head: places that exist, whether they belong to the network or not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.types import public_id
from coworking.core.units import write_unit
from coworking.network.head.census_rules import CensusPlace, Reading
from coworking.network.head.models import NetworkLieu

DIRECTORY = "directory"
_FIELDS = ("name", "address", "postcode", "city", "code_insee", "latitude", "longitude", "website")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many entries were new, changed and as they were."""

    added: int
    changed: int
    same: int


def import_places(reading: Reading, *, dry_run: bool = False) -> Imported:
    """Write what was read; importing the same file again changes nothing.

    An entry that belongs to the network keeps what it says of itself: its row only changes while it stands in the
    directory alone.
    """
    with write_unit():
        known = {
            row.external_id: row
            for row in db.session.execute(
                select(
                    NetworkLieu.id,
                    NetworkLieu.external_id,
                    NetworkLieu.way,
                    *(getattr(NetworkLieu, name) for name in _FIELDS),
                ).where(NetworkLieu.external_id.is_not(None))
            )
        }
        fresh = [entry for entry in reading.places if entry.external_id not in known]
        changed = [
            {"id": known[entry.external_id].id, **_values(entry)}
            for entry in reading.places
            if entry.external_id in known
            and known[entry.external_id].way is None
            and any(getattr(known[entry.external_id], name) != value for name, value in _values(entry).items())
        ]
        if not dry_run:
            _write(fresh, changed)
    return Imported(len(fresh), len(changed), len(reading.places) - len(fresh) - len(changed))


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
                    "created_at": instant,
                    **_values(entry),
                }
                for entry in fresh
            ],
        )
    if changed:
        db.session.execute(update(NetworkLieu), changed)


def _values(entry: CensusPlace) -> dict[str, object]:
    return {name: getattr(entry, name) for name in _FIELDS}
