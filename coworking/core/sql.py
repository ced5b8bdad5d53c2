"""SQL that the two engines spell differently."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Unpack, cast

from sqlalchemy import Insert, Select, Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

from coworking.core.db import db
from coworking.core.sealing import note_made, noted_options

_AT_ONCE = 500
"""Rows per statement: SQLite takes 32,766 parameters."""


def table_of(model: type[DeclarativeBase]) -> Table:
    """The table of ``model``. What is built once of it is carried out without the mapper's bookkeeping."""
    return cast(Table, model.__table__)


def _insert(model: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    return make(table_of(model))


@cache
def _insert_once(model: type[DeclarativeBase], dialect: str) -> Insert:
    """INSERT of one row unless a unique key is there, returning its key: built once, it costs half as much to run."""
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(table_of(model)).on_conflict_do_nothing().returning(*inspect(model).primary_key)


def inserted(model: type[DeclarativeBase], **values: Any) -> bool:
    """INSERT in the open unit; False (and nothing done) when a unique key is already there."""
    statement = _insert_once(model, db.engine.dialect.name)
    row = db.session.execute(statement, values, execution_options=noted_options()).first()
    if row is not None:
        note_made(model, row[:1])
    return row is not None


def insert_from(model: type[DeclarativeBase], columns: list[str], rows: Select[Unpack[tuple[Any, ...]]]) -> int:
    """INSERT what ``rows`` selects in the open unit; rows whose unique key is there are left out. How many went in."""
    key = inspect(model).primary_key
    statement = _insert(model).from_select(columns, rows).on_conflict_do_nothing().returning(*key)
    added = db.session.execute(statement, execution_options=noted_options()).all()
    note_made(model, [row[0] for row in added])
    return len(added)


def upsert(model: type[DeclarativeBase], key: list[str], values: dict[str, Any], update: dict[str, Any]) -> Insert:
    """INSERT ``values``; where the unique ``key`` exists, set ``update`` instead (column → value or expression)."""
    return _insert(model).values(**values).on_conflict_do_update(index_elements=key, set_=update)


def insert_missing(model: type[DeclarativeBase], rows: Sequence[dict[str, Any]]) -> int:
    """INSERT ``rows`` in the open unit, but those whose unique key is already there; how many were new."""
    key = inspect(model).primary_key
    added = 0
    for start in range(0, len(rows), _AT_ONCE):
        statement = _insert(model).values(rows[start : start + _AT_ONCE]).on_conflict_do_nothing().returning(*key)
        made = db.session.execute(statement, execution_options=noted_options()).all()
        note_made(model, [row[0] for row in made])
        added += len(made)
    return added
