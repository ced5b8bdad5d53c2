"""Who was there and when, and what was attested of it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.booking.models import Booking
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.kept_pdfs import KeptPdf
from coworking.core.privacy import LINK, SELF
from coworking.core.sealing import TRAIL, sealed
from coworking.core.types import BigId, UTCDateTime, public_id


class Presence(Model):
    """``person`` was there on ``day`` from ``arrived_at``; ``left_at`` None: until the end of what was booked.

    A person may come, leave and come back: several rows, at most one of them open. ``recorded_at``: when it was written
    down; None for those older than that column, which were at the door.
    """

    __tablename__ = "presence"
    __table_args__ = (
        CheckConstraint("evidence IN ('self', 'host', 'kiosk', 'qr', 'network', 'import')", name="evidence"),
        CheckConstraint("left_at IS NULL OR arrived_at <= left_at", name="order"),
        Index("ix_presence_day", "day"),
        Index("ix_presence_person_id_day", "person_id", "day"),
        Index(
            "ix_presence_imported",
            "day",
            sqlite_where=db.text("evidence = 'import'"),
            postgresql_where=db.text("evidence = 'import'"),
        ),
        Index(
            "uq_presence_open",
            "person_id",
            "day",
            unique=True,
            sqlite_where=db.text("left_at IS NULL"),
            postgresql_where=db.text("left_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    day: Mapped[date]
    arrived_at: Mapped[datetime] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    evidence: Mapped[str]
    recorded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    booking: Mapped[Booking | None] = relationship()


class PastVisits(Model):
    """Of ``person``'s presences that are kept no longer: the first and the last day of them.

    So that who comes back after years is no newcomer, and who came lately is not taken for somebody who never does.
    """

    __tablename__ = "past_visits"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days"),
        Index("ix_past_visits_first_day", "first_day"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    first_day: Mapped[date]
    last_day: Mapped[date]


@sealed(TRAIL)
class Attestation(Model):
    """What the lieu attested of ``person``'s presences in ``month`` (its first day): append-only, never made again.

    ``payload`` is the whole snapshot as RFC 8785 text (`coworking.presence.attestation`). ``code`` opens the public page
    that says whether a PDF is genuine: whoever holds the PDF may read what it says, nobody can guess it.
    """

    __tablename__ = "attestation"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    code: Mapped[str] = mapped_column(unique=True, info={"seen_by": (SELF, LINK)})
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    month: Mapped[date]
    payload: Mapped[str] = mapped_column(Text, info={"seen_by": (SELF, LINK)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


@sealed(TRAIL)
class AttestationPdf(KeptPdf):
    """The PDF of an attestation in one language, as it was first drawn. It goes on saying what was attested."""

    __tablename__ = "attestation_paper"
    __table_args__ = (UniqueConstraint("attestation_id", "locale"),)

    id: Mapped[BigId]
    attestation_id: Mapped[int] = mapped_column(ForeignKey("attestation.id"))
    locale: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, info={"seen_by": (SELF,)})
