"""The audit trail: who changed what of whom, written in the same unit as the change and never rewritten.

It holds ids and plain facts, no names or addresses, so that erasing a person leaves it whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.policy import Actor
from coworking.core.sealing import TRAIL, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.core.units import require_unit


@sealed(TRAIL)
class AuditEntry(Model):
    """One change: ``actor_id`` did ``action`` to ``subject_kind`` ``subject_id``, which concerns ``person_id``."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_person", "person_id", "occurred_at"),
    )

    id: Mapped[BigId]
    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    actor_id: Mapped[int | None] = mapped_column(BigInt)
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInt)
    person_id: Mapped[int | None] = mapped_column(BigInt)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"seen_by": ()})


def record(
    actor: Actor, action: str, subject: tuple[str, int], *, person_id: int | None = None, **details: Any
) -> None:
    """Write one entry in the open unit. ``details`` must be JSON values without personal data."""
    require_unit()
    db.session.add(
        AuditEntry(
            occurred_at=now(),
            actor_id=actor.person_id,
            action=action,
            subject_kind=subject[0],
            subject_id=subject[1],
            person_id=person_id,
            details=details,
        )
    )
