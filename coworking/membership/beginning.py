"""Begin a plan, a pack or an adhesion on quoted terms. Runs inside the caller's unit, which has locked the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cached_property
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
from coworking.membership.plan_rules import (
    PlanForAdherents,
    PlanForGroup,
    PlanGivenByTeam,
    bound_until,
    first_month_of,
    month_price,
)
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
from coworking.pricing.group_queries import group_name, groups_of
from coworking.pricing.group_rules import GroupPrices, price_for
from coworking.pricing.rules import PricedLine, payable_cents, vat_rate
from coworking.spaces import queries as spaces

MONTHS_AHEAD = 12


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan from ``first_month`` on, as it was quoted to who takes it: the columns of `models.Subscription`."""

    plan_id: int
    name: str
    first_month: date
    monthly_cents: int
    basis: str
    vat_rate_bp: int
    halfdays_per_month: int | None
    room_minutes: int | None = None
    rollover_halfdays: int | None = None
    rollover_minutes: int | None = None
    bound_until: date | None = None
    first_cents: int | None = None
    first_halfdays: int | None = None
    first_room_minutes: int | None = None
    begins_on: date | None = None
    has_trial: bool | None = None
    reduced_cents: int | None = None
    price_group_id: int | None = None

    @property
    def first_month_cents(self) -> int:
        """What the first month costs, in the basis of the plan."""
        return month_price(self, self.first_month, ()).cents

    @property
    def payable_cents(self) -> int:
        """What the first month comes to, with its VAT."""
        return self._with_vat(self.first_month_cents)

    @property
    def month_cents(self) -> int:
        """What every other month comes to, with its VAT, while the right to its reduced price holds."""
        return self._with_vat(self.monthly_cents if self.reduced_cents is None else self.reduced_cents)

    def _with_vat(self, cents: int) -> int:
        basis = "ht" if self.basis == "ht" else "ttc"
        return payable_cents([PricedLine(cents, self.vat_rate_bp, basis)])

    def written(self) -> dict[str, Any]:
        """The same as JSON."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> PlanTerms:
        """What `written` gave; what was written before a column was there has none."""
        days = {
            name: date.fromisoformat(written[name])
            for name in ("first_month", "bound_until", "begins_on")
            if written.get(name) is not None
        }
        return cls(**{**written, **days})

    @classmethod
    def held(cls, row: Subscription) -> PlanTerms:
        """Those of a subscription."""
        return cls(**{one.name: getattr(row, one.name) for one in fields(cls)})


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
    room_minutes: int | None = None

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


class Taker:
    """Who would take a plan, read as far as it is asked for. ``by_team``: the team gives it, whoever the plan is for."""

    def __init__(self, person_id: int, *, by_team: bool) -> None:
        self.person_id, self.by_team = person_id, by_team

    @cached_property
    def groups(self) -> list[GroupPrices]:
        """What the groups get to which the person belongs today (1 statement)."""
        return groups_of(self.person_id, spaces.today())

    @cached_property
    def had_a_plan(self) -> bool:
        return queries.had_a_plan(self.person_id)

    @cached_property
    def is_adherent(self) -> bool:
        until = queries.last_adhesion_day(self.person_id)
        return until is not None and until >= spaces.today()

    def check(self, plan: Plan) -> None:
        """Raise `PlanForAdherents`, `PlanForGroup` or `PlanGivenByTeam` unless they can have the plan."""
        if self.by_team or plan.taken_by is None:
            return
        match plan.taken_by:
            case "adherents":
                if not self.is_adherent:
                    raise PlanForAdherents()
            case "group":
                if all(group.group_id != plan.group_id for group in self.groups):
                    raise PlanForGroup(group=group_name(plan.group_id))
            case _:
                raise PlanGivenByTeam()


def plan_terms(plan: Plan, first_month: date, taker: Taker, *, is_new: bool = True) -> PlanTerms:
    """What taking ``plan`` means now to a person, who may pay less.

    Not ``is_new``: it runs already, so there is no trial and no part of a month. Raises `MonthOutOfReach`, `PlanClosed`,
    `PlanForAdherents`, `PlanForGroup`, `PlanGivenByTeam`.
    """
    if not plan.is_open:
        raise PlanClosed()
    today, first = spaces.today(), month_of(first_month)
    check_month(first)
    taker.check(plan)
    price = price_for(taker.groups, "plan", plan.monthly_cents, plan.id)
    begins = first_month_of(
        day=today,
        first_month=first,
        price_cents=price.cents,
        trial_cents=plan.trial_cents if is_new and plan.trial_cents is not None and not taker.had_a_plan else None,
        is_prorata=is_new and bool(plan.is_prorata),
        halfdays=plan.halfdays_per_month,
        room_minutes=plan.room_minutes,
    )
    return PlanTerms(
        plan.id,
        plan.name,
        first,
        plan.monthly_cents,
        plan.basis,
        vat_rate(plan.vat_rate_bp, spaces.lieu().vat_status),
        plan.halfdays_per_month,
        room_minutes=plan.room_minutes,
        rollover_halfdays=plan.rollover_halfdays,
        rollover_minutes=plan.rollover_minutes,
        bound_until=bound_until(first, plan.min_months),
        first_cents=begins.cents,
        first_halfdays=begins.halfdays,
        first_room_minutes=begins.room_minutes,
        begins_on=begins.begins_on,
        has_trial=begins.is_trial or None,
        reduced_cents=price.cents if price.group_id is not None else None,
        price_group_id=price.group_id,
    )


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


def begin_plan(
    person_id: int, terms: PlanTerms, *, replaces_id: int | None = None, at_distance: bool = False
) -> Subscription:
    """Let the person have the plan, in place of the one that ended for it; raises `AlreadySubscribed`.

    ``at_distance``: they took it by themselves, online, or paid for it there.
    """
    require_unit()
    check_no_plan(person_id, terms.first_month)
    subscription = Subscription(
        person_id=person_id, replaces_id=replaces_id, at_distance=at_distance or None, **asdict(terms)
    )
    db.session.add(subscription)
    db.session.flush()
    return subscription


def begin_pack(person_id: int, terms: PackPurchase, created_by_id: int | None, *, at_distance: bool = False) -> Pack:
    """Let the person have the pack; ``at_distance`` as in `begin_plan`."""
    require_unit()
    pack = Pack(**asdict(terms), person_id=person_id, created_by_id=created_by_id, at_distance=at_distance or None)
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
