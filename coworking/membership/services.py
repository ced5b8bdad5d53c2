"""Begin, change and end plans, subscriptions, packs, adhesions and agreements. Each public function is one unit of work."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from coworking.accounts.models import Organisation, Person
from coworking.core import audit
from coworking.core.clock import now
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_end
from coworking.core.policy import Actor, Role
from coworking.core.units import locked, write_unit
from coworking.membership import news
from coworking.membership.access import managers_only, record, subject
from coworking.membership.agreement_rules import Beyond, CapOf
from coworking.membership.beginning import (
    Taker,
    adhesion_terms,
    begin_adhesion,
    begin_pack,
    begin_plan,
    check_price,
    find_pack_offer,
    find_plan,
    pack_terms,
    plan_terms,
)
from coworking.membership.models import Adhesion, Agreement, MembershipSettings, Pack, PackOffer, Plan, Subscription
from coworking.membership.paying_first import ADHESION, PACK, PLAN, check_not_asked, let_go_of
from coworking.membership.plan_rules import TakenBy, last_month_when_ending
from coworking.membership.rules import (
    AdhesionVat,
    AdhesionVatUnknown,
    AlreadyEnded,
    BookedBeyond,
    adhesion_rate,
    check_dates,
)
from coworking.pricing.group_queries import group_by_public_id
from coworking.pricing.models import Quote
from coworking.pricing.rules import Basis, Unit
from coworking.spaces import queries as spaces

# Plans and subscriptions ----------------------------------------------------------------------------------------------


def add_plan(
    actor: Actor,
    *,
    name: str,
    monthly_cents: int,
    basis: Basis,
    vat_rate_bp: int,
    halfdays_per_month: int | None,
    room_minutes: int | None = None,
    rollover_halfdays: int | None = None,
    rollover_minutes: int | None = None,
    min_months: int | None = None,
    trial_cents: int | None = None,
    is_prorata: bool = False,
    taken_by: TakenBy | None = None,
    group: str | None = None,
) -> Plan:
    """Offer a plan; what each argument means is said at `models.Plan`, ``group`` is a public id. Managers only.

    Raises `NotFound` for a group that is not there.
    """
    managers_only(actor)
    with write_unit() as unit:
        plan = Plan(
            name=name,
            monthly_cents=monthly_cents,
            basis=basis,
            vat_rate_bp=vat_rate_bp,
            halfdays_per_month=halfdays_per_month,
            room_minutes=room_minutes,
            rollover_halfdays=rollover_halfdays,
            rollover_minutes=rollover_minutes,
            min_months=min_months,
            trial_cents=trial_cents,
            is_prorata=is_prorata,
            taken_by=taken_by,
            group_id=group_by_public_id(group or "").id if taken_by == "group" else None,
        )
        db.session.add(plan)
        db.session.flush()
        audit.record(actor, "plan.added", ("plan", plan.id))
        unit.result = plan.public_id
    return plan


def set_plan_open(actor: Actor, public_id: str, is_open: bool) -> Plan:
    """Offer a plan again or no longer; those who have it keep it. Managers only."""
    managers_only(actor)
    with write_unit():
        plan = db.session.scalar(locked(select(Plan).where(Plan.public_id == public_id)))
        if plan is None:
            raise NotFound()
        if plan.is_open != is_open:
            plan.is_open = is_open
            audit.record(actor, "plan.opened" if is_open else "plan.closed", ("plan", plan.id))
    return plan


def subscribe(
    actor: Actor, plan: str, *, first_month: date, agreed_cents: int | None = None, person: str | None = None
) -> Subscription:
    """Subscribe oneself, or as a manager anyone, from ``first_month`` on: this month at the earliest.

    The plan's terms are frozen. ``agreed_cents``: what the page said of the first month. Raises `AlreadySubscribed`, what
    `beginning.plan_terms` raises, `PriceChanged`; `MustBePaidFirst` where the lieu asks who takes a plan for themselves to
    pay its first month before (`paying_first.sell_plan`).
    """
    with write_unit() as unit:
        who = subject(actor, person)
        terms = plan_terms(find_plan(plan), first_month, Taker(who.id, by_team=person is not None))
        check_price(terms, agreed_cents)
        if person is None:
            check_not_asked(terms.payable_cents)
        subscription = begin_plan(who.id, terms, at_distance=person is None)
        let_go_of(PLAN, who.id)
        news.tell("begun", subscription)
        record(
            actor, "subscription.begun", ("subscription", subscription.id), who.id, month=terms.first_month.isoformat()
        )
        unit.result = subscription.public_id
    return subscription


def end_subscription(actor: Actor, public_id: str, *, let_off: bool = False) -> Subscription:
    """End one's own plan, or as a manager anyone's, with this month (or its first, when that is to come).

    Not before its minimum term is over, unless a manager ``let_off`` what is left of it. Raises `BookedBeyond` while
    half-days of later months are booked on it, `AlreadyEnded`.
    """
    if let_off:
        managers_only(actor)
    statement = select(Subscription.person_id).where(Subscription.public_id == public_id)
    if not actor.has(Role.MANAGER):
        statement = statement.where(Subscription.person_id == actor.person_id)
    with write_unit() as unit:
        owner = db.session.scalar(statement)
        if owner is None:
            raise NotFound()
        db.session.scalars(locked(select(Person).where(Person.id == owner))).unique().one()
        held = db.session.scalars(locked(select(Subscription).where(Subscription.public_id == public_id))).one()
        if held.last_month is not None or held.withdrawn_at is not None:
            raise AlreadyEnded()
        bound = None if let_off else held.bound_until
        last = last_month_when_ending(spaces.today(), held.first_month, bound, has_trial=bool(held.has_trial))
        booked = db.session.scalar(
            select(func.max(Quote.day)).where(
                Quote.subscription_id == held.id, Quote.state != "released", Quote.day > month_end(last)
            )
        )
        if booked is not None:
            raise BookedBeyond(last=booked)
        held.last_month, held.ended_at = last, now()
        unit.result = held.public_id
        news.tell("ended", held)
        record(actor, "subscription.ended", ("subscription", held.id), owner, month=last.isoformat(), let_off=let_off)
    return held


# Packs ----------------------------------------------------------------------------------------------------------------


def add_pack_offer(
    actor: Actor, *, name: str, unit: Unit, units: int, cents: int, basis: Basis, vat_rate_bp: int, valid_months: int
) -> PackOffer:
    """Offer a pack of ``units``: half-days, or minutes of rooms and offices. Managers only."""
    managers_only(actor)
    with write_unit() as unit_of_work:
        offer = PackOffer(
            name=name,
            unit=unit,
            units=units,
            cents=cents,
            basis=basis,
            vat_rate_bp=vat_rate_bp,
            valid_months=valid_months,
        )
        db.session.add(offer)
        db.session.flush()
        audit.record(actor, "pack_offer.added", ("pack_offer", offer.id))
        unit_of_work.result = offer.public_id
    return offer


def set_pack_offer_open(actor: Actor, public_id: str, is_open: bool) -> PackOffer:
    """Offer a pack again or no longer; those who bought it keep it. Managers only."""
    managers_only(actor)
    with write_unit():
        offer = db.session.scalar(locked(select(PackOffer).where(PackOffer.public_id == public_id)))
        if offer is None:
            raise NotFound()
        if offer.is_open != is_open:
            offer.is_open = is_open
            audit.record(actor, "pack_offer.opened" if is_open else "pack_offer.closed", ("pack_offer", offer.id))
    return offer


def buy_pack(actor: Actor, offer: str, *, agreed_cents: int | None = None, person: str | None = None) -> Pack:
    """Buy a pack for oneself, or as a manager for anyone, on the invoice of this month; it holds from today.

    ``agreed_cents``: what the page said. Raises `PackClosed`, `PriceChanged`; `MustBePaidFirst` where the lieu asks who
    buys one for themselves to pay before (`paying_first.sell_pack`).
    """
    with write_unit() as unit:
        who = subject(actor, person)
        terms = pack_terms(find_pack_offer(offer), who.id)
        check_price(terms, agreed_cents)
        if person is None:
            check_not_asked(terms.payable_cents)
        pack = begin_pack(who.id, terms, actor.person_id, at_distance=person is None)
        let_go_of(PACK, who.id)
        if pack.at_distance:
            news.tell_of_pack("bought", pack)
        record(actor, "pack.bought", ("pack", pack.id), who.id)
        unit.result = pack.public_id
    return pack


# Adhesions ------------------------------------------------------------------------------------------------------------


def set_adhesion_price(
    actor: Actor, cents: int | None, *, vat: AdhesionVat | None = None, vat_rate_bp: int | None = None
) -> None:
    """What a year's adhesion costs from now on; None: the lieu has no adhesions. Managers only.

    ``vat``: how it is taxed, which a VAT-liable lieu must say with its price (`AdhesionVatUnknown`); with ``vat_rate_bp``
    where VAT is due.
    """
    managers_only(actor)
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
    managers_only(actor)
    with write_unit() as unit:
        who = subject(actor, person)
        terms = adhesion_terms(valid_from, cents, who.id)
        adhesion = begin_adhesion(who.id, terms, actor.person_id)
        let_go_of(ADHESION, who.id)
        record(actor, "adhesion.recorded", ("adhesion", adhesion.id), who.id)
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
    days_per_week: int | None = None,
    cap_cents: int | None = None,
    cap_of: CapOf | None = None,
    share_bp: int | None = None,
    pays_rooms: bool = False,
) -> Agreement:
    """An organisation agrees to pay. Managers only; applies to bookings made from now on. Raises `DatesCross`.

    ``cap_of`` says whose cap it is, and is None where there is none; see `membership.models.Agreement`.
    """
    managers_only(actor)
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
            days_per_week=days_per_week,
            cap_cents=cap_cents,
            cap_of=cap_of if cap_cents is not None else None,
            share_bp=share_bp,
            pays_rooms=pays_rooms,
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
    managers_only(actor)
    with write_unit() as unit:
        unit.result = public_id
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
