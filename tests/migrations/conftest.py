"""A database in which nothing was ever created, and what migrations are tried with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask

from coworking.core import migrating
from coworking.core.db import db
from tests import factories
from tests.conftest import make_app, the_server


@pytest.fixture
def bare(engine_name: str, tmp_path: Path, worker_id: str, clock) -> Iterator[Flask]:
    """An application on a database in which nothing was ever created, its context pushed."""
    name = f"bare_{worker_id}"
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path / 'bare.db'}"
    else:
        with the_server().admin() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{name}"')
        url = the_server().url(name)
    app = make_app(url, tmp_path)
    migrating.prepare(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if engine_name == "postgresql":
        with the_server().admin() as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def migrated(engine_name: str, tmp_path: Path, databases: Callable[[str], str], clock) -> Iterator[Flask]:
    """An application on an empty database that is migrated already, its context pushed: what one goes down from."""
    app = make_app(databases(engine_name), tmp_path)
    migrating.prepare(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def populate() -> None:
    factories.make_place()
    factories.make_cast()
    db.session.remove()


def revision_before(app: Flask, ending: str) -> str:
    """The revision before the one whose file ends so: what a database from before it is taken down to."""
    script = ScriptDirectory(app.extensions["migrate"].directory)
    (found,) = (step for step in script.walk_revisions() if step.path.endswith(f"_{ending}.py"))
    return str(found.down_revision)
