"""Many clients at once, each with its own connection that stays open, and how long each answer took."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

LASTS = 20
"""Requests per connection: a browser's end too, and a connection that stayed would keep to one worker for good. With four of
them, chance put all on one worker or two on each, and a measure came to half or to all of what two workers can do."""

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(slots=True)
class Answer:
    """One answer: its status, seconds, headers and body."""

    status: int
    seconds: float
    headers: dict[str, str]
    body: bytes

    def document(self) -> Any:
        """Its body, read as JSON."""
        return json.loads(self.body)


class Client:
    """One person's program or browser: cookies, a bearer token, one connection at a time."""

    def __init__(self, port: int, token: str | None = None, *, encodings: str = "identity") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers, self._asked = {"Accept-Encoding": encodings}, 0
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        self._asked += 1
        if self._asked % LASTS == 0:
            self._connection.close()
        started = time.perf_counter()
        for attempt in (1, 2):
            try:
                self._connection.request(method, path, body, {**self._headers, **headers})
                response = self._connection.getresponse()
                content = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()  # the server closed an idle connection just as we spoke
                if attempt == 2:
                    raise
        seconds = time.perf_counter() - started
        found = {name.lower(): value for name, value in response.getheaders()}
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                self._remember(value)
        return Answer(response.status, seconds, found, content)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def send(self, path: str, document: dict[str, Any]) -> Answer:
        return self.ask("POST", path, json.dumps(document).encode(), **{"Content-Type": "application/json"})

    def form(self, path: str, *, csrf: str | None = None, **fields: str) -> Answer:
        """Send a form, with the token of the page ``csrf`` (``path`` itself) where that shows one."""
        page = self.get(csrf or path, **{"Accept-Encoding": "identity"}).body.decode()
        if found := _CSRF.search(page):
            fields["csrf_token"] = found[1]
        return self.ask(
            "POST", path, urlencode(fields).encode(), **{"Content-Type": "application/x-www-form-urlencoded"}
        )

    def _remember(self, cookie: str) -> None:
        name, _, value = cookie.split(";")[0].partition("=")
        jar = dict(part.split("=", 1) for part in self._headers.get("Cookie", "").split("; ") if "=" in part)
        jar[name] = value
        self._headers["Cookie"] = "; ".join(f"{key}={kept}" for key, kept in jar.items())


@dataclass(slots=True)
class Round:
    """What a round of clients came to."""

    seconds: float = 0.0
    taken: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])

    @property
    def per_second(self) -> float:
        """Acts that succeeded, by the second."""
        good = sum(count for status, count in self.statuses.items() if status < 400)
        return good / self.seconds if self.seconds else 0.0

    def add(self, other: Round) -> None:
        """Count the time and answers of ``other`` in."""
        self.seconds += other.seconds
        self.taken += other.taken
        self.statuses += other.statuses


Act = Callable[[int, int], Answer]


def run(clients: int, act: Act, *, seconds: float | None = None, times: int | None = None) -> Round:
    """Let ``clients`` threads call ``act(client, turn)`` for so many ``seconds`` or ``times``; all start together."""
    done, gate, lock = Round(), threading.Barrier(clients + 1), threading.Lock()

    def work(client: int) -> None:
        taken: list[float] = []
        statuses: Counter[int] = Counter()
        gate.wait()
        until = time.perf_counter() + seconds if seconds is not None else None
        turn = 0
        while (until is not None and time.perf_counter() < until) or (times is not None and turn < times):
            answer = act(client, turn)
            taken.append(answer.seconds)
            statuses[answer.status] += 1
            turn += 1
        with lock:
            done.taken += taken
            done.statuses += statuses

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    done.seconds = time.perf_counter() - started
    return done


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]
