"""What a page, a booking and a month's closing read and take at ten times the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, make_url, select, text

from bench import history
from bench.ground import Ground
from bench.report import Line
from config import Config
from coworking.accounts.models import Person
from coworking.app import create_app
from coworking.booking import services as booking
from coworking.booking.models import Booking
from coworking.core.db import db
from coworking.core.migrating import upgrade
from coworking.core.policy import SYSTEM
from coworking.core.units import write_unit
from coworking.frontdesk.timeline import timeline
from coworking.statistics import services as statistics
from tests.support.work import worked

TIMES, MOST, LOOKS = 10, 1.2, 15
DAY = frozenset({"am", "pm"})


@dataclass(frozen=True, slots=True)
class Cost:
    """What one act read, in steps or rows (see `tests.support.work`), and how long it takes without being counted."""

    work: int
    seconds: float


def growth(ground: Ground) -> Iterator[Line]:
    """The same acts on a fresh history as long as the ground's and on one of ten times as many bookings; how fast that
    was written. Other measures have left their traces on the ground itself, such as days that are counted already."""
    bookings = len(ground.bench.past) * history.PER_DAY + len(ground.bench.coming) * history.PER_DAY // 2
    few, _paces = _measured(ground, bookings)
    many, paces = _measured(ground, bookings * TIMES)
    yield _pace(ground.engine, bookings * TIMES, paces)
    for name, cost in few.items():
        ratio = many[name].work / cost.work
        yield Line(
            ground.engine,
            f"{TIMES} times the history: {name}",
            f"{_said(ground.engine, many[name])}",
            f"{_said(ground.engine, cost)}",
            round(ratio, 2),
            f"≤ {MOST:.2f}",
            ratio <= MOST,
        )


def _measured(ground: Ground, bookings: int) -> tuple[dict[str, Cost], list[float]]:
    """What the acts cost with ``bookings`` in a database of their own, and the pace of each batch that wrote them."""
    with _another_database(ground.environ["DATABASE_URL"]) as url:
        environ = {**ground.environ, "DATABASE_URL": url}
        with create_app(Config.from_env(environ)).app_context():
            upgrade()
            made = history.make(bookings)
            db.session.remove()
            db.engine.dispose()
        return _costs(environ, made), made.paces


def _said(engine: str, cost: Cost) -> str:
    return f"{cost.work} {'steps' if engine == 'sqlite' else 'rows'}, {cost.seconds * 1000:.1f} ms"


def _pace(engine: str, bookings: int, paces: list[float]) -> Line:
    """The last tenth of the batches beside the first."""
    tenth = max(1, len(paces) // TIMES)
    first, last = median(paces[:tenth]), median(paces[-tenth - 1 : -1])
    return Line(
        engine,
        f"{bookings} bookings written in bulk: the last tenth",
        f"{last:.0f}/s",
        f"the first tenth: {first:.0f}/s",
        round(last / first, 2),
        "≥ 0.80",
        last >= 0.8 * first,
    )


def _costs(environ: dict[str, str], bench: history.Bench) -> dict[str, Cost]:
    """The cost of each act: counted once, then timed as often as one can do it."""
    app = create_app(Config.from_env(environ))
    with app.test_request_context("/"):
        found = {name: _cost(act) for name, act in _acts(bench).items()}
        db.session.remove()
        db.engine.dispose()
    return found


def _cost(act: Callable[[int], object]) -> Cost:
    act(0)  # what a process finds out once
    with worked(db.engine) as work:
        act(1)
    taken: list[float] = []
    for turn in range(2, LOOKS):
        db.session.rollback()
        started = time.perf_counter()
        act(turn)
        taken.append(time.perf_counter() - started)
    return Cost(work.amount, median(taken))


def _acts(bench: history.Bench) -> dict[str, Callable[[int], object]]:
    """Each by the number of the turn: another day's page, another person's booking, another month."""
    day_of_all = bench.coming[-1]
    there = select(Booking.person_id).where(Booking.day == day_of_all)
    free = select(Person).where(Person.id.not_in(there)).order_by(Person.id).limit(LOOKS)
    people = [person.actor() for person in db.session.scalars(free).unique()]
    months = sorted({day.replace(day=1) for day in bench.past}, reverse=True)[1:]  # whole ones, the newest first

    def page(turn: int) -> None:
        with write_unit():  # where the work is counted on either engine
            timeline(people[0], bench.past[-turn - 1], listed=False)

    def book(turn: int) -> None:
        desk = bench.desks[turn % history.FREE_DESKS][1]
        booking.book_half_days(people[turn], day_of_all, DAY, resource=desk)

    def close(turn: int) -> None:
        statistics.close(SYSTEM, months[turn % len(months)])

    return {"the planning of a day": page, "a desk booked, guards included": book, "a month closed": close}


@contextmanager
def _another_database(url: str) -> Iterator[str]:
    """The address of an empty database beside ``url``; it is gone afterwards."""
    beside = make_url(url)
    if beside.get_backend_name() == "sqlite":
        yield beside.set(database=f"{beside.database}.grown").render_as_string(hide_password=False)
        for file in Path(f"{beside.database}.grown").parent.glob(f"{Path(str(beside.database)).name}.grown*"):
            file.unlink()
        return
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE grown"))
    try:
        yield beside.set(database="grown").render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE grown WITH (FORCE)"))
        admin.dispose()
