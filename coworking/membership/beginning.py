"""Begin a plan, a pack or an adhesion on quoted terms. Runs inside the caller's unit, which has locked the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.money import Cents
from coworking.core.months import month_after, month_of
from coworking.core.units import require_unit
from coworking.membership import queries
from coworking.membership.entitlement import PriceChanged
from coworking.membership.models import STANDS, Adhesion, Pack, PackOffer, Plan, Subscription
from coworking.membership.rules import (
    AdhesionOverlaps,
    AdhesionVatUnknown,
    AlreadySubscribed,
    MonthOutOfReach,
    PackClosed,
    PlanClosed,
    last_day_of,
    months_cross,
    year_from,
)
from coworking.pricing.group_queries import groups_of
from coworking.pricing.group_rules import price_for
from coworking.pricing.rules import PricedLine, payable_cents, vat_rate
from coworking.spaces import queries as spaces

MONTHS_AHEAD = 12


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan from ``first_month`` on, as it was quoted to who takes it."""

    plan_id: int
    name: str
    first_month: date
    monthly_cents: int
    basis: str
    vat_rate_bp: int
    halfdays_per_month: int | None

    @property
    def payable_cents(self) -> int:
        """What one month comes to, with its VAT."""
        basis = "ht" if self.basis == "ht" else "ttc"
        return payable_cents([PricedLine(self.monthly_cents, self.vat_rate_bp, basis)])

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {"first_month": self.first_month.isoformat()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> PlanTerms:
        """What `written` gave."""
        return cls(**{**written, "first_month": date.fromisoformat(written["first_month"])})


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """What a larger plan adds to this month from ``from_day`` on, as it was quoted to who changes to it.

    ``replaces``: the public id of the subscription that ends with this month.
    """

    plan_id: int
    name: str
    from_day: date
    cents: int
    basis: str
    vat_rate_bp: int
    halfdays: int | None
    replaces: str

    @property
    def payable_cents(self) -> int:
        """What the rest of the month comes to, with its VAT."""
        basis = "ht" if self.basis == "ht" else "ttc"
        return payable_cents([PricedLine(self.cents, self.vat_rate_bp, basis)])

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {"from_day": self.from_day.isoformat()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> ChangeTerms:
        """What `written` gave."""
        return cls(**{**written, "from_day": date.fromisoformat(written["from_day"])})


@dataclass(frozen=True, slots=True)
class PackPurchase:
    """An offer's units from ``valid_from`` to ``valid_until`` (inclusive), as they were quoted to who buys them."""

    offer_id: int
    name: str
    unit: str
    units: int
    cents: int
    basis: str
    vat_rate_bp: int
    valid_from: date
    valid_until: date
    price_group_id: int | None = None

    @property
    def payable_cents(self) -> int:
        """What it comes to, with its VAT."""
        basis = "ht" if self.basis == "ht" else "ttc"
        return payable_cents([PricedLine(self.cents, self.vat_rate_bp, basis)])

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {name: getattr(self, name).isoformat() for name in ("valid_from", "valid_until")}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> PackPurchase:
        """What `written` gave."""
        days = {name: date.fromisoformat(written[name]) for name in ("valid_from", "valid_until")}
        return cls(**{**written, **days})


@dataclass(frozen=True, slots=True)
class AdhesionTerms:
    """A year from ``valid_from`` on for ``cents``, which hold their VAT."""

    valid_from: date
    cents: int
    vat_rate_bp: int
    price_group_id: int | None = None

    @property
    def payable_cents(self) -> int:
        return self.cents

    @property
    def valid_until(self) -> date:
        return year_from(self.valid_from)

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {"valid_from": self.valid_from.isoformat()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> AdhesionTerms:
        """What `written` gave."""
        return cls(**{**written, "valid_from": date.fromisoformat(written["valid_from"])})


def plan_terms(plan: Plan, first_month: date) -> PlanTerms:
    """What taking ``plan`` means now; raises `MonthOutOfReach`, `PlanClosed`."""
    if not plan.is_open:
        raise PlanClosed()
    first = month_of(first_month)
    check_month(first)
    rate = vat_rate(plan.vat_rate_bp, spaces.lieu().vat_status)
    return PlanTerms(plan.id, plan.name, first, plan.monthly_cents, plan.basis, rate, plan.halfdays_per_month)


def pack_terms(offer: PackOffer, person_id: int) -> PackPurchase:
    """What buying the offer means today for a person, who may pay less; raises `PackClosed`."""
    if not offer.is_open:
        raise PackClosed()
    today = spaces.today()
    price = price_for(groups_of(person_id, today), "pack", offer.cents, offer.id)
    return PackPurchase(
        offer_id=offer.id,
        name=offer.name,
        unit=offer.unit,
        units=offer.units,
        cents=price.cents,
        basis=offer.basis,
        vat_rate_bp=vat_rate(offer.vat_rate_bp, spaces.lieu().vat_status),
        valid_from=today,
        valid_until=last_day_of(today, offer.valid_months),
        price_group_id=price.group_id,
    )


def check_month(first: date) -> None:
    """Raise `MonthOutOfReach` unless a plan can begin with that month."""
    this_month = month_of(spaces.today())
    if not this_month <= first <= month_after(this_month, MONTHS_AHEAD):
        raise MonthOutOfReach()


def adhesion_terms(valid_from: date, cents: int, person_id: int) -> AdhesionTerms:
    """What a year costs with its VAT rate; `AdhesionVatUnknown` while a VAT-liable lieu has not said how it is taxed.

    Where ``cents`` are what the person pays by a reduced price, the terms say whose.
    """
    rate = queries.adhesion_vat_now()
    usual = queries.adhesion_price_of(person_id)
    group_id = usual.group_id if usual is not None and usual.cents == cents else None
    if rate is None and cents:
        raise AdhesionVatUnknown(field="cents")
    return AdhesionTerms(valid_from, cents, rate or 0, group_id)


def find_plan(public_id: str) -> Plan:
    """The plan, read in the open unit; raises `NotFound`."""
    require_unit()
    found = db.session.scalar(select(Plan).where(Plan.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def find_pack_offer(public_id: str) -> PackOffer:
    """The offer, read in the open unit; raises `NotFound`."""
    require_unit()
    return queries.pack_offer_by_public_id(public_id)


def check_price(terms: PlanTerms | ChangeTerms | PackPurchase | AdhesionTerms, agreed_cents: int | None) -> None:
    """Raise `PriceChanged` unless ``terms`` come to what the page said (None: nobody was asked)."""
    if agreed_cents not in (None, terms.payable_cents):
        raise PriceChanged(amount=Cents(terms.payable_cents))


def check_no_plan(person_id: int, first: date) -> None:
    """Raise `AlreadySubscribed` where the person has a plan from ``first`` on."""
    for held in db.session.scalars(select(Subscription).where(Subscription.person_id == person_id, STANDS)):
        if months_cross(held.first_month, held.last_month, first, None):
            raise AlreadySubscribed(name=held.name)


def check_no_adhesion(person_id: int, terms: AdhesionTerms) -> None:
    """Raise `AdhesionOverlaps` where the person is a member already on a day of that year."""
    crossing = db.session.scalar(
        select(Adhesion.valid_until).where(
            Adhesion.person_id == person_id,
            Adhesion.valid_from <= terms.valid_until,
            Adhesion.valid_until >= terms.valid_from,
        )
    )
    if crossing is not None:
        raise AdhesionOverlaps(last=crossing)


def begin_plan(person_id: int, terms: PlanTerms, *, replaces_id: int | None = None) -> Subscription:
    """Let the person have the plan, in place of the one that ended for it; raises `AlreadySubscribed`."""
    require_unit()
    check_no_plan(person_id, terms.first_month)
    subscription = Subscription(
        person_id=person_id,
        plan_id=terms.plan_id,
        name=terms.name,
        first_month=terms.first_month,
        monthly_cents=terms.monthly_cents,
        basis=terms.basis,
        vat_rate_bp=terms.vat_rate_bp,
        halfdays_per_month=terms.halfdays_per_month,
        replaces_id=replaces_id,
    )
    db.session.add(subscription)
    db.session.flush()
    return subscription


def begin_pack(person_id: int, terms: PackPurchase, created_by_id: int | None) -> Pack:
    """Let the person have the pack."""
    require_unit()
    pack = Pack(**asdict(terms), person_id=person_id, created_by_id=created_by_id)
    db.session.add(pack)
    db.session.flush()
    return pack


def begin_adhesion(person_id: int, terms: AdhesionTerms, created_by_id: int | None) -> Adhesion:
    """Let the person be a member for that year; raises `AdhesionOverlaps`."""
    require_unit()
    check_no_adhesion(person_id, terms)
    adhesion = Adhesion(
        person_id=person_id,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        cents=terms.cents,
        vat_rate_bp=terms.vat_rate_bp,
        price_group_id=terms.price_group_id,
        created_by_id=created_by_id,
    )
    db.session.add(adhesion)
    db.session.flush()
    return adhesion
