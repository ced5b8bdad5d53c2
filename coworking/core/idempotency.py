"""Idempotency keys: a POST repeated with the same key takes effect once.

The key's row is written in the very unit that makes the thing, with the thing's id; a repetition finds the row and is
answered from the thing itself. A different request under the same key is refused.
"""

from __future__ import annotations

from datetime import datetime

from flask import g, has_request_context
from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.errors import N_, DomainError
from coworking.core.sql import inserted
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.core.units import UnitOfWork, before_commit


class IdempotencyKey(Model):
    """``person_id``'s ``key`` made ``result`` (a public id) through ``endpoint`` with a body of ``fingerprint``."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("person_id", "key"),)

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInt)
    key: Mapped[str] = mapped_column(info={"seen_by": ()})
    endpoint: Mapped[str]
    fingerprint: Mapped[str]
    result: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = N_("This Idempotency-Key was already used for a different request.")


class KeyInFlight(DomainError):
    """Two requests with one key ran at once: this one lost and changed nothing; repeat it to get the answer."""

    code = "idempotency_key_in_flight"
    status = 409
    message = N_("A request with this Idempotency-Key is just being processed. Repeat it in a moment.")


def find(person_id: int, key: str, endpoint: str, fingerprint: str) -> IdempotencyKey | None:
    """The earlier use of ``key``, or None; raises `KeyReused` when it was for something else."""
    row = db.session.scalar(
        select(IdempotencyKey).where(IdempotencyKey.person_id == person_id, IdempotencyKey.key == key)
    )
    if row is not None and (row.endpoint, row.fingerprint) != (endpoint, fingerprint):
        raise KeyReused()
    return row


def remember(person_id: int, key: str, endpoint: str, fingerprint: str, *, about: str | None = None) -> None:
    """Have the request's unit write the key with whatever it makes, or where it names nothing with what it is ``about``."""
    g.idempotency = {
        "person_id": person_id,
        "key": key,
        "endpoint": endpoint,
        "fingerprint": fingerprint,
        "about": about,
    }


@before_commit.append
def _write_key(unit: UnitOfWork) -> None:
    values = g.pop("idempotency", None) if has_request_context() else None
    if values is None:
        return
    about = values.pop("about")
    if not inserted(IdempotencyKey, **values, result=unit.result or about, created_at=now()):
        raise KeyInFlight()
