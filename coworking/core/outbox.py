"""Background work: stored in the same transaction as its reason, run later, and retried until it succeeds.

A row is *waiting*; one worker leases it by a conditional UPDATE, committed before the work begins; then it is *done*. After
an error it waits again, longer each time, or it has *failed* and a person must decide. A broker message only wakes the
workers: if it is lost, the sweep finds the row within a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Unpack

from sqlalchemy import JSON, CheckConstraint, Index, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import HOST, MANAGER
from coworking.core.sql import inserted, table_of
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.core.units import end_read, require_unit, write_unit

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=6)


class OutboxRow(Model):
    """One piece of work. ``key`` is unique and stable: enqueueing it twice stores one row.

    ``can_wait``: it comes after all that is due and cannot.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'failed', 'dropped')", name="state"),
        Index("ix_outbox_due", "state", "can_wait", "due_at"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    topic: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, info={"seen_by": (HOST, MANAGER)})
    state: Mapped[str] = mapped_column(default="waiting")
    can_wait: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None]
    leased_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str | None] = mapped_column(info={"seen_by": (HOST, MANAGER)})


@dataclass(frozen=True, slots=True)
class Job:
    """What a handler receives. ``id`` is stable over retries: use it as Message-ID or idempotency key."""

    id: str
    topic: str
    key: str
    payload: dict[str, Any]
    attempt: int


class GiveUp(Exception):
    """Raised by a handler when retrying cannot help; managers see the text."""


Handler = Callable[[Job], None]
_handlers: dict[str, Handler] = {}
_attempts: dict[str, int] = {}
_patient: set[str] = set()
_wake: Callable[[], None] | None = None


def handler(topic: str, *, attempts: int = MAX_ATTEMPTS, can_wait: bool = False) -> Callable[[Handler], Handler]:
    """Register the function that handles ``topic``. It runs outside any unit and may run more than once per row.

    A row fails for good after ``attempts``, by default within a day; see `backoff`. ``can_wait``: for e-mails that go to
    many at once and that nobody sits waiting for. Three hundred invoices must not hold up a sign-in link, nor the e-mails
    about payments the payments themselves.
    """

    def register(function: Handler) -> Handler:
        _handlers[topic] = function
        _attempts[topic] = attempts
        if can_wait:
            _patient.add(topic)
        return function

    return register


def wake_with(wake: Callable[[], None]) -> None:
    """Set the function that wakes the workers; the tasks package calls this."""
    global _wake
    _wake = wake


def enqueue(topic: str, key: str, payload: dict[str, Any], due_at: datetime | None = None) -> bool:
    """Store the work in the open unit; return False when ``key`` exists already. ``payload`` must be JSON."""
    unit = require_unit()
    instant = now()
    added = inserted(
        OutboxRow,
        public_id=public_id(),
        topic=topic,
        key=key,
        payload=payload,
        state="waiting",
        can_wait=topic in _patient,
        attempts=0,
        created_at=instant,
        due_at=due_at or instant,
    )
    if added and _wake is not None and due_at is None:
        unit.after_commit("outbox", _wake)
    return added


def drop(prefix: str) -> None:
    """Delete the waiting rows whose key starts with ``prefix``, because their reason is gone, in the open unit."""
    require_unit()
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.key.startswith(prefix, autoescape=True), OutboxRow.state == "waiting")
        .values(state="dropped", ended_at=now())
    )


def run_due(limit: int = 100) -> int:
    """Run up to ``limit`` due rows; return how many were tried."""
    tried = 0
    leased = _lease_first() if limit else None
    while leased is not None:
        tried += 1
        ended = _carry_out(leased)
        with write_unit():  # how this work ended and the lease of the next: one unit costs half of two
            _end(leased, ended)
            leased = _lease_next() if tried < limit else None
    return tried


@dataclass(frozen=True, slots=True)
class _Leased:
    row_id: int
    lease: str
    job: Job


@dataclass(frozen=True, slots=True)
class _Ended:
    state: Literal["waiting", "done", "failed"]
    last_error: str | None = None
    due_at: datetime | None = None


_OUTBOX = table_of(OutboxRow)
_INSTANT = bindparam("instant", type_=UTCDateTime)


def _next_free(*, can_wait: bool) -> Select[Unpack[tuple[Any, ...]]]:
    return (
        select(OutboxRow.id)
        .where(
            OutboxRow.state == "waiting",
            OutboxRow.can_wait.is_(can_wait),
            OutboxRow.due_at <= _INSTANT,
            or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until < _INSTANT),
        )
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(1)
    )


_FREE = (_next_free(can_wait=False), _next_free(can_wait=True))
_IS_ANY_FREE = select(or_(*(one.exists() for one in _FREE)))
# Of two workers each takes another row; SQLite has one writer at a time.
_NEXT = func.coalesce(*(one.with_for_update(skip_locked=True).scalar_subquery() for one in _FREE))
_LEASE_NEXT = (
    update(_OUTBOX)
    .where(_OUTBOX.c.id == _NEXT)
    .values(
        lease=bindparam("leased_as"),
        leased_until=bindparam("until", type_=UTCDateTime),
        attempts=_OUTBOX.c.attempts + 1,
    )
    .returning(*(_OUTBOX.c[name] for name in ("id", "public_id", "topic", "key", "payload", "attempts")))
)
_END = (
    update(_OUTBOX)
    .where(_OUTBOX.c.id == bindparam("row_id"), _OUTBOX.c.lease == bindparam("leased_as"), _OUTBOX.c.state == "waiting")
    .values(
        state=bindparam("ended_as"),
        lease=None,
        leased_until=None,
        last_error=bindparam("error"),
        due_at=func.coalesce(bindparam("again_at", type_=UTCDateTime), _OUTBOX.c.due_at),
        ended_at=bindparam("over_at", type_=UTCDateTime),
    )
)


def _lease_first() -> _Leased | None:
    """Lease the next due row in a unit of its own, which is opened only where one is due."""
    is_any = db.session.scalar(_IS_ANY_FREE, {"instant": now()})
    end_read()
    if not is_any:
        return None
    with write_unit():
        return _lease_next()


def _lease_next() -> _Leased | None:
    """Lease the next due row in the open unit; None where none is due that another worker does not hold."""
    instant, lease = now(), public_id()
    taken = db.session.execute(
        _LEASE_NEXT, {"instant": instant, "leased_as": lease, "until": instant + LEASE}
    ).one_or_none()
    if taken is None:
        return None
    row_id, *of_job = taken
    return _Leased(row_id, lease, Job(*of_job))


def _carry_out(leased: _Leased) -> _Ended:
    """Do the leased work, outside any unit; how it ended."""
    job = leased.job
    run, most = _handlers.get(job.topic), _attempts.get(job.topic, MAX_ATTEMPTS)
    try:
        if run is None:
            raise GiveUp(f"nothing handles the topic {job.topic}")
        if job.attempt > most:  # only workers that died got it this far: it may be what kills them
            raise GiveUp(f"{most} attempts ended without a word")
        run(job)
    except GiveUp as error:
        end_read()
        log.warning("outbox %s given up: %s", job.key, error)
        return _Ended("failed", str(error))
    except Exception as error:
        end_read()
        log.warning("outbox %s failed at attempt %s", job.key, job.attempt, exc_info=True)
        text = f"{type(error).__name__}: {error}"[:500]
        if job.attempt >= most:
            return _Ended("failed", text)
        return _Ended("waiting", text, due_at=now() + backoff(job.attempt))
    end_read()
    return _Ended("done")


def _end(leased: _Leased, ended: _Ended) -> None:
    """Record in the open unit how leased work ended; nothing when its row was dropped or leased again meanwhile."""
    db.session.execute(
        _END,
        {
            "row_id": leased.row_id,
            "leased_as": leased.lease,
            "ended_as": ended.state,
            "error": ended.last_error,
            "again_at": ended.due_at,
            "over_at": None if ended.state == "waiting" else now(),
        },
    )


def backoff(attempt: int) -> timedelta:
    """How long to wait after failed ``attempt`` (1, 2, …): doubling from 30 s, at most 6 h."""
    return min(FIRST_RETRY * 2 ** min(attempt - 1, 16), LAST_RETRY)


def failed() -> list[OutboxRow]:
    """Failed rows, which a person must look at, newest first."""
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.state == "failed").order_by(OutboxRow.id.desc())))


def retry(public: str) -> None:
    """Let a failed row wait again from now (a manager's decision), in the open unit."""
    require_unit()
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.public_id == public, OutboxRow.state == "failed")
        .values(state="waiting", due_at=now(), attempts=0, ended_at=None)
    )


def dismiss(public: str) -> None:
    """Stop showing a failed row that was settled in another way, in the open unit."""
    require_unit()
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.public_id == public, OutboxRow.state == "failed")
        .values(state="dropped", ended_at=now())
    )
