"""The setting of a measure: one engine's database, its history, and the people who sign in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bench import history
from bench.clients import Client
from coworking.core.timespan import local_minute

ZONE = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each turn lasts, how many turns ours and the yardstick take, how many rounds a race and acts a soak have."""

    seconds: float
    turns: int
    rounds: int
    soak: int


FULL, QUICK = Effort(5.0, 4, 100, 45_000), Effort(1.0, 2, 10, 1600)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one engine's measures happen. ``slots`` hands out free half-days that nobody else has asked for."""

    engine: str
    environ: dict[str, str]
    bench: history.Bench
    effort: Effort
    slots: Iterator[dict[str, str]]

    def room_slot(self, day: date, room: int, quarter: int) -> dict[str, str]:
        """A quarter of an hour of a room, as the body of a booking."""
        start = local_minute(day, history.OPENS + 15 * quarter, ZONE)
        return {
            "resource_id": self.bench.rooms[room][1],
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(minutes=15)).isoformat(),
        }


def slots(bench: history.Bench) -> Iterator[dict[str, str]]:
    """Every coming half-day of the desks that were left free, as the body of a booking, in an order as people ask: any.

    But the last day's: what is booked there is measured apart (`bench.growth`).
    """
    halves = ((history.OPENS, history.SPLIT), (history.SPLIT, history.CLOSES))
    free = list(itertools.product(bench.coming[:-1], bench.desks[: history.FREE_DESKS], halves))
    Random(1).shuffle(free)
    for day, (_, desk), (first, last) in free:
        yield {
            "resource_id": desk,
            "starts_at": local_minute(day, first, ZONE).isoformat(),
            "ends_at": local_minute(day, last, ZONE).isoformat(),
        }


def signed_in(port: int, person: int, encodings: str = "identity") -> Client:
    """The browser of one of the history's people, signed in at ours."""
    browser = Client(port, encodings=encodings)
    signed = browser.form("/sign-in", email=history.email(person), password=history.PASSWORD)
    assert signed.status in {302, 303}, signed.body
    return browser
