"""The whole database as one file: written at one instant, verified and loaded, on each engine.

SQLite copies itself page by page through its backup interface, the write-ahead log included. PostgreSQL's own programs
``pg_dump`` and ``pg_restore`` do it there, on the snapshot that the counts were made in.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, inspect, make_url
from sqlalchemy.pool import NullPool

from coworking.core import guards
from coworking.core.db import add_functions

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
"""How the file is called, by engine."""

ASIDE = "before_restore_"
"""Schemas of PostgreSQL that hold what a restore replaced; no backup takes them along."""


class BackupError(Exception):
    """A backup cannot be made, trusted or restored; the text says why and what would help."""


@dataclass(frozen=True, slots=True)
class DumpContent:
    """What a database holds: its migration, and the number of rows by table."""

    migration: str
    tables: dict[str, int]


def facts_of(connection: Connection) -> DumpContent:
    """The facts of an open database; raises `BackupError` when no migration ever ran on it."""
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    if not names:
        raise BackupError("This database is empty: there is nothing to save.")
    counts = {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in names}
    return DumpContent(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one(), counts)


def write(connection: Connection, target: Path) -> None:
    """Write what ``connection``'s transaction sees into the new file ``target``, which only its owner can read."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if connection.dialect.name == "sqlite":
        source = connection.connection.dbapi_connection
        assert isinstance(source, sqlite3.Connection)
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a write-ahead log of its own
        return
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    url = connection.engine.url.render_as_string(hide_password=False)
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*"]
    _run("pg_dump", url, *options, f"--snapshot={snapshot}", f"--file={target}")


def read(engine: str, file: Path) -> tuple[DumpContent, list[str]]:
    """The facts of a file that `write` made, and what is wrong with it. Everything in it is read."""
    return _read_sqlite(file) if engine == "sqlite" else _read_postgresql(file)


def _read_sqlite(file: Path) -> tuple[DumpContent, list[str]]:
    engine = create_engine(f"sqlite:///file:{file}?mode=ro&immutable=1&uri=true", poolclass=NullPool)
    event.listen(engine, "connect", lambda raw, _record: add_functions(raw))
    try:
        with engine.connect() as connection:
            said = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
            wrong = [] if said == ["ok"] else [f"the database is damaged: {line}" for line in said]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            wrong += [f"{row[0]} {row[1]} points at a {row[2]} that is not there" for row in broken[:20]]
            wrong += [f"guard {line}" for line in guards.differences(connection)]
            return facts_of(connection), wrong
    except Exception as error:
        raise BackupError(f"{file} cannot be opened as a database: {error}") from error
    finally:
        engine.dispose()


_COPY = re.compile(rb'COPY public\."?(\w+)"? \(')


def _read_postgresql(file: Path) -> tuple[DumpContent, list[str]]:
    counts: dict[str, int] = {}
    table, migration, ddl = None, "", bytearray()
    with _piped("pg_restore", "--file=-", str(file)) as lines:
        for line in lines:
            if table is not None:
                if line == b"\\.\n":
                    table = None
                else:
                    counts[table] += 1
                    migration = line.decode().strip() if table == "alembic_version" else migration
            elif match := _COPY.match(line):
                table = match[1].decode()
                counts[table] = 0
            else:
                ddl += line
    counts.pop("alembic_version", None)
    wanted = {name.removesuffix("()") for guard in guards.GUARDS if guard.table in counts for name in guard.postgresql}
    missing = sorted(name for name in wanted if not re.search(rf"\b{name}\b".encode(), ddl))
    return DumpContent(migration, counts), [f"guard {name}: missing" for name in missing]


# Loading --------------------------------------------------------------------------------------------------------------


def is_in_use(url: str) -> str | None:
    """Who else has the database of ``url`` open, in words; None when nobody has."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return _sqlite_in_use(Path(parts.database or ""))
    others = 0
    with _autocommit(url) as connection:
        for _ in range(20):  # a connection that was closed is listed until its process has ended: look again
            others = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).scalar_one()
            if not others:
                return None
            time.sleep(0.1)
    return f"{others} other connection(s)"


def _sqlite_in_use(file: Path) -> str | None:
    """A process that has opened a database with a write-ahead log holds its lock for as long as it lives."""
    if not file.exists():
        return None
    with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as probe:
        try:
            probe.execute("PRAGMA locking_mode=EXCLUSIVE")
            probe.execute("BEGIN EXCLUSIVE")
            probe.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return "another process"
            raise BackupError(f"{file} cannot be opened: {error}") from error
        except sqlite3.DatabaseError:
            return None  # no database at all: nothing can be using it, and it will be kept beside
    return None


def rows_in(url: str) -> int:
    """How many rows the database of ``url`` holds; 0 when it is not there or has no tables."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        file = Path(parts.database or "")
        if not file.exists() or file.stat().st_size == 0:
            return 0
    with _autocommit(url) as connection:
        try:
            return sum(facts_of(connection).tables.values())
        except BackupError:
            return 0


def load_postgresql(url: str, file: Path, stamp: str) -> str | None:
    """Load ``file`` into the database of ``url``; what was there moves to the schema that is returned.

    When loading fails, everything is put back as it was.
    """
    aside = f"{ASIDE}{stamp}".lower()
    with _autocommit(url) as connection:
        was_there = bool(inspect(connection).get_table_names())
        if was_there:
            connection.exec_driver_sql(f"BEGIN; ALTER SCHEMA public RENAME TO {aside}; CREATE SCHEMA public; COMMIT")
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        try:
            _run("pg_restore", url, *options, str(file))
        except BackupError:
            if was_there:
                connection.exec_driver_sql(
                    f"BEGIN; DROP SCHEMA public CASCADE; ALTER SCHEMA {aside} RENAME TO public; COMMIT"
                )
            raise
    return aside if was_there else None


@contextmanager
def _autocommit(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


# PostgreSQL's programs ------------------------------------------------------------------------------------------------


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is missing: install PostgreSQL's client programs (package postgresql-client).")
    return found


def _run(name: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on ``url``. The password travels in the environment: others see arguments."""
    from psycopg.conninfo import make_conninfo  # a lieu on SQLite never needs these 4 MB

    parts = make_url(url)
    given = {"host": parts.host, "port": parts.port, "user": parts.username, "dbname": parts.database, **parts.query}
    where = make_conninfo("", **{key: value for key, value in given.items() if value})
    environ = {**os.environ, **({"PGPASSWORD": str(parts.password)} if parts.password else {})}
    done = subprocess.run([_program(name), f"--dbname={where}", *options], env=environ, capture_output=True, text=True)
    if done.returncode != 0:
        raise BackupError(f"{name} failed: {done.stderr.strip() or done.returncode}")


@contextmanager
def _piped(name: str, *options: str) -> Iterator[Iterator[bytes]]:
    """What a program writes, line by line; raises `BackupError` when it fails."""
    with subprocess.Popen([_program(name), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            yield iter(process.stdout)
        finally:
            with suppress(OSError):
                process.stdout.close()
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise BackupError(f"{name} failed: {said or process.returncode}")
