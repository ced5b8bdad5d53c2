"""Begin, change and end plans, subscriptions, adhesions and agreements. Each public function is one unit of work."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from coworking.accounts.models import Organisation, Person
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import Forbidden, NotFound
from coworking.core.months import month_after, month_end, month_of
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.membership import queries
from coworking.membership.entitlement import Beyond
from coworking.membership.models import Adhesion, Agreement, MembershipSettings, Plan, Subscription
from coworking.membership.rules import (
    AdhesionOverlaps,
    AdhesionVat,
    AdhesionVatUnknown,
    AlreadyEnded,
    AlreadySubscribed,
    BookedBeyond,
    MonthOutOfReach,
    PlanClosed,
    adhesion_rate,
    check_dates,
    last_month_when_ending,
    months_cross,
    year_from,
)
from coworking.pricing.models import Quote
from coworking.pricing.rules import Basis, vat_rate
from coworking.spaces import queries as spaces

MONTHS_AHEAD = 12


# Plans and subscriptions ----------------------------------------------------------------------------------------------


def add_plan(
    actor: Actor, *, name: str, monthly_cents: int, basis: Basis, vat_rate_bp: int, halfdays_per_month: int | None
) -> Plan:
    """Offer a plan. Managers only."""
    _check_manager(actor)
    with write_unit() as unit:
        plan = Plan(
            name=name,
            monthly_cents=monthly_cents,
            basis=basis,
            vat_rate_bp=vat_rate_bp,
            halfdays_per_month=halfdays_per_month,
        )
        db.session.add(plan)
        db.session.flush()
        audit.record(actor, "plan.added", ("plan", plan.id))
        unit.result = plan.public_id
    return plan


def set_plan_open(actor: Actor, public_id: str, is_open: bool) -> Plan:
    """Offer a plan again or no longer; those who have it keep it. Managers only."""
    _check_manager(actor)
    with write_unit():
        plan = db.session.scalar(locked(select(Plan).where(Plan.public_id == public_id)))
        if plan is None:
            raise NotFound()
        if plan.is_open != is_open:
            plan.is_open = is_open
            audit.record(actor, "plan.opened" if is_open else "plan.closed", ("plan", plan.id))
    return plan


def subscribe(actor: Actor, plan: str, *, first_month: date, person: str | None = None) -> Subscription:
    """Subscribe oneself, or as a manager anyone, from ``first_month`` on: this month at the earliest.

    The plan's terms are frozen. Raises `PlanClosed`, `AlreadySubscribed`, `MonthOutOfReach`.
    """
    with write_unit() as unit:
        who = _subject(actor, person)
        found = db.session.scalar(select(Plan).where(Plan.public_id == plan))
        if found is None:
            raise NotFound()
        if not found.is_open:
            raise PlanClosed()
        this_month = month_of(spaces.today())
        first = month_of(first_month)
        if not this_month <= first <= month_after(this_month, MONTHS_AHEAD):
            raise MonthOutOfReach()
        for held in db.session.scalars(select(Subscription).where(Subscription.person_id == who.id)):
            if months_cross(held.first_month, held.last_month, first, None):
                raise AlreadySubscribed(name=held.name)
        subscription = Subscription(
            person_id=who.id,
            plan_id=found.id,
            name=found.name,
            first_month=first,
            monthly_cents=found.monthly_cents,
            basis=found.basis,
            vat_rate_bp=vat_rate(found.vat_rate_bp, spaces.lieu().vat_status),
            halfdays_per_month=found.halfdays_per_month,
        )
        db.session.add(subscription)
        db.session.flush()
        _record(actor, "subscription.begun", ("subscription", subscription.id), who.id, month=first.isoformat())
        unit.result = subscription.public_id
    return subscription


def end_subscription(actor: Actor, public_id: str) -> Subscription:
    """End one's own plan, or as a manager anyone's, with this month (or its first, when that is to come).

    Raises `BookedBeyond` while half-days of later months are booked on it, `AlreadyEnded`.
    """
    statement = select(Subscription.person_id).where(Subscription.public_id == public_id)
    if not actor.has(Role.MANAGER):
        statement = statement.where(Subscription.person_id == actor.person_id)
    with write_unit():
        owner = db.session.scalar(statement)
        if owner is None:
            raise NotFound()
        db.session.scalars(locked(select(Person).where(Person.id == owner))).unique().one()
        held = db.session.scalars(locked(select(Subscription).where(Subscription.public_id == public_id))).one()
        if held.last_month is not None:
            raise AlreadyEnded()
        last = last_month_when_ending(spaces.today(), held.first_month)
        booked = db.session.scalar(
            select(func.max(Quote.day)).where(
                Quote.subscription_id == held.id, Quote.state != "released", Quote.day > month_end(last)
            )
        )
        if booked is not None:
            raise BookedBeyond(last=booked)
        held.last_month, held.ended_at = last, now()
        _record(actor, "subscription.ended", ("subscription", held.id), owner, month=last.isoformat())
    return held


# Adhesions ------------------------------------------------------------------------------------------------------------


def set_adhesion_price(
    actor: Actor, cents: int | None, *, vat: AdhesionVat | None = None, vat_rate_bp: int | None = None
) -> None:
    """What a year's adhesion costs from now on; None: the lieu has no adhesions. Managers only.

    ``vat``: how it is taxed, which a VAT-liable lieu must say with its price (`AdhesionVatUnknown`); with ``vat_rate_bp``
    where VAT is due.
    """
    _check_manager(actor)
    if cents and adhesion_rate(spaces.lieu().vat_status, vat, vat_rate_bp) is None:
        raise AdhesionVatUnknown(field="adhesion_vat")
    with write_unit():
        row = db.session.scalar(locked(select(MembershipSettings)))
        if row is None:
            row = MembershipSettings(id=1)
            db.session.add(row)
        row.adhesion_cents, row.adhesion_vat = cents, vat
        row.adhesion_vat_rate_bp = vat_rate_bp if vat == "taxable" else None
        audit.record(
            actor, "adhesion.priced", ("membership_settings", 1), cents=cents, vat=vat, rate=row.adhesion_vat_rate_bp
        )


def record_adhesion(actor: Actor, person: str, *, valid_from: date, cents: int) -> Adhesion:
    """Someone adheres for a year from ``valid_from``, for ``cents`` that come onto their next invoice. Managers only.

    Raises `AdhesionOverlaps`, or `AdhesionVatUnknown` while a VAT-liable lieu has not said how adhesions are taxed.
    """
    _check_manager(actor)
    with write_unit() as unit:
        rate = queries.adhesion_vat_now()
        if rate is None and cents:
            raise AdhesionVatUnknown(field="cents")
        who = _subject(actor, person)
        valid_until = year_from(valid_from)
        crossing = db.session.scalar(
            select(Adhesion.valid_until).where(
                Adhesion.person_id == who.id,
                Adhesion.valid_from <= valid_until,
                Adhesion.valid_until >= valid_from,
            )
        )
        if crossing is not None:
            raise AdhesionOverlaps(last=crossing)
        adhesion = Adhesion(
            person_id=who.id,
            valid_from=valid_from,
            valid_until=valid_until,
            cents=cents,
            vat_rate_bp=rate or 0,
            created_by_id=actor.person_id,
        )
        db.session.add(adhesion)
        db.session.flush()
        _record(actor, "adhesion.recorded", ("adhesion", adhesion.id), who.id)
        unit.result = adhesion.public_id
    return adhesion


# Agreements -----------------------------------------------------------------------------------------------------------


def add_agreement(
    actor: Actor,
    organisation: str,
    *,
    valid_from: date,
    valid_until: date | None,
    weekdays: int | None,
    halfdays_per_month: int | None,
    beyond: Beyond,
    halfday_cents: int | None,
    order_number: str | None,
) -> Agreement:
    """An organisation agrees to pay. Managers only; applies to bookings made from now on. Raises `DatesCross`."""
    _check_manager(actor)
    check_dates(valid_from, valid_until)
    with write_unit() as unit:
        employer = db.session.scalar(locked(select(Organisation).where(Organisation.public_id == organisation)))
        if employer is None:
            raise NotFound()
        agreement = Agreement(
            organisation_id=employer.id,
            valid_from=valid_from,
            valid_until=valid_until,
            weekdays=weekdays,
            halfdays_per_month=halfdays_per_month,
            beyond=beyond,
            halfday_cents=halfday_cents,
            order_number=order_number,
        )
        db.session.add(agreement)
        db.session.flush()
        audit.record(actor, "agreement.made", ("agreement", agreement.id), organisation=employer.public_id)
        unit.result = agreement.public_id
    return agreement


def end_agreement(actor: Actor, public_id: str, last_day: date) -> int:
    """Let an agreement end with ``last_day``; return how many half-days are already booked after it.

    Those stay paid as they were quoted. Managers only; raises `DatesCross` for a day before its first, `AlreadyEnded`.
    """
    _check_manager(actor)
    with write_unit():
        employer = select(Agreement.organisation_id).where(Agreement.public_id == public_id).scalar_subquery()
        db.session.scalars(locked(select(Organisation).where(Organisation.id == employer))).one_or_none()
        agreement = db.session.scalar(locked(select(Agreement).where(Agreement.public_id == public_id)))
        if agreement is None:
            raise NotFound()
        if agreement.valid_until is not None and agreement.valid_until < spaces.today():
            raise AlreadyEnded()
        check_dates(agreement.valid_from, last_day)
        agreement.valid_until = last_day
        audit.record(actor, "agreement.ended", ("agreement", agreement.id), last_day=last_day.isoformat())
        booked = select(func.count()).where(
            Quote.agreement_id == agreement.id, Quote.day > last_day, Quote.state == "live"
        )
        return db.session.scalar(booked) or 0


# Within the unit ------------------------------------------------------------------------------------------------------


def _subject(actor: Actor, public_id: str | None) -> Person:
    """The person concerned, locked: oneself, or as a manager anyone; others do not exist for a member."""
    statement = select(Person).where(
        Person.id == actor.person_id if public_id is None else Person.public_id == public_id
    )
    if not actor.has(Role.MANAGER):
        statement = statement.where(Person.id == actor.person_id)
    person = db.session.scalars(locked(statement)).unique().one_or_none()
    if person is None or not person.is_active:
        raise NotFound()
    return person


def _check_manager(actor: Actor) -> None:
    if not actor.has(Role.MANAGER):
        raise Forbidden()


def _record(actor: Actor, action: str, subject: tuple[str, int], person_id: int, **details: object) -> None:
    """Staff's changes to other people's affairs leave a trace."""
    if actor.needs_audit and actor.person_id != person_id:
        audit.record(actor, action, subject, person_id=person_id, **details)
