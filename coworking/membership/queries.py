"""Reading people's plans, agreements and what is left of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased, joinedload

from coworking.accounts.models import OrganisationMember
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_of
from coworking.membership.allowance_queries import LEFT_OF_PACK, RETURNED_OF_PACK
from coworking.membership.allowance_rules import within
from coworking.membership.models import (
    STANDS,
    Adhesion,
    Agreement,
    LedgerEntry,
    MembershipSettings,
    Pack,
    PackOffer,
    PackReturn,
    Plan,
    Subscription,
)
from coworking.membership.rules import adhesion_rate
from coworking.pricing.group_queries import groups_of
from coworking.pricing.group_rules import GroupPrices, PriceFor, price_for
from coworking.pricing.models import Quote
from coworking.pricing.rules import PricedLine, payable_cents, vat_rate
from coworking.spaces import queries as spaces


@dataclass(frozen=True, slots=True)
class PackStanding:
    """A pack, what is left of it in its units, what is booked for days to come, and what was given back."""

    pack: Pack
    left: int
    booked: int
    returned: int = 0

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
        select(Pack, LEFT_OF_PACK, booked, RETURNED_OF_PACK)
        .where(Pack.person_id == person_id)
        .order_by(Pack.valid_until, Pack.id)
    )
    return [PackStanding(pack, int(left), int(units), int(returned)) for pack, left, units, returned in rows]


def returned_of_pack(pack_id: int) -> tuple[int, int]:
    """How many units of a pack were given back, and for how many cents (1 statement)."""
    sums = select(func.coalesce(func.sum(PackReturn.units), 0), func.coalesce(func.sum(PackReturn.cents), 0))
    units, cents = db.session.execute(sums.where(PackReturn.pack_id == pack_id)).one()
    return int(units), int(cents)


def pack_by_public_id(public_id: str) -> Pack:
    """The pack with its owner; raises `NotFound`."""
    found = db.session.scalar(select(Pack).where(Pack.public_id == public_id).options(joinedload(Pack.person)))
    if found is None:
        raise NotFound()
    return found


def left_of_pack(pack_id: int) -> int:
    """What is left of a pack, in its units (1 statement)."""
    return int(db.session.scalar(select(LEFT_OF_PACK).where(Pack.id == pack_id)) or 0)


def packs_ending(first: date, last: date) -> list[Pack]:
    """Packs that end from ``first`` to ``last`` and are not used up (1 statement)."""
    ending = (Pack.valid_until.between(first, last), LEFT_OF_PACK > 0)
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


def pack_cents(offer: PackOffer | str, groups: Sequence[GroupPrices] = ()) -> int:
    """What an offer (or the one of that public id) comes to with its VAT; raises `NotFound`. ``groups``: the buyer's."""
    found = pack_offer_by_public_id(offer) if isinstance(offer, str) else offer
    basis = "ht" if found.basis == "ht" else "ttc"
    cents = price_for(groups, "pack", found.cents, found.id).cents
    return payable_cents([PricedLine(cents, vat_rate(found.vat_rate_bp, spaces.lieu().vat_status), basis)])


def groups_now(person_id: int) -> list[GroupPrices]:
    """What the groups get to which a person belongs today (1 statement)."""
    return groups_of(person_id, spaces.today())


def adhesion_price_of(person_id: int) -> PriceFor | None:
    """What a year costs a person who adheres today; None where the lieu has no adhesions."""
    cents = settings().adhesion_cents
    return None if cents is None else price_for(groups_now(person_id), "adhesion", cents)


def settings() -> MembershipSettings:
    """What the lieu decided about membership; nothing yet: no adhesions."""
    return db.session.get(MembershipSettings, 1) or MembershipSettings(id=1, adhesion_cents=None)


def adhesion_vat_now() -> int | None:
    """The VAT rate at which an adhesion is sold now; None while a VAT-liable lieu has not said how it is taxed."""
    row = settings()
    return adhesion_rate(spaces.lieu().vat_status, row.adhesion_vat, row.adhesion_vat_rate_bp)


def plans(*, closed: bool = False) -> list[Plan]:
    """Plans that can be chosen (and the ``closed`` ones), the cheapest first; for a group those with its name."""
    statement = select(Plan).options(joinedload(Plan.group)).order_by(Plan.is_open.desc(), Plan.monthly_cents, Plan.id)
    return list(db.session.scalars(statement if closed else statement.where(Plan.is_open)))


def public_plans() -> list[Plan]:
    """The plans that whoever comes could take: those for members of the association too, as anyone can become one."""
    for_all = or_(Plan.taken_by.is_(None), Plan.taken_by == "adherents")
    return list(db.session.scalars(select(Plan).where(Plan.is_open, for_all).order_by(Plan.monthly_cents, Plan.id)))


def plan_holders() -> dict[int, int]:
    """How many people have each plan this month or later, by its id (1 statement)."""
    still = or_(Subscription.last_month.is_(None), Subscription.last_month >= month_of(spaces.today()))
    rows = db.session.execute(
        select(Subscription.plan_id, func.count(Subscription.person_id.distinct()))
        .where(STANDS, Subscription.from_day.is_(None), still)
        .group_by(Subscription.plan_id)
    )
    return dict(rows.all())


def pack_holders() -> dict[int, int]:
    """How many people have something left of each pack that is or was offered, by the offer's id (1 statement)."""
    rows = db.session.execute(
        select(Pack.offer_id, func.count(Pack.person_id.distinct()))
        .where(Pack.valid_until >= spaces.today(), LEFT_OF_PACK > 0)
        .group_by(Pack.offer_id)
    )
    return dict(rows.all())


def adherents_on(day: date) -> int:
    """How many people are members of the association on ``day`` (1 statement)."""
    return (
        db.session.scalar(
            select(func.count(Adhesion.person_id.distinct())).where(
                Adhesion.valid_from <= day, Adhesion.valid_until >= day
            )
        )
        or 0
    )


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


def had_a_plan(person_id: int) -> bool:
    """Whether the person has or had any plan that was not taken back (1 statement)."""
    held = select(Subscription.id).where(Subscription.person_id == person_id, STANDS)
    return bool(db.session.scalar(select(held.exists())))


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
    ends_whole = (Subscription.last_month == month, Subscription.ends_on.is_(None))
    ending = (STANDS, Subscription.from_day.is_(None), *ends_whole, ~followed.exists())
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
