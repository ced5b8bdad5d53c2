"""Reading what a person may draw on, what is used of it, and what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter
from typing import Literal

from sqlalchemy import bindparam, case, func, literal, null, or_, select, text

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.db import db
from coworking.core.months import month_end, month_of
from coworking.membership.agreement_rules import AgreementTerms, AgreementUse, EmployersLeft
from coworking.membership.allowance_rules import PackTerms, SubscriptionTerms, carried_over, within
from coworking.membership.entitlement import Entitlements
from coworking.membership.models import STANDS, Agreement, LedgerEntry, Pack, PackReturn, Subscription
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.group_queries import LAST_DAY, group_prices_on
from coworking.pricing.group_rules import GroupPrices
from coworking.pricing.models import Quote
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import Basis, Unit

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
        Agreement.days_per_week,
        Agreement.cap_cents,
        Agreement.cap_of,
        Agreement.share_bp,
        Agreement.pays_rooms,
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
    *(null() for _ in range(6)),
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
RETURNED_OF_PACK = (
    select(func.coalesce(func.sum(PackReturn.units), 0))
    .where(PackReturn.pack_id == Pack.id)
    .correlate(Pack)
    .scalar_subquery()
)
"""What was given back of a pack, in its units."""
LEFT_OF_PACK = Pack.units - USED_OF_PACK - RETURNED_OF_PACK
"""What can still be booked on a pack, in its units."""
_PACKS = (
    select(  # in the same columns: what is left stands where the others have their limit, the unit instead of `beyond`
        Pack.id,
        null(),
        Pack.name,
        Pack.valid_from,
        Pack.valid_until,
        null(),
        LEFT_OF_PACK,
        Pack.unit,
        *(null() for _ in range(8)),
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
    *(null() for _ in range(8)),
).where(
    PriceGroupMember.person_id == bindparam("person"),
    PriceGroupMember.valid_from <= bindparam("last"),
    bindparam("first") <= LAST_DAY,
)
_TERMS = _AGREEMENTS.union_all(_SUBSCRIPTIONS, _PACKS, _GROUPS)
_USES_BY_DAY = (
    select(
        Quote.agreement_id,
        Quote.day,
        (Quote.person_id == bindparam("person")).label("mine"),
        func.count(),
        func.sum(Quote.amount_cents),
    )
    .where(
        Quote.payer_organisation_id.in_(bindparam("organisations", expanding=True)),
        Quote.day.between(bindparam("first"), bindparam("last")),
        Quote.state != "released",
    )
    .group_by(Quote.agreement_id, Quote.day, text("mine"))
)


def entitlements_of(
    person_id: int, days: Collection[date], *, only: Literal["own"] | None = None, rooms: bool = False
) -> Entitlements:
    """What ``person_id`` may draw on on ``days``, with what is used of it (at most 2 statements, one more for agreements
    with limits of days or euros). ``only`` what is their ``own``; ``rooms``: what can pay for those alone.

    Inside a unit that holds the person's lock the answer stays true until it ends: every change of a person's ledger
    holds that lock.
    """
    first, last = min(days), max(days)
    agreements, subscriptions, packs, groups = _terms(person_id, first, last)
    reduced = _reduced(groups, days)
    agreements = [one for one in agreements if only is None and (one.pays_rooms or not rooms)]
    if rooms:
        subscriptions = []
    uses = _uses_by_day(person_id, agreements, first, last)
    if rooms or not (agreements or subscriptions):
        return Entitlements(agreements, packs=packs, reduced=reduced, uses_of_agreement=uses)
    by_agreement: dict[tuple[int, date], int] = {}
    by_subscription: dict[tuple[int, date], int] = {}
    for agreement_id, subscription_id, month, used in db.session.execute(
        _USED_BY_MONTH, {"person": person_id, "first": month_of(first), "last": month_of(last)}
    ):
        if agreement_id is not None:
            by_agreement[agreement_id, month] = used
        elif subscription_id is not None:
            by_subscription[subscription_id, month] = used
    of_plans = carried_over(by_subscription, subscriptions)
    return Entitlements(agreements, subscriptions, by_agreement, of_plans, packs, reduced, uses)


def _reduced(groups: Sequence[tuple[int, date, date]], days: Collection[date]) -> dict[date, list[GroupPrices]]:
    """What the groups get that a person belongs to, by day: each (group, first day, last day)."""
    if not groups:
        return {}
    on = {day: {group for group, first, last in groups if first <= day <= last} for day in days}
    return {day: group_prices_on(day, ids) for day, ids in on.items() if ids}


def _uses_by_day(person_id: int, agreements: Iterable[AgreementTerms], first: date, last: date) -> list[AgreementUse]:
    """What counts against limits of days and euros in the weeks and months that ``first`` to ``last`` touch."""
    organisations = {one.organisation_id for one in agreements if one.is_counted_by_day}
    if not organisations:
        return []
    since = min(month_of(first), first - timedelta(days=first.weekday()))
    until = max(month_end(last), last + timedelta(days=6 - last.weekday()))
    values = {"person": person_id, "organisations": organisations, "first": since, "last": until}
    return [
        AgreementUse(agreement_id, day, bool(mine), places, int(cents))
        for agreement_id, day, mine, places, cents in db.session.execute(_USES_BY_DAY, values)
        if agreement_id is not None
    ]


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
    if not _agreements_have_room_for([quote for quote in quotes if quote.agreement_id is not None]):
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


def _agreements_have_room_for(quotes: Sequence[Quote]) -> bool:
    """The same for what employers pay: as many half-days and days, and as much money, as before."""
    if not quotes:
        return True
    person_id, days = quotes[0].person_id, [quote.day for quote in quotes]
    rows = db.session.scalars(select(Agreement).where(Agreement.id.in_({quote.agreement_id for quote in quotes})))
    terms = {row.id: _whoever_belongs(row) for row in rows}
    used: dict[tuple[int, date], int] = {}
    values = {"person": person_id, "first": month_of(min(days)), "last": month_of(max(days))}
    for agreement_id, _subscription_id, month, count in db.session.execute(_USED_BY_MONTH, values):
        if agreement_id is not None:
            used[agreement_id, month] = count
    left = EmployersLeft(used, _uses_by_day(person_id, terms.values(), min(days), max(days)))
    return all(
        left.take_again(terms[quote.agreement_id], quote.day, is_halfday=quote.is_counted, cents=quote.amount_cents)
        for quote in quotes
        if quote.agreement_id is not None
    )


def _whoever_belongs(row: Agreement) -> AgreementTerms:
    """The terms of an agreement for what it has paid already: who has left since is paid on the terms of then."""
    return AgreementTerms(
        id=row.id,
        organisation_id=row.organisation_id,
        name="",
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        weekdays=row.weekdays,
        halfdays_per_month=row.halfdays_per_month,
        beyond="refuse" if row.beyond == "refuse" else "person",
        halfday_cents=row.halfday_cents,
        member_from=row.valid_from,
        member_until=None,
        days_per_week=row.days_per_week,
        cap_cents=row.cap_cents,
        cap_of="organisation" if row.cap_of == "organisation" else None if row.cap_of is None else "person",
        share_bp=row.share_bp,
        pays_rooms=row.pays_rooms,
    )


def _packs_have_room_for(quotes: Sequence[Quote]) -> bool:
    wanted = Counter[int | None]()
    for quote in quotes:
        wanted[quote.pack_id] += quote.units
    rows = db.session.execute(select(Pack.id, LEFT_OF_PACK).where(Pack.id.in_(wanted))) if wanted else ()
    left = {pack_id: int(units) for pack_id, units in rows}
    return all(left.get(pack_id, 0) >= units for pack_id, units in wanted.items() if pack_id is not None)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of one allowance until its last day. ``employer``: ``name`` is the employer's, not one's own plan's.

    In half-days, or minutes of rooms where ``unit`` says so. ``left`` None: no limit. A pack holds beyond the month.
    Of an employer also: ``weekdays``, a bit mask (None: any); ``share_bp``, which part of the price it pays (None: all);
    ``days_left`` of its days of the week; ``cents_left`` of its euros of the month for the person, in ``basis``;
    ``is_shared_cap``: those are for all its people, and what is left of them is not told.
    """

    name: str
    employer: bool
    left: int | None
    total: int | None
    until: date
    unit: Unit = "half_day"
    is_pack: bool = False
    share_bp: int | None = None
    days_left: int | None = None
    cents_left: int | None = None
    basis: Basis = "ttc"
    is_shared_cap: bool = False
    weekdays: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether an employer's payment has any limit."""
        return self.left is not None or self.days_left is not None or self.cents_left is not None or self.is_shared_cap


def remaining(person_id: int, day: date) -> list[Remaining]:
    """What is left in the month of ``day``: the employer's first, one's own plan, then packs (2 statements, 3 where an
    agreement is counted by day)."""
    found = entitlements_of(person_id, [day])
    month, last = month_of(day), month_end(day)

    def left(total: int | None, used: int) -> int | None:
        return None if total is None else max(0, total - used)

    mine = found.used_of_subscription or {}
    theirs = EmployersLeft(found.used_of_agreement, found.uses_of_agreement)
    basis: Basis = prices_on(day).basis if any(a.cap_cents for a in found.agreements) else "ttc"
    plans = [
        Remaining(
            a.name,
            employer=True,
            left=theirs.halfdays_left(a, month),
            total=a.halfdays_per_month,
            until=last,
            share_bp=a.share_bp,
            days_left=None if a.days_per_week is None else max(0, a.days_per_week - len(theirs.days_used(a, day))),
            cents_left=theirs.left_of_cap(a, month) if a.cap_of == "person" else None,
            basis=basis,
            is_shared_cap=a.cap_of == "organisation",
            weekdays=a.weekdays,
        )
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
