"""Reading records that may be one person, and which were merged into which."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from coworking.accounts.models import Person
from coworking.accounts.twin_models import TwoPeople
from coworking.accounts.twin_rules import TwinCandidate, TwinPair, possible_twins
from coworking.core.db import db
from coworking.core.errors import NotFound

SHOWN = 100
"""How many pairs one page shows, the surest."""


@dataclass(frozen=True, slots=True)
class TwinRecords:
    """Two records that may be one person, and why."""

    one: Person
    other: Person
    reasons: tuple[str, ...]


def same_person(column: Any, person_id: Any) -> ColumnElement[bool]:
    """The condition that ``column`` is a person, or a record that was merged into theirs."""
    return column.in_(select(Person.id).where(or_(Person.id == person_id, Person.merged_into_person_id == person_id)))


def one_person(record: Any = Person) -> ColumnElement[int]:
    """The id of the person of a ``record`` (`Person` or an alias of it): its own, or of what it was merged into."""
    return func.coalesce(record.merged_into_person_id, record.id)


def records_of(person_id: int) -> list[int]:
    """The ids of a person's records: their own first, then those that were merged into it (1 statement)."""
    merged = select(Person.id).where(Person.merged_into_person_id == person_id).order_by(Person.id)
    return [person_id, *db.session.scalars(merged)]


def merged_records(person_id: int) -> list[Person]:
    """The records that were merged into somebody's (1 statement)."""
    rows = select(Person).where(Person.merged_into_person_id == person_id).order_by(Person.id)
    return list(db.session.scalars(rows).unique())


def twins() -> tuple[list[TwinRecords], int]:
    """The surest pairs that nobody has decided on, one of them open at least, and how many there are (3 statements)."""
    columns = (Person.id, Person.first_name, Person.last_name, Person.email, Person.phone, Person.deactivated_at)
    standing = (Person.merged_into_person_id.is_(None), Person.erased_at.is_(None))
    rows = db.session.execute(select(*columns).where(*standing)).all()
    records = [TwinCandidate(row.id, f"{row.first_name} {row.last_name}", row.email, row.phone) for row in rows]
    closed = {row.id for row in rows if row.deactivated_at is not None}
    apart = {
        (first, second)
        for first, second in db.session.execute(select(TwoPeople.first_person_id, TwoPeople.second_person_id))
    }
    pairs = [pair for pair in possible_twins(records, apart) if not {pair.one, pair.other} <= closed]
    return _records(pairs[:SHOWN]), len(pairs)


def _records(pairs: list[TwinPair]) -> list[TwinRecords]:
    ids = {one for pair in pairs for one in (pair.one, pair.other)}
    if not ids:
        return []
    found = {row.id: row for row in db.session.scalars(select(Person).where(Person.id.in_(ids))).unique()}
    return [TwinRecords(found[pair.one], found[pair.other], tuple(pair.reasons)) for pair in pairs]


def two_records(one: str, other: str) -> tuple[Person, Person]:
    """Two records by their public ids, in this order; raises `NotFound`, also for one that was erased."""
    rows = db.session.scalars(select(Person).where(Person.public_id.in_((one, other)), Person.erased_at.is_(None)))
    found = {row.public_id: row for row in rows.unique()}
    if one == other or found.keys() != {one, other}:
        raise NotFound()
    return found[one], found[other]


def record_fields(person: Person) -> dict[str, str]:
    """What of a record can be chosen, as words; empty where there is nothing."""
    postal = ", ".join(filter(None, (person.address, " ".join(filter(None, (person.postcode, person.city))))))
    return {
        "name": person.name,
        "email": person.email or "",
        "phone": person.phone or "",
        "postal": postal,
        "status": person.status or "",
        "commune": person.commune or "",
    }


def pair_digest(kept: Person, gone: Person) -> str:
    """A word that changes with what either record says and with which of them stays."""
    said = [
        [
            person.public_id,
            record_fields(person),
            person.staff_note,
            sorted(person.roles),
            person.is_active,
            person.email_confirmed_at is not None,
        ]
        for person in (kept, gone)
    ]
    return sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:32]
