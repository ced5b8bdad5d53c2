"""Runs migrations on either engine, in one transaction, and re-creates the database's guards behind them.

Alembic's batch mode rebuilds SQLite tables and silently drops their triggers; and a trigger that fires while rows are
copied would refuse its own table. So on SQLite the guards step aside first; on both engines what is missing or altered
afterwards is installed from `coworking.core.guards`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click
from alembic import context
from flask import current_app
from sqlalchemy import Connection

from coworking.core import guards
from coworking.core.db import WRITE_OPTION
from coworking.core.types import UTCDateTime

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, _autogen: Any) -> str | bool:
    if kind == "type" and isinstance(item, UTCDateTime):
        return "UTCDateTime()"
    return False


def run(connection: Connection) -> None:
    applied: list[str] = []

    def note(*, step: Any, **_others: Any) -> None:
        applied.append(step.up_revision_id if step.is_upgrade else f"back from {step.up_revision_id}")

    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        include_name=lambda name, kind, _parents: not (kind == "index" and name == "claim_overlap"),
        compare_type=True,
        transactional_ddl=True,
        process_revision_directives=_drop_empty,
        on_version_apply=note,
    )
    with context.begin_transaction():
        if connection.dialect.name == "sqlite":
            guards.remove(connection)
        context.run_migrations()
        guards.install(connection)
    with suppress(KeyError):  # commands that only look have no destination
        context.get_revision_argument()
        click.echo(f"Database migrated: {', '.join(applied)}." if applied else "The database is up to date.")


def _drop_empty(_context: Any, _revision: Any, directives: list[Any]) -> None:
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    engine = database.engine
    if engine.dialect.name == "sqlite":
        # Rebuilding a table that others refer to needs the foreign keys off, which only works outside a transaction.
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.execution_options(**{WRITE_OPTION: True}).begin():
                    run(connection)
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if broken:
                        raise RuntimeError(f"the migration broke foreign keys: {broken[:5]}")
            finally:
                raw.execute("PRAGMA foreign_keys=ON")
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4071909)")  # one migrator at a time
            run(connection)


main()
