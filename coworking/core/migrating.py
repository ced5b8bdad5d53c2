"""Which migration is the newest, which one a database has reached, and the way there.

A web process and a worker never migrate. Alembic and what it brings (Mako, Pygments) would cost each of them 8 MB: they
are loaded by `upgrade` and by the commands ``flask db`` alone.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import click
from flask import Flask, current_app
from sqlalchemy import inspect, text

from config import ROOT
from coworking.core.db import db

FOLDER = ROOT / "migrations"


def init(app: Flask) -> None:
    """Register the commands ``flask db``."""
    app.cli.add_command(_Commands("db", help="Perform database migrations."))


class _Commands(click.Command):
    """Flask-Migrate's commands, loaded when one of them is asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        from flask_migrate.cli import db as commands

        prepare(current_app._get_current_object())  # type: ignore[attr-defined] - a proxy has one
        return commands.make_context(info_name, args, parent, **extra)


@cache
def newest_migration() -> str:
    """The identifier of the newest migration that this software knows: the one that none follows."""
    named = re.compile(r'^(down_revision|revision) = "(\w+)"', re.MULTILINE)
    files = [dict(named.findall(file.read_text("utf-8"))) for file in (FOLDER / "versions").glob("[0-9]*_*.py")]
    (newest,) = {file["revision"] for file in files} - {file.get("down_revision") for file in files}
    return newest


def reached_migration() -> str | None:
    """The identifier of the last migration that ran on the database; None when none did."""
    connection = db.session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def upgrade() -> None:
    """Bring the database to the newest migration."""
    import flask_migrate

    prepare(current_app._get_current_object())  # type: ignore[attr-defined] - a proxy has one
    flask_migrate.upgrade()


def prepare(app: Flask) -> None:
    """Let ``app`` be migrated by this process."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(FOLDER), render_as_batch=True)  # it registers its own commands, too
