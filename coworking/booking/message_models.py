"""What people and the team have to tell each other: calls to make, messages to those of a day, problems reported."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import HOST, MANAGER, SELF
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.spaces.models import Resource


class PhoneCall(Model):
    """Someone without an e-mail address must be told by phone what became of a booking.

    ``became``: moved, shortened or cancelled. ``had``: the place and time before it, as `coworking.booking.emails` keeps
    them. ``done_at`` and ``done_by_id``: who ticked it, and when. One booking waits for one call at a time.
    """

    __tablename__ = "phone_call"
    __table_args__ = (
        CheckConstraint("became IN ('moved', 'shortened', 'cancelled')", name="became"),
        CheckConstraint("(done_at IS NULL) = (done_by_id IS NULL)", name="done"),
        Index(
            "uq_phone_call_booking_id",
            "booking_id",
            unique=True,
            sqlite_where=db.text("done_at IS NULL"),
            postgresql_where=db.text("done_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    became: Mapped[str]
    had: Mapped[dict[str, Any]] = mapped_column(JSON, info={"seen_by": (HOST, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    booking: Mapped[Booking] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])


class DayMessage(Model):
    """What a host wrote to those who come on ``day``. ``people``: how many were written to by e-mail."""

    __tablename__ = "day_message"
    __table_args__ = (Index("ix_day_message_day", "day"),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    day: Mapped[date]
    subject: Mapped[str] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    words: Mapped[str] = mapped_column(info={"seen_by": (HOST, MANAGER)})
    people: Mapped[int]
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    sender_id: Mapped[int] = mapped_column(ForeignKey("person.id"))

    sender: Mapped[Person] = relationship()


class ProblemReport(Model):
    """``person`` says what is wrong with a desk, room or office.

    ``resolved_at`` and ``resolved_by``: who of the team marked it as resolved, and when; ``resolution``: their word on it.
    """

    __tablename__ = "problem_report"
    __table_args__ = (
        CheckConstraint("(resolved_at IS NULL) = (resolved_by_id IS NULL)", name="resolved"),
        Index("ix_problem_report_resource_id", "resource_id"),
        Index(
            "ix_problem_report_person_id",
            "person_id",
            sqlite_where=db.text("resolved_at IS NULL"),
            postgresql_where=db.text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    words: Mapped[str] = mapped_column(info={"seen_by": (SELF, HOST, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    resolution: Mapped[str | None] = mapped_column(info={"seen_by": (HOST, MANAGER)})

    resource: Mapped[Resource] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    resolved_by: Mapped[Person | None] = relationship(foreign_keys=[resolved_by_id])
