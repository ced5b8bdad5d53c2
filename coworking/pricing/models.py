"""What use costs: dated tariffs, and the quote that a booking freezes for each thing it uses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.months import month_of
from coworking.core.privacy import HOST, LINK, MANAGER, SELF
from coworking.core.sales import Sold
from coworking.core.sealing import MONEY, TRAIL, sealed
from coworking.core.types import BigId, BigInt, UTCDateTime, public_id
from coworking.pricing.group_models import PriceGroup
from coworking.spaces.models import Resource


@sealed(MONEY)
class Tariff(Model):
    """The prices from local date ``valid_from`` until the next tariff. ``basis``: they hold VAT (``ttc``) or not (``ht``).

    ``vat_rate_bp`` is in basis points (20 % = 2000) and counts only where the lieu's VAT status is ``taxable``.
    """

    __tablename__ = "tariff"
    __table_args__ = (
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    valid_from: Mapped[date] = mapped_column(unique=True)
    basis: Mapped[str] = mapped_column(default="ttc")
    vat_rate_bp: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    prices: Mapped[list[TariffPrice]] = relationship(
        back_populates="tariff", cascade="all, delete-orphan", order_by="TariffPrice.id"
    )


@sealed(MONEY)
class TariffPrice(Model):
    """A price in cents: of one resource, or of every resource of ``kind`` that has none of its own.

    Desks are sold by the half-day; rooms and offices by the hour, to the minute. What has no price is free of charge.
    ``day_cents``: what both half-days of one day come to at a desk; None: twice the half-day.
    """

    __tablename__ = "tariff_price"
    __table_args__ = (
        CheckConstraint("kind IN ('desk', 'room', 'office')", name="kind"),
        CheckConstraint("unit IN ('half_day', 'hour')", name="unit"),
        CheckConstraint("(kind = 'desk') = (unit = 'half_day')", name="kind_unit"),
        CheckConstraint("cents >= 0", name="cents"),
        CheckConstraint(
            "day_cents IS NULL OR (kind = 'desk' AND day_cents >= cents AND day_cents < 2 * cents)", name="day"
        ),
        UniqueConstraint("tariff_id", "resource_id"),
        Index(
            "uq_tariff_price_kind",
            "tariff_id",
            "kind",
            unique=True,
            sqlite_where=db.text("resource_id IS NULL"),
            postgresql_where=db.text("resource_id IS NULL"),
        ),
    )

    id: Mapped[BigId]
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff.id"))
    kind: Mapped[str]
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resource.id"))
    unit: Mapped[str]
    cents: Mapped[int]
    day_cents: Mapped[int | None]

    tariff: Mapped[Tariff] = relationship(back_populates="prices")


@sealed(MONEY)
class Article(Model):
    """What the lieu sells beside its places: a coffee, a print, a locker; a ``deposit`` is given back and is no income.

    ``archived_at``: no longer offered. What was sold holds its own words and amounts.
    """

    __tablename__ = "article"
    __table_args__ = (CheckConstraint("kind IN ('goods', 'service', 'deposit')", name="kind"),)

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    label: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    prices: Mapped[list[ArticlePrice]] = relationship(back_populates="article", order_by="ArticlePrice.valid_from")

    def price_on(self, day: date) -> ArticlePrice | None:
        """The price that rules on ``day``; None before the first."""
        return next((price for price in reversed(self.prices) if price.valid_from <= day), None)


@sealed(MONEY)
class ArticlePrice(Model):
    """What an article costs from local date ``valid_from`` until its next price: cents with VAT, and the account."""

    __tablename__ = "article_price"
    __table_args__ = (
        UniqueConstraint("article_id", "valid_from"),
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
    )

    id: Mapped[BigId]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    valid_from: Mapped[date]
    cents: Mapped[int]
    vat_rate_bp: Mapped[int]
    account: Mapped[str]

    article: Mapped[Article] = relationship(back_populates="prices")


@sealed(TRAIL, may_change=("state", "released_at"))
class Quote(Model):
    """What one booked unit costs and who owes it, as it was decided when it was booked. Never deleted, never changed.

    ``person_id`` uses; exactly one of ``payer_person_id`` and ``payer_organisation_id`` pays. ``cover``: by the tariff,
    by a subscription's allowance or a pack (amount 0), by an employer's agreement, as the person's first half-day to try
    (``trial``, a price of its own), or ``free`` (amount 0). ``unit_cents`` is per half-day or hour, ``amount_cents`` for
    the whole use of ``minutes``; both in ``basis``, at ``vat_rate_bp``.
    ``price_group_id``: by whose reduced price; an employer never pays one.
    ``alone_cents``: it is the second half-day of a day at the day rate; so much it costs without the other one.

    Where an employer pays a part, its quote has the ``amount_cents`` of that part, and ``rest_id`` is the quote of the rest,
    which its person pays (cover ``share``): two quotes of one unit, of one state.

    ``state``: ``live`` will be or was used; ``kept`` was cancelled too late and is still owed; ``released`` owes
    nothing, for good. Only the state may change, and the database sees to it.
    """

    __tablename__ = "quote"
    __table_args__ = (
        CheckConstraint("(payer_person_id IS NULL) <> (payer_organisation_id IS NULL)", name="one_payer"),
        CheckConstraint(
            "cover IN ('tariff', 'subscription', 'pack', 'agreement', 'share', 'trial', 'free')", name="cover"
        ),
        CheckConstraint("(cover = 'subscription') = (subscription_id IS NOT NULL)", name="subscription"),
        CheckConstraint("(cover = 'pack') = (pack_id IS NOT NULL)", name="pack"),
        CheckConstraint("(cover = 'agreement') = (agreement_id IS NOT NULL)", name="agreement"),
        CheckConstraint("(cover = 'agreement') = (payer_organisation_id IS NOT NULL)", name="employer_pays"),
        CheckConstraint("cover NOT IN ('subscription', 'pack', 'free') OR amount_cents = 0", name="covered"),
        CheckConstraint(
            "price_group_id IS NULL OR (cover IN ('tariff', 'free') AND payer_person_id IS NOT NULL)", name="reduced"
        ),
        CheckConstraint("cover <> 'trial' OR unit = 'half_day'", name="trial"),
        CheckConstraint(
            "alone_cents IS NULL OR (half IS NOT NULL AND rest_id IS NULL AND cover IN ('tariff', 'agreement', 'free')"
            " AND amount_cents < alone_cents)",
            name="day_rate",
        ),
        CheckConstraint("half IN ('am', 'pm')", name="half"),
        CheckConstraint("unit IN ('half_day', 'hour')", name="unit"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("state IN ('live', 'kept', 'released')", name="state"),
        CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released"),
        CheckConstraint("starts_at < ends_at AND minutes > 0", name="order"),
        CheckConstraint("unit_cents >= 0 AND amount_cents >= 0", name="cents"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("rest_id IS NULL OR cover = 'agreement'", name="rest"),
        Index("ix_quote_day", "day", "state"),
        Index("ix_quote_person_id_day", "person_id", "day"),
        Index("ix_quote_payer_organisation_id_day", "payer_organisation_id", "day"),
        Index("uq_quote_rest_id", "rest_id", unique=True),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    payer_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    payer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    cover: Mapped[str]
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"))
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"))
    pack_id: Mapped[int | None] = mapped_column(ForeignKey("pack.id"))
    price_group_id: Mapped[int | None] = mapped_column(ForeignKey("price_group.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    day: Mapped[date]
    half: Mapped[str | None]
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    unit: Mapped[str]
    minutes: Mapped[int]
    unit_cents: Mapped[int]
    amount_cents: Mapped[int]
    alone_cents: Mapped[int | None]
    basis: Mapped[str]
    vat_rate_bp: Mapped[int]
    state: Mapped[str] = mapped_column(default="live")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    rest_id: Mapped[int | None] = mapped_column(ForeignKey("quote.id"))

    rest: Mapped[Quote | None] = relationship(remote_side="Quote.id")
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    payer_organisation: Mapped[Organisation | None] = relationship()
    price_group: Mapped[PriceGroup | None] = relationship()
    resource: Mapped[Resource] = relationship()

    @property
    def month(self) -> date:
        """The month of use, as its first day: what it is billed in and counted against."""
        return month_of(self.day)

    @property
    def is_counted(self) -> bool:
        """Whether it draws on an allowance, and so stands in the ledger. A room that an employer pays takes none."""
        return self.cover in ("subscription", "pack") or (self.cover == "agreement" and self.unit == "half_day")

    @property
    def parts(self) -> tuple[Quote, ...]:
        """What each payer owes for the unit: itself, and the rest where an employer pays a part."""
        return (self,) if self.rest is None else (self, self.rest)

    @property
    def billed(self) -> tuple[int, str, int]:
        """Quantity, unit and unit price on a bill. One payer's part of a unit is one piece at its own price: no price by
        the hour makes it exactly."""
        if self.is_part:
            return 1, "piece", self.amount_cents
        return (1 if self.unit == "half_day" else self.minutes), self.unit, self.unit_cents

    @property
    def is_part(self) -> bool:
        """Whether it is one payer's part of what the unit costs."""
        return self.rest_id is not None or self.cover == "share"

    @property
    def units(self) -> int:
        """What it takes of an allowance: half-days, or the minutes of a room or office."""
        return 1 if self.unit == "half_day" else self.minutes


@sealed(TRAIL, may_change=("state", "changed_at", "made_id"))
class Sale(Model):
    """What a person must pay before it counts, as it was decided when they asked for it. Never deleted, never changed.

    ``subject_kind`` and ``subject_id``: a held ``booking``; of a person, the ``adhesion``, the first month of a plan
    (``subscription``) or a ``pack``, which nobody has before it is paid. ``terms``: what its owner needs to make it count,
    ``made_id``: the row that counts since it was paid.
    ``lines``: what is paid for, each ``label``, ``cents``, ``basis`` and ``vat_rate_bp``; they come to ``cents``.

    ``state``: ``open`` until ``expires_at``, then ``expired``, or ``paid`` once the money came and it counts; ``refunded``
    when all of it was given back. Money that comes for an expired sale makes it ``paid`` only where it can still be had.
    """

    __tablename__ = "sale"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('booking', 'adhesion', 'subscription', 'pack')", name="subject_kind"),
        CheckConstraint("state IN ('open', 'paid', 'expired', 'refunded')", name="state"),
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("created_at < expires_at", name="order"),
        CheckConstraint("state <> 'paid' OR made_id IS NOT NULL", name="made"),
        Index("ix_sale_subject", "subject_kind", "subject_id"),
        Index("ix_sale_made", "subject_kind", "made_id"),
        Index("ix_sale_payer_person_id", "payer_person_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    subject_kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInt)
    payer_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info={"seen_by": (SELF, LINK, HOST, MANAGER)})
    terms: Mapped[dict[str, Any]] = mapped_column(JSON, info={"seen_by": ()})
    cents: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_id: Mapped[int | None] = mapped_column(BigInt)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    payer: Mapped[Person] = relationship(foreign_keys=[payer_person_id])

    @property
    def sold(self) -> Sold:
        """The same for its owner."""
        is_over = self.state == "expired"
        return Sold(
            sale_id=self.id,
            subject_id=self.subject_id,
            payer_person_id=self.payer_person_id,
            created_by_id=self.created_by_id,
            terms=self.terms,
            is_over=is_over,
            is_let_go=is_over and self.changed_at < self.expires_at,
        )
