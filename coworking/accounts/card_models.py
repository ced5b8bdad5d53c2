"""Printed cards by which the team recognises someone at the door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime


class PersonCard(Model):
    """A card that ``made_by_id`` printed for ``person_id``. Only the SHA-256 of the secret in its QR code is kept.

    It is read until ``ended_at``: it was lost, or another one was printed. A person has one card at a time.
    """

    __tablename__ = "person_card"
    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR made_at <= ended_at", name="dates"),
        Index(
            "uq_person_card_live",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_person_card_person_id", "person_id"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    digest: Mapped[str] = mapped_column(unique=True, info={"seen_by": ()})
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
