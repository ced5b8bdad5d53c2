"""Real web, worker and beat on both brokers: what is asked for in a request is done seconds later, whatever dies."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from coworking.core import outbox
from coworking.core.db import db
from coworking.core.outbox import OutboxRow
from coworking.core.units import write_unit
from tests import factories
from tests.conftest import make_app
from tests.support import redis
from tests.support.processes import Instance, instance

BROKERS = {"files": "sqlite", "redis": "postgresql"}
"""Each broker with the database it usually goes with."""


@pytest.fixture(scope="module", params=BROKERS)
def lieu(request: pytest.FixtureRequest, databases, tmp_path_factory) -> Iterator[Instance]:
    """A lieu with a running web server and nobody else."""
    database = databases(BROKERS[request.param])
    folder: Path = tmp_path_factory.mktemp(f"lieu-{request.param}")
    app = make_app(database, folder)
    if request.param == "redis":
        with redis.running() as url, instance(database, folder, redis=url) as running:
            running.app = app
            running.web()
            yield running
    else:
        with instance(database, folder) as running:
            running.app = app
            running.web()
            yield running


@pytest.fixture(autouse=True)
def _nobody_works_at_the_end(lieu) -> Iterator[None]:
    yield
    for program in lieu.programs[1:]:
        program.stop()
    del lieu.programs[1:]


def ask(lieu: Instance) -> OutboxRow:
    """Ask for an e-mail by a web request; its row."""
    with lieu.app.app_context():
        before = db.session.scalar(select(OutboxRow.id).order_by(OutboxRow.id.desc()).limit(1)) or 0
        email = factories.make_person("Anne", "Marchand", f"anne{before}@demo.example").email
    lieu.browser().post("/forgotten", email=email)
    with lieu.app.app_context():
        return db.session.scalars(select(OutboxRow).where(OutboxRow.id > before)).one()


def state(lieu: Instance, row: OutboxRow) -> str:
    with lieu.app.app_context():
        return db.session.scalars(select(OutboxRow.state).where(OutboxRow.id == row.id)).one()


def soon(holds: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether ``holds`` comes true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def emails(lieu: Instance, row: OutboxRow) -> list[Path]:
    return list((lieu.folder / "mail").glob(f"{row.public_id}.eml"))


def lose_messages(lieu: Instance) -> int:
    """Empty the broker; how many messages were lost."""
    if url := lieu.environ.get("REDIS_URL"):
        import redis as client

        with client.Redis.from_url(url) as connection:
            lost = connection.llen("lieu")
            connection.flushall()
        return int(lost)
    files = list((lieu.folder / "broker").glob("*.msg"))
    for file in files:
        file.unlink()
    return len(files)


def test_a_request_wakes_a_worker_which_sends_the_email(lieu):
    lieu.worker()
    row = ask(lieu)
    assert soon(lambda: state(lieu, row) == "done"), lieu.programs[-1].said()
    assert len(emails(lieu, row)) == 1


def test_a_lost_message_is_healed_by_the_sweep(lieu):
    row = ask(lieu)
    assert soon(lambda: lose_messages(lieu) == 1), "the request left no message"
    lieu.worker()
    assert not soon(lambda: state(lieu, row) == "done", seconds=2), "nothing told the worker to look"
    lieu.beat()
    assert soon(lambda: state(lieu, row) == "done", seconds=30), lieu.programs[-1].said()
    assert len(emails(lieu, row)) == 1


def test_what_a_killed_worker_held_is_done_by_the_next(lieu):
    """Killed while it hands an e-mail over: the lease runs out, and the sweep gives the row to another worker."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call and never says a word
        lieu.environ["SMTP_URL"] = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        worker = lieu.worker()
        row = ask(lieu)
        connection, _ = silent.accept()
        worker.kill()
        connection.close()
    del lieu.environ["SMTP_URL"]
    with lieu.app.app_context():
        leased = db.session.scalars(select(OutboxRow).where(OutboxRow.id == row.id)).one()
        assert (leased.state, leased.attempts) == ("waiting", 1)
        assert leased.leased_until is not None
        assert leased.leased_until - row.due_at >= outbox.LEASE - timedelta(seconds=30)
    lose_messages(lieu)
    lieu.worker()
    lieu.beat()
    assert not soon(lambda: state(lieu, row) == "done", seconds=2), "the dead worker's lease still runs"
    with lieu.app.app_context(), write_unit():  # the lease runs out
        db.session.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(leased_until=row.due_at))
    lieu.programs.pop().stop()
    lieu.beat()
    assert soon(lambda: state(lieu, row) == "done", seconds=30), lieu.programs[-1].said()
    assert len(emails(lieu, row)) == 1
