"""Members who ask the team to give the rest of a pack back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import MANAGER, SELF
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.membership.models import Pack, PackReturn


class PackRequest(Model):
    """The person of ``pack`` asks for what is left of it to be given back, for that ``reason`` if they said one.

    ``outcome``: None until it is closed; then ``granted`` by ``pack_return``, ``declined`` with an ``answer`` that the
    person reads, or ``taken_back`` by the person. One that nobody answered is over with its pack (`pack_request_queries`).
    """

    __tablename__ = "pack_request"
    __table_args__ = (
        CheckConstraint("outcome IN ('granted', 'declined', 'taken_back')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed"),
        CheckConstraint("pack_return_id IS NULL OR (outcome IS NOT NULL AND outcome = 'granted')", name="pack_return"),
        Index(
            "uq_pack_request_pack_id",
            "pack_id",
            unique=True,
            sqlite_where=db.text("outcome IS NULL"),
            postgresql_where=db.text("outcome IS NULL"),
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    pack_id: Mapped[int] = mapped_column(ForeignKey("pack.id"))
    reason: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, MANAGER)})
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    outcome: Mapped[str | None]
    answer: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, MANAGER)})
    pack_return_id: Mapped[int | None] = mapped_column(ForeignKey("pack_return.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    pack: Mapped[Pack] = relationship()
    pack_return: Mapped[PackReturn | None] = relationship()
