"""Claims: one resource taken for one half-open time range, by a booking or a hold."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.timespan import Span
from coworking.core.types import BigId, BigInt, UTCDateTime
from coworking.spaces.models import Resource


class Claim(Model):
    """``resource_id`` is taken for ``[starts_at, ends_at)``, buffers included; people use ``[use_starts_at, use_ends_at)``.

    While ``live``, the database refuses any other live claim that overlaps (`coworking.core.guards`). A claim with
    ``expires_at`` is a hold: after that instant any unit may release it. ``holder_kind`` and ``holder_id`` say
    which row of which package holds it. ``long`` (over 24 h) splits the overlap index in two.
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint(
            "starts_at <= use_starts_at AND use_starts_at < use_ends_at AND use_ends_at <= ends_at",
            name="use",
        ),
        CheckConstraint("holder_kind IN ('booking', 'resident', 'block', 'workshop')", name="holder_kind"),
        Index("ix_claim_resource_id_starts_at", "resource_id", "starts_at"),
        Index("ix_claim_starts_at", "starts_at"),
        Index("ix_claim_holder", "holder_kind", "holder_id"),
        Index(  # the overlap guard's look at long claims, on SQLite
            "ix_claim_resource_id_ends_at",
            "resource_id",
            "ends_at",
            sqlite_where=db.text("live AND long"),
            postgresql_where=db.text("live AND long"),
        ),
        Index("ix_claim_long", "ends_at", sqlite_where=db.text("long"), postgresql_where=db.text("long")),
        Index(
            "ix_claim_expires_at",
            "expires_at",
            sqlite_where=db.text("live AND expires_at IS NOT NULL"),
            postgresql_where=db.text("live AND expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[BigId]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    holder_kind: Mapped[str]
    holder_id: Mapped[int] = mapped_column(BigInt)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    use_starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    use_ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    live: Mapped[bool] = mapped_column(default=True)
    long: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    resource: Mapped[Resource] = relationship()

    @property
    def guarded(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def use(self) -> Span:
        return Span(self.use_starts_at, self.use_ends_at)


class DayVersion(Model):
    """A counter per local date that grows with every change one can see on that day; pages poll it."""

    __tablename__ = "day_version"

    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInt, default=1)
