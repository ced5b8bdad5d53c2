"""What is measured, one function each, on one engine at a time."""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from bench import collected, heads, history, imported, notified, servers, statement
from bench.clients import Act, Answer, Client, Round, percentile, run
from bench.ground import Effort, Ground, signed_in, slots
from bench.growth import growth
from bench.report import Line
from bench.soak import soak
from config import Config
from coworking.app import create_app
from coworking.core.db import db
from coworking.core.migrating import upgrade


def engine(
    name: str, url: str, folder: Path, bookings: int, effort: Effort, wanted: tuple[str, ...]
) -> Iterator[tuple[str, list[Line]]]:
    """Make a history of ``bookings`` bookings at ``url`` and take every ``wanted`` measure on it: its name and lines."""
    environ = servers.environment(url, folder)
    started = time.perf_counter()
    app = create_app(Config.from_env(environ))
    with app.app_context():
        upgrade()
        bench = history.make(bookings)
        db.session.remove()
        db.engine.dispose()
    print(f"{name}: {bookings} bookings made in {time.perf_counter() - started:.0f} s", flush=True)
    ground = Ground(name, environ, bench, effort, slots(bench))
    try:
        for measure in wanted:
            lines: list[Line] = []
            for line in MEASURES[measure](ground):
                lines.append(line)
                print(f"  {line.what}: {line.ours} · {line.yardstick} · {line.ratio}", flush=True)
            yield measure, lines
    except AssertionError as error:
        for log in sorted(folder.glob("*.log")):
            error.add_note(f"--- {log.name}\n{log.read_text()[-3000:]}")
        raise


@contextmanager
def _both(ground: Ground, workers: int = 2) -> Iterator[tuple[int, int]]:
    """Ours and the twin, both up; their ports."""
    with ExitStack() as stack:
        ours, _ = stack.enter_context(servers.running(ground.environ, "web", workers=workers))
        twin, _ = stack.enter_context(servers.running(ground.environ, "twin", workers=workers))
        yield ours, twin


def _signed_in(ground: Ground, ours: int, twin: int, person: int = 0) -> tuple[Client, Client]:
    """The same person's browser at ours and at the twin."""
    return signed_in(ours, person), _at_twin(twin, person)


def _at_twin(twin: int, person: int) -> Client:
    browser = Client(twin)
    assert browser.form("/sign-in", email=history.email(person)).status == 302
    return browser


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

    Each token was used once before: its first use within an hour writes down that it is in use. So was each statement,
    on each connection to the database: a first round is not counted. Nor are refusals: who has a desk that day gets none.
    """
    with _both(ground) as (ours, twin):
        for clients in (1, 8):
            mine = [[Client(ours, ground.bench.tokens[60 + n + 8 * k]) for k in range(20)] for n in range(clients)]
            for program in itertools.chain.from_iterable(mine):  # the twin's people sign in beforehand, too
                assert program.get("/api/v1/lieu").status == 200
            bare = [[_at_twin(twin, 60 + n + 8 * k) for k in range(20)] for n in range(clients)]
            rounds = [Round(), Round()]
            times = 60 if clients == 1 else 12
            for turn in range(ground.effort.turns + 1):
                # Drawn beforehand: one person must not want two desks at once, so each takes the next one's turn.
                wanted = [[[next(ground.slots) for _ in range(times)] for _ in range(clients)] for _ in range(2)]

                for side, (who, path) in enumerate(((mine, "/api/v1/bookings"), (bare, "/bookings"))):
                    made = run(clients, _sending(who, path, wanted[side]), times=times)
                    if turn > 0:
                        rounds[side].add(made)
            yield _per_second(ground, f"booking a desk, {clients} at once", rounds[0], rounds[1], 0.4, "≥ 0.40")


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
            contested = ground.room_slot(day, 0, evening)
            done = run(
                RACERS, lambda client, _turn, body=contested: clients[client].send("/api/v1/bookings", body), times=1
            )
            won, lost = done.statuses[201], done.statuses[409]
            assert (won, lost) == (1, RACERS - 1), f"round {number}: {dict(done.statuses)}"
            same.add(done)
            # Later than the contested quarter: whoever won it cannot be in a second place then.
            bodies = [ground.room_slot(day, 1 + n % 8, evening + 1 + n // 8) for n in range(RACERS)]
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


MEASURES = {
    "timeline": timeline,
    "booking": booking,
    "race": race,
    "soak": soak,
    "head": heads.measure,
    "growth": growth,
    "collections": collected.measure,
    "notifications": notified.measure,
    "statement": statement.measure,
    "imported": imported.measure,
}
