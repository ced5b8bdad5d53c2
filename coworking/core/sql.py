"""Statements whose SQL differs between the two engines.

"Insert unless it exists" is ``ON CONFLICT DO NOTHING`` on PostgreSQL. On SQLite the guards against REPLACE refuse a row
whose key is taken before SQLite reads the conflict clause. There the statement is ``INSERT … SELECT … WHERE NOT EXISTS``;
with one writer at a time it does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Unpack, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Insert,
    Select,
    Table,
    UniqueConstraint,
    bindparam,
    false,
    insert,
    inspect,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapper, RelationshipDirection, make_transient_to_detached

from coworking.core.db import db
from coworking.core.sealing import note_made, noted_options

_AT_ONCE = 500
"""Rows per statement: PostgreSQL takes 65,535 parameters."""


def table_of(model: type[DeclarativeBase]) -> Table:
    """The table of ``model``, for statements that run without the mapper's bookkeeping."""
    return cast(Table, model.__table__)


def insert_now(*rows: DeclarativeBase) -> None:
    """INSERT new objects in the open unit at once, in this order; afterwards the session treats them as loaded.

    An object that another one refers to must be stored already or come before it. A flush would find the order itself, but
    its comparing and cascading is most of the cost for the few rows of a booking. Do not use this for tables that the money
    chain covers: the chain records rows in the events of a flush.
    """
    for row in rows:
        mapper = inspect(type(row))
        statement, key, columns, references = _insert_plan(mapper)
        given = inspect(row).dict
        for name, relation, remote in references:
            if name not in given and (one := given.get(relation)) is not None:
                given[name] = getattr(one, remote)
        for column in columns:
            if column.name not in given:
                given[column.name] = _default_of(column)
        made = db.session.execute(statement, {column.name: given[column.name] for column in columns})
        given[key] = made.inserted_primary_key[0]  # type: ignore[attr-defined] - an INSERT's result has one
    for row in rows:
        make_transient_to_detached(row)
    db.session.add_all(rows)


@cache
def _insert_plan(mapper: Mapper[Any]) -> tuple[Insert, str, list[Column[Any]], list[tuple[str, str, str]]]:
    """The statement that inserts a row of ``mapper``, the name of its key, its other columns, and, for each reference, its
    column, its relationship, and the column that it refers to."""
    table = cast(Table, mapper.local_table)
    key = mapper.primary_key[0].name
    columns = [column for column in table.columns if column.name != key]
    references = [
        (str(local.name), relation.key, str(remote.name))
        for relation in mapper.relationships
        if relation.direction is RelationshipDirection.MANYTOONE
        for local, remote in relation.local_remote_pairs or ()
    ]
    return insert(table), key, columns, references


def inserted(model: type[DeclarativeBase], **values: Any) -> bool:
    """INSERT a row in the open unit; return False and change nothing when a unique key already exists."""
    if db.engine.dialect.name == "sqlite":
        values = _with_defaults(model, values)
        statement = _sqlite_insert_once(model, tuple(values))
    else:
        statement = _postgresql_insert_once(model)
    row = db.session.execute(statement, values, execution_options=noted_options()).first()
    if row is not None:
        note_made(model, row[:1])
    return row is not None


def insert_missing(model: type[DeclarativeBase], rows: Sequence[dict[str, Any]]) -> int:
    """INSERT those of ``rows`` whose unique keys do not exist yet, in the open unit; return how many were inserted."""
    if db.engine.dialect.name == "sqlite":
        return sum(inserted(model, **row) for row in rows)
    key, added = inspect(model).primary_key, 0
    for start in range(0, len(rows), _AT_ONCE):
        statement = postgresql.insert(table_of(model)).values(rows[start : start + _AT_ONCE])
        statement = statement.on_conflict_do_nothing().returning(*key)
        made = db.session.execute(statement, execution_options=noted_options()).all()
        note_made(model, [row[0] for row in made])
        added += len(made)
    return added


def insert_from(model: type[DeclarativeBase], columns: list[str], rows: Select[Unpack[tuple[Any, ...]]]) -> int:
    """INSERT what ``rows`` selects, without rows whose unique key exists, in the open unit; return how many were inserted.

    ``rows`` must not hold one key twice.
    """
    key = inspect(model).primary_key
    if db.engine.dialect.name == "sqlite":
        source = rows.subquery()
        given = dict(zip(columns, source.columns, strict=True))
        free = select(*source.columns).where(~_taken(table_of(model), given))
        statement = sqlite.insert(table_of(model)).from_select(columns, free).returning(*key)
    else:
        statement = postgresql.insert(table_of(model)).from_select(columns, rows).on_conflict_do_nothing()
        statement = statement.returning(*key)
    added = db.session.execute(statement, execution_options=noted_options()).all()
    note_made(model, [row[0] for row in added])
    return len(added)


def upsert(model: type[DeclarativeBase], key: list[str], values: dict[str, Any], update: dict[str, Any]) -> Insert:
    """INSERT ``values``; where the unique ``key`` exists, set ``update`` instead (column → value or expression).

    Not for guarded tables: on SQLite their guards refuse the row before SQLite checks the key.
    """
    make = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    statement = make(table_of(model)).values(**values)
    return statement.on_conflict_do_update(index_elements=key, set_=update)


@cache
def _postgresql_insert_once(model: type[DeclarativeBase]) -> Insert:
    """The INSERT of one row unless a unique key exists, which returns its key; built once, it costs half as much to run."""
    return postgresql.insert(table_of(model)).on_conflict_do_nothing().returning(*inspect(model).primary_key)


@cache
def _sqlite_insert_once(model: type[DeclarativeBase], names: tuple[str, ...]) -> Insert:
    table = table_of(model)
    given = {name: bindparam(name, type_=table.columns[name].type) for name in names}
    row = select(*given.values()).where(~_taken(table, given))
    statement = sqlite.insert(table).from_select(list(names), row, include_defaults=False)
    return statement.returning(*inspect(model).primary_key)


def _taken(table: Table, given: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether a row has one of ``table``'s unique keys as ``given``. Unique indexes with a condition are ignored."""
    keys = [[column.name for column in table.primary_key]]
    keys += [[column.name for column in one.columns] for one in table.constraints if isinstance(one, UniqueConstraint)]
    keys += [
        [column.name for column in index.columns]
        for index in table.indexes
        if index.unique and index.dialect_options["sqlite"]["where"] is None
    ]
    looks = [
        select(1).where(*(table.columns[name] == given[name] for name in key)).exists()
        for key in keys
        if set(key) <= given.keys()
    ]
    return or_(false(), *looks)


def _with_defaults(model: type[DeclarativeBase], values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with the defaults of all other columns, which an INSERT from a SELECT does not fill in."""
    unnamed = [column for column in table_of(model).columns if column.name not in values and column.default is not None]
    return {column.name: _default_of(column) for column in unnamed} | values


def _default_of(column: Column[Any]) -> Any:
    """The default of ``column``; None where it has none."""
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
