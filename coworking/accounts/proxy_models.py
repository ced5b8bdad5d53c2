"""Who books for whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime, public_id


class BookingProxy(Model):
    """``proxy`` books, moves and cancels in the name of ``person``, who agreed on ``agreed_on``, until ``ended_at``.

    ``gets_emails``: what would be told of bookings on paper goes to the proxy by e-mail. A person has one proxy at a time.
    """

    __tablename__ = "booking_proxy"
    __table_args__ = (
        CheckConstraint("person_id <> proxy_person_id", name="another"),
        CheckConstraint("ended_at IS NULL OR since <= ended_at", name="dates"),
        Index(
            "uq_booking_proxy_live",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_booking_proxy_person_id", "person_id"),
        Index("ix_booking_proxy_proxy_person_id", "proxy_person_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    proxy_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    agreed_on: Mapped[date]
    gets_emails: Mapped[bool] = mapped_column(default=False)
    since: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    named_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    proxy: Mapped[Person] = relationship(foreign_keys=[proxy_person_id])
