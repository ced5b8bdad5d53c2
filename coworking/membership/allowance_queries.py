"""Reading the terms of what a person may draw on, and how much of it is used, in as few statements as can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from coworking.accounts.models import Organisation, OrganisationMember
from coworking.core.db import db
from coworking.core.months import month_of
from coworking.membership.agreement_rules import AgreementTerms
from coworking.membership.allowance_rules import (
    Brought,
    PackTerms,
    PlansLeft,
    SubscriptionTerms,
    brought_into_following,
    counted_in_following,
)
from coworking.membership.models import STANDS, Agreement, LedgerEntry, Pack, PackReturn, Subscription
from coworking.pricing.group_models import PriceGroupMember
from coworking.pricing.group_queries import LAST_DAY
from coworking.pricing.rules import Unit

_OPENED = case((LedgerEntry.kind == "opening", LedgerEntry.units), else_=0)
USED = func.sum(case((LedgerEntry.kind == "hold", 1), (LedgerEntry.kind == "release", -1), else_=_OPENED))
"""Half-days used of an allowance: those brought along, and those held and not released. Consuming changes nothing."""


# What every booking asks is built once. `first` and `last` are days, or the first days of months.
UNITS_USED = func.sum(
    case(
        (LedgerEntry.kind == "hold", func.coalesce(LedgerEntry.units, 1)),
        (LedgerEntry.kind == "release", -func.coalesce(LedgerEntry.units, 1)),
        else_=_OPENED,
    )
)
"""What was brought along, and what is held and not released, in half-days, or in minutes where those are counted."""
IN_ROOMS = and_(LedgerEntry.units.is_not(None), LedgerEntry.unit.is_distinct_from(literal_column("'half_day'")))
"""Whether an entry of a plan counts minutes of rooms."""
_BROUGHT = (func.sum(_OPENED), func.sum(case((LedgerEntry.kind == "carried", LedgerEntry.units), else_=0)))
_USED_BY_MONTH = (
    select(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month, IN_ROOMS, UNITS_USED, *_BROUGHT)
    .where(
        LedgerEntry.person_id == bindparam("person"),
        LedgerEntry.month >= bindparam("first"),
        LedgerEntry.month <= bindparam("last"),
        LedgerEntry.pack_id.is_(None),
    )
    .group_by(LedgerEntry.agreement_id, LedgerEntry.subscription_id, LedgerEntry.month, IN_ROOMS)
)

# The terms of all allowances are read by one statement: each kind fills its columns, the others are null.
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "kind": String(),
    "id": BigInteger(),
    "name": String(),
    "first": Date(),
    "last": Date(),
    "halfdays": Integer(),
    "organisation_id": BigInteger(),
    "weekdays": Integer(),
    "beyond": String(),
    "halfday_cents": Integer(),
    "since": Date(),
    "until": Date(),
    "days_per_week": Integer(),
    "cap_cents": Integer(),
    "cap_of": String(),
    "share_bp": Integer(),
    "pays_rooms": Boolean(),
    "room_minutes": Integer(),
    "rollover_halfdays": Integer(),
    "rollover_minutes": Integer(),
    "first_halfdays": Integer(),
    "first_room_minutes": Integer(),
    "replaces_id": BigInteger(),
    "ends": Date(),
    "unit": String(),
    "left": Integer(),
}


def _terms_of(kind: str, **given: Any) -> Select[*tuple[Any, ...]]:
    """A part of `_TERMS`: the columns ``given``, and null for the others."""
    return select(
        *(
            literal(kind, String()).label(name) if name == "kind" else given.get(name, cast(null(), of)).label(name)
            for name, of in _COLUMNS.items()
        )
    )


_AGREEMENTS = (
    _terms_of(
        "agreement",
        id=Agreement.id,
        name=Organisation.name,
        first=Agreement.valid_from,
        last=Agreement.valid_until,
        halfdays=Agreement.halfdays_per_month,
        organisation_id=Agreement.organisation_id,
        weekdays=Agreement.weekdays,
        beyond=Agreement.beyond,
        halfday_cents=Agreement.halfday_cents,
        since=OrganisationMember.since,
        until=OrganisationMember.until,
        days_per_week=Agreement.days_per_week,
        cap_cents=Agreement.cap_cents,
        cap_of=Agreement.cap_of,
        share_bp=Agreement.share_bp,
        pays_rooms=Agreement.pays_rooms,
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
_OF_SUBSCRIPTION: dict[str, Any] = {
    "id": Subscription.id,
    "name": Subscription.name,
    "first": Subscription.first_month,
    "last": Subscription.last_month,
    "halfdays": Subscription.halfdays_per_month,
    "since": Subscription.from_day,
    "until": Subscription.begins_on,
    "room_minutes": Subscription.room_minutes,
    "rollover_halfdays": Subscription.rollover_halfdays,
    "rollover_minutes": Subscription.rollover_minutes,
    "first_halfdays": Subscription.first_halfdays,
    "first_room_minutes": Subscription.first_room_minutes,
    "replaces_id": Subscription.replaces_id,
    "ends": Subscription.ends_on,
}
_SUBSCRIPTIONS = _terms_of("subscription", **_OF_SUBSCRIPTION).where(
    STANDS,  # those that are over too: what is left of them may go over
    Subscription.person_id == bindparam("person"),
    Subscription.first_month <= bindparam("last_month"),
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
_PACKS = _terms_of(
    "pack",
    id=Pack.id,
    name=Pack.name,
    first=Pack.valid_from,
    last=Pack.valid_until,
    unit=Pack.unit,
    left=LEFT_OF_PACK,
).where(
    Pack.person_id == bindparam("person"),
    Pack.valid_from <= bindparam("last"),
    Pack.valid_until >= bindparam("first"),
)
_GROUPS = _terms_of("group", id=PriceGroupMember.group_id, first=PriceGroupMember.valid_from, last=LAST_DAY).where(
    PriceGroupMember.person_id == bindparam("person"),
    PriceGroupMember.valid_from <= bindparam("last"),
    bindparam("first") <= LAST_DAY,
)
_TERMS = _AGREEMENTS.union_all(_SUBSCRIPTIONS, _PACKS, _GROUPS)


def terms_of_person(
    person_id: int, first: date, last: date, this_month: date
) -> tuple[list[AgreementTerms], list[SubscriptionTerms], list[PackTerms], list[tuple[int, date, date]]]:
    """The agreements of the person's organisations, their packs and groups (each with its first and last day) that touch
    ``first`` to ``last``; their subscriptions that do, and where anything goes over from month to month all until then and
    until ``this_month`` (1 statement)."""
    days = {"first": first, "last": last, "last_month": max(month_of(last), this_month)}
    agreements, subscriptions, packs, groups = [], [], [], []
    for row in db.session.execute(_TERMS, {"person": person_id, **days}).all():
        if row.kind == "agreement":
            agreements.append(_agreement_terms(row))
        elif row.kind == "group":
            groups.append((row.id, row.first, row.last))
        elif row.kind == "pack":
            unit: Unit = "hour" if row.unit == "hour" else "half_day"
            packs.append(PackTerms(row.id, row.name, unit, row.first, row.last, int(row.left)))
        else:
            subscriptions.append(_subscription_terms(row))
    if not any(one.rollover("half_day") or one.rollover("hour") for one in subscriptions):
        subscriptions = [
            one
            for one in subscriptions
            if one.first_month <= month_of(last) and (one.last_month is None or one.last_month >= month_of(first))
        ]
    agreements.sort(key=attrgetter("organisation_id", "id"))
    subscriptions.sort(key=attrgetter("id"))
    packs.sort(key=attrgetter("valid_until", "id"))
    return agreements, subscriptions, packs, groups


def _agreement_terms(row: Any) -> AgreementTerms:
    return AgreementTerms(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.name,
        valid_from=row.first,
        valid_until=row.last,
        weekdays=row.weekdays,
        halfdays_per_month=row.halfdays,
        beyond=row.beyond,
        halfday_cents=row.halfday_cents,
        member_from=row.since,
        member_until=row.until,
        days_per_week=row.days_per_week,
        cap_cents=row.cap_cents,
        cap_of=row.cap_of,
        share_bp=row.share_bp,
        pays_rooms=row.pays_rooms,
    )


def _subscription_terms(row: Any) -> SubscriptionTerms:
    return SubscriptionTerms(
        id=row.id,
        name=row.name,
        first_month=row.first,
        last_month=row.last,
        halfdays_per_month=row.halfdays,
        from_day=row.since,
        room_minutes=row.room_minutes,
        rollover_halfdays=row.rollover_halfdays,
        rollover_minutes=row.rollover_minutes,
        begins_on=row.until,
        first_halfdays=row.first_halfdays,
        first_room_minutes=row.first_room_minutes,
        replaces_id=row.replaces_id,
        ends_on=row.ends,
    )


class UsedByMonth(NamedTuple):
    """What is used by month: half-days by agreement, half-days or minutes by plan, and what was brought into plans."""

    of_agreement: dict[tuple[int, date], int]
    of_plan: dict[tuple[int, date, Unit], int]
    brought: dict[tuple[int, date, Unit], Brought]


def used_by_month(person_id: int, first: date, last: date) -> UsedByMonth:
    """Half-days of agreements and what is used of plans, from month ``first`` to ``last`` (1 statement)."""
    found = UsedByMonth({}, {}, {})
    for agreement_id, subscription_id, month, in_rooms, used, opened, carried in db.session.execute(
        _USED_BY_MONTH, {"person": person_id, "first": first, "last": last}
    ):
        unit: Unit = "hour" if in_rooms else "half_day"
        if agreement_id is not None:
            found.of_agreement[agreement_id, month] = int(used)
        elif subscription_id is not None:
            found.of_plan[subscription_id, month, unit] = int(used)
            if opened or carried:
                found.brought[subscription_id, month, unit] = Brought(int(opened), int(carried))
    return found


def plans_left_of(person_ids: Collection[int], this_month: date) -> dict[int, PlansLeft]:
    """What is left of the plans of each person, in all of their months (2 statements)."""
    plans: dict[int, list[SubscriptionTerms]] = defaultdict(list)
    terms = (column.label(name) for name, column in _OF_SUBSCRIPTION.items())
    whose = select(Subscription.person_id, *terms).where(STANDS, Subscription.person_id.in_(person_ids))
    for row in db.session.execute(whose.order_by(Subscription.id)):
        plans[row.person_id].append(_subscription_terms(row))
    used: dict[int, dict[tuple[int, date, Unit], int]] = defaultdict(dict)
    brought: dict[int, dict[tuple[int, date, Unit], Brought]] = defaultdict(dict)
    of_plan = (LedgerEntry.person_id, LedgerEntry.subscription_id, LedgerEntry.month, IN_ROOMS)
    held = LedgerEntry.subscription_id.is_not(None)
    for person_id, subscription_id, month, in_rooms, units, opened, carried in db.session.execute(
        select(*of_plan, UNITS_USED, *_BROUGHT).where(LedgerEntry.person_id.in_(person_ids), held).group_by(*of_plan)
    ):
        unit: Unit = "hour" if in_rooms else "half_day"
        used[person_id][subscription_id or 0, month, unit] = int(units)
        if opened or carried:
            brought[person_id][subscription_id or 0, month, unit] = Brought(int(opened), int(carried))
    return {
        one: PlansLeft(
            plans[one],
            counted_in_following(used[one], plans[one]),
            this_month,
            brought_into_following(brought[one], plans[one]),
        )
        for one in person_ids
    }
