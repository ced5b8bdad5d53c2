"""The memory of a web worker after an hour of mixed requests: pages, programs and PDFs.

Memory before use says little: what grows is seen only after thousands of requests.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bench import heads, history, servers
from bench.clients import Answer, Client, Round, run
from bench.ground import Ground, signed_in
from bench.report import Line

CLIENTS, SAMPLES = 8, 20
ENCODINGS = "gzip, deflate, br, zstd"
MOST_MB, MOST_GROWTH_MB = 120, 5
"""Of a web worker at the end, and over the last half."""

PAGES = ("/week", "/week", "/planning", "/rooms", "/bookings", "/me", "/invoices/mine", "/lieu")
STAFF_PAGES = ("/today", "/today", "/planning", "/register", "/people", "/people?q=nom3", "/month", "/invoices")
PLANNED = {"/planning", "/week", "/rooms"}


class Visitor:
    """One client of the soak: a member's and a manager's browser, and the tokens of ten people."""

    def __init__(self, ground: Ground, port: int, number: int, months: list[str]) -> None:
        self._draw = random.Random(number)
        self._ground, self._port, self._number, self._months = ground, port, number, months
        self._network, self._sender = heads.network_at(ground.environ), Client(port)
        self.refused: Counter[str] = Counter()
        self._member = signed_in(port, 100 + number, ENCODINGS)
        self._manager = signed_in(port, 0, ENCODINGS)
        tokens = ground.bench.tokens[200 + 10 * number : 210 + 10 * number]
        self._programs = [Client(port, token) for token in tokens]
        self._acts: list[Callable[[], Answer]] = [
            *[self._page] * 100,
            *[self._staff_page] * 56,
            *[self._program_reads] * 14,
            *[self._books_and_cancels] * 20,
            *[self._signs_in] * 8,
            *[self._pdf] * 2,
            *[self._returns] * 4,
        ]
        self._draw.shuffle(self._acts)

    def act(self, turn: int) -> Answer:
        """One or two requests; the last one's answer."""
        act = self._acts[turn % len(self._acts)]
        answer = act()
        if answer.status >= 400:
            self.refused[f"{answer.status} {act.__name__.strip('_')}: {answer.body[:200]!r}"] += 1
        return answer

    def _page(self) -> Answer:
        return self._member.get(self._dated(self._draw.choice(PAGES)), **{"Accept-Language": "fr"})

    def _staff_page(self) -> Answer:
        return self._manager.get(self._dated(self._draw.choice(STAFF_PAGES)), **{"Accept-Language": "en"})

    def _dated(self, path: str) -> str:
        days = self._ground.bench.past[-60:] + self._ground.bench.coming[:20]
        return f"{path}?day={self._draw.choice(days)}" if path in PLANNED else path

    def _program_reads(self) -> Answer:
        day = self._draw.choice(self._ground.bench.past)
        return self._draw.choice(self._programs).get(f"/api/v1/bookings?from={day}T00:00:00Z&to={day}T23:00:00Z")

    def _books_and_cancels(self) -> Answer:
        """A room at a quarter of an hour that few want: the same ones come back, for they are cancelled again."""
        program = self._draw.choice(self._programs)
        day = self._ground.bench.coming[-1 - self._draw.randrange(history.RACE_DAYS)]
        made = program.send("/api/v1/bookings", self._ground.room_slot(day, self._number, self._draw.randrange(40)))
        if made.status != 201:
            return made  # its person has a room then, or the place is still kept for whoever cancelled
        return program.send(f"/api/v1/bookings/{made.document()['id']}/cancel", {})

    def _signs_in(self) -> Answer:
        browser = signed_in(self._port, self._draw.randrange(1, history.PEOPLE), ENCODINGS)
        return browser.get("/week")

    def _returns(self) -> Answer:
        """A lieu of the network sends a month; once all have, a manager looks at the month."""
        message = next(self._network.messages, None)
        return self._manager.get("/month") if message is None else heads.send(self._sender, message)

    def _pdf(self) -> Answer:
        pdf = made = self._member.form("/me/attestations", month=self._draw.choice(self._months))
        if made.status not in {302, 303}:
            return made  # nobody was there that month
        for _try in range(30):  # while others are being made the page says so, and asks again by itself
            pdf = self._member.get(f"{made.headers['location']}/attestation.pdf")
            if "retry-after" not in pdf.headers:
                break
            time.sleep(float(pdf.headers["retry-after"]))
        return pdf


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of a soak: the answers, the largest web worker's memory twenty times, each program's at the end (MB)."""

    done: Round
    held: list[float]
    whole: dict[str, float]


def soak(ground: Ground) -> Iterator[Line]:
    """Memory of the web workers while requests come; no answer may be a 5xx, and no worker may end.

    On SQLite a second, shorter one with a single web process, as a server of 512 MB has it.
    """
    soaked = _soaked(ground, ground.effort.soak, workers=2)
    held, half = soaked.held, soaked.held[SAMPLES // 2 - 1]
    yield Line(
        ground.engine,
        f"memory of a web worker (PSS) after {len(soaked.done.taken):,} mixed requests".replace(",", " "),
        f"{held[-1]:.0f} MB, {held[0]:.0f} after the first twentieth",
        f"at half {half:.0f} MB; {_parts(soaked)}",
        None,
        f"≤ {MOST_MB} MB, flat over the last half",
        held[-1] <= MOST_MB and held[-1] - half <= MOST_GROWTH_MB,
    )
    if ground.engine == "sqlite":
        small = _soaked(ground, ground.effort.soak // 5, workers=1)
        total = sum(small.whole.values())
        yield Line(
            ground.engine,
            f"memory of one web process + worker + beat after {len(small.done.taken):,} requests".replace(",", " "),
            f"{total:.0f} MB",
            _parts(small),
            None,
            "≤ 512 MB",
            total <= 512,
        )


def _parts(soaked: Soaked) -> str:
    return ", ".join(f"{name} {held:.0f}" for name, held in soaked.whole.items())


def _soaked(ground: Ground, acts: int, *, workers: int) -> Soaked:
    with ExitStack() as stack:
        port, web = stack.enter_context(servers.running(ground.environ, "web", workers=workers))
        _, worker = stack.enter_context(servers.running(ground.environ, "worker", port=port))
        _, beat = stack.enter_context(servers.running(ground.environ, "beat", port=port))
        months = sorted({f"{day:%Y-%m}" for day in ground.bench.past})[-12:]
        pids = servers.family(web.pid)[1 : 1 + workers]
        visitors = [Visitor(ground, port, number, months) for number in range(CLIENTS)]
        held: list[float] = []
        done, turn, each = Round(), 0, acts // (CLIENTS * SAMPLES)
        for _sample in range(SAMPLES):
            start = turn
            done.add(run(CLIENTS, lambda client, n, start=start: visitors[client].act(start + n), times=each))
            turn += each
            held.append(max(map(servers.pss_mb, pids)))
        whole = {
            name: sum(map(servers.pss_mb, servers.family(program.pid)))
            for name, program in (("web with what draws its PDFs", web), ("worker", worker), ("beat", beat))
        }
        refused = sum((visitor.refused for visitor in visitors), Counter[str]())
        assert max(done.statuses) < 500, "\n".join(f"{number} × {said}" for said, number in refused.most_common(20))
        assert set(pids) <= set(servers.family(web.pid)), "a web worker ended"
    return Soaked(done, held, whole)
