"""What a factory writes, kept as rows: the next test that asks for the same gets them back in a few milliseconds.

A lieu is some seven hundred rows made by the ORM and the cast seven units of work; most tests begin with both.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy import Engine

from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.units import end_read

_Rows = dict[str, list[Any]]
"""New rows by table: tuples on SQLite, lines of COPY on PostgreSQL."""

_kept: dict[Hashable, _Rows] = {}
_used: set[str] = set()


def remember(engine: Engine) -> None:
    """From here on keep what factories write to this database, which tests use one after the other."""
    _used.add(str(engine.url))


def remembered(key: Hashable, make: Callable[[], None]) -> None:
    """Write what ``make`` writes: by ``make`` the first time, by its rows of then where their tables are still empty.

    The current time is part of what is remembered. Identifiers stay the same but the lieu's, under which a process
    keeps what it has read.
    """
    engine = db.engine
    if str(engine.url) not in _used:
        make()
        return
    end_read()
    key = (str(engine.url), now(), key)
    kept = _kept.get(key)
    if kept is not None:
        raw = engine.raw_connection()
        try:
            if put_back(raw, engine.dialect.name, kept):
                return
        finally:
            raw.close()
    before = _read(engine)
    make()
    end_read()
    after = _read(engine)
    if kept is None and all(after[table] == rows for table, rows in before.items() if rows):
        _kept[key] = {table: rows for table, rows in after.items() if rows and not before[table]}


def _read(engine: Engine) -> _Rows:
    raw = engine.raw_connection()
    try:
        cursor, found = raw.cursor(), {}
        for table in db.metadata.sorted_tables:
            if engine.dialect.name == "sqlite":
                found[table.name] = cursor.execute(f'SELECT * FROM "{table.name}"').fetchall()
            else:
                with cursor.copy(f'COPY "{table.name}" TO STDOUT') as copy:
                    found[table.name] = [bytes(line) for line in copy]
        return found
    finally:
        raw.close()


def put_back(raw: Any, dialect: str, kept: _Rows) -> bool:
    """Insert the rows, unless one of their tables holds any."""
    cursor = raw.cursor()
    held = " OR ".join(f'EXISTS (SELECT 1 FROM "{table}")' for table in kept)
    if cursor.execute(f"SELECT {held}").fetchone()[0]:
        raw.rollback()
        return False
    if dialect == "sqlite":
        cursor.execute("BEGIN IMMEDIATE")
        for table, rows in sorted(kept.items(), key=lambda one: one[0].endswith("_version")):  # triggers raise versions
            cursor.executemany(f'INSERT OR REPLACE INTO "{table}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
    else:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, rows in kept.items():
            with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                copy.write(b"".join(rows))
    if "lieu" in kept:
        cursor.execute(f"UPDATE lieu SET uuid = '{uuid.uuid4()}'")
        cursor.execute(f"UPDATE lieu_version SET version = '{uuid.uuid4()}'")  # no trigger raised it on PostgreSQL
    raw.commit()
    return True
