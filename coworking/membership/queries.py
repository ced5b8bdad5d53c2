"""Reading people's plans, agreements and what is left of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import Literal

from sqlalchemy import bindparam, case, func, literal, null, or_, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_end, month_of
from coworking.membership.agreement_rules import AgreementTerms
from coworking.membership.allowance_rules import PackTerms, SubscriptionTerms, carried_over, within
from coworking.membership.entitlement import Entitlements
from coworking.membership.models import (
    STANDS,
    Adhesion,
    Agreement,
    LedgerEntry,
    MembershipSettings,
    Pack,
    PackOffer,
    Plan,
    Subscription,
)
from coworking.membership.rules import adhesion_rate
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.group_queries import LAST_DAY, group_prices_on
from coworking.pricing.group_rules import GroupPrices
from coworking.pricing.models import Quote
from coworking.pricing.rules import PricedLine, Unit, payable_cents, vat_rate
from coworking.spaces import queries as spaces

USED = func.sum(case((LedgerEntry.kind == "hold", 1), (LedgerEntry.kind == "release", -1), else_=0))
"""Half-days used of an allowance: those held and not released. Consuming changes nothing."""


# What every booking asks is built once. `first` and `last` are days, or the first days of months.
_USED_BY_MONTH = (
    select(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month, USED)
    .where(
        LedgerEntry.person_id == bindparam("person"),
        LedgerEntry.month >= bindparam("first"),
        LedgerEntry.month <= bindparam("last"),
    )
    .group_by(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month)
)
_AGREEMENTS = (
    select(
        Agreement.id,
        Agreement.organisation_id,
        Organisation.name,
        Agreement.valid_from,
        Agreement.valid_until,
        Agreement.weekdays,
        Agreement.halfdays_per_month,
        Agreement.beyond,
        Agreement.halfday_cents,
        OrganisationMember.since,
        OrganisationMember.until,
    )
    .join(Organisation, Organisation.id == Agreement.organisation_id)
    .join(OrganisationMember, OrganisationMember.organisation_id == Agreement.organisation_id)
    .where(
        OrganisationMember.person_id == bindparam("person"),
        OrganisationMember.since <= bindparam("last"),
        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= bindparam("first")),
        Agreement.valid_from <= bindparam("last"),
        or_(Agreement.valid_until.is_(None), Agreement.valid_until >= bindparam("first")),
    )
)
_SUBSCRIPTIONS = select(  # in the columns of the agreements; what only these have is null
    Subscription.id,
    null(),
    Subscription.name,
    Subscription.first_month,
    Subscription.last_month,
    null(),
    Subscription.halfdays_per_month,
    null(),
    null(),
    Subscription.from_day,
    null(),
).where(
    STANDS,
    Subscription.person_id == bindparam("person"),
    Subscription.first_month <= bindparam("last_month"),
    or_(Subscription.last_month.is_(None), Subscription.last_month >= bindparam("first_month")),
)
USED_OF_PACK = (
    select(
        func.coalesce(
            func.sum(
                case(
                    (LedgerEntry.kind == "hold", LedgerEntry.units), (LedgerEntry.kind == "release", -LedgerEntry.units)
                )
            ),
            0,
        )
    )
    .where(LedgerEntry.pack_id == Pack.id)
    .correlate(Pack)
    .scalar_subquery()
)
"""What is held of a pack and not released, in its units."""
_PACKS = (
    select(  # in the same columns: what is left stands where the others have their limit, the unit instead of `beyond`
        Pack.id,
        null(),
        Pack.name,
        Pack.valid_from,
        Pack.valid_until,
        null(),
        Pack.units - USED_OF_PACK,
        Pack.unit,
        null(),
        null(),
        null(),
    ).where(
        Pack.person_id == bindparam("person"),
        Pack.valid_from <= bindparam("last"),
        Pack.valid_until >= bindparam("first"),
    )
)
_GROUPS = select(  # in the same columns: the group stands where the others have their weekdays
    PriceGroupMember.id,
    null(),
    null(),
    PriceGroupMember.valid_from,
    LAST_DAY,
    PriceGroupMember.group_id,
    null(),
    literal("group"),
    null(),
    null(),
    null(),
).where(
    PriceGroupMember.person_id == bindparam("person"),
    PriceGroupMember.valid_from <= bindparam("last"),
    bindparam("first") <= LAST_DAY,
)
_TERMS = _AGREEMENTS.union_all(_SUBSCRIPTIONS, _PACKS, _GROUPS)


def entitlements_of(
    person_id: int, days: Collection[date], *, only: Literal["own", "packs"] | None = None
) -> Entitlements:
    """What ``person_id`` may draw on on ``days``, with what is used of it (at most 2 statements). ``only`` what is their
    ``own``, or only their ``packs``, which is all that rooms can be paid with (1 statement).

    Inside a unit that holds the person's lock the answer stays true until it ends: every change of a person's ledger
    holds that lock.
    """
    first, last = min(days), max(days)
    agreements, subscriptions, packs, groups = _terms(person_id, first, last)
    reduced = _reduced(groups, days)
    if only is not None:
        agreements = []
    if only == "packs" or not (agreements or subscriptions):
        return Entitlements(packs=packs, reduced=reduced)
    by_agreement: dict[tuple[int, date], int] = {}
    by_subscription: dict[tuple[int, date], int] = {}
    for agreement_id, subscription_id, month, used in db.session.execute(
        _USED_BY_MONTH, {"person": person_id, "first": month_of(first), "last": month_of(last)}
    ):
        if agreement_id is not None:
            by_agreement[agreement_id, month] = used
        elif subscription_id is not None:
            by_subscription[subscription_id, month] = used
    return Entitlements(
        agreements, subscriptions, by_agreement, carried_over(by_subscription, subscriptions), packs, reduced
    )


def _reduced(groups: Sequence[tuple[int, date, date]], days: Collection[date]) -> dict[date, list[GroupPrices]]:
    """What the groups get that a person belongs to, by day: each (group, first day, last day)."""
    if not groups:
        return {}
    on = {day: {group for group, first, last in groups if first <= day <= last} for day in days}
    return {day: group_prices_on(day, ids) for day, ids in on.items() if ids}


def _terms(
    person_id: int, first: date, last: date
) -> tuple[list[AgreementTerms], list[SubscriptionTerms], list[PackTerms], list[tuple[int, date, date]]]:
    """The agreements of the person's organisations, their subscriptions, packs and groups (each with its first and last
    day) that touch ``first`` to ``last``."""
    days = {"first": first, "last": last, "first_month": month_of(first), "last_month": month_of(last)}
    agreements, subscriptions, packs, groups = [], [], [], []
    for row in db.session.execute(_TERMS, {"person": person_id, **days}).all():
        if row.organisation_id is not None:
            agreements.append(AgreementTerms(*row))
        elif row.beyond == "group":
            groups.append((row.weekdays, row.valid_from, row.valid_until))
        elif row.beyond is not None:
            unit: Unit = "hour" if row.beyond == "hour" else "half_day"
            packs.append(PackTerms(row.id, row.name, unit, row.valid_from, row.valid_until, row.halfdays_per_month))
        else:
            terms = (row.id, row.name, row.valid_from, row.valid_until, row.halfdays_per_month, row.since)
            subscriptions.append(SubscriptionTerms(*terms))
    agreements.sort(key=attrgetter("organisation_id", "id"))
    subscriptions.sort(key=attrgetter("id"))
    packs.sort(key=attrgetter("valid_until", "id"))
    return agreements, subscriptions, packs, groups


def has_room_for(quotes: Iterable[Quote]) -> bool:
    """Whether the allowances of released ``quotes`` hold their half-days once more, on the terms they have now."""
    quotes = list(quotes)
    of_agreements = Counter((q.person_id, q.agreement_id, q.month) for q in quotes if q.agreement_id is not None)
    for (person_id, agreement_id, month), count in of_agreements.items():
        used = db.session.scalar(
            select(USED).where(
                LedgerEntry.person_id == person_id,
                LedgerEntry.month == month,
                LedgerEntry.agreement_id == agreement_id,
            )
        )
        limit = db.session.get_one(Agreement, agreement_id).halfdays_per_month
        if limit is not None and (used or 0) + count > limit:
            return False
    of_plans = Counter((q.person_id, q.subscription_id, q.month) for q in quotes if q.subscription_id is not None)
    for (person_id, subscription_id, month), count in of_plans.items():
        found = entitlements_of(person_id, [month, month_end(month)], only="own")
        plan = next((one for one in found.subscriptions if one.id == subscription_id), None)
        if plan is None or not within(month, plan.first_month, plan.last_month):
            return False
        taken = (found.used_of_subscription or {}).get((plan.id, month), 0)
        if plan.halfdays_per_month is not None and taken + count > plan.halfdays_per_month:
            return False
    return _packs_have_room_for([quote for quote in quotes if quote.pack_id is not None])


def _packs_have_room_for(quotes: Sequence[Quote]) -> bool:
    wanted = Counter[int | None]()
    for quote in quotes:
        wanted[quote.pack_id] += quote.units
    rows = db.session.execute(select(Pack.id, Pack.units - USED_OF_PACK).where(Pack.id.in_(wanted))) if wanted else ()
    left = {pack_id: int(units) for pack_id, units in rows}
    return all(left.get(pack_id, 0) >= units for pack_id, units in wanted.items() if pack_id is not None)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of one allowance until its last day. ``employer``: ``name`` is the employer's, not one's own plan's.

    In half-days, or minutes of rooms where ``unit`` says so. ``left`` None: no limit. A pack holds beyond the month.
    """

    name: str
    employer: bool
    left: int | None
    total: int | None
    until: date
    unit: Unit = "half_day"
    is_pack: bool = False


def remaining(person_id: int, day: date) -> list[Remaining]:
    """What is left in the month of ``day``: the employer's first, one's own plan, then packs (at most 2 statements)."""
    found = entitlements_of(person_id, [day])
    month, last = month_of(day), month_end(day)

    def left(total: int | None, used: int) -> int | None:
        return None if total is None else max(0, total - used)

    mine = found.used_of_subscription or {}
    theirs = found.used_of_agreement or {}
    plans = [
        Remaining(a.name, True, left(a.halfdays_per_month, theirs.get((a.id, month), 0)), a.halfdays_per_month, last)
        for a in found.agreements
        if a.member_from <= day and a.valid_from <= day
    ] + [
        Remaining(s.name, False, left(s.halfdays_per_month, mine.get((s.id, month), 0)), s.halfdays_per_month, last)
        for s in found.subscriptions
        if s.from_day is None or s.from_day <= day
    ]
    return plans + [
        Remaining(p.name, False, p.left, None, p.valid_until, p.unit, is_pack=True) for p in found.packs if p.left
    ]


@dataclass(frozen=True, slots=True)
class PackStanding:
    """A pack, what is left of it in its units, and what of that is booked for days to come."""

    pack: Pack
    left: int
    booked: int

    def is_over(self, today: date) -> bool:
        """Whether nothing can be used of it any more."""
        return self.pack.valid_until < today or (self.left == 0 and self.booked == 0)


def packs_of(person_id: int, today: date) -> list[PackStanding]:
    """Every pack of the person, the one that ends first comes first (1 statement)."""
    held, other = aliased(LedgerEntry), aliased(LedgerEntry)
    booked = (
        select(func.coalesce(func.sum(held.units), 0))
        .join(Quote, Quote.id == held.quote_id)
        .where(
            held.pack_id == Pack.id,
            held.kind == "hold",
            Quote.day >= today,
            ~select(other.id).where(other.quote_id == held.quote_id, other.kind != "hold").exists(),
        )
        .correlate(Pack)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Pack, Pack.units - USED_OF_PACK, booked)
        .where(Pack.person_id == person_id)
        .order_by(Pack.valid_until, Pack.id)
    )
    return [PackStanding(pack, int(left), int(units)) for pack, left, units in rows]


def left_of_pack(pack_id: int) -> int:
    """What is left of a pack, in its units (1 statement)."""
    return int(db.session.scalar(select(Pack.units - USED_OF_PACK).where(Pack.id == pack_id)) or 0)


def packs_ending(first: date, last: date) -> list[Pack]:
    """Packs that end from ``first`` to ``last`` and are not used up (1 statement)."""
    ending = (Pack.valid_until.between(first, last), Pack.units > USED_OF_PACK)
    return list(db.session.scalars(select(Pack).where(*ending).order_by(Pack.id)))


def pack_offers(*, closed: bool = False) -> list[PackOffer]:
    """Packs that can be bought (and the ``closed`` ones), half-days first, the cheapest first."""
    statement = select(PackOffer).order_by(PackOffer.is_open.desc(), PackOffer.unit, PackOffer.cents, PackOffer.id)
    return list(db.session.scalars(statement if closed else statement.where(PackOffer.is_open)))


def pack_offer_by_public_id(public_id: str) -> PackOffer:
    """The offer; raises `NotFound`."""
    found = db.session.scalar(select(PackOffer).where(PackOffer.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def pack_cents(offer: PackOffer | str) -> int:
    """What an offer (or the one of that public id) comes to with its VAT; raises `NotFound`."""
    found = pack_offer_by_public_id(offer) if isinstance(offer, str) else offer
    basis = "ht" if found.basis == "ht" else "ttc"
    return payable_cents([PricedLine(found.cents, vat_rate(found.vat_rate_bp, spaces.lieu().vat_status), basis)])


def settings() -> MembershipSettings:
    """What the lieu decided about membership; nothing yet: no adhesions."""
    return db.session.get(MembershipSettings, 1) or MembershipSettings(id=1, adhesion_cents=None)


def adhesion_vat_now() -> int | None:
    """The VAT rate at which an adhesion is sold now; None while a VAT-liable lieu has not said how it is taxed."""
    row = settings()
    return adhesion_rate(spaces.lieu().vat_status, row.adhesion_vat, row.adhesion_vat_rate_bp)


def plans(*, closed: bool = False) -> list[Plan]:
    """Plans that can be chosen (and the ``closed`` ones), the cheapest first."""
    statement = select(Plan).order_by(Plan.is_open.desc(), Plan.monthly_cents, Plan.id)
    return list(db.session.scalars(statement if closed else statement.where(Plan.is_open)))


def plan_by_public_id(public_id: str) -> Plan:
    """The plan; raises `NotFound`."""
    found = db.session.scalar(select(Plan).where(Plan.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def subscriptions_of(person_id: int) -> list[Subscription]:
    """Every subscription of the person, the latest first."""
    return list(
        db.session.scalars(
            select(Subscription)
            .where(Subscription.person_id == person_id, STANDS)
            .order_by(Subscription.first_month.desc(), Subscription.id.desc())
        )
    )


def has_plan(person_id: int, months: Collection[date]) -> bool:
    """Whether a person has a plan in each of ``months`` (1 statement)."""
    held = [
        (row.first_month, row.last_month)
        for row in db.session.scalars(select(Subscription).where(Subscription.person_id == person_id, STANDS))
    ]
    return all(any(within(month, first, last) for first, last in held) for month in months)


def plans_ending(month: date) -> list[Subscription]:
    """Plans that end with ``month`` and are not followed by another (1 statement)."""
    following = aliased(Subscription)
    followed = select(following.id).where(
        following.replaces_id == Subscription.id, following.from_day.is_(None), following.withdrawn_at.is_(None)
    )
    ending = (STANDS, Subscription.from_day.is_(None), Subscription.last_month == month, ~followed.exists())
    return list(db.session.scalars(select(Subscription).where(*ending).order_by(Subscription.id)))


def plans_resuming(month: date) -> list[Subscription]:
    """Plans that rest and go on with ``month`` (1 statement)."""
    former = aliased(Subscription)
    resuming = (STANDS, Subscription.first_month == month, former.last_month < month_of(month - timedelta(days=1)))
    return list(
        db.session.scalars(
            select(Subscription)
            .join(former, former.id == Subscription.replaces_id)
            .where(*resuming)
            .order_by(Subscription.id)
        )
    )


def adhesions_ending(first: date, last: date) -> list[str]:
    """The public ids of adhesions that end from ``first`` to ``last`` and are not renewed yet (1 statement)."""
    later = aliased(Adhesion)
    renewed = select(later.id).where(later.person_id == Adhesion.person_id, later.valid_until > Adhesion.valid_until)
    ending = (Adhesion.valid_until.between(first, last), ~renewed.exists())
    return list(db.session.scalars(select(Adhesion.public_id).where(*ending).order_by(Adhesion.id)))


def adhesions_of(person_id: int) -> list[Adhesion]:
    """Every adhesion of the person, the latest first."""
    return list(
        db.session.scalars(
            select(Adhesion)
            .where(Adhesion.person_id == person_id)
            .order_by(Adhesion.valid_until.desc(), Adhesion.id.desc())
        )
    )


def last_adhesion_day(person_id: int) -> date | None:
    """The last day the person's adhesions reach; None without any."""
    return db.session.scalar(select(func.max(Adhesion.valid_until)).where(Adhesion.person_id == person_id))


def agreements_of(organisation_id: int) -> list[Agreement]:
    """Every agreement of the organisation, the latest first."""
    return list(
        db.session.scalars(
            select(Agreement)
            .where(Agreement.organisation_id == organisation_id)
            .order_by(Agreement.valid_from.desc(), Agreement.id.desc())
        )
    )


def employers_of(person_id: int, day: date) -> Sequence[OrganisationMember]:
    """The organisations the person belongs to on ``day``."""
    return db.session.scalars(
        select(OrganisationMember)
        .where(
            OrganisationMember.person_id == person_id,
            OrganisationMember.since <= day,
            or_(OrganisationMember.until.is_(None), OrganisationMember.until >= day),
        )
        .options(joinedload(OrganisationMember.organisation))
        .order_by(OrganisationMember.id)
    ).all()
