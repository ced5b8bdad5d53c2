"""Desks and offices that belong to a resident for months, and what was agreed of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.residents.rules import ResidentTerms
from coworking.spaces.models import Resource


@sealed(MONEY)
class Residency(Model):
    """A resident, a ``person`` or the people of an ``organisation``, has a place from ``first_day`` to ``last_day`` (both
    included; None: still) for ``monthly_cents``, billed a month in advance to them.

    ``is_prorata``: a part of a month costs by its days, else the whole month. ``bound_until``: the last day of the minimum
    term. ``notice_months``: how long before its end that is said. ``ended_at``: when someone said that it ends.
    ``withdrawn_at``: taken back before it began, so that it never counted. Which place it is says `ResidentPlace`.
    """

    __tablename__ = "residency"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (organisation_id IS NULL)", name="one_resident"),
        CheckConstraint("last_day IS NULL OR first_day <= last_day", name="days"),
        CheckConstraint("monthly_cents >= 0", name="cents"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("bound_until IS NULL OR bound_until >= first_day", name="bound_until"),
        CheckConstraint("notice_months BETWEEN 0 AND 12", name="notice_months"),
        Index("ix_residency_person_id", "person_id"),
        Index("ix_residency_organisation_id", "organisation_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    monthly_cents: Mapped[int]
    basis: Mapped[str]
    vat_rate_bp: Mapped[int]
    is_prorata: Mapped[bool]
    bound_until: Mapped[date | None]
    notice_months: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    organisation: Mapped[Organisation | None] = relationship()
    places: Mapped[list[ResidentPlace]] = relationship(
        back_populates="residency", order_by="ResidentPlace.first_day", lazy="selectin"
    )

    @property
    def who(self) -> str:
        """The resident's name."""
        return self.person.name if self.person is not None else self.organisation.name if self.organisation else ""

    @property
    def terms(self) -> ResidentTerms:
        """What was agreed, as the rules see it."""
        return ResidentTerms(
            first_day=self.first_day,
            last_day=self.last_day,
            monthly_cents=self.monthly_cents,
            basis=self.basis,
            vat_rate_bp=self.vat_rate_bp,
            is_prorata=self.is_prorata,
            bound_until=self.bound_until,
            notice_months=self.notice_months,
        )

    def place_on(self, day: date) -> Resource:
        """The place it is on ``day``; before the first day its first place, after the last day its last one."""
        begun = [row for row in self.places if row.first_day <= day]
        return (begun[-1] if begun else self.places[0]).resource


@sealed(MONEY)
class ResidentPlace(Model):
    """Which place a residency is from ``first_day`` to ``last_day`` (None: as long as it lasts): one after the other.

    It holds the place by a claim of its own (`claims.models.Claim`, ``holder_kind`` ``resident``).
    """

    __tablename__ = "resident_place"
    __table_args__ = (
        CheckConstraint("last_day IS NULL OR first_day <= last_day", name="days"),
        Index("ix_resident_place_residency_id", "residency_id"),
        Index("ix_resident_place_resource_id", "resource_id"),
    )

    id: Mapped[BigId]
    residency_id: Mapped[int] = mapped_column(ForeignKey("residency.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]

    residency: Mapped[Residency] = relationship(back_populates="places")
    resource: Mapped[Resource] = relationship(lazy="joined")


STANDS = Residency.withdrawn_at.is_(None)
"""The condition that a residency was not taken back."""
