"""REPLACE deletes what is in its way without a word: attacked through a connection as any program opens it.

Two rows of every guarded table are there; a third takes the place of the first by its id, by each unique key and by SQLite's
hidden rowid, or the second moves onto the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Date, Integer, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator

from coworking.core import guards
from coworking.core.audit import AuditEntry
from coworking.core.chain import ChainEntry
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.sql import insert_missing, inserted
from coworking.core.units import write_unit
from coworking.spaces.models import LieuDay

NOT_REPLACED = {
    guard.table: guard.name
    for guard in reversed(guards.GUARDS)
    if any(trigger.startswith(f"{guard.name}_replace_") for trigger in guard.sqlite)
}
"""The guard that answers for each table, of several the first. Of others rows may go: of claims what must not be is an
overlap, and that a payment through a gateway went is found by the chain."""


def rowid_of(table: Table) -> str | None:
    """The column that is SQLite's rowid; None where the primary key is something else."""
    primary = list(table.primary_key)
    kind = primary[0].type.dialect_impl(sqlite.dialect())
    return primary[0].name if len(primary) == 1 and isinstance(kind, Integer) else None


def keys_of(table: Table) -> set[tuple[str, ...]]:
    """Every unique key of ``table`` but a primary key that is the rowid."""
    found = set() if rowid_of(table) else {tuple(column.name for column in table.primary_key)}
    unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    # Of an index over some rows alone a guard would ask too much; what it lets go is found by the chain.
    unique += [one for one in table.indexes if one.unique and one.dialect_options["sqlite"]["where"] is None]
    return found | {tuple(column.name for column in one.columns) for one in unique}


@pytest.mark.parametrize("name", sorted(NOT_REPLACED))
def test_every_unique_key_of_a_guarded_table_is_declared(apps, name):
    apps("sqlite")
    assert {tuple(key) for key in guards.UNIQUE[name]} == keys_of(db.metadata.tables[name])


def test_every_guarded_table_is_declared():
    assert set(guards.UNIQUE) == set(NOT_REPLACED)


def value(column, n: int) -> object:
    """What row ``n`` holds in ``column``: nothing twice, whatever the type."""
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if column.nullable and column.name in ("invoice_id", "corrects_id", "reverses_id"):
        return 1 if n == 1 else None  # only the first charge is frozen
    if isinstance(kind, Date):
        return f"2020-01-{n:02d}"
    if isinstance(kind, LargeBinary):
        return b"%d" % n
    return f"v{n}" if isinstance(kind, String | Text) else 100 + n


def row(table: Table, n: int) -> dict[str, object]:
    return {column.name: value(column, n) for column in table.columns}


@pytest.fixture
def raw(app) -> Iterator[sqlite3.Connection]:
    """A connection as ``sqlite3.connect`` gives it; rules about single values are looked away from, guards are not."""
    with app.app_context():
        path = db.engine.url.database
    connection = sqlite3.connect(path, isolation_level=None)
    assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    connection.create_function("fold", 1, lambda text: text)
    # These want rows of other tables, and would refuse before REPLACE does anything.
    for beside in ("quote_shared", "quote_trial_once", "pack_return_within"):
        connection.execute(f"DROP TRIGGER {beside}")
    yield connection
    connection.close()
    with app.app_context(), write_unit():
        guards.install(db.session.connection())


def put(connection: sqlite3.Connection, verb: str, table: str, values: dict[str, object]) -> None:
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"{verb} INTO {table} ({columns}) VALUES ({marks})", list(values.values()))


def attacks(table: Table) -> Iterator[tuple[str, dict[str, object]]]:
    """(what it is, the columns that the new row shares with the first one)."""
    first = row(table, 1)
    for key in (tuple(column.name for column in table.primary_key), *sorted(keys_of(table))):
        if all(first[name] is not None for name in key):
            yield " and ".join(key), {name: first[name] for name in key}
    yield "rowid", {"rowid": 1}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", sorted(NOT_REPLACED))
def test_no_row_is_replaced(raw, name):
    table = db.metadata.tables[name]
    raw.execute("BEGIN")
    for refuses in ("closing_follows", "bank_match_payout_once"):
        raw.execute(f"DROP TRIGGER {refuses}")  # until the rollback: it refuses most of what is tried here by itself
    for n in (1, 2):
        put(raw, "INSERT", name, row(table, n))
    (hidden,) = raw.execute(f"SELECT rowid FROM {name} ORDER BY rowid LIMIT 1").fetchone()
    before = raw.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid").fetchall()
    tried = 0
    for what, shared in attacks(table):
        shared = {"rowid": hidden} if what == "rowid" else shared
        fresh = row(table, 3)
        if what == "rowid" and (named := rowid_of(table)):
            del fresh[named]  # it is the same thing under another name
        for verb in ("INSERT OR REPLACE", "REPLACE"):
            with pytest.raises(sqlite3.IntegrityError, match=f"guard:{NOT_REPLACED[name]}"):
                put(raw, verb, name, fresh | shared)
            tried += 1
        changes = ", ".join(f"{column} = ?" for column in shared)
        with pytest.raises(sqlite3.IntegrityError, match=f"guard:{NOT_REPLACED[name]}"):
            raw.execute(f"UPDATE OR REPLACE {name} SET {changes} WHERE rowid > ?", [*shared.values(), hidden])
        assert raw.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid").fetchall() == before, what
    assert tried >= 4
    raw.execute("ROLLBACK")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_is_asked_before_an_insert_is_an_index(raw):
    """The guards of the booking's own tables look up keys; none of them reads a table."""
    for name in ("quote", "ledger_entry", "audit_entry"):
        table = db.metadata.tables[name]
        probes = ["rowid = 1"] + [" AND ".join(f"{column} = 1" for column in key) for key in guards.UNIQUE[name]]
        for probe in probes:
            plan = " ".join(
                str(line[3]) for line in raw.execute(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table.name} WHERE {probe}")
            )
            assert "SEARCH" in plan and "SCAN" not in plan, plan


# Insert unless it is there --------------------------------------------------------------------------------------------


def test_inserted_says_whether_the_key_was_free(inside):
    values = {"chain": "money", "prev": "0", "payload": "{}", "sha256": "1", "key_id": "2", "signature": "3"}
    with write_unit():
        assert inserted(ChainEntry, seq=1, signed_at=now(), **values)
        assert not inserted(ChainEntry, seq=1, signed_at=now(), **values)
        assert inserted(ChainEntry, seq=2, signed_at=now(), **values)
    assert sorted(db.session.scalars(db.select(ChainEntry.seq))) == [1, 2]


def test_defaults_are_filled_in_and_rows_of_one_batch_are_compared(inside):
    usual = {"topic": "t", "payload": {"a": [1, None]}, "state": "waiting", "attempts": 0, "due_at": now()}
    rows = [usual | {"public_id": f"p{n}", "key": key, "created_at": now()} for n, key in enumerate(("a", "b", "a"))]
    with write_unit():
        assert insert_missing(OutboxRow, rows) == 2
        assert inserted(AuditEntry, occurred_at=now(), action="x", subject_kind="y", subject_id=1)
    assert db.session.scalars(db.select(OutboxRow.payload)).all() == [{"a": [1, None]}] * 2
    assert db.session.scalars(db.select(AuditEntry.details)).one() == {}


def test_a_guarded_table_with_a_key_of_its_own_takes_each_day_once(inside, place):
    day = db.session.scalars(db.select(LieuDay).order_by(LieuDay.day.desc())).first()
    values = {column.name: getattr(day, column.name) for column in LieuDay.__table__.columns}
    with write_unit():
        assert not inserted(LieuDay, **values)
