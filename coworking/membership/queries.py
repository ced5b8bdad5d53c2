"""Reading people's plans, agreements and what is left of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from sqlalchemy import bindparam, case, func, null, or_, select
from sqlalchemy.orm import joinedload

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.db import db
from coworking.core.errors import NotFound
from coworking.core.months import month_end, month_of
from coworking.membership.entitlement import AgreementTerms, Entitlements, SubscriptionTerms, within
from coworking.membership.models import Adhesion, Agreement, LedgerEntry, MembershipSettings, Plan, Subscription
from coworking.membership.rules import adhesion_rate
from coworking.pricing.models import Quote
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
    null(),
    null(),
).where(
    Subscription.person_id == bindparam("person"),
    Subscription.first_month <= bindparam("last_month"),
    or_(Subscription.last_month.is_(None), Subscription.last_month >= bindparam("first_month")),
)
_TERMS = _AGREEMENTS.union_all(_SUBSCRIPTIONS)


def entitlements_of(person_id: int, days: Collection[date], *, personal_only: bool = False) -> Entitlements:
    """What ``person_id`` may draw on for half-days on ``days``, with what is used of it (at most 2 statements).

    Inside a unit that holds the person's lock the answer stays true until it ends: every change of a person's ledger
    holds that lock.
    """
    first, last = min(days), max(days)
    agreements, subscriptions = _terms(person_id, first, last)
    if personal_only:
        agreements = []
    if not agreements and not subscriptions:
        return Entitlements()
    by_agreement: dict[tuple[int, date], int] = {}
    by_subscription: dict[tuple[int, date], int] = {}
    for agreement_id, subscription_id, month, used in db.session.execute(
        _USED_BY_MONTH, {"person": person_id, "first": month_of(first), "last": month_of(last)}
    ):
        if agreement_id is not None:
            by_agreement[agreement_id, month] = used
        elif subscription_id is not None:
            by_subscription[subscription_id, month] = used
    return Entitlements(agreements, subscriptions, by_agreement, by_subscription)


def _terms(person_id: int, first: date, last: date) -> tuple[list[AgreementTerms], list[SubscriptionTerms]]:
    """The agreements of the person's organisations and the person's subscriptions that touch ``first`` to ``last``."""
    days = {"first": first, "last": last, "first_month": month_of(first), "last_month": month_of(last)}
    agreements, subscriptions = [], []
    for row in db.session.execute(_TERMS, {"person": person_id, **days}).all():
        if row.organisation_id is not None:
            agreements.append(AgreementTerms(*row))
        else:
            subscriptions.append(
                SubscriptionTerms(row.id, row.name, row.valid_from, row.valid_until, row.halfdays_per_month)
            )
    agreements.sort(key=attrgetter("organisation_id", "id"))
    subscriptions.sort(key=attrgetter("id"))
    return agreements, subscriptions


def has_room_for(quotes: Iterable[Quote]) -> bool:
    """Whether the allowances of released ``quotes`` hold their half-days once more, on the terms they have now."""
    wanted = Counter((q.person_id, q.agreement_id, q.subscription_id, q.month) for q in quotes if q.is_counted)
    for (person_id, agreement_id, subscription_id, month), count in wanted.items():
        used = db.session.scalar(
            select(USED).where(
                LedgerEntry.person_id == person_id,
                LedgerEntry.month == month,
                LedgerEntry.agreement_id == agreement_id
                if agreement_id is not None
                else LedgerEntry.subscription_id == subscription_id,
            )
        )
        if agreement_id is not None:
            limit = db.session.get_one(Agreement, agreement_id).halfdays_per_month
        else:
            subscription = db.session.get_one(Subscription, subscription_id)
            limit = subscription.halfdays_per_month
            if not within(month, subscription.first_month, subscription.last_month):
                return False
        if limit is not None and (used or 0) + count > limit:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Remaining:
    """Half-days left of one allowance until the end of its month. ``employer``: its name, None for one's own plan.

    ``left`` and ``total`` None: no limit.
    """

    name: str
    employer: bool
    left: int | None
    total: int | None
    until: date


def remaining(person_id: int, day: date) -> list[Remaining]:
    """What is left in the month of ``day``: the employer's first, then one's own (at most 2 statements)."""
    found = entitlements_of(person_id, [day])
    month, last = month_of(day), month_end(day)

    def left(total: int | None, used: int) -> int | None:
        return None if total is None else max(0, total - used)

    mine = found.used_of_subscription or {}
    theirs = found.used_of_agreement or {}
    return [
        Remaining(a.name, True, left(a.halfdays_per_month, theirs.get((a.id, month), 0)), a.halfdays_per_month, last)
        for a in found.agreements
        if a.member_from <= day and a.valid_from <= day
    ] + [
        Remaining(s.name, False, left(s.halfdays_per_month, mine.get((s.id, month), 0)), s.halfdays_per_month, last)
        for s in found.subscriptions
    ]


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
            .where(Subscription.person_id == person_id)
            .order_by(Subscription.first_month.desc(), Subscription.id.desc())
        )
    )


def has_plan(person_id: int, months: Collection[date]) -> bool:
    """Whether a person has a plan in each of ``months`` (1 statement)."""
    held = [
        (row.first_month, row.last_month)
        for row in db.session.scalars(select(Subscription).where(Subscription.person_id == person_id))
    ]
    return all(any(within(month, first, last) for first, last in held) for month in months)


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
