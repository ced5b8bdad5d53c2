"""What is measured, one function each, on one engine at a time."""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask_migrate import upgrade

from bench import history, servers
from bench.clients import Act, Answer, Client, Round, percentile, run
from bench.report import Line
from config import Config
from coworking.app import create_app
from coworking.core.db import db
from coworking.core.timespan import local_minute

ZONE = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many turns ours and the yardstick take, how many rounds a race has."""

    seconds: float
    turns: int
    rounds: int


FULL, QUICK = Effort(5.0, 4, 100), Effort(1.0, 2, 10)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one engine's measures happen. ``slots`` hands out free half-days that nobody else has asked for."""

    engine: str
    environ: dict[str, str]
    bench: history.Bench
    effort: Effort
    slots: Iterator[dict[str, str]]


def engine(name: str, url: str, folder: Path, bookings: int, effort: Effort, wanted: tuple[str, ...]) -> list[Line]:
    """Make a history of ``bookings`` bookings at ``url`` and take every ``wanted`` measure on it."""
    environ = servers.environment(url, folder)
    started = time.perf_counter()
    app = create_app(Config.from_env(environ))
    with app.app_context():
        upgrade()
        bench = history.make(bookings)
        db.session.remove()
        db.engine.dispose()
    print(f"{name}: {bookings} bookings made in {time.perf_counter() - started:.0f} s", flush=True)
    ground = Ground(name, environ, bench, effort, _slots(bench))
    lines: list[Line] = []
    try:
        for measure in wanted:
            for line in MEASURES[measure](ground):
                lines.append(line)
                print(f"  {line.what}: {line.ours} · {line.yardstick} · {line.ratio}", flush=True)
    except AssertionError as error:
        for log in sorted(folder.glob("*.log")):
            error.add_note(f"--- {log.name}\n{log.read_text()[-3000:]}")
        raise
    return lines


def _slots(bench: history.Bench) -> Iterator[dict[str, str]]:
    """Every coming half-day of the desks that were left free, as the body of a booking."""
    halves = ((history.OPENS, history.SPLIT), (history.SPLIT, history.CLOSES))
    for day, (_, desk), (first, last) in itertools.product(bench.coming, bench.desks[: history.FREE_DESKS], halves):
        yield {
            "resource_id": desk,
            "starts_at": local_minute(day, first, ZONE).isoformat(),
            "ends_at": local_minute(day, last, ZONE).isoformat(),
        }


@contextmanager
def _both(ground: Ground, workers: int = 2) -> Iterator[tuple[int, int]]:
    """Ours and the twin, both up; their ports."""
    with ExitStack() as stack:
        ours, _ = stack.enter_context(servers.running(ground.environ, "web", workers=workers))
        twin, _ = stack.enter_context(servers.running(ground.environ, "twin", workers=workers))
        yield ours, twin


def _signed_in(ground: Ground, ours: int, twin: int, person: int = 0) -> tuple[Client, Client]:
    """The same person's browser at ours and at the twin."""
    email = f"person{person}@demo.example"
    mine, theirs = Client(ours), Client(twin)
    page = mine.get("/sign-in").body.decode()
    token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    signed = mine.form("/sign-in", csrf_token=token, email=email, password=history.PASSWORD)
    assert signed.status in {302, 303}, signed.body
    assert theirs.form("/sign-in", email=email).status == 302
    return mine, theirs


# The timeline ---------------------------------------------------------------------------------------------------------

READERS = 4


def timeline(ground: Ground) -> Iterator[Line]:
    """The day's page: rows drawn anew (another day each time) and rows kept (one busy day, a booking per 20 reads)."""
    with _both(ground) as (ours, twin):
        pairs = [_signed_in(ground, ours, twin, person) for person in range(READERS)]
        days = ground.bench.past[-200:]
        sample = pairs[0][0].get(f"/planning?day={days[-1]}")
        bare = pairs[0][1].get(f"/planning?day={days[-1]}")
        assert sample.status == bare.status == 200, (sample.status, bare.status)
        assert sample.body.count(b"is-") > 80 < bare.body.count(b"is-taken")
        yield _size(ground, sample.body, bare.body)
        for name, which, writes in (
            ("timeline, rows drawn anew", lambda n: days[n % len(days)], False),
            ("timeline, rows kept, 1 booking per 20 reads", lambda _n: ground.bench.coming[3], True),
        ):
            rounds = [Round(), Round()]
            acts = [
                _reading([pair[side] for pair in pairs], which, _writers(ground, ours, twin, side) if writes else None)
                for side in (0, 1)
            ]
            for _turn, side in itertools.product(range(ground.effort.turns), (0, 1)):
                rounds[side].add(run(READERS, acts[side], seconds=ground.effort.seconds))
            yield _per_second(ground, name, rounds[0], rounds[1], 0.5, "≥ 0.50")


def _reading(browsers: list[Client], which: Callable[[int], date], write: Callable[[int], Answer] | None) -> Act:
    """Read the day that ``which`` says for each read in turn; where there is a ``write``, every 20th turn is that."""
    counter = itertools.count()

    def act(client: int, turn: int) -> Answer:
        if write is not None and turn % 20 == 19:
            return write(client)
        return browsers[client].get(f"/planning?day={which(next(counter))}")

    return act


def _size(ground: Ground, ours: bytes, twin: bytes) -> Line:
    raw, packed = len(ours) / 1000, len(gzip.compress(ours, 5)) / 1000
    return Line(
        ground.engine,
        "timeline, size",
        f"{raw:.1f} kB, {packed:.1f} kB gzip",
        f"{len(twin) / 1000:.1f} kB",
        None,
        "≤ 60 kB, ≤ 8 kB",
        raw <= 60 and packed <= 8,
    )


def _writers(ground: Ground, ours: int, twin: int, side: int) -> Callable[[int], Answer]:
    """Bookings of free slots by people of their own, at one side."""
    if side == 0:
        clients = [Client(ours, ground.bench.tokens[20 + n]) for n in range(READERS)]
        return lambda client: clients[client].send("/api/v1/bookings", next(ground.slots))
    signed = [_signed_in(ground, ours, twin, 40 + n)[1] for n in range(READERS)]
    return lambda client: signed[client].send("/bookings", next(ground.slots))


def _per_second(ground: Ground, what: str, ours: Round, twin: Round, least: float, target: str) -> Line:
    for done in (ours, twin):
        bad = {status for status in done.statuses if status >= 500}
        assert not bad, f"{what}: answers {dict(done.statuses)}"
    ratio = ours.per_second / twin.per_second
    return Line(
        ground.engine,
        what,
        f"{ours.per_second:.0f}/s, p95 {percentile(ours.taken, 0.95) * 1000:.0f} ms",
        f"{twin.per_second:.0f}/s, p95 {percentile(twin.taken, 0.95) * 1000:.0f} ms",
        round(ratio, 2),
        target,
        ratio >= least,
    )


# Booking --------------------------------------------------------------------------------------------------------------


def booking(ground: Ground) -> Iterator[Line]:
    """A desk for a half-day through the API with all it entails, each person and slot once; 1 and 8 clients.

    Each token was used once before: its first use within an hour writes down that it is in use.
    """
    with _both(ground) as (ours, twin):
        for clients in (1, 8):
            mine = [[Client(ours, ground.bench.tokens[60 + n + 8 * k]) for k in range(20)] for n in range(clients)]
            for program in itertools.chain.from_iterable(mine):  # the twin's people sign in beforehand, too
                assert program.get("/api/v1/lieu").status == 200
            bare = [[_signed_in(ground, ours, twin, 60 + n)[1]] for n in range(clients)]
            rounds = [Round(), Round()]
            times = 20 if clients == 1 else 6
            for _turn in range(ground.effort.turns):
                # Drawn beforehand: one person must not want two desks at once, so each takes the next one's turn.
                wanted = [[[next(ground.slots) for _ in range(times)] for _ in range(clients)] for _ in range(2)]

                rounds[0].add(run(clients, _sending(mine, "/api/v1/bookings", wanted[0]), times=times))
                rounds[1].add(run(clients, _sending(bare, "/bookings", wanted[1]), times=times))
            yield _per_second(ground, f"booking a desk, {clients} at once", rounds[0], rounds[1], 1 / 3, "≥ 0.33")


def _sending(who: list[list[Client]], path: str, bodies: list[list[dict[str, str]]]) -> Act:
    """Each client sends its bodies in turn, each as another of its people."""
    return lambda client, turn: who[client][turn % len(who[client])].send(path, bodies[client][turn])


# The race -------------------------------------------------------------------------------------------------------------

RACERS, RACE_WORKERS = 32, 8


def race(ground: Ground) -> Iterator[Line]:
    """32 people want one room at once, over and over; then the same 32 want different rooms and hours."""
    with servers.running(ground.environ, "web", workers=RACE_WORKERS) as (port, _):
        clients = [Client(port, ground.bench.tokens[200 + n]) for n in range(RACERS)]
        same, apart = Round(), Round()
        for number in range(ground.effort.rounds):
            day, evening = ground.bench.coming[-1 - number % history.RACE_DAYS], 5 * (number // history.RACE_DAYS)
            contested = _room_slot(ground, day, 0, evening)
            done = run(
                RACERS, lambda client, _turn, body=contested: clients[client].send("/api/v1/bookings", body), times=1
            )
            won, lost = done.statuses[201], done.statuses[409]
            assert (won, lost) == (1, RACERS - 1), f"round {number}: {dict(done.statuses)}"
            same.add(done)
            # Later than the contested quarter: whoever won it cannot be in a second place then.
            bodies = [_room_slot(ground, day, 1 + n % 8, evening + 1 + n // 8) for n in range(RACERS)]
            apart.add(
                run(
                    RACERS, lambda client, _turn, w=bodies: clients[client].send("/api/v1/bookings", w[client]), times=1
                )
            )
        assert set(apart.statuses) == {201}, f"distinct slots: {dict(apart.statuses)}"
        ours, theirs = percentile(same.taken, 0.95), percentile(apart.taken, 0.95)
        yield Line(
            ground.engine,
            f"race, {ground.effort.rounds} × {RACERS} clients × {RACE_WORKERS} workers",
            f"one winner each, no 5xx, p95 {ours * 1000:.0f} ms",
            f"distinct slots: p95 {theirs * 1000:.0f} ms",
            round(ours / theirs, 2),
            "p95 ≤ 1.50",
            ours <= 1.5 * theirs,
        )


def _room_slot(ground: Ground, day: date, room: int, quarter: int) -> dict[str, str]:
    start = local_minute(day, history.OPENS + 15 * quarter, ZONE)
    return {
        "resource_id": ground.bench.rooms[room][1],
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=15)).isoformat(),
    }


# Memory ---------------------------------------------------------------------------------------------------------------


def memory(ground: Ground) -> Iterator[Line]:
    """What web (2 workers), worker and beat hold after some use, in proportional set size."""
    with ExitStack() as stack:
        port, web = stack.enter_context(servers.running(ground.environ, "web"))
        _, worker = stack.enter_context(servers.running(ground.environ, "worker", port=port))
        _, beat = stack.enter_context(servers.running(ground.environ, "beat", port=port))
        readers = [Client(port, ground.bench.tokens[n]) for n in range(8)]
        day = ground.bench.past[-1]
        run(
            8,
            lambda client, _turn: readers[client].get(f"/api/v1/bookings?from={day}T00:00:00Z&to={day}T23:00:00Z"),
            times=40,
        )
        browser, _ = _only_ours(port)
        for shown in ground.bench.past[-60:]:
            browser.get(f"/planning?day={shown}")
        time.sleep(8)  # the worker has had its first messages
        workers = [servers.pss_mb(pid) for pid in servers.family(web.pid)[1:]]
        total = sum(servers.pss_mb(pid) for program in (web, worker, beat) for pid in servers.family(program.pid))
        yield Line(
            ground.engine,
            "memory, a web worker (PSS)",
            f"{max(workers):.0f} MB",
            "",
            None,
            "≤ 100 MB",
            max(workers) <= 100,
        )
        if ground.engine == "sqlite":
            yield Line(
                ground.engine, "memory, web + worker + beat", f"{total:.0f} MB", "", None, "≤ 512 MB", total <= 512
            )


def _only_ours(port: int) -> tuple[Client, None]:
    client = Client(port)
    page = client.get("/sign-in").body.decode()
    token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    client.form("/sign-in", csrf_token=token, email="person0@demo.example", password=history.PASSWORD)
    return client, None


MEASURES = {"timeline": timeline, "booking": booking, "race": race, "memory": memory}
