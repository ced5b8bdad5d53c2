"""The lieu's general terms and house rules, who accepted which version, and how consents changed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.types import BigId, UTCDateTime


class HouseText(Model):
    """A version of the general terms (``terms``) or house rules (``rules``): in force from ``from_day`` until the next.

    ``public_id`` says which, such as « rules-2026-12-01 ». ``news``: what is new in it, for those who accepted an earlier
    one. The database refuses to change or remove one.
    """

    __tablename__ = "house_text"
    __table_args__ = (
        CheckConstraint("kind IN ('terms', 'rules')", name="kind"),
        UniqueConstraint("kind", "from_day"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    from_day: Mapped[date]
    text: Mapped[str]
    news: Mapped[str | None]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class TextAcceptance(Model):
    """``person`` accepted a version on ``agreed_on``: here (``online``), or on ``paper`` that ``made_by`` has seen.

    ``mistake``: what was written down before about this version was wrong. The latest row of a person and a version says
    what holds; the database refuses to change or remove one.
    """

    __tablename__ = "text_acceptance"
    __table_args__ = (
        CheckConstraint("way IN ('online', 'paper', 'mistake')", name="way"),
        Index("ix_text_acceptance_person_id", "person_id", "house_text_id"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    house_text_id: Mapped[int] = mapped_column(ForeignKey("house_text.id"))
    way: Mapped[str]
    agreed_on: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    house_text: Mapped[HouseText] = relationship()
    made_by: Mapped[Person | None] = relationship(foreign_keys=[made_by_id])


class ConsentChange(Model):
    """``person`` agreed to something (``given``), or no longer does; the latest row says since when.

    ``colleagues``: colleagues see when they come. ``employer_dates``: ``organisation`` sees the dates that it pays.
    ``made_by``: who said so here, the person or somebody of the team whom they told.
    """

    __tablename__ = "consent_change"
    __table_args__ = (
        CheckConstraint("kind IN ('colleagues', 'employer_dates')", name="kind"),
        CheckConstraint("(kind = 'employer_dates') = (organisation_id IS NOT NULL)", name="organisation"),
        Index("ix_consent_change_person_id", "person_id"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    given: Mapped[bool]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    organisation: Mapped[Organisation | None] = relationship()
    made_by: Mapped[Person | None] = relationship(foreign_keys=[made_by_id])
