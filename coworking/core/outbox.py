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
from functools import partial
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import HOST, MANAGER
from coworking.core.sql import inserted
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.core.units import end_read, require_unit, write_unit

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 12
FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=6)


class OutboxRow(Model):
    """One piece of work. ``key`` is unique and stable: enqueueing it twice stores one row."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'failed', 'dropped')", name="state"),
        Index("ix_outbox_due", "state", "due_at"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    topic: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, info={"seen_by": (HOST, MANAGER)})
    state: Mapped[str] = mapped_column(default="waiting")
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
_wake: Callable[[], None] | None = None


def handler(topic: str, *, attempts: int = MAX_ATTEMPTS) -> Callable[[Handler], Handler]:
    """Register the function that handles ``topic``. It runs outside any unit and may run more than once per row.

    A row fails for good after ``attempts``, by default within a day; see `backoff`.
    """

    def register(function: Handler) -> Handler:
        _handlers[topic] = function
        _attempts[topic] = attempts
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
    while tried < limit and (leased := _lease_next()) is not None:
        tried += 1
        _carry_out(*leased)
    return tried


def _free(instant: datetime) -> list[Any]:
    return [
        OutboxRow.state == "waiting",
        OutboxRow.due_at <= instant,
        or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until < instant),
    ]


def _lease_next() -> tuple[int, str, Job] | None:
    """Lease the next due row; return its id, the lease and the job."""
    instant = now()
    candidates = db.session.scalars(
        select(OutboxRow.id).where(*_free(instant)).order_by(OutboxRow.due_at, OutboxRow.id).limit(8)
    ).all()
    end_read()
    for row_id in candidates:
        lease = public_id()
        with write_unit():
            taken = db.session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == row_id, *_free(instant))
                .values(lease=lease, leased_until=instant + LEASE, attempts=OutboxRow.attempts + 1)
                .returning(OutboxRow.public_id, OutboxRow.topic, OutboxRow.key, OutboxRow.payload, OutboxRow.attempts)
            ).one_or_none()
        if taken is not None:
            return row_id, lease, Job(*taken)
    return None


def _carry_out(row_id: int, lease: str, job: Job) -> None:
    finish = partial(_finish, row_id, lease)
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
        finish(state="failed", last_error=str(error))
    except Exception as error:
        end_read()
        log.warning("outbox %s failed at attempt %s", job.key, job.attempt, exc_info=True)
        text = f"{type(error).__name__}: {error}"[:500]
        if job.attempt >= most:
            finish(state="failed", last_error=text)
        else:
            finish(state="waiting", last_error=text, due_at=now() + backoff(job.attempt))
    else:
        end_read()
        finish(state="done", last_error=None)


def backoff(attempt: int) -> timedelta:
    """How long to wait after failed ``attempt`` (1, 2, …): doubling from 30 s, at most 6 h."""
    return min(FIRST_RETRY * 2 ** min(attempt - 1, 16), LAST_RETRY)


def _finish(row_id: int, lease: str, *, state: str, last_error: str | None, due_at: datetime | None = None) -> None:
    """Record how the work under ``lease`` ended; do nothing when the row was dropped or leased again meanwhile."""
    values: dict[str, Any] = {"state": state, "lease": None, "leased_until": None, "last_error": last_error}
    if due_at is not None:
        values["due_at"] = due_at
    if state != "waiting":
        values["ended_at"] = now()
    with write_unit():
        db.session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == row_id, OutboxRow.lease == lease, OutboxRow.state == "waiting")
            .values(**values)
        )


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
