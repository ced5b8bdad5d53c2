"""The current time, which tests and the demo can set.

Services, tasks and tests ask `now`; the demo and the tests move it one simulated day at a time. Rules never ask: they
receive the current time as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return _source()


@contextmanager
def running_on(source: Callable[[], datetime]) -> Iterator[None]:
    """Let ``source`` tell the time inside the block (process-wide: for the demo and the tests)."""
    global _source
    previous = _source
    _source = source
    try:
        yield
    finally:
        _source = previous


@contextmanager
def frozen_at(instant: datetime) -> Iterator[None]:
    """Stop the clock at an aware ``instant`` inside the block."""
    if instant.tzinfo is None:
        raise ValueError("freeze the clock at an aware instant")
    with running_on(lambda: instant.astimezone(UTC)):
        yield
