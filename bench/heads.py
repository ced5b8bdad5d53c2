"""A network head with 126 lieux and 24 months of returns: its lead's pages, and returns received from eight senders."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import event, insert

from bench import history, servers
from bench.clients import Answer, Client, run
from bench.ground import FULL, Ground, signed_in
from bench.report import Line
from config import Config
from coworking.accounts.models import PersonRole
from coworking.app import create_app
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.months import month_before, month_of, months_between, read_month, write_month
from coworking.core.units import write_unit
from coworking.demo.network import Member, Simulated, enrol, month_document, signed
from coworking.network.head.filing import columns_of
from coworking.network.head.models import ReceivedReturn
from coworking.spaces import queries as spaces
from coworking.statistics.schema import canonical

LIEUX, MONTHS, SENDERS, PAGES = 126, 24, 8, 30
LEAD = 1
"""Which of the history's people looks after the network."""
MOST_SECONDS, MOST_STATEMENTS = 0.15, 8
LEAST_RECEIVED = {"sqlite": 120, "postgresql": 200}


@dataclass(frozen=True, slots=True)
class Network:
    """The public id of one lieu, the last month, and what its lieux are going to send, signed, each once."""

    lieu: str
    month: date
    messages: Iterator[bytes]


def measure(ground: Ground) -> Iterator[Line]:
    """The pages of a head's lead, and returns received from eight senders at once, signed beforehand."""
    engine, environ, times = ground.engine, ground.environ, 200 if ground.effort is FULL else 40
    network = network_at(environ)
    app = create_app(Config.from_env({**environ, "BASE_URL": "http://localhost"}))
    month = write_month(network.month)
    pages = {"the month": f"/network?month={month}", "one lieu": f"/network/lieux/{network.lieu}?month={month}"}
    with servers.running(environ, "web") as (port, _):
        lead = signed_in(port, LEAD)
        for name, path in pages.items():
            answers = [lead.get(path) for _ in range(PAGES)]
            assert {one.status for one in answers} == {200}, answers[0].body[:300]
            seconds, statements = median(one.seconds for one in answers), _statements(app, path)
            yield Line(
                engine,
                f"a head, {LIEUX} lieux × {MONTHS} months: {name}",
                f"{seconds * 1000:.0f} ms, {statements} statements",
                "",
                None,
                "≤ 150 ms, ≤ 8",
                seconds <= MOST_SECONDS and statements <= MOST_STATEMENTS,
            )
        senders = [Client(port) for _ in range(SENDERS)]

        done = run(SENDERS, lambda sender, _turn: send(senders[sender], next(network.messages)), times=times)
        assert set(done.statuses) == {201}, dict(done.statuses)
        least = LEAST_RECEIVED[engine]
        reached = done.per_second >= least
        yield Line(
            engine,
            f"a head: returns of {SENDERS} senders",
            f"{done.per_second:.0f}/s",
            "",
            None,
            f"≥ {least}/s",
            reached,
        )


def send(sender: Client, message: bytes) -> Answer:
    """Send a signed return as a lieu's software does."""
    return sender.ask("POST", "/api/v1/network/returns", message, **{"Content-Type": "application/jose"})


@cache
def _network_at(url: str, folder: str) -> Network:
    app = create_app(Config.from_env(servers.environment(url, Path(folder))))
    with app.app_context():
        network = make()
        db.session.remove()
        db.engine.dispose()
    return network


def network_at(environ: Mapping[str, str]) -> Network:
    """The network of the database of ``environ``, made at the first call."""
    return _network_at(environ["DATABASE_URL"], environ["DATA_DIR"])


def make(*, seed: int = 11) -> Network:
    """Fill the database with the network; sign a restatement of every month of every lieu, which they are going to send."""
    draw = random.Random(seed)
    last = month_before(month_of(spaces.today()))
    months = months_between(month_before(last, MONTHS - 1), last)
    members = [enrol(_place(number, draw), draw, months[0]) for number in range(LIEUX)]
    with write_unit():
        db.session.add(PersonRole(person_id=LEAD + 1, role="lead"))
    head_id = spaces.lieu().uuid
    for member in members:
        documents = [month_document(member, month, draw) for month in months]
        with write_unit():
            db.session.execute(insert(ReceivedReturn), [_row(member, one, head_id) for one in documents])
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(db.text("VACUUM ANALYZE"))  # as the server does by itself within a minute
    messages: list[bytes] = []
    for month, member in itertools.product(months, members):
        again = month_document(member, month, draw, status="restatement", revision=2, reason="Compté de nouveau")
        messages.append(signed(member, again, head_id).encode())
    return Network(members[0].lieu.public_id, last, iter(messages))


def _place(number: int, draw: random.Random) -> Simulated:
    return Simulated(
        f"Lieu {number + 1}",
        "Thiers",
        "63300",
        draw.uniform(43.5, 49),
        draw.uniform(-1, 6),
        draw.randrange(4, 40),
        draw.uniform(0.2, 0.6),
    )


def _row(member: Member, document: dict[str, Any], head_id: str) -> dict[str, Any]:
    return {
        "network_lieu_id": member.lieu.id,
        "month": read_month(document["month"]),
        "revision": document["revision"],
        "status": document["status"],
        "digest": document["figures_sha256"],
        "document": canonical(document).decode(),
        "jws": signed(member, document, head_id),
        "way": "software",
        "received_at": now(),
        "doubts": "[]",
        **columns_of(document),
    }


def _statements(app: Any, path: str) -> int:
    """How many statements the page ``path`` asks of the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    browser = app.test_client()
    token = browser.get("/sign-in").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    browser.post("/sign-in", data={"csrf_token": token, "email": history.email(LEAD), "password": history.PASSWORD})
    with app.app_context():
        engine = db.engine
    browser.get(path)  # what a worker keeps from then on
    event.listen(engine, "before_cursor_execute", note)
    assert browser.get(path).status_code == 200
    event.remove(engine, "before_cursor_execute", note)
    engine.dispose()  # the server waits for whoever is connected before it stops
    return len(seen)
