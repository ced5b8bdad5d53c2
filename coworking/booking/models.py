"""Bookings, the outcome of each booked half-day, and requests that found nothing free."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from coworking.accounts.models import Person
from coworking.claims.models import Claim
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import HOST, MANAGER, PROXY, SELF
from coworking.core.timespan import Span
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.pricing.models import Quote, Sale
from coworking.spaces.models import Resource


class Booking(Model):
    """``person`` takes one or several resources for ``[starts_at, ends_at)``.

    ``day`` is the local date on which it begins: that of its price, its month and its register. A room may go on over
    midnight, so that what happens on a date is read by the interval (`coworking.booking.queries.runs_on`).
    ``source``: web, staff, walkin, api, import. ``cancelled_because``: a `coworking.booking.rules.Cause`, None for what
    was cancelled before causes were kept. ``cancelled_late``: asked for after the free deadline. ``guests`` counts the
    declared visitors of a meeting, the booker not included. ``told``: the place and time its person was last told of by
    e-mail; ``untold_since``: when the window began whose e-mail will say what has changed (`coworking.booking.emails`).
    ``moved_from``: what it was before its last move, for undoing it (`coworking.booking.former`).

    ``status``: ``held`` until it is paid or ``held_until`` is over (`coworking.booking.paying_first`), ``confirmed``,
    ``cancelled``. Only what is confirmed counts anywhere. ``sale_id``: what its person had to pay before it counted; None
    where the month's invoice asks for it.
    """

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("status IN ('held', 'confirmed', 'cancelled')", name="status"),
        CheckConstraint("(status = 'held') = (held_until IS NOT NULL)", name="held"),
        CheckConstraint("source IN ('web', 'staff', 'walkin', 'api', 'import')", name="source"),
        CheckConstraint("starts_at < ends_at", name="order"),
        CheckConstraint("guests >= 0", name="guests"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        CheckConstraint(
            "cancelled_because IN ('asked', 'mistake', 'closed', 'retired', 'left', 'unpaid')", name="cancelled_because"
        ),
        CheckConstraint("cancelled_because IS NULL OR status = 'cancelled'", name="because_cancelled"),
        Index("ix_booking_person_id_starts_at", "person_id", "starts_at"),
        Index("ix_booking_day", "day"),
        Index(
            "ix_booking_untold",
            "person_id",
            "untold_since",
            sqlite_where=db.text("untold_since IS NOT NULL"),
            postgresql_where=db.text("untold_since IS NOT NULL"),
        ),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    title: Mapped[str | None] = mapped_column(info={"seen_by": (SELF, PROXY, HOST, MANAGER)})
    guests: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="confirmed")
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sale_id: Mapped[int | None] = mapped_column(ForeignKey("sale.id"))
    source: Mapped[str] = mapped_column(default="web")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_because: Mapped[str | None]
    cancelled_late: Mapped[bool] = mapped_column(default=False)
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    told: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info={"seen_by": ()})
    untold_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    moved_from: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), info={"seen_by": (SELF, PROXY, HOST, MANAGER)}
    )

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    sale: Mapped[Sale | None] = relationship()
    units: Mapped[list[BookingUnit]] = relationship(back_populates="booking", order_by="BookingUnit.starts_at")
    claims: Mapped[list[Claim]] = relationship(
        primaryjoin=lambda: (Claim.holder_kind == "booking") & (foreign(remote(Claim.holder_id)) == Booking.id),
        order_by=lambda: Claim.id,
        viewonly=True,
    )

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def is_cancelled(self) -> bool:
        return self.status == "cancelled"

    @property
    def is_held(self) -> bool:
        return self.status == "held"


class BookingUnit(Model):
    """The smallest thing that is used and counted: one desk for one half-day, or one room for its span. ``day`` is that
    of its booking.

    ``half``: ``am``, ``pm`` or None for a room. ``outcome``: ``pending`` until it is known, then ``came``, ``absent``
    or, unconfirmed for seven days, ``unknown``; ``evidence`` says how we know (self, host, kiosk, qr, network). Only
    `coworking.booking.outcomes` writes these.
    ``quote_id``: what it costs and who pays; None for bookings older than prices.
    """

    __tablename__ = "booking_unit"
    __table_args__ = (
        CheckConstraint("half IN ('am', 'pm')", name="half"),
        CheckConstraint("outcome IN ('pending', 'came', 'absent', 'unknown')", name="outcome"),
        CheckConstraint("starts_at < ends_at", name="order"),
        UniqueConstraint("booking_id", "resource_id", "starts_at"),
        Index("ix_booking_unit_day", "day", "outcome"),
        Index("uq_booking_unit_quote_id", "quote_id", unique=True),
    )

    id: Mapped[BigId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    quote_id: Mapped[int | None] = mapped_column(ForeignKey("quote.id"))
    day: Mapped[date]
    half: Mapped[str | None]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[str] = mapped_column(default="pending")
    evidence: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    booking: Mapped[Booking] = relationship(back_populates="units")
    resource: Mapped[Resource] = relationship()
    quote: Mapped[Quote | None] = relationship()

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """What each payer owes for it: one quote, two where an employer pays a part, none before prices were kept."""
        return () if self.quote is None else self.quote.parts


class RefusedRequest(Model):
    """Someone asked for a desk or room on ``day`` when none of that ``kind`` was free: one row for all their tries.

    ``who`` recognises the next try (`coworking.booking.refusals`); None once the day is over.
    """

    __tablename__ = "refused_request"
    __table_args__ = (
        CheckConstraint("kind IN ('desk', 'room', 'office')", name="kind"),
        UniqueConstraint("day", "kind", "who"),
    )

    id: Mapped[BigId]
    day: Mapped[date]
    kind: Mapped[str]
    who: Mapped[str | None] = mapped_column(info={"seen_by": ()})
