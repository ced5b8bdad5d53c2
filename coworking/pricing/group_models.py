"""Groups of people who pay less: what each gets from which day on, and who belongs to one from when until when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Person
from coworking.core.clock import now
from coworking.core.db import Model
from coworking.core.privacy import HOST, MANAGER, SELF
from coworking.core.sealing import MONEY, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id


@sealed(MONEY)
class PriceGroup(Model):
    """People who pay less for the same reason. Its name stands on invoices, so it never changes.

    ``archived_at``: nobody new gets it; who has it keeps it.
    """

    __tablename__ = "price_group"

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@sealed(MONEY)
class GroupTariff(Model):
    """What a group gets from local date ``valid_from`` until its next one; what is not in it costs the full price."""

    __tablename__ = "group_tariff"
    __table_args__ = (UniqueConstraint("group_id", "valid_from"),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    group_id: Mapped[int] = mapped_column(ForeignKey("price_group.id"))
    valid_from: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    prices: Mapped[list[GroupPrice]] = relationship(
        back_populates="tariff", cascade="all, delete-orphan", order_by="GroupPrice.id"
    )


@sealed(MONEY)
class GroupPrice(Model):
    """A reduction: ``percent_bp`` off the price of a ``kind`` (50 % = 5000), or a price of its own in ``cents``.

    ``of_id``: the plan or pack offer it is about; 0: every one of its kind. The price is in the basis of what it replaces.
    """

    __tablename__ = "group_price"
    __table_args__ = (
        CheckConstraint("kind IN ('desk', 'room', 'office', 'adhesion', 'plan', 'pack')", name="kind"),
        CheckConstraint("(percent_bp IS NULL) <> (cents IS NULL)", name="one_reduction"),
        CheckConstraint("percent_bp BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("cents >= 0", name="cents"),
        CheckConstraint("of_id = 0 OR kind IN ('plan', 'pack')", name="of_id"),
        CheckConstraint("cents IS NULL OR of_id > 0 OR kind NOT IN ('plan', 'pack')", name="price_of_one"),
        UniqueConstraint("tariff_id", "kind", "of_id"),
    )

    id: Mapped[BigId]
    tariff_id: Mapped[int] = mapped_column(ForeignKey("group_tariff.id"))
    kind: Mapped[str]
    of_id: Mapped[int] = mapped_column(BigInt, default=0)
    percent_bp: Mapped[int | None]
    cents: Mapped[int | None]

    tariff: Mapped[GroupTariff] = relationship(back_populates="prices")


@sealed(MONEY)
class PriceGroupMember(Model):
    """``person`` belongs to a group from ``valid_from`` to ``valid_until`` (inclusive).

    ``proof``: what was seen, on ``seen_on``, by whom; the paper itself is never kept. ``ended_on``: the last day it counts
    where somebody ended it before; the day before it begins where it never counted.
    """

    __tablename__ = "price_group_member"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="dates"),
        CheckConstraint("ended_on < valid_until", name="ended"),
        Index("ix_price_group_member_person_id", "person_id", "valid_until"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    group_id: Mapped[int] = mapped_column(ForeignKey("price_group.id"))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    proof: Mapped[str] = mapped_column(info={"seen_by": (SELF, HOST, MANAGER)})
    seen_on: Mapped[date]
    seen_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    ended_on: Mapped[date | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    seen_by: Mapped[Person] = relationship(foreign_keys=[seen_by_id])
    group: Mapped[PriceGroup] = relationship()

    @property
    def last_day(self) -> date:
        """The last day it counts."""
        return self.valid_until if self.ended_on is None else self.ended_on

    @property
    def never_counted(self) -> bool:
        return self.last_day < self.valid_from
