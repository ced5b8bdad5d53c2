"""Adhesions, plans, subscriptions, packs, employers' agreements, and the ledger of allowances."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coworking.accounts.models import Organisation, Person
from coworking.core.clock import now
from coworking.core.db import Model, db
from coworking.core.privacy import CONTACT, MANAGER
from coworking.core.sealing import MONEY, TRAIL, sealed
from coworking.core.types import BigId, UTCDateTime, public_id
from coworking.pricing.group_models import PriceGroup
from coworking.pricing.models import Quote


@sealed(MONEY, said=True)
class MembershipSettings(Model):
    """What the lieu decides about membership (a single row, id 1). ``adhesion_cents``: a year's, None: no adhesions.

    ``adhesion_vat``: how a VAT-liable lieu's adhesion is taxed, None while nobody has said so; ``adhesion_vat_rate_bp``
    where it is ``taxable``. ``trial_cents``: what a first half-day costs to try, in the tariff's basis; None: no such offer.
    """

    __tablename__ = "membership_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("adhesion_cents >= 0", name="cents"),
        CheckConstraint("adhesion_vat IN ('out_of_scope', 'exempt', 'taxable')", name="adhesion_vat"),
        CheckConstraint("adhesion_vat_rate_bp BETWEEN 0 AND 10000", name="adhesion_vat_rate"),
        CheckConstraint("trial_cents >= 0", name="trial"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    adhesion_cents: Mapped[int | None]
    adhesion_vat: Mapped[str | None]
    adhesion_vat_rate_bp: Mapped[int | None]
    trial_cents: Mapped[int | None]


@sealed(MONEY)
class Adhesion(Model):
    """``person`` is a member of the association from ``valid_from`` to ``valid_until`` (inclusive), for ``cents``.

    The price holds its VAT. ``vat_rate_bp`` None: from before it was asked for. ``price_group_id``: by whose reduced price.
    """

    __tablename__ = "adhesion"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="dates"),
        CheckConstraint("cents >= 0", name="cents"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        Index("ix_adhesion_person_id_valid_until", "person_id", "valid_until"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    cents: Mapped[int]
    vat_rate_bp: Mapped[int | None]
    price_group_id: Mapped[int | None] = mapped_column(ForeignKey("price_group.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    price_group: Mapped[PriceGroup | None] = relationship()


@sealed(MONEY)
class Plan(Model):
    """What can be subscribed to while ``is_open``: half-days a month (None: as many as one likes) at a monthly price.

    A plan never changes: a new price is a new plan, and those who subscribed to the old one keep its terms.

    ``room_minutes``: of rooms and offices a month (None: none). ``rollover_halfdays`` and ``rollover_minutes``: how much of
    what is left over goes into the next month at most (None: nothing). ``min_months``: how many months it is taken for at
    least. ``trial_cents``: what the first month costs who never had a plan here. ``is_prorata``: taken within a month it
    counts and costs by the days that are left, else the whole month. ``taken_by``: who can take it, see
    `plan_rules.TAKEN_BY` (None: anyone); the members of ``group_id`` where it says so.
    """

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("monthly_cents >= 0", name="cents"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("halfdays_per_month > 0", name="halfdays"),
        CheckConstraint("room_minutes > 0", name="room_minutes"),
        CheckConstraint("rollover_halfdays > 0 AND rollover_minutes > 0", name="rollover"),
        CheckConstraint("min_months BETWEEN 2 AND 12", name="min_months"),
        CheckConstraint("trial_cents >= 0", name="trial"),
        CheckConstraint("taken_by IN ('adherents', 'group', 'team')", name="taken_by"),
        CheckConstraint("(taken_by IS NOT NULL AND taken_by = 'group') = (group_id IS NOT NULL)", name="group"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str]
    monthly_cents: Mapped[int]
    basis: Mapped[str] = mapped_column(default="ttc")
    vat_rate_bp: Mapped[int] = mapped_column(default=0)
    halfdays_per_month: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    room_minutes: Mapped[int | None]
    rollover_halfdays: Mapped[int | None]
    rollover_minutes: Mapped[int | None]
    min_months: Mapped[int | None]
    trial_cents: Mapped[int | None]
    is_prorata: Mapped[bool | None]
    taken_by: Mapped[str | None]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("price_group.id"))

    group: Mapped[PriceGroup | None] = relationship()


@sealed(MONEY)
class Subscription(Model):
    """``person`` has a plan's terms, frozen when they subscribed, from ``first_month`` to ``last_month`` (None: still).

    Months are given by their first day; the last one is whole. The allowance belongs to the calendar month of *use*; up to
    ``rollover_halfdays`` and ``rollover_minutes`` of what is left over go into the next. The month is billed in advance.
    ``ended_at``: when someone said that it ends.

    ``from_day``: not a plan by itself, but what a larger one adds to that month from that day on. ``replaces_id``: the
    subscription that ended for it, by a change or for a pause. ``withdrawn_at``: taken back, so that it never counted.

    ``bound_until``: the last month of its minimum term. The first month may have terms of its own: ``first_cents`` (None:
    like the others), and where it begins within the month, ``begins_on``, ``first_halfdays`` and ``first_room_minutes``.
    ``has_trial``: the first month is a trial, with which it can end. ``reduced_cents``: what a month costs while the person
    belongs to ``price_group_id`` on its first day.

    ``at_distance``: its person took it by themselves, online; they can withdraw (`withdrawal_models`). ``ends_on``: then it
    gives nothing after that day of its last month.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint("last_month IS NULL OR first_month <= last_month", name="months"),
        CheckConstraint("monthly_cents >= 0", name="cents"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("halfdays_per_month > 0", name="halfdays"),
        CheckConstraint("from_day IS NULL OR (first_month = last_month AND first_month <= from_day)", name="from_day"),
        CheckConstraint("room_minutes > 0", name="room_minutes"),
        CheckConstraint("rollover_halfdays > 0 AND rollover_minutes > 0", name="rollover"),
        CheckConstraint("bound_until >= first_month", name="bound_until"),
        CheckConstraint("begins_on IS NULL OR (begins_on > first_month AND from_day IS NULL)", name="begins_on"),
        CheckConstraint("first_cents >= 0 AND first_halfdays > 0 AND first_room_minutes > 0", name="first"),
        CheckConstraint(
            "begins_on IS NOT NULL OR (first_halfdays IS NULL AND first_room_minutes IS NULL)", name="first_part"
        ),
        CheckConstraint("reduced_cents >= 0 AND reduced_cents < monthly_cents", name="reduced"),
        CheckConstraint("(reduced_cents IS NULL) = (price_group_id IS NULL)", name="reduced_whole"),
        CheckConstraint("ends_on IS NULL OR (last_month IS NOT NULL AND ends_on >= last_month)", name="ends_on"),
        Index("ix_subscription_person_id", "person_id"),
        Index("ix_subscription_replaces_id", "replaces_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    name: Mapped[str]
    first_month: Mapped[date]
    last_month: Mapped[date | None]
    monthly_cents: Mapped[int]
    basis: Mapped[str]
    vat_rate_bp: Mapped[int]
    halfdays_per_month: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    from_day: Mapped[date | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    room_minutes: Mapped[int | None]
    rollover_halfdays: Mapped[int | None]
    rollover_minutes: Mapped[int | None]
    bound_until: Mapped[date | None]
    first_cents: Mapped[int | None]
    first_halfdays: Mapped[int | None]
    first_room_minutes: Mapped[int | None]
    begins_on: Mapped[date | None]
    has_trial: Mapped[bool | None]
    reduced_cents: Mapped[int | None]
    price_group_id: Mapped[int | None] = mapped_column(ForeignKey("price_group.id"))
    at_distance: Mapped[bool | None]
    ends_on: Mapped[date | None]

    person: Mapped[Person] = relationship()
    plan: Mapped[Plan] = relationship()
    price_group: Mapped[PriceGroup | None] = relationship()


STANDS = Subscription.withdrawn_at.is_(None)
"""The condition that a subscription was not taken back."""


UNITS = "unit IN ('half_day', 'hour')"


@sealed(MONEY)
class PackOffer(Model):
    """A pack that can be bought while ``is_open``: so many prepaid units, for ``valid_months`` from the day it is bought.

    ``unit``: half-days at desks, or time in rooms and offices, of which ``units`` counts minutes. Like a plan an offer
    never changes: a new price is a new offer.
    """

    __tablename__ = "pack_offer"
    __table_args__ = (
        CheckConstraint(UNITS, name="unit"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("cents >= 0", name="cents"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("valid_months BETWEEN 1 AND 60", name="valid_months"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str]
    unit: Mapped[str]
    units: Mapped[int]
    cents: Mapped[int]
    basis: Mapped[str] = mapped_column(default="ttc")
    vat_rate_bp: Mapped[int] = mapped_column(default=0)
    valid_months: Mapped[int]
    is_open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


@sealed(MONEY)
class Pack(Model):
    """``person`` bought an offer's units on its terms, to be used from ``valid_from`` to ``valid_until`` (inclusive).

    Append-only: what is left of it follows from the ledger. ``price_group_id``: by whose reduced price. ``at_distance``:
    they bought it by themselves, online, and can withdraw (`withdrawal_models`).
    """

    __tablename__ = "pack"
    __table_args__ = (
        CheckConstraint(UNITS, name="unit"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("cents >= 0", name="cents"),
        CheckConstraint("basis IN ('ttc', 'ht')", name="basis"),
        CheckConstraint("vat_rate_bp BETWEEN 0 AND 10000", name="vat_rate"),
        CheckConstraint("valid_from <= valid_until", name="dates"),
        Index("ix_pack_person_id_valid_until", "person_id", "valid_until"),
        Index("ix_pack_valid_until", "valid_until"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("pack_offer.id"))
    name: Mapped[str]
    unit: Mapped[str]
    units: Mapped[int]
    cents: Mapped[int]
    basis: Mapped[str]
    vat_rate_bp: Mapped[int]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    price_group_id: Mapped[int | None] = mapped_column(ForeignKey("price_group.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at_distance: Mapped[bool | None]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    price_group: Mapped[PriceGroup | None] = relationship()


@sealed(MONEY)
class PackReturn(Model):
    """``units`` of a pack that nobody will use were given back on local date ``day`` for ``cents``, in the pack's basis.

    Append-only. What is left of the pack is that much less.
    """

    __tablename__ = "pack_return"
    __table_args__ = (
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("cents >= 0", name="cents"),
        Index("ix_pack_return_pack_id", "pack_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    pack_id: Mapped[int] = mapped_column(ForeignKey("pack.id"))
    units: Mapped[int]
    cents: Mapped[int]
    day: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    pack: Mapped[Pack] = relationship()


@sealed(MONEY)
class Agreement(Model):
    """``organisation`` pays for its members' half-days at desks from ``valid_from`` to ``valid_until`` (inclusive).

    ``weekdays``: a bit mask, bit 0 is Monday; None: any day. ``days_per_week``: at most so many days from Monday to Sunday
    per person; ``halfdays_per_month``: at most so many per person and calendar month; ``cap_cents``: at most so much in a
    calendar month, for each ``person`` or for the whole ``organisation`` (``cap_of``). None: no limit. ``beyond``: what
    follows when one of them is reached (``refuse``, or the ``person`` pays).
    ``halfday_cents``: the price agreed; None: the tariff's. ``share_bp``: how much of it the organisation pays, in basis
    points; None: all. Cents are in the basis of the tariff of the day. ``pays_rooms``: rooms and offices too, by the tariff.
    """

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name="dates"),
        CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
        CheckConstraint("halfdays_per_month > 0", name="halfdays"),
        CheckConstraint("beyond IN ('refuse', 'person')", name="beyond"),
        CheckConstraint("halfday_cents >= 0", name="cents"),
        CheckConstraint("days_per_week BETWEEN 1 AND 6", name="days_per_week"),
        CheckConstraint("cap_cents > 0", name="cap"),
        CheckConstraint("cap_of IN ('person', 'organisation')", name="cap_of"),
        CheckConstraint("(cap_cents IS NULL) = (cap_of IS NULL)", name="cap_whole"),
        CheckConstraint("share_bp BETWEEN 1 AND 9999", name="share"),
        Index("ix_agreement_organisation_id", "organisation_id"),
    )

    id: Mapped[BigId]
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    weekdays: Mapped[int | None]
    halfdays_per_month: Mapped[int | None]
    beyond: Mapped[str] = mapped_column(default="person")
    halfday_cents: Mapped[int | None]
    order_number: Mapped[str | None] = mapped_column(info={"seen_by": (CONTACT, MANAGER)})
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    days_per_week: Mapped[int | None]
    cap_cents: Mapped[int | None]
    cap_of: Mapped[str | None]
    share_bp: Mapped[int | None]
    pays_rooms: Mapped[bool | None]

    organisation: Mapped[Organisation] = relationship()


@sealed(TRAIL)
class LedgerEntry(Model):
    """What one use takes of an allowance: held when booked, then consumed when its day is over, or released.

    Append-only. Used in a month = openings + holds − releases, for one person and one subscription or agreement, each row a
    half-day. Of a pack: over its whole life, each row ``units`` of its own, half-days or the minutes of a room. A plan's row
    with ``units`` is so many minutes of a room.

    Two kinds have no quote, since they come from before the lieu moved here: an ``opening`` was used elsewhere in a plan's
    month, ``carried`` came over into it from the month before. Each is one row of so many ``units`` in its ``unit``.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(
            "(subscription_id IS NOT NULL AND agreement_id IS NULL AND pack_id IS NULL) "
            "OR (subscription_id IS NULL AND agreement_id IS NOT NULL AND pack_id IS NULL) "
            "OR (subscription_id IS NULL AND agreement_id IS NULL AND pack_id IS NOT NULL)",
            name="one_allowance",
        ),
        CheckConstraint("kind IN ('hold', 'consume', 'release', 'opening', 'carried')", name="kind"),
        CheckConstraint("(quote_id IS NULL) = (kind IN ('opening', 'carried'))", name="quote"),
        CheckConstraint(UNITS, name="unit"),
        CheckConstraint("(unit IS NOT NULL) = (quote_id IS NULL)", name="unit_of_opening"),
        CheckConstraint("unit IS NULL OR (subscription_id IS NOT NULL AND units IS NOT NULL)", name="opening"),
        CheckConstraint(
            "(units IS NOT NULL OR pack_id IS NULL) AND (units IS NULL OR agreement_id IS NULL) AND units > 0",
            name="units",
        ),
        UniqueConstraint("quote_id", "kind"),
        Index(
            "uq_ledger_entry_opening",
            "subscription_id",
            "month",
            "kind",
            "unit",
            unique=True,
            sqlite_where=db.text("unit IS NOT NULL"),
            postgresql_where=db.text("unit IS NOT NULL"),
        ),
        Index("ix_ledger_entry_person_id_month", "person_id", "month"),
        Index("ix_ledger_entry_pack_id", "pack_id"),
    )

    id: Mapped[BigId]
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"))
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreement.id"))
    pack_id: Mapped[int | None] = mapped_column(ForeignKey("pack.id"))
    units: Mapped[int | None]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    month: Mapped[date]
    quote_id: Mapped[int | None] = mapped_column(ForeignKey("quote.id"))
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    unit: Mapped[str | None]

    quote: Mapped[Quote | None] = relationship()
