"""Reading what a person may draw on, what is used of it, and what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import bindparam, func, select, text

from coworking.core.db import db
from coworking.core.months import month_end, month_of
from coworking.membership import queries
from coworking.membership.agreement_rules import AgreementTerms, AgreementUse, EmployersLeft
from coworking.membership.allowance_queries import LEFT_OF_PACK, terms_of_person, used_by_month
from coworking.membership.allowance_rules import (
    PlansLeft,
    SubscriptionTerms,
    brought_into_following,
    counted_in_following,
    within,
)
from coworking.membership.entitlement import Entitlements
from coworking.membership.models import Agreement, Pack
from coworking.pricing.group_queries import group_prices_on
from coworking.pricing.group_rules import ANY, GroupPrices
from coworking.pricing.models import Quote
from coworking.pricing.queries import prices_on
from coworking.pricing.rules import UNITS, Basis, Unit
from coworking.spaces import queries as spaces

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
    first, last, now_running = min(days), max(days), month_of(spaces.today())
    agreements, subscriptions, packs, groups = terms_of_person(person_id, first, last, now_running)
    reduced = _reduced(groups, days)
    agreements = [one for one in agreements if only is None and (one.pays_rooms or not rooms)]
    if rooms:
        subscriptions = [one for one in subscriptions if one.room_minutes is not None]
    uses = _uses_by_day(person_id, agreements, first, last)
    if not subscriptions and (rooms or not agreements):
        return Entitlements(agreements, packs=packs, reduced=reduced, uses_of_agreement=uses)
    rolls_over = any(one.rollover("half_day") or one.rollover("hour") for one in subscriptions)
    since, until = month_of(first), month_of(last)
    if rolls_over:
        since, until = min(since, *(one.first_month for one in subscriptions)), max(until, now_running)
    used = used_by_month(person_id, since, until)
    return Entitlements(
        agreements,
        subscriptions,
        used.of_agreement,
        counted_in_following(used.of_plan, subscriptions),
        packs,
        reduced,
        uses,
        now_running if rolls_over else None,
        brought=brought_into_following(used.brought, subscriptions),
    )


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


def has_room_for(quotes: Iterable[Quote]) -> bool:
    """Whether the allowances of released ``quotes`` hold their half-days once more, on the terms they have now."""
    quotes = list(quotes)
    if not _agreements_have_room_for([quote for quote in quotes if quote.agreement_id is not None]):
        return False
    of_plans = Counter[tuple[int, int, date, Unit]]()
    for quote in quotes:
        if quote.subscription_id is not None:
            unit: Unit = "half_day" if quote.unit == "half_day" else "hour"
            of_plans[quote.person_id, quote.subscription_id, quote.month, unit] += quote.units
    for (person_id, subscription_id, month, unit), count in of_plans.items():
        found = entitlements_of(person_id, [month, month_end(month)], only="own")
        plan = next((one for one in found.subscriptions if one.id == subscription_id and one.is_of(month)), None)
        if plan is None or not found.plans_left.holds(plan, unit, month, count):
            return False
    return _packs_have_room_for([quote for quote in quotes if quote.pack_id is not None])


def _agreements_have_room_for(quotes: Sequence[Quote]) -> bool:
    """The same for what employers pay: as many half-days and days, and as much money, as before."""
    if not quotes:
        return True
    person_id, days = quotes[0].person_id, [quote.day for quote in quotes]
    rows = db.session.scalars(select(Agreement).where(Agreement.id.in_({quote.agreement_id for quote in quotes})))
    terms = {row.id: _whoever_belongs(row) for row in rows}
    used = used_by_month(person_id, month_of(min(days)), month_of(max(days))).of_agreement
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
    ``is_shared_cap``: those are for all its people, and what is left of them is not told. ``carried``: what of ``total``
    came over from the month before.
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
    carried: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether an employer's payment has any limit."""
        return self.left is not None or self.days_left is not None or self.cents_left is not None or self.is_shared_cap


def remaining(person_id: int, day: date) -> list[Remaining]:
    """What is left in the month of ``day``: the employer's first, one's own plan, then packs (2 statements, 3 where an
    agreement is counted by day)."""
    found = entitlements_of(person_id, [day])
    month, last = month_of(day), month_end(day)

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
        one
        for plan in found.subscriptions
        if plan.is_of(month) and within(day, plan.from_day or day, plan.ends_on)
        for unit in UNITS
        if plan.gives(unit)
        for one in [_remaining_of(plan, unit, month, found.plans_left)]
    ]
    return plans + [
        Remaining(p.name, False, p.left, None, p.valid_until, p.unit, is_pack=True) for p in found.packs if p.left
    ]


def _remaining_of(plan: SubscriptionTerms, unit: Unit, month: date, plans_left: PlansLeft) -> Remaining:
    given, left = plan.given(unit, month), plans_left.left(plan, unit, month)
    carried = plans_left.carried(plan, unit, month)
    return Remaining(
        plan.name,
        employer=False,
        left=None if left is None else max(0, left),
        total=None if given is None else given + carried,
        until=plan.last_day_of(month),
        unit=unit,
        carried=carried,
    )


def full_prices(day: date) -> dict[tuple[str, int], int]:
    """What everyone pays on ``day``, in cents, by kind and the id of a plan or pack (`ANY` for all other kinds)."""
    found = {(kind, ANY): cents for kind, cents in prices_on(day).by_kind.items()}
    year = queries.settings().adhesion_cents
    found |= {("adhesion", ANY): year} if year else {}
    found |= {("pack", offer.id): offer.cents for offer in queries.pack_offers()}
    return found | {("plan", plan.id): plan.monthly_cents for plan in queries.plans()}
