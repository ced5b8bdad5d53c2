"""Real databases, one per worker and engine, made from a migrated template; a clock that stands still; no network.

A test that asks for ``app`` (directly or through another fixture) runs on both engines. Everything commits for real, and
what a test left behind is gone before the next one begins.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, redirect_stdout
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient

from config import Config
from coworking.accounts import passwords
from coworking.billing.gateways import registry
from coworking.core import clock as clocks
from coworking.core import outbox
from coworking.core.catalogs import compile_catalogues
from coworking.core.db import db
from coworking.core.units import write_unit
from coworking.spaces.calendar import lock_lieu
from tests import factories
from tests.support import postgres
from tests.support.billing import BillingLieu, lieu_used_in_october
from tests.support.gateway import MemoryGateway
from tests.support.pdfs import drawn_once
from tests.support.remembered import remember
from tests.support.smtp import Sink, sink
from tests.support.statements import Statements, counted

ENGINES = ("sqlite", "postgresql")
TUESDAY_AT_10_36 = datetime(2026, 11, 24, 9, 36, tzinfo=UTC)
"""A Tuesday morning in Thiers, 10:36 by the wall clock."""

_server = pytest.StashKey[postgres.Server]()
_folder = pytest.StashKey[Path]()
_made = pytest.StashKey[Path]()
TEMPLATES = "TEST_TEMPLATES"
"""Names the folder of templates that were made before (`make_templates`), on the server of ``TEST_DATABASE_URL``."""


# The run: one server, one migrated template per engine ----------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("busy machine", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("busy machine")  # is no failure
    if hasattr(config, "workerinput"):
        return
    compile_catalogues()
    os.environ["ENV_FILE"] = os.devnull  # a developer's own .env stays out of the tests
    folder = Path(tempfile.mkdtemp(prefix="coworking-tests-"))
    server = postgres.start(autovacuum=False)
    config.stash[_folder], config.stash[_server] = folder, server
    os.environ["COWORKING_TEST_FOLDER"] = str(folder)
    os.environ["COWORKING_TEST_SOCKET"] = server.socket_dir
    if TEMPLATES not in os.environ:
        config.stash[_made] = folder
        os.environ[TEMPLATES] = str(folder)
        make_templates(folder, server)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask on one engine what pages, forms and e-mails say (mark `once`); walks of every address open them on both."""
    items[:] = [item for item in items if not (item.get_closest_marker("once") and _engine_of(item) == ENGINES[1])]


def _engine_of(item: pytest.Item) -> str | None:
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get("engine_name")


def pytest_collection_finish() -> None:
    """Look for dead cycles less often: what was imported and collected stays, and looking took a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (server := config.stash.get(_server, None)) is not None:
        if server.given is not None and (made := config.stash.get(_made, None)) is not None:
            with server.admin() as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{made.name}"')
        server.stop()
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


def make_templates(folder: Path, server: postgres.Server) -> None:
    """Migrate a database of each engine: ``template.db`` in ``folder``, and one on ``server`` named as the folder is."""
    with server.admin() as admin:
        admin.execute(f'CREATE DATABASE "{folder.name}"')
    for url in (f"sqlite:///{folder / 'template.db'}", server.url(folder.name)):
        app = make_app(url, folder / "template-data")
        migrate(app)
        with app.app_context():
            db.engine.dispose()


def the_server() -> postgres.Server:
    """The run's PostgreSQL, as a worker sees it."""
    return postgres.Server(socket_dir=os.environ["COWORKING_TEST_SOCKET"], given=os.environ.get("TEST_DATABASE_URL"))


def make_app(url: str, data_dir: Path, **settings: Any) -> Flask:
    """An application on the database ``url``."""
    from coworking.app import create_app

    environ = {"DATABASE_URL": url, "SECRET_KEY": "t" * 40, "DATA_DIR": str(data_dir), "BASE_URL": "http://lieu.test"}
    environ["ALLOW_PRIVATE_HEADS"] = "yes"  # heads of tests listen on this machine
    config = Config.from_env(environ | {name.upper(): value for name, value in settings.items()})
    app = create_app(config)
    app.config["WTF_CSRF_ENABLED"] = False
    app.testing = True
    app.test_client_class = _Client
    return app


def migrate(app: Flask) -> None:
    from coworking.core.migrating import upgrade

    with app.app_context(), redirect_stdout(StringIO()):
        upgrade()


class _Client(FlaskClient):
    """Refuses to run inside an application context: requests would share its ``g`` and see each other's people."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        assert not has_app_context(), "make the request outside app.app_context()"
        return super().open(*args, **kwargs)


# One database per worker and engine -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def databases(worker_id: str) -> Iterator[Callable[[str], str]]:
    """Give the URL of a fresh, migrated database on an engine; all are dropped at the end."""
    folder, templates, made = Path(os.environ["COWORKING_TEST_FOLDER"]), Path(os.environ[TEMPLATES]), []

    def fresh(engine: str) -> str:
        name = f"t_{os.getpid()}_{worker_id}_{len(made)}"
        made.append((engine, name))
        if engine == "sqlite":
            shutil.copy(templates / "template.db", folder / f"{name}.db")
            return f"sqlite:///{folder / name}.db"
        with the_server().admin() as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{templates.name}"')
        return the_server().url(name)

    yield fresh
    for engine, name in made:
        if engine == "postgresql":
            with the_server().admin() as admin:
                admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def apps(databases: Callable[[str], str], worker_id: str) -> Callable[[str], Flask]:
    """The worker's application on an engine, made once."""
    made: dict[str, Flask] = {}

    def get(engine: str) -> Flask:
        if engine not in made:
            folder = Path(os.environ["COWORKING_TEST_FOLDER"]) / f"data-{worker_id}-{engine}"
            made[engine] = make_app(databases(engine), folder)
            with made[engine].app_context():
                remember(db.engine)
        return made[engine]

    return get


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def app(engine_name: str, apps: Callable[[str], Flask], clock: Clock) -> Flask:
    """An application on an empty, migrated database."""
    application = apps(engine_name)
    _empty(application)
    return application


def _empty(app: Flask) -> None:
    """Delete every row, past the guards that forbid it."""
    shutil.rmtree(app.extensions["settings"].data_dir / "mail", ignore_errors=True)
    with app.app_context():
        engine = db.engine
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            tables = [table.name for table in reversed(db.metadata.sorted_tables)]
            unindexed = "NOT INDEXED" if engine.dialect.name == "sqlite" else ""  # a test's index may hide rows
            asked = ", ".join(f'EXISTS (SELECT 1 FROM "{name}" {unindexed})' for name in tables)
            held = cursor.execute(f"SELECT {asked}").fetchone()
            used = [name for name, any_row in zip(tables, held, strict=True) if any_row]
            if engine.dialect.name == "sqlite":
                _empty_sqlite(cursor, used)
            elif used:
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(";".join(f'DELETE FROM "{table}"' for table in used))
                for table in used:
                    _deleted_from[table] = _deleted_from.get(table, 0) + cursor.rowcount
                    cursor.nextset()
            raw.commit()
            if engine.dialect.name == "postgresql":
                _sweep(raw, used)
        finally:
            raw.close()


_deleted_from: dict[str, int] = {}
"""How many rows of each table of the worker's PostgreSQL were deleted since its last VACUUM."""
SWEPT_AFTER = 5000


def _sweep(raw: Any, tables: list[str]) -> None:
    """Give back the space of many deleted rows: no autovacuum runs, and every later statement reads past them."""
    due = [table for table in tables if _deleted_from[table] >= SWEPT_AFTER]
    if not due:
        return
    raw.driver_connection.autocommit = True
    try:
        raw.cursor().execute(f"VACUUM {', '.join(due)}")
    finally:
        raw.driver_connection.autocommit = False
    for table in due:
        _deleted_from[table] = 0


def _empty_sqlite(cursor: Any, tables: list[str]) -> None:
    guards = [
        (name, ddl)
        for name, table, ddl in cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        if table in tables
    ]
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.execute("BEGIN IMMEDIATE")
    for name, _ in guards:
        cursor.execute(f"DROP TRIGGER {name}")
    for table in tables:
        cursor.execute(f'DELETE FROM "{table}"')
    for _, ddl in guards:
        cursor.execute(ddl)
    cursor.execute("COMMIT")
    cursor.execute("PRAGMA foreign_keys=ON")


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    """The application with its context pushed: for tests of services and queries (not for the client)."""
    with app.app_context():
        yield app


@pytest.fixture
def session(inside: Flask) -> Any:
    """The session of the pushed context."""
    return db.session


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of nobody's yet; see `sign_in`."""
    return app.test_client()


@pytest.fixture
def place(app: Flask) -> factories.Place:
    """The lieu of most tests (detached rows)."""
    with app.app_context():
        return factories.make_place()


@pytest.fixture
def cast(app: Flask) -> factories.Cast:
    """The permanent cast (detached rows)."""
    with app.app_context():
        return factories.make_cast()


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., FlaskClient]:
    """``sign_in(person, language="fr")`` gives a browser signed in as ``person``."""

    def signed_in(person: Any, language: str = "fr") -> FlaskClient:
        browser = app.test_client()
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        with ExitStack() as stack:
            if not has_app_context():
                stack.enter_context(app.app_context())
            name, secret = factories.make_device(person)
        browser.set_cookie(name, secret)
        return browser

    return signed_in


# Time, e-mails, statements, network -----------------------------------------------------------------------------------


class Clock:
    """A clock that stands still until moved."""

    def __init__(self) -> None:
        self.now = TUESDAY_AT_10_36

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def set(self, instant: datetime) -> datetime:
        assert instant.tzinfo is not None
        self.now = instant.astimezone(UTC)
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The process's clock, standing at 10:36 on Tuesday 24 November 2026."""
    clock = Clock()
    with clocks.running_on(clock):
        yield clock


@pytest.fixture
def run_outbox(app: Flask) -> Callable[[], int]:
    """Carry out what is due in the outbox, as the worker would."""

    def run() -> int:
        with ExitStack() as stack:
            if not has_app_context():
                stack.enter_context(app.app_context())
            stack.enter_context(drawn_once())
            return outbox.run_due()

    return run


@pytest.fixture
def billing_lieu(app: Flask) -> BillingLieu:
    """The lieu in October, see `lieu_used_in_october`."""
    with app.app_context():
        return lieu_used_in_october()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch, billing_lieu: BillingLieu, app: Flask) -> MemoryGateway:
    """A gateway that the lieu, a simulation, has test keys for."""
    made = MemoryGateway()
    monkeypatch.setattr(registry, "gateways", lambda: [made])
    monkeypatch.setattr(registry, "gateway_named", {made.name: made}.get)
    with app.app_context(), write_unit():
        lock_lieu().is_simulation = True
    return made


@pytest.fixture
def mailbox(app: Flask) -> Callable[[], list[EmailMessage]]:
    """The e-mails written so far (to files: no SMTP server is configured), oldest first."""

    def emails() -> list[EmailMessage]:
        folder = app.extensions["settings"].data_dir / "mail"
        files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]

    return emails


@pytest.fixture
def smtp() -> Iterator[Sink]:
    """A real SMTP server that keeps what it gets."""
    with sink() as server:
        yield server


@pytest.fixture
def count_statements(app: Flask) -> Callable[[], AbstractContextManager[Statements]]:
    """``with count_statements() as seen:`` collects the SQL of the block."""

    def count() -> AbstractContextManager[Statements]:
        with ExitStack() as stack:
            if not has_app_context():
                stack.enter_context(app.app_context())
            return counted(db.engine)

    return count


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> None:
    """Passwords cost the tests' own process nothing; `tests/accounts/test_rules.py` sees what a lieu's cost."""
    passwords._hasher = factories.HASHER
    passwords._decoy = factories.HASHER.hash("nobody's")


_connect = socket.socket.connect


def _only_here(self: socket.socket, address: Any) -> None:
    """Tests talk to this machine only."""
    if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "localhost", "::1"}:
        raise AssertionError(f"a test tried to reach {address[0]}")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    socket.socket.connect = _only_here  # type: ignore[method-assign] - the whole point
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign] - put back
